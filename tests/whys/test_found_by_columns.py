"""What whys find by columns, held against the plain way: entry by entry, as it is described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, strategies as st
from support.builders import START, query, rule, stored_at
from support.strategies import tables

from forensics.classify import Classifier
from forensics.clusters.occurrences import FailedRequests, find_occurrences
from forensics.entries import select
from forensics.extract import FactsExtractor, extract
from forensics.model import AllOf, Leaf, LeafOp, Level, OccurrenceUnit, Revision, WhyRule
from forensics.whys import NearbyEntries

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable, Occurrences
    from forensics.model import Condition

CONDITIONS: tuple[Condition, ...] = (
    Leaf(path="message", op=LeafOp.CONTAINS, value="lost"),
    Leaf(path="message", op=LeafOp.CONTAINS, value="said by nobody"),
    Leaf(path="stream", op=LeafOp.EQUALS, value="requests"),
    AllOf(
        conditions=(
            Leaf(path="stream", op=LeafOp.EQUALS, value="requests"),
            Leaf(path="http.latency", op=LeafOp.AT_LEAST, value="1s"),
        )
    ),
)


def occurrences_of(found: EntryTable) -> Occurrences:
    rows = [row for row in found.rows() if found.facts(row).analysed]
    return find_occurrences(rows, found, {}, None, FailedRequests(rows, found).keys(rows))


@given(found=tables(), start=st.integers(-10, 170), length=st.integers(0, 60))
def test_neighbours_are_those_of_the_instance_or_trace_within_the_time(
    found: EntryTable, start: int, length: int
) -> None:
    first, last = START + start * 10**9, START + (start + length) * 10**9
    neighbours = NearbyEntries(found)
    for near in occurrences_of(found):
        by_instance = [row for row in found.rows() if near.instance and found.instance(row) == near.instance]
        by_trace = [row for row in found.rows() if near.trace and found.traces[row] == near.trace]
        by_trace = [row for row in by_trace if not found.instance(row)]
        own = by_instance or by_trace
        expected = [row for row in own if first <= found.times[row] <= last]
        assert list(neighbours.between(near, first, last)) == expected


@given(found=tables())
def test_causes_lie_before_the_end_of_a_request_and_the_first_entry_of_all_else(found: EntryTable) -> None:
    occurrences = occurrences_of(found)
    ends = [max(found.ends[row] for row in one.rows) for one in occurrences]
    assert [one.end for one in occurrences] == ends
    is_request = [one.unit is OccurrenceUnit.REQUEST for one in occurrences]
    starts = [found.times[one.rows[0]] for one in occurrences]
    expected = [end if asks else start for end, asks, start in zip(ends, is_request, starts, strict=True)]
    assert list(occurrences.bases(range(len(occurrences)))) == expected
    assert list(occurrences.starts) == sorted(starts) == starts


@given(found=tables(), condition=st.sampled_from(CONDITIONS))
def test_what_is_asked_of_entries_is_true_where_the_condition_is(found: EntryTable, condition: Condition) -> None:
    why = WhyRule(ask="Why?", evidence_kind="entries", evidence={"before": "60s"}, condition=condition)
    rules = [rule("lost", CONDITIONS[0], whys=(why,))]
    records = [found.original(row).raw for row in range(len(found))]
    log_index, store = stored_at(*records)
    extractor = FactsExtractor(rules, Level.ERROR)
    table, _ = extract(log_index, select(log_index, Revision(name="all", asked="all"), query("all")), store, extractor)
    holds, classifier = extractor.row_predicate(condition, table), Classifier(rules)
    expected = [row for row in table.rows() if classifier.holds(condition, table.entry(row))]
    assert [row for row in table.rows() if holds is not None and holds(row)] == expected
