"""Entries as columns: what is kept of each, and the way back to the whole entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import START, extracted, raw, request, stored_at, table

from forensics.entries import MemoryRecordStore, decode_record, stitch
from forensics.errors import SourceError
from forensics.model import EntryFacts, Level, Nanoseconds

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable

HEADER = "Traceback (most recent call last):"
MICROSECOND = 1e-6
CRASH = [
    raw(text, at=n * 5 * MICROSECOND, number=n)
    for n, text in enumerate((HEADER, '  File "/app/shop.py", line 3, in pay', "    charge()", "KeyError: 'card'"))
]


def crash_among_others() -> EntryTable:
    """Four pieces of one crash, with other streams' entries before, between and behind them."""
    return table(
        raw("ready", at=-1, stream="stdout"),
        *CRASH,
        raw("meanwhile", at=7 * MICROSECOND, instance="i2"),
        request(200, at=1, latency=0.5, trace="t1"),
    )


def test_the_columns_say_what_the_entries_say() -> None:
    records = [
        raw("ready", at=0, stream="stdout", instance="i2"),
        request(500, at=1, latency=2.5, trace="t1"),
        raw("ValueError: bad", at=2, severity="ERROR"),
        raw("?", timestamp="?"),
    ]
    found = table(*records)
    entries = [decode_record(record) for record in (records[3], *records[:3])]
    assert len(found) == 4
    assert [found.entry(row) for row in found.rows()] == entries
    assert [found.original(row) for row in range(4)] == entries
    assert list(found.times) == [e.time for e in entries] == [0, START, START + 10**9, START + 2 * 10**9]
    assert list(found.ends) == [e.end for e in entries]
    assert [found.instance(row) for row in range(4)] == [e.instance for e in entries]
    assert [found.label_set(row).revision for row in range(4)] == [e.revision for e in entries]
    assert [found.facts(row).level for row in range(4)] == [e.level for e in entries]
    assert [bool(trace) for trace in found.traces] == [False, False, True, False]
    assert [found.facts(row).is_request for row in range(4)] == [False, False, True, False]
    assert found.starts_at == START


def test_entries_without_a_time_begin_nowhere() -> None:
    assert table(raw("x", timestamp="?")).starts_at == 0
    assert table().starts_at == 0
    assert (len(table()), [*table().rows()]) == (0, [])


def test_a_stitched_entry_stands_at_its_first_piece() -> None:
    found = crash_among_others()
    assert len(found) == 7
    assert [*found.rows()] == [0, 1, 3, 6]
    assert found.pieces == {1: (1, 2, 4, 5)}
    assert found.heads == {2: 1, 4: 1, 5: 1}
    assert [found.originals(row) for row in found.rows()] == [(0,), (1, 2, 4, 5), (3,), (6,)]
    (whole,) = stitch(decode_record(record) for record in CRASH)
    assert found.entry(1) == whole
    assert [found.original(row) for row in found.originals(1)] == list(whole.pieces)
    assert (found.facts(1).level, found.facts(1).weight, found.facts(1).analysed) == (Level.ERROR, 2, True)
    assert found.ends[1] == whole.end


def test_what_was_counted_was_counted_before_pieces_were_joined() -> None:
    found = crash_among_others()
    levels = {decode_record(record).level for record in CRASH}
    assert sum(found.counts.values()) == len(found) == 7
    assert {found.distinct_facts[code].level for code in found.counts} == levels | {Level.INFO, Level.DEFAULT}
    assert max(facts.weight for code, facts in enumerate(found.distinct_facts) if code not in found.counts) == 2


def test_an_entry_is_decoded_once_for_as_long_as_it_is_remembered() -> None:
    found = crash_among_others()
    assert all(found.entry(row) is found.entry(row) for row in found.rows())


# ── rows that are gone ───────────────────────────────────────────────────────────────────────────────────────────────


def columns(found: EntryTable) -> list[tuple[Any, ...]]:
    rows = range(len(found))
    names = [(found.label_set(row), found.facts(row)) for row in rows]
    senders = [(found.marks[row], found.clients[row], found.deliveries.get(row)) for row in rows]
    return [*zip(found.times, found.places, found.ends, found.traces, names, senders, strict=True)]


@pytest.mark.parametrize("gone", [[], [0], [2, 4], [4], [0, 1, 2, 3, 4]])
def test_dropping_rows_leaves_all_others_as_they_are(gone: list[int]) -> None:
    records = [request(500 + row, at=row, latency=row + 1, trace=f"t{row}", instance=f"i{row}") for row in range(5)]
    found = table(*records)
    found.deliveries = {row: 10 + row for row in (1, 2, 4)}
    before = columns(found)
    found.drop(gone)
    rest = [row for row in range(5) if row not in gone]
    assert columns(found) == [before[row] for row in rest]
    assert len(found) == len(rest)
    assert [found.entry(row) for row in found.rows()] == [decode_record(records[row]) for row in rest]


class LossyStore(MemoryRecordStore):
    """Loses the records that say so, once it is told."""

    def __init__(self, *gone: str) -> None:
        super().__init__()
        self.gone = gone

    def record(self, place: int) -> dict[str, Any] | None:
        found = super().record(place)
        return None if found is not None and found.get("textPayload") in self.gone else found


def test_a_record_that_is_gone_before_it_was_looked_at_is_counted() -> None:
    log_index, kept = stored_at(*CRASH, raw("x", at=1), raw("y", at=2, severity="ERROR"))
    store = LossyStore("    charge()", "x")
    for place in range(len(log_index)):
        store.keep(kept.record(place) or {})
    found, lost = extracted(log_index, store)
    assert (lost, len(found), sum(found.counts.values())) == (2, 4, 4)
    assert found.pieces == {0: (0, 1, 2)}
    assert found.entry(0).message.endswith("in pay\nKeyError: 'card'")
    assert (found.entry(3).message, found.facts(3).severity) == ("y", "ERROR")


def test_a_record_that_goes_later_is_an_error_with_the_next_step() -> None:
    store = LossyStore()
    log_index, kept = stored_at(raw("x"), raw("y", at=1))
    for place in range(2):
        store.keep(kept.record(place) or {})
    found, lost = extracted(log_index, store)
    assert (lost, found.entry(0).message) == (0, "x")
    store.gone = ("x", "y")
    assert found.entry(0).message == "x"
    with pytest.raises(SourceError, match="changed while it was read; run again"):
        found.entry(1)


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_equal_facts_are_kept_once() -> None:
    found = table(*(raw(f"ready {n}", at=n) for n in range(50)), raw("ValueError: bad", at=60, severity="ERROR"))
    assert len(found.distinct_facts) == 2
    assert {*found.fact_ids} == {0, 1}
    facts = found.facts(0)
    twin = EntryFacts(**{name: getattr(facts, name) for name in EntryFacts.__struct_fields__})
    assert (found.code(twin), len(found.distinct_facts)) == (found.fact_ids[0], 2)


def test_what_is_noted_can_be_read_again() -> None:
    found = table(raw("x"), raw("y", at=1))
    facts = EntryFacts(level=Level.ALERT, severity="ALERT", stream="stdout", has_payload=True)
    found.note(1, facts, Nanoseconds(found.times[1] + 5), 7)
    assert (found.facts(1), found.ends[1] - found.times[1], found.traces[1]) == (facts, 5, 7)
    assert found.facts(0) != facts
