"""Rows in, a table out: what every entry comes down to, in one go or in chunks, and what of lost records."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st
from support.builders import REVISION, START, extracted, leaf, query, raw, raws, request, rule, stored_at, table

from forensics.entries import MemoryRecordStore, collect, decode_record, stitch
from forensics.extract import FactsExtractor, build_table, extract, facts_extractor as extractor, trace_of
from forensics.model import (
    Analysis,
    Frame,
    IndexBatch,
    LabelSet,
    Level,
    LogEntry,
    Place,
    RawEntry,
    RulebookInfo,
    Unreadable,
    WhyRule,
)
from forensics.pipeline import analyze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.extract.build_table import Extracted, ExtractRows

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/app/shop.py", line 3, in pay\n    charge()\n'
    '  File "/usr/lib/python3.11/json/decoder.py", line 9, in decode\n    raise\n'
    "KeyError: 'card'"
)
ANY = FactsExtractor((), Level.ERROR)


def entry(text: str | None = None, **fields: Any) -> LogEntry:
    return decode_record(raw(text, **fields))


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_no_rule_knows_is_analysed_by_its_level() -> None:
    routine, notable = ANY.facts(entry("ready")), ANY.facts(entry(TRACE, severity="ERROR"))
    assert (routine.analysed, routine.signature, routine.group, routine.frame, routine.weight) == (
        False,
        "",
        (),
        None,
        0,
    )
    assert (notable.analysed, notable.signature, notable.weight) == (True, "", 2)
    assert len(notable.group) == 1  # its fingerprint
    assert notable.frame == Frame(file="/app/shop.py", line=3, function="pay", in_app=True)
    assert ANY.facts(entry("ValueError: bad")).weight == 1
    assert FactsExtractor((), Level.INFO).facts(entry("ready", severity="INFO")).analysed
    assert not FactsExtractor((), Level.CRITICAL).facts(entry(TRACE, severity="ERROR")).analysed


def test_a_rule_says_what_is_captured_grouped_and_asked_for() -> None:
    asked = ("module", "exception.value", "frame.line", "nothing")
    asks = WhyRule(ask="?", evidence_kind="values", evidence=asked)
    rules = (
        rule("absent", leaf(regex=r"No module named '(?P<module>\w+)'"), group_by=("module", "severity"), whys=(asks,)),
        rule("module", leaf(regex="module")),
    )
    found = FactsExtractor(rules, Level.ERROR).facts(
        entry("ModuleNotFoundError: No module named 'pay'", severity="WARNING")
    )
    assert (found.signature, found.also, found.analysed) == ("absent", ("module",), True)
    assert found.captures == (("module", "pay"),)
    assert found.group == ("pay", "WARNING")
    assert found.values == (("module", "pay"), ("exception.value", "No module named 'pay'"))


def test_exits_starts_and_requests_are_told() -> None:
    ended = ANY.facts(entry("Container called exit(3).", stream="system", severity="WARNING"))
    begun = ANY.facts(entry("Starting new instance. Reason: AUTOSCALING", stream="system", severity="INFO"))
    asked = ANY.facts(decode_record(request(200, at=0, latency=1)))
    empty = ANY.facts(entry())
    assert [(g.exits, g.starts, g.is_request, g.has_payload) for g in (ended, begun, asked, empty)] == [
        (True, False, False, True),
        (False, True, False, True),
        (False, False, True, True),
        (False, False, False, False),
    ]


def test_a_trace_has_a_number() -> None:
    one, other = entry("x", trace="t1"), entry("x", trace="t2")
    assert trace_of(one) == trace_of(entry("y", trace="t1")) != trace_of(other)
    assert (trace_of(entry("x")), bool(trace_of(one))) == (0, True)


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.sampled_from([*TRACE.split("\n"), TRACE, "ERROR:app:failed", "[SQL: x]", "", "plain", None])
RECORDS = st.lists(
    st.tuples(
        TEXTS,
        st.sampled_from([0.0, 0.000_005, 0.009, 0.5, 3.0, 6.0]),
        st.sampled_from(["stderr", "stdout"]),
        st.sampled_from(["i1", "i2"]),
        st.sampled_from([None, "ERROR"]),
    ),
    max_size=20,
)


def made(drawn: list[tuple[str | None, float, str, str, str | None]]) -> list[dict[str, Any]]:
    at, records = 0.0, []
    for number, (text, gap, stream, instance, severity) in enumerate(drawn):
        at += gap
        records.append(raw(text, at=at, number=number, stream=stream, instance=instance, severity=severity))
    return records


@settings(max_examples=200, deadline=None)
@given(RECORDS)
def test_the_table_has_what_stitching_all_entries_gives(
    drawn: list[tuple[str | None, float, str, str, str | None]],
) -> None:
    records = made(drawn)
    whole = stitch(decode_record(record) for record in records)
    found = table(*records)
    assert tuple(found.entry(row) for row in found.rows()) == whole
    assert [found.facts(row) for row in found.rows()] == [ANY.facts(e) for e in whole]
    assert [found.ends[row] for row in found.rows()] == [e.end for e in whole]
    assert sorted(piece for row in found.rows() for piece in found.originals(row)) == list(range(len(records)))


def backwards(extract_chunk: ExtractRows, chunks: Iterable[array[int]]) -> Iterator[Extracted]:
    """Begin with the last chunk, as several processes may, and hand results out in order."""
    given_ = [*chunks]
    return reversed([extract_chunk(chunk) for chunk in reversed(given_)])


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    records = [raw(text, at=n * 5e-6, number=n, severity=("ERROR", None)[n % 2]) for n, text in enumerate("abcabc")]
    records += [raw(line, at=1 + n * 5e-6) for n, line in enumerate(TRACE.split("\n"))]
    log_index, store = stored_at(*records)
    whole, _ = extracted(log_index, store)
    monkeypatch.setattr(build_table, "_CHUNK", size)
    monkeypatch.setattr(build_table, "_WORTH", 0)
    found, lost = extract(log_index, array("I", range(len(log_index))), store, ANY, backwards)
    assert lost == 0
    assert (found.times, found.ends, found.traces, found.label_ids) == (
        whole.times,
        whole.ends,
        whole.traces,
        whole.label_ids,
    )
    assert [found.facts(row) for row in range(12)] == [whole.facts(row) for row in range(12)]
    assert (found.pieces, found.heads) == (whole.pieces, whole.heads)
    fact_ids, counts = found.distinct_facts, {whole.distinct_facts[code]: n for code, n in whole.counts.items()}
    assert {fact_ids[code]: n for code, n in found.counts.items()} == counts


def test_rows_that_are_not_asked_for_are_not_in_the_table() -> None:
    log_index, store = stored_at(*(raw(f"{n}", at=n) for n in range(5)))
    found, _ = extract(log_index, array("I", [1, 3]), store, ANY)
    assert [found.entry(row).message for row in found.rows()] == ["1", "3"]
    assert list(found.times) == [START + 10**9, START + 3 * 10**9]


class CountingStore(MemoryRecordStore):
    """Notes which records were fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[int] = []

    def record(self, place: int) -> dict[str, Any] | None:
        self.fetched.append(place)
        return super().record(place)


def test_requests_that_went_well_are_told_by_their_kind_and_not_fetched() -> None:
    store = CountingStore()
    records = [raw("ready", at=0), *(request(200, at=n, latency=1, trace="t") for n in (1, 2)), raw("x", at=3)]
    log = "projects/shop/logs/run.googleapis.com%2F"
    label_ids = [
        LabelSet(REVISION, "shop", "p", "l", "i1", f"{log}stderr", None),
        LabelSet(REVISION, "shop", "p", "l", "i1", f"{log}requests", "INFO", routine=Level.INFO),
    ]
    batch = IndexBatch(
        source="a",
        times=array("q", [START + n * 10**9 for n in range(4)]),
        identities=array("q", range(4)),
        places=array("q", [store.keep(record) for record in records]),
        label_ids=array("I", [0, 1, 1, 0]),
        label_sets=label_ids,
    )
    found, lost = extracted(collect([batch], store), store)
    assert (lost, store.fetched) == (0, [0, 3])
    facts = found.facts(1)
    assert found.facts(2) == facts != found.facts(0)
    assert (facts.level, facts.severity, facts.stream, facts.is_request) == (Level.INFO, "INFO", "requests", True)
    assert (facts.has_payload, facts.analysed, facts.is_line) == (True, False, False)
    assert found.counts[found.fact_ids[1]] == 2
    assert found.entry(2) == decode_record(records[2])


def test_facts_are_the_same_whatever_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asks = WhyRule(ask="?", evidence_kind="values", evidence=("word", "frame.line", "exception.type", "severity"))
    rules = (
        rule("named", leaf(regex=r"(?P<word>pay|ship)"), group_by=("word", "stream"), whys=(asks,)),
        rule("bad", leaf(regex="bad")),
    )
    texts = ["pay 1", "ship 2", "bad pay", "ready", TRACE, "ValueError: bad", "[SQL: x]", ""]
    entries = [entry(text, severity=severity) for text in texts for severity in (None, "INFO", "ERROR")] * 2
    alone = [FactsExtractor(rules, Level.ERROR).facts(one) for one in entries]
    used = FactsExtractor(rules, Level.ERROR)
    assert [used.facts(one) for one in entries] == alone
    monkeypatch.setattr(extractor, "_REMEMBERED", 2)
    forgetful = FactsExtractor(rules, Level.ERROR)
    assert [forgetful.facts(one) for one in entries] == alone


# ── lost records ─────────────────────────────────────────────────────────────────────────────────────────────────────


class LossyStore(MemoryRecordStore):
    """Does not find certain records again."""

    def __init__(self, *gone: int) -> None:
        super().__init__()
        self._gone = gone

    def record(self, place: int) -> dict[str, Any] | None:
        return None if place in self._gone else super().record(place)


ERRORS = [raw(f"ValueError: {word}", at=n * 5, severity="ERROR") for n, word in enumerate(["a", "b", "c", "d", "e"])]


def analysed(*gone: int, before: Unreadable | None = None) -> Analysis:
    info = RulebookInfo(count=0, folders=(), overridden=())
    read: list[RawEntry | Unreadable] = [*([before] if before else []), *raws(*ERRORS)]
    return analyze(read, [], query(), rulebook=info, tool_version="test", store=LossyStore(*gone))


def test_nothing_lost_is_not_spoken_of() -> None:
    coverage = analysed().report.coverage
    assert (coverage.entries_selected, coverage.unreadable, coverage.first_unreadable) == (5, 0, None)
    assert not any("lost" in warning for warning in coverage.warnings)


def test_lost_records_are_counted_and_told_and_all_others_stay() -> None:
    report = analysed(1, 3).report
    coverage = report.coverage
    assert (coverage.entries_read, coverage.entries_selected, coverage.analysed, coverage.errors) == (5, 3, 3, 3)
    assert (coverage.unreadable, coverage.first_unreadable) == (2, "entries that were read could not be read again")
    assert any("2 entries were lost: an input changed" in warning for warning in coverage.warnings)
    kept = [ERRORS[n] for n in (0, 2, 4)]
    assert sum(cluster.entries for cluster in report.clusters) == 3
    cited = [ref for cluster in report.clusters for ref in cluster.exemplars]
    assert sorted(ref.insert_id for ref in cited) == [record["insertId"] for record in kept]
    assert sorted(ref.message for ref in cited) == [record["textPayload"] for record in kept]
    assert (coverage.covered.from_time, coverage.covered.to_time) == (kept[0]["timestamp"], kept[-1]["timestamp"])


def test_the_table_of_entries_has_no_other_entrys_words_behind_a_lost_one() -> None:
    rows = [(row.timestamp, row.insert_id, row.message) for row in analysed(1, 3).rows]
    kept = [ERRORS[n] for n in (0, 2, 4)]
    assert rows == [(record["timestamp"], record["insertId"], record["textPayload"]) for record in kept]


def test_lost_and_unreadable_records_add_up() -> None:
    bad = Unreadable(place=Place(source="a.json", record=7), reason="no JSON")
    coverage = analysed(1, 3, before=bad).report.coverage
    assert (coverage.unreadable, coverage.first_unreadable) == (3, "a.json:7: no JSON")


def test_when_everything_is_lost_nothing_is_said_of_payloads() -> None:
    report = analysed(0, 1, 2, 3, 4).report
    assert (report.clusters, report.coverage.unreadable) == ((), 5)
    assert "payload" not in report.headline
