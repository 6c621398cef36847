"""Find the entries with an insertId, each with all pieces of its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.entries.decode.decoding import decode_record
from forensics.entries.stitch.stitching import LATE_END, stitch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.model import LogEntry, LogIndex, RecordStore

NEIGHBOURS = 500
"""Rows of one stream, on either side of an entry, that may be pieces of its message."""


def all_entries(log_index: LogIndex, store: RecordStore) -> tuple[LogEntry, ...]:
    """Decode and stitch all entries, in order of time."""
    return stitch(_decoded(range(len(log_index)), log_index, store))


def entries_with_id(insert_id: str, log_index: LogIndex, store: RecordStore) -> tuple[LogEntry, ...]:
    """Find the entries with an insertId, in order of time; a piece of a longer message gives the whole message.

    Usually there is one; the same insertId may occur in several logs or at several times.
    """
    messages: dict[tuple[int, str, str], LogEntry] = {}
    for row in range(len(log_index)):
        record = store.record(log_index.places[row])
        if record is not None and record.get("insertId") == insert_id:
            target = decode_record(record)
            whole = stitch(_decoded(_stream_around(row, log_index), log_index, store))
            for entry in whole:
                if any(piece.sort_key == target.sort_key for piece in entry.originals):
                    messages[entry.sort_key] = entry
    return tuple(messages.values())


def _decoded(rows: Iterable[int], log_index: LogIndex, store: RecordStore) -> Iterator[LogEntry]:
    records = (store.record(log_index.places[row]) for row in rows)
    return (decode_record(record) for record in records if record is not None)


def _stream_around(row: int, log_index: LogIndex) -> list[int]:
    """Return the rows of an entry's stream around it, up to a pause that no message spans."""
    before = _until_pause(row, range(row - 1, -1, -1), log_index)
    after = _until_pause(row, range(row + 1, len(log_index)), log_index)
    return [*reversed(before), row, *after]


def _until_pause(start: int, rows: Iterable[int], log_index: LogIndex) -> list[int]:
    stream, time = _stream(start, log_index), log_index.times[start]
    taken: list[int] = []
    for row in rows:
        if abs(log_index.times[row] - time) > LATE_END or len(taken) == NEIGHBOURS:
            break
        if _stream(row, log_index) == stream:
            taken.append(row)
            time = log_index.times[row]
    return taken


def _stream(row: int, log_index: LogIndex) -> tuple[str, str, str]:
    """Return what the pieces of one message have in common."""
    label_set = log_index.label_set(row)
    return label_set.instance, label_set.log_name, label_set.revision
