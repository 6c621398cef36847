"""Sorting, duplicates, order: nothing is lost, and the order of reading does not matter."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, strategies as st

from forensics.entries import MemoryRecordStore, collect
from forensics.entries.index import log_index as log_index_module
from forensics.entries.index.log_index import identity_of, label_set_of
from forensics.entries.raw_fields import time_of
from forensics.model import IndexBatch, LabelSet, LogIndex, PassedOver, Place, RawEntry, ReadOrder, Unreadable
from forensics.text.nested_values import text_at

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from forensics.model import RecordStore


def raw(second: int | str, insert_id: str = "", source: str = "a.json", number: int = 1, **fields: Any) -> RawEntry:
    timestamp = f"2026-03-01T10:00:{second:02d}Z" if isinstance(second, int) else second
    record = {"timestamp": timestamp, "insertId": insert_id, "logName": "projects/p/logs/x", **fields}
    return RawEntry(record=record, place=Place(source=source, record=number))


def times(*seconds: int, source: str = "a.json") -> list[RawEntry]:
    return [raw(s, str(n), source, n) for n, s in enumerate(seconds)]


class NumberedStore(MemoryRecordStore):
    """Finds records by their numbers, as a store of files does, whatever the order of reading."""

    def __init__(self, records: Iterable[RawEntry]) -> None:
        super().__init__()
        self._numbers = {id(read.record): read.place.record for read in records}
        self._numbered = {read.place.record: read.record for read in records}

    def keep(self, record: dict[str, Any]) -> int:
        return self._numbers[id(record)]

    def record(self, place: int) -> dict[str, Any] | None:
        return self._numbered[place]


class Collected(NamedTuple):
    log_index: LogIndex
    records: list[dict[str, Any]]
    """Fetched, row by row."""

    @property
    def columns(self) -> list[tuple[int, LabelSet, dict[str, Any]]]:
        rows = enumerate(zip(self.log_index.times, self.records, strict=True))
        return [(time, self.log_index.label_set(row), record) for row, (time, record) in rows]


def collected(
    read: Iterable[RawEntry | Unreadable | PassedOver | IndexBatch], store: RecordStore | None = None
) -> Collected:
    store = store or MemoryRecordStore()
    log_index = collect(read, store)
    found = [record for place in log_index.places if (record := store.record(place)) is not None]
    assert len(log_index) == len(found) == len(log_index.times) == len(log_index.label_ids)
    return Collected(log_index, found)


def batch(records: Sequence[RawEntry], store: RecordStore) -> IndexBatch:
    """Hand records out as a reader does that keeps them where it read them."""
    made = IndexBatch(
        source=records[0].place.source,
        times=array("q"),
        identities=array("q"),
        places=array("q"),
        label_ids=array("I"),
        label_sets=[],
    )
    for record in (read.record for read in records):
        time = time_of(record)
        made.times.append(time)
        made.identities.append(identity_of(time, text_at(record, "insertId"), text_at(record, "logName"), record))
        made.places.append(store.keep(record))
        made.label_ids.append(len(made.label_sets))  # equal kinds may stand in a table more than once
        made.label_sets.append(label_set_of(record))
    return made


def in_batches(records: Sequence[RawEntry], cuts: Iterable[int], store: RecordStore) -> list[IndexBatch]:
    """Cut what was read into batches, each of one input."""
    changes = [n for n, (a, b) in enumerate(pairwise(records), 1) if a.place.source != b.place.source]
    bounds = sorted({0, len(records), *changes, *(cut for cut in cuts if cut <= len(records))})
    return [batch(records[a:b], store) for a, b in pairwise(bounds)]


def test_entries_are_sorted_by_time_id_and_log() -> None:
    given_ = [raw(2, "b"), raw(1, "c"), raw(1, "a"), raw("2026-03-01T10:00:01.000000001Z", "b"), raw("no time", "z")]
    assert [r["insertId"] for r in collected(given_).records] == ["z", "a", "c", "b", "b"]


def test_a_tie_in_time_is_settled_by_the_id_and_then_by_the_log() -> None:
    ids = [("b", "y"), ("a", "z"), ("b", "x"), ("", "z"), ("a", "x"), ("", "y")]
    given_ = [raw(0, "z"), *(raw(1, insert_id, logName=log) for insert_id, log in ids), raw(2, "a")]
    found = [(r["insertId"], r["logName"]) for r in collected(given_).records]
    assert found == [("z", "projects/p/logs/x"), *sorted(ids), ("a", "projects/p/logs/x")]


def test_duplicates_share_log_time_and_id() -> None:
    found = collected(
        [
            raw(1, "a", textPayload="x"),
            raw(1, "a", "b.json", textPayload="y"),
            raw(1, "a", logName="projects/p/logs/other"),
            raw("2026-03-01T10:00:01.000Z", "a", number=9),  # the same moment, spelled otherwise
            raw(2, "a"),
        ]
    )
    assert (found.log_index.read, found.log_index.duplicates, len(found.log_index)) == (5, 2, 3)
    assert [r.get("textPayload") for r in found.records] == [None, "x", None]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_copies_the_one_of_the_first_input_by_name_is_kept(turned: bool) -> None:  # noqa: FBT001 - a column
    copies = [raw(1, "a", "a.json", severity="INFO"), raw(1, "a", "b.json", severity="ERROR"), raw(2, "z", "b.json")]
    found = collected(copies[::-1] if turned else copies)
    assert [found.log_index.label_set(row).severity for row in range(2)] == ["INFO", None]
    assert [r.get("severity") for r in found.records] == ["INFO", None]


def test_many_moments_with_copies_lose_the_copies_only() -> None:
    once = [raw(second, insert_id, number=second) for second in range(20) for insert_id in "abc"]
    found = collected([*once, *once[::-1], *once])
    assert (found.log_index.read, found.log_index.duplicates) == (180, 120)
    assert found.records == [read.record for read in once]


def test_without_an_id_only_equal_records_are_duplicates() -> None:
    log_index, _ = collected([raw(1, textPayload="x"), raw(1, textPayload="y"), raw(1, textPayload="x", number=2)])
    assert (log_index.duplicates, len(log_index)) == (1, 2)


@pytest.mark.parametrize(("second", "insert_id"), [(1, ""), ("?", "a")])
def test_what_has_no_id_or_no_time_is_known_by_all_that_it_says(second: int | str, insert_id: str) -> None:
    payloads: list[dict[str, Any]] = [{"b": 1, "a": [2]}, {"a": [2], "b": 1}, {"a": [2]}]
    records = [raw(second, insert_id, jsonPayload=payload) for payload in payloads]
    found = collected(records)
    assert (found.log_index.duplicates, [r["jsonPayload"] for r in found.records]) == (
        1,
        [{"b": 1, "a": [2]}, {"a": [2]}],
    )


def test_a_record_without_anything_is_an_entry() -> None:
    place = Place(source="a", record=1)
    strange: list[dict[str, Any]] = [{}, {"insertId": 7, "timestamp": None, "logName": [], "resource": 1, "labels": ""}]
    found = collected(RawEntry(record=record, place=place) for record in [*strange, {}])
    assert (found.log_index.duplicates, found.records) == (1, strange)
    assert list(found.log_index.times) == [0, 0]
    assert {found.log_index.label_set(row).log_name for row in range(2)} == {""}


def test_unreadable_records_are_counted_and_the_first_is_kept() -> None:
    bad = [Unreadable(place=Place(source="b", record=n), reason="r") for n in (3, 4)]
    log_index, _ = collected([*bad, raw(1, "a"), *bad])
    assert (log_index.read, log_index.unreadable, log_index.first_unreadable, log_index.sources) == (
        1,
        4,
        bad[0],
        ("b", "a.json"),
    )


def test_lines_passed_over_are_counted_and_their_input_is_named() -> None:
    passed = [PassedOver(place=Place(source="b", record=n), lines=n) for n in (3, 4)]
    log_index, _ = collected([*passed, raw(1, "a")])
    assert (log_index.read, log_index.passed_over, log_index.sources) == (1, 7, ("b", "a.json"))


ORDERS: list[tuple[list[RawEntry], ReadOrder]] = [
    ([], ReadOrder.OLDEST_FIRST),
    (times(1), ReadOrder.OLDEST_FIRST),
    (times(1, 2, 2, 3), ReadOrder.OLDEST_FIRST),
    (times(3, 2, 2), ReadOrder.NEWEST_FIRST),
    (times(3, 1, 2), ReadOrder.UNSORTED),
    (times(3, 2) + times(9, 8, source="b") + times(5, source="c"), ReadOrder.NEWEST_FIRST),
    (times(3, 2) + times(8, 9, source="b"), ReadOrder.UNSORTED),
    ([*times(3, 2), raw("", "x")], ReadOrder.NEWEST_FIRST),
]


@pytest.mark.parametrize(("records", "order"), ORDERS)
def test_how_the_inputs_lay_in_time(records: list[RawEntry], order: ReadOrder) -> None:
    assert collected(records).log_index.order is order


@pytest.mark.parametrize("cuts", [(), (1,), range(9)])
@pytest.mark.parametrize(("records", "order"), ORDERS)
def test_batches_tell_how_the_inputs_lay_in_time(
    records: list[RawEntry], order: ReadOrder, cuts: tuple[int, ...]
) -> None:
    store = MemoryRecordStore()
    assert collected(in_batches(records, cuts, store), store).log_index.order is order


RECORDS = st.lists(
    st.builds(
        raw,
        st.integers(min_value=0, max_value=3) | st.just("broken"),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["a.json", "b.json"]),
        textPayload=st.sampled_from(["x", "y"]),
        logName=st.sampled_from(["projects/p/logs/x", "projects/p/logs/y", ""]),
        severity=st.sampled_from(["ERROR", None]),
    ),
    max_size=12,
)


def numbered(records: Iterable[RawEntry]) -> list[RawEntry]:
    """Give every record a number, and its own copy of what it holds."""
    return [RawEntry(record={**r.record}, place=Place(source=r.place.source, record=n)) for n, r in enumerate(records)]


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(records: list[RawEntry], chance: random.Random) -> None:
    read = numbered(records)
    shuffled = read.copy()
    chance.shuffle(shuffled)
    first, second = collected(read, NumberedStore(read)), collected(shuffled, NumberedStore(read))
    assert first.log_index.places == second.log_index.places
    assert first.columns == second.columns
    assert first.log_index.read == len(read) == len(first.log_index) + first.log_index.duplicates
    keys = [(time, r["insertId"], r["logName"]) for time, _, r in first.columns]
    assert keys == sorted(keys)
    assert all(
        label_set == label_set_of(record) and time == time_of(record) for time, label_set, record in first.columns
    )


@given(RECORDS, st.randoms(use_true_random=False))
def test_reading_everything_twice_changes_nothing(records: list[RawEntry], chance: random.Random) -> None:
    read = numbered(records)
    doubled = numbered([*read, *read])
    once, store = collected(read, NumberedStore(read)), NumberedStore(doubled)
    chance.shuffle(doubled)
    twice = collected(doubled, store)
    assert twice.columns == once.columns
    assert twice.log_index.duplicates == once.log_index.duplicates + len(read)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_inputs_does_not_matter_where_places_are_given_as_they_are_read(
    records: list[RawEntry], chance: random.Random
) -> None:
    first = sorted(records, key=lambda read: read.place.source)
    files = {name: [read for read in first if read.place.source == name] for name in ("a.json", "b.json")}
    names = [read.place.source for read in records]
    chance.shuffle(names)
    mixed = [files[name].pop(0) for name in names]
    assert collected(first).columns == collected(mixed).columns


@given(RECORDS, st.lists(st.integers(min_value=0, max_value=12), max_size=4))
def test_batches_give_what_their_records_give_one_by_one(records: list[RawEntry], cuts: list[int]) -> None:
    read = numbered(records)
    store, single = MemoryRecordStore(), collected(read)
    found = collected(in_batches(read, cuts, store), store)
    assert found.columns == single.columns
    assert (found.log_index.read, found.log_index.duplicates) == (single.log_index.read, single.log_index.duplicates)
    assert (found.log_index.order, found.log_index.sources) == (single.log_index.order, single.log_index.sources)


# ── many ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

MANY = 100_003
"""A prime number, so that the multiples of a smaller one, modulo this, are all different."""


class NamedStore(MemoryRecordStore):
    """Makes up a record for each place: the later the place, the smaller its insertId."""

    def record(self, place: int) -> dict[str, Any]:
        return {"insertId": f"{MANY - place:06}"}


def many() -> IndexBatch:
    """Make rows without order; a few hundred stand in one moment, and a few hundred have no time."""
    steps = [n * 7_919 % MANY for n in range(MANY)]
    codes = array("I", [step % 3 for step in steps])
    label_sets = [label_set_of({"logName": name}) for name in "abc"]
    moments = array("q", [0 if step < 200 else max(step, 500) * 10**9 for step in steps])
    return IndexBatch(
        source="a",
        times=moments,
        identities=array("q", steps),
        places=array("q", range(MANY)),
        label_ids=codes,
        label_sets=label_sets,
    )


def test_rows_are_sorted_alike_at_once_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    read, store = many(), NamedStore()
    fast = collect([read], store)
    assert len(fast) == MANY > log_index_module._AT_ONCE
    monkeypatch.setattr(log_index_module, "_AT_ONCE", MANY)
    assert collect([read], store) == fast
    assert list(fast.times) == sorted(read.times)
    assert list(fast.times) == [read.times[at] for at in fast.places]
    assert list(fast.label_ids) == [read.label_ids[at] for at in fast.places]
    # The insertId falls as the place rises.
    tied = [(time, -place) for time, place in zip(fast.times, fast.places, strict=True)]
    assert tied == sorted(tied)
