"""Collect records into a `LogIndex`: sorted columns without duplicates, with counts."""

from __future__ import annotations

import heapq
import json
from array import array
from itertools import compress, groupby, islice, pairwise, starmap
from operator import eq, gt, lt
from typing import TYPE_CHECKING, Any

from forensics.entries.decode.resource import revision_of, service_of
from forensics.entries.raw_fields import order_of_id, time_of
from forensics.model import IndexBatch, LabelSet, LogIndex, PassedOver, RawEntry, ReadOrder, Unreadable
from forensics.text.nested_values import dict_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forensics.model import RecordStore

_AT_ONCE = 50_000
"""Rows that are sorted together."""
_TEXT = json.JSONEncoder(sort_keys=True, default=str)


class MemoryRecordStore:
    """A store of records in memory, for inputs that are in memory anyway."""

    def __init__(self) -> None:
        self._records: list[dict[str, Any]] = []
        self._lines: list[bytes] = []

    def keep(self, record: dict[str, Any]) -> int:
        """Store a record and return its place."""
        self._records.append(record)
        return len(self._records) - 1

    def keep_line(self, line: bytes) -> int:
        """Store bytes and return their place."""
        self._lines.append(line)
        return len(self._lines) - 1

    def line(self, place: int) -> bytes:
        """Return the bytes at a place."""
        return self._lines[place]

    def record(self, place: int) -> dict[str, Any] | None:
        """Return the record at a place."""
        return self._records[place]


def label_set_of(record: Mapping[str, Any]) -> LabelSet:
    """Return the labels of a record."""
    labels = dict_at(record, "resource", "labels")
    severity = record.get("severity")
    return LabelSet(
        revision=revision_of(record),
        service=service_of(record),
        project=text_at(labels, "project_id"),
        location=text_at(labels, "location"),
        instance=text_at(record, "labels", "instanceId"),
        log_name=text_at(record, "logName"),
        severity=severity if isinstance(severity, str) else None,
        is_audit="protoPayload" in record,
    )


def identity_of(time: int, insert_id: str, log_name: str, record: Mapping[str, Any]) -> int:
    """Return the deduplication key of an entry, valid in this process only.

    It is made of log, nanosecond and insertId, or of the whole record when one of these is missing.
    """
    return hash((insert_id, log_name)) if insert_id and time else hash(_TEXT.encode(record))


def collect(records: Iterable[RawEntry | Unreadable | PassedOver | IndexBatch], store: RecordStore) -> LogIndex:
    """Sort and count all records; only second copies of an entry are dropped."""
    pile = _Pile()
    for record in records:
        if isinstance(record, RawEntry):
            pile.add(record, store)
        elif isinstance(record, IndexBatch):
            pile.add_batch(record)
        elif isinstance(record, PassedOver):
            pile.see(record.place.source)
            pile.passed += record.lines
        else:
            pile.see(record.place.source)
            pile.first_unreadable = pile.first_unreadable or record
            pile.unreadable += 1
            if record.is_end:
                pile.broken_off.append(record)
    return pile.sorted(store)


class _Pile:
    """The columns of a LogIndex while records are added in the order of reading."""

    def __init__(self) -> None:
        self.times, self.identities, self.places = array("q"), array("q"), array("q")
        self.label_ids, self.origins = array("I"), array("I")
        self.codes: dict[LabelSet, int] = {}
        self.sources: dict[str, _Direction] = {}
        self.passed = self.unreadable = 0
        self.first_unreadable: Unreadable | None = None
        self.broken_off: list[Unreadable] = []
        self.names: tuple[str, ...] = ()
        self.label_sets: tuple[LabelSet, ...] = ()
        self.seen_table: list[LabelSet] | None = None
        self.seen_codes: list[int] = []

    def see(self, source: str) -> _Direction:
        """Note an input, even if it has no entry."""
        direction = self.sources.get(source)
        if direction is None:
            direction = self.sources[source] = _Direction(len(self.sources))
        return direction

    def add(self, raw: RawEntry, store: RecordStore) -> None:
        """Store one record and add its row."""
        record = raw.record
        time = time_of(record)
        self.times.append(time)
        self.identities.append(identity_of(time, text_at(record, "insertId"), text_at(record, "logName"), record))
        self.places.append(store.keep(record) if raw.stored_at is None else raw.stored_at)
        self.label_ids.append(self.codes.setdefault(label_set_of(record), len(self.codes)))
        direction = self.see(raw.place.source)
        self.origins.append(direction.number)
        if time:
            direction.go((time,))

    def add_batch(self, batch: IndexBatch) -> None:
        """Add rows whose records are in the store already."""
        if batch.label_sets is not self.seen_table:  # parts of one batch share theirs
            self.seen_table = batch.label_sets
            self.seen_codes = [self.codes.setdefault(label_set, len(self.codes)) for label_set in batch.label_sets]
        self.times.extend(batch.times)
        self.identities.extend(batch.identities)
        self.places.extend(batch.places)
        self.label_ids.extend(map(self.seen_codes.__getitem__, batch.label_ids))
        direction = self.see(batch.source)
        self.origins.extend(array("I", [direction.number]) * len(batch.times))
        direction.go(batch.times if all(batch.times) else [time for time in batch.times if time])

    def sorted(self, store: RecordStore) -> LogIndex:
        """Return the sorted index without second copies."""
        self.names, self.label_sets = tuple(self.sources), tuple(self.codes)
        order = _order(self.times)
        if order is None:
            order = range(len(self.times))
        kept = _settled(order, self, store)
        read = len(self.times)
        self.identities, self.origins = array("q"), array("I")  # no longer needed, and large
        if not isinstance(kept, range):
            self.times = array("q", map(self.times.__getitem__, kept))
            self.places = array("q", map(self.places.__getitem__, kept))
            self.label_ids = array("I", map(self.label_ids.__getitem__, kept))
        return LogIndex(
            times=self.times,
            places=self.places,
            label_ids=self.label_ids,
            label_sets=self.label_sets,
            read=read,
            passed_over=self.passed,
            duplicates=read - len(kept),
            unreadable=self.unreadable,
            first_unreadable=self.first_unreadable,
            broken_off=tuple(self.broken_off),
            order=_together(self.sources.values()),
            sources=self.names,
        )


class _Direction:
    """The directions in which the times of one input run."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.rises = self.falls = False
        self._last: int | None = None

    def go(self, times: Sequence[int]) -> None:
        """Take the next times into account."""
        if not times:
            return
        if self._last is not None:
            self.rises |= self._last < times[0]
            self.falls |= self._last > times[0]
        self.rises = self.rises or any(map(lt, times, islice(times, 1, None)))
        self.falls = self.falls or any(map(gt, times, islice(times, 1, None)))
        self._last = times[-1]

    @property
    def order(self) -> ReadOrder | None:
        """The order in time; None when it is unknown, as with a single time."""
        if self.rises and self.falls:
            return ReadOrder.UNSORTED
        if self.falls:
            return ReadOrder.NEWEST_FIRST
        return ReadOrder.OLDEST_FIRST if self.rises else None


def _together(sources: Iterable[_Direction]) -> ReadOrder:
    orders = {order for source in sources if (order := source.order) is not None}
    if len(orders) > 1:
        return ReadOrder.UNSORTED
    return next(iter(orders), ReadOrder.OLDEST_FIRST)


def _order(times: array[int]) -> Sequence[int] | None:
    """Return the positions in stable order of time; None when the times are sorted already."""
    if not any(map(gt, times, islice(times, 1, None))):
        return None
    # A list of all positions would be ten times the size of the columns: parts of it are sorted, and merged.
    time = times.__getitem__
    starts = range(0, len(times), _AT_ONCE)
    parts = [array("I", sorted(range(at, min(at + _AT_ONCE, len(times))), key=time)) for at in starts]
    return parts[0] if len(parts) == 1 else array("I", heapq.merge(*parts, key=time))


def _settled(order: Sequence[int], pile: _Pile, store: RecordStore) -> Sequence[int]:
    """Sort entries of equal time by (insertId, logName), and leave out second copies."""
    times = pile.times
    in_order = map(times.__getitem__, order)
    tied = array("I", compress(range(len(order)), starmap(eq, pairwise(in_order))))
    if not tied:
        return order
    kept = array("I")
    settled = 0
    for _, run in groupby(enumerate(tied), key=lambda pair: pair[1] - pair[0]):
        places = [i for _, i in run]
        kept.extend(array("I", order[settled : places[0]]))
        kept.extend(array("I", _settle(order[places[0] : places[-1] + 2], pile, store)))
        settled = places[-1] + 2
    kept.extend(array("I", order[settled:]))
    return kept


def _settle(moment: Sequence[int], pile: _Pile, store: RecordStore) -> list[int]:
    # The input comes last, so that the same copy of an entry is kept in whatever order the copies were read.
    names, label_ids = pile.names, pile.label_sets
    copies: dict[int, int] = {}
    for at in sorted(moment, key=lambda at: (names[pile.origins[at]], pile.places[at])):
        copies.setdefault(pile.identities[at], at)
    if len(copies) == 1:
        return list(copies.values())

    def identity(at: int) -> tuple[str, str, str, int]:
        insert_id = order_of_id(text_at(store.record(pile.places[at]) or {}, "insertId"), pile.times[at])
        return insert_id, label_ids[pile.label_ids[at]].log_name, names[pile.origins[at]], pile.places[at]

    return sorted(copies.values(), key=identity)
