"""Entries are found by their insertId, with all pieces of their message."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import raw, stored_at

from forensics.entries import MemoryRecordStore, all_entries, entries_with_id
from forensics.entries.find_entries import NEIGHBOURS

TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 3, in <module>',
    "    import billing",
    "ModuleNotFoundError: No module named 'billing'",
)
PIECES = [raw(text, at=10 + number / 100_000, insert_id=f"piece{number}") for number, text in enumerate(TRACEBACK)]


@pytest.mark.parametrize("piece", range(len(TRACEBACK)))
def test_any_piece_gives_the_whole_message(piece: int) -> None:
    others = [raw("before", at=1), raw("after", at=60), raw("elsewhere", at=10, instance="i2")]
    (found,) = entries_with_id(f"piece{piece}", *stored_at(*reversed(PIECES), *others))
    assert [one.insert_id for one in found.originals] == [f"piece{number}" for number in range(len(TRACEBACK))]
    assert found.message.endswith("No module named 'billing'")


def test_an_entry_that_stands_alone_is_found_alone() -> None:
    (found,) = entries_with_id("one", *stored_at(raw("said", insert_id="one"), raw("more", at=2)))
    assert (found.message, found.pieces) == ("said", ())


def test_all_entries_with_the_id_are_found_in_order_of_time() -> None:
    records = [raw("late", at=9, insert_id="x"), raw("early", at=1, insert_id="x"), raw("other", at=2)]
    assert [one.message for one in entries_with_id("x", *stored_at(*records))] == ["early", "late"]


def test_two_pieces_with_one_id_are_one_message() -> None:
    records = [{**piece, "insertId": "same"} for piece in PIECES]
    assert len(entries_with_id("same", *stored_at(*records))) == 1


def test_a_copy_of_an_entry_is_no_second_one() -> None:
    record = raw("said", insert_id="x")
    assert len(entries_with_id("x", *stored_at(record, record))) == 1


def test_an_id_is_compared_as_a_whole() -> None:
    assert entries_with_id("x", *stored_at(raw("said", insert_id="xy"))) == ()


class CountingStore:
    """A store that counts how many records are fetched from it."""

    def __init__(self, store: MemoryRecordStore) -> None:
        self.keep, self.keep_line, self.line = store.keep, store.keep_line, store.line
        self._store = store
        self.fetched = 0

    def record(self, place: int) -> dict[str, Any] | None:
        self.fetched += 1
        return self._store.record(place)


def test_of_a_busy_stream_only_neighbours_are_decoded() -> None:
    busy = [raw(f"line {n}", at=n / 100, insert_id=f"n{n}") for n in range(4 * NEIGHBOURS)]
    log_index, store = stored_at(*busy)
    counting = CountingStore(store)
    (found,) = entries_with_id(f"n{2 * NEIGHBOURS}", log_index, counting)
    assert found.message == f"line {2 * NEIGHBOURS}"
    assert counting.fetched == len(busy) + 2 * NEIGHBOURS + 1


def test_all_entries_are_decoded_and_joined() -> None:
    found = all_entries(*stored_at(*PIECES, raw("before", at=1)))
    assert [len(one.originals) for one in found] == [1, len(TRACEBACK)]
