"""Records as they were read in, an `Intake` out: sorted, without duplicates, counted."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from forensics.entries.fields import text_at, time_of
from forensics.model import Intake, PassedOver, RawEntry, ReadOrder, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SortKey = tuple[int, str, str, str, int]


def collect(records: Iterable[RawEntry | Unreadable | PassedOver]) -> Intake:
    """Sort and count what was read; nothing is dropped but the second copy of an entry."""
    entries: list[tuple[_SortKey, RawEntry]] = []
    times: dict[str, list[int]] = {}
    unreadable: list[Unreadable] = []
    passed = 0
    for record in records:
        source_times = times.setdefault(record.place.source, [])
        if isinstance(record, Unreadable):
            unreadable.append(record)
            continue
        if isinstance(record, PassedOver):
            passed += record.lines
            continue
        key = _sort_key(record)
        entries.append((key, record))
        if key[0]:
            source_times.append(key[0])
    entries.sort(key=lambda entry: entry[0])
    kept = _without_duplicates(entries)
    return Intake(
        entries=kept,
        read=len(entries),
        passed_over=passed,
        duplicates=len(entries) - len(kept),
        unreadable=len(unreadable),
        first_unreadable=unreadable[0] if unreadable else None,
        order=_order(list(times.values())),
        sources=tuple(times),
    )


def _sort_key(raw: RawEntry) -> _SortKey:
    # The place comes last, so that the same copy of an entry is kept in whatever order the copies were read.
    record = raw.record
    return (
        time_of(record),
        text_at(record, "insertId"),
        text_at(record, "logName"),
        raw.place.source,
        raw.place.record,
    )


def _without_duplicates(entries: Sequence[tuple[_SortKey, RawEntry]]) -> tuple[RawEntry, ...]:
    seen: set[object] = set()
    kept = []
    for key, raw in entries:
        identity = _identity(key, raw.record)
        if identity not in seen:
            seen.add(identity)
            kept.append(raw)
    return tuple(kept)


def _identity(key: _SortKey, record: Mapping[str, Any]) -> object:
    """What makes two copies one entry: log, nanosecond and insertId; the whole record where one of them is missing."""
    time, insert_id, log_name = key[:3]
    if insert_id and time:
        return (time, insert_id, log_name)
    return json.dumps(record, sort_keys=True, default=str)


def _order(sources: Sequence[Sequence[int]]) -> ReadOrder:
    orders = {order for times in sources if (order := _order_of(times)) is not None}
    if len(orders) > 1:
        return ReadOrder.UNSORTED
    return next(iter(orders), ReadOrder.OLDEST_FIRST)


def _order_of(times: Sequence[int]) -> ReadOrder | None:
    """Return how one source lies in time; None when it cannot tell, as a single moment cannot."""
    rises = any(earlier < later for earlier, later in pairwise(times))
    falls = any(earlier > later for earlier, later in pairwise(times))
    if rises and falls:
        return ReadOrder.UNSORTED
    if falls:
        return ReadOrder.NEWEST_FIRST
    return ReadOrder.OLDEST_FIRST if rises else None
