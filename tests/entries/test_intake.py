"""Sorting, duplicates, order: nothing is lost, and the order of reading does not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from forensics.entries import collect
from forensics.model import Place, RawEntry, ReadOrder, Unreadable

if TYPE_CHECKING:
    import random


def raw(second: int | str, insert_id: str = "", source: str = "a.json", number: int = 1, **fields: Any) -> RawEntry:
    timestamp = f"2026-03-01T10:00:{second:02d}Z" if isinstance(second, int) else second
    record = {"timestamp": timestamp, "insertId": insert_id, "logName": "projects/p/logs/x", **fields}
    return RawEntry(record=record, place=Place(source=source, record=number))


def times(*seconds: int, source: str = "a.json") -> list[RawEntry]:
    return [raw(s, str(n), source, n) for n, s in enumerate(seconds)]


def test_entries_are_sorted_by_time_id_and_log() -> None:
    given_ = [raw(2, "b"), raw(1, "c"), raw(1, "a"), raw("2026-03-01T10:00:01.000000001Z", "b"), raw("no time", "z")]
    assert [e.record["insertId"] for e in collect(given_).entries] == ["z", "a", "c", "b", "b"]


def test_duplicates_share_log_time_and_id() -> None:
    intake = collect(
        [
            raw(1, "a", textPayload="x"),
            raw(1, "a", "b.json", textPayload="y"),
            raw(1, "a", logName="projects/p/logs/other"),
            raw("2026-03-01T10:00:01.000Z", "a", number=9),  # the same moment, spelled otherwise
            raw(2, "a"),
        ]
    )
    assert (intake.read, intake.duplicates, len(intake.entries)) == (5, 2, 3)
    assert [e.record.get("textPayload") for e in intake.entries] == [None, "x", None]


def test_without_an_id_only_equal_records_are_duplicates() -> None:
    intake = collect([raw(1, textPayload="x"), raw(1, textPayload="y"), raw(1, textPayload="x", number=2)])
    assert (intake.duplicates, len(intake.entries)) == (1, 2)


def test_unreadable_records_are_counted_and_the_first_is_kept() -> None:
    bad = [Unreadable(place=Place(source="b", record=n), reason="r") for n in (3, 4)]
    intake = collect([*bad, raw(1, "a"), *bad])
    assert (intake.read, intake.unreadable, intake.first_unreadable, intake.sources) == (1, 4, bad[0], ("b", "a.json"))


@pytest.mark.parametrize(
    ("records", "order"),
    [
        ([], ReadOrder.OLDEST_FIRST),
        (times(1), ReadOrder.OLDEST_FIRST),
        (times(1, 2, 2, 3), ReadOrder.OLDEST_FIRST),
        (times(3, 2, 2), ReadOrder.NEWEST_FIRST),
        (times(3, 1, 2), ReadOrder.UNSORTED),
        (times(3, 2) + times(9, 8, source="b") + times(5, source="c"), ReadOrder.NEWEST_FIRST),
        (times(3, 2) + times(8, 9, source="b"), ReadOrder.UNSORTED),
        ([*times(3, 2), raw("", "x")], ReadOrder.NEWEST_FIRST),
    ],
)
def test_how_the_inputs_lay_in_time(records: list[RawEntry], order: ReadOrder) -> None:
    assert collect(records).order is order


RECORDS = st.lists(
    st.builds(
        raw,
        st.integers(min_value=0, max_value=3) | st.just("broken"),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["a.json", "b.json"]),
        textPayload=st.sampled_from(["x", "y"]),
    ),
    max_size=12,
)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(records: list[RawEntry], chance: random.Random) -> None:
    numbered = [RawEntry(record=r.record, place=Place(source=r.place.source, record=n)) for n, r in enumerate(records)]
    shuffled = numbered.copy()
    chance.shuffle(shuffled)
    first, second = collect(numbered), collect(shuffled)
    assert first.entries == second.entries
    assert first.read == len(numbered) == len(first.entries) + first.duplicates
