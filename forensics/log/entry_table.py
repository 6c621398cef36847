"""The entries of a revision as columns of a few bytes each, and access to the whole entry of a row."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, islice, pairwise
from typing import overload

from msgspec import Struct

from forensics.errors import SourceError
from forensics.model import (
    ClusterId,
    EntryFacts,
    LabelSet,
    LogEntry,
    LogIndex,
    Nanoseconds,
    Occurrence,
    OccurrenceUnit,
)
from forensics.model.facts import Row

_UNITS = tuple(OccurrenceUnit)
_REMEMBERED = 512
"""Decoded entries that are cached: whys look at the same ones repeatedly."""


class EntryTable:
    """Rows in order of (time, insertId, logName).

    A stitched entry is at the row of its first piece; its other pieces are rows too, which `rows` skips.
    """

    def __init__(
        self,
        rows: array[int],
        log_index: LogIndex,
        decode: Callable[[int], LogEntry | None],
        join: Callable[[Sequence[LogEntry]], LogEntry],
        line: Callable[[int], bytes],
    ) -> None:
        is_all = len(rows) == len(log_index)
        self.times = log_index.times if is_all else array("q", map(log_index.times.__getitem__, rows))
        self.places = log_index.places if is_all else array("q", map(log_index.places.__getitem__, rows))
        self.label_ids = log_index.label_ids if is_all else array("I", map(log_index.label_ids.__getitem__, rows))
        self.label_sets = log_index.label_sets
        self.ends = array("q", self.times)
        self.traces = array("q", bytes(8 * len(rows)))
        self.fact_ids = array("I", bytes(4 * len(rows)))
        self.marks = array("H", bytes(2 * len(rows)))
        """The `RequestMark` of a request, 0 for all else."""
        self.clients = array("q", bytes(8 * len(rows)))
        """Of a failed request a number that stands for what was requested and by whom; 0 for all else."""
        self.deliveries: dict[Row, int] = {}
        """Entry → a number that stands for the message or task that its request delivers, where it names one."""
        self.probed: set[int] = set()
        """The routes that the platform says it probes."""
        self.distinct_facts: list[EntryFacts] = []
        self.handshakes: Counter[tuple[int, bool]] = Counter()
        """Possible WebSocket handshakes, counted by (hash of the path, True if the socket was opened)."""
        self.counts: Counter[int] = Counter()
        """Number of entries by fact id, before pieces were joined."""
        self.pieces: dict[Row, tuple[Row, ...]] = {}
        """First row → the rows of all pieces, itself included."""
        self.heads: dict[Row, Row] = {}
        """Row of a later piece → first row."""
        self._cell_rows, self._cell_places = array("I"), array("q")
        """Rows in ascending order, and the places of their cells in the store."""
        self._decode = decode
        self._join = join
        self._line = line
        self._codes: dict[EntryFacts, int] = {}
        self.entry = lru_cache(_REMEMBERED)(self._entry)

    def __len__(self) -> int:
        return len(self.times)

    def rows(self) -> Iterator[Row]:
        """Yield every row except later pieces."""
        return (row for row in range(len(self)) if row not in self.heads) if self.heads else iter(range(len(self)))

    def rows_with(self, wanted: Sequence[bool]) -> Iterator[Row]:
        """Yield rows with wanted facts, except later pieces; `wanted` is parallel to `distinct_facts`."""
        if not any(wanted):
            return iter(())
        found = compress(range(len(self)), map(wanted.__getitem__, self.fact_ids))
        return (row for row in found if row not in self.heads) if self.heads else found

    def label_set(self, row: Row) -> LabelSet:
        """Return the labels of an entry."""
        return self.label_sets[self.label_ids[row]]

    def facts(self, row: Row) -> EntryFacts:
        """Return the facts of an entry; at the row of a first piece, those of the stitched entry."""
        return self.distinct_facts[self.fact_ids[row]]

    def note(self, row: Row, facts: EntryFacts, end: Nanoseconds, trace: int) -> None:
        """Set the facts, end and trace of an entry."""
        self.fact_ids[row] = self.code(facts)
        self.ends[row] = end
        self.traces[row] = trace

    def code(self, facts: EntryFacts) -> int:
        """Return the fact id of facts, adding them when they are new."""
        code = self._codes.get(facts)
        if code is None:
            code = self._codes[facts] = len(self.distinct_facts)
            self.distinct_facts.append(facts)
        return code

    def drop(self, rows: Sequence[Row]) -> None:
        """Remove rows; only before anything refers to rows."""
        gone = set(rows)
        for name in ("times", "places", "label_ids", "ends", "traces", "fact_ids", "marks", "clients"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, [x for row, x in enumerate(column) if row not in gone]))
        before = sorted(gone)
        self.deliveries = {
            row - bisect_left(before, row): number for row, number in self.deliveries.items() if row not in gone
        }
        self._cell_rows = array("I", [row - bisect_left(before, row) for row in self._cell_rows])

    def keep_cells(self, row: Row, place: int) -> None:
        """Note the place of an entry's cells in the store; call it in order of rows."""
        self._cell_rows.append(row)
        self._cell_places.append(place)

    def cells(self, row: Row) -> bytes | None:
        """Fetch an entry's cells in the table of entries; None when none were stored."""
        at = bisect_left(self._cell_rows, row)
        if at == len(self._cell_rows) or self._cell_rows[at] != row:
            return None
        return self._line(self._cell_places[at])

    def note_pieces(self, rows: tuple[Row, ...]) -> None:
        """Note that rows are the pieces of one entry."""
        self.pieces[rows[0]] = rows
        self.heads.update(dict.fromkeys(rows[1:], rows[0]))

    def originals(self, row: Row) -> tuple[Row, ...]:
        """Return the rows of an entry's pieces, or its row alone."""
        return self.pieces.get(row, (row,))

    def original(self, row: Row) -> LogEntry:
        """Decode the entry of a row without stitching; raise SourceError when its input has changed."""
        entry = self._decode(self.places[row])
        if entry is None or not is_same(entry, self.times[row], self.label_set(row)):
            raise SourceError("an input changed while it was read; run again")
        return entry

    def trace_of(self, row: Row) -> int:
        """Return the number of an entry's trace from the entry itself, 0 without one or when its input has changed."""
        try:
            trace = self.original(row).trace
        except SourceError:
            return 0
        return hash(trace) if trace else 0

    def _entry(self, row: Row) -> LogEntry:
        """Decode the entry of a row, stitched if it has pieces."""
        pieces = self.pieces.get(row)
        return self.original(row) if pieces is None else self._join([self.original(piece) for piece in pieces])

    def instance(self, row: Row) -> str:
        """Return the instance of an entry, "" when unknown."""
        return self.label_set(row).instance

    @property
    def starts_at(self) -> int:
        """The time of the first entry with a time, 0 when none has one."""
        return next((time for time in self.times if time), 0)


def is_same(entry: LogEntry, time: int, label_set: LabelSet) -> bool:
    """Tell whether a fetched entry is the one that was indexed."""
    return entry.time == time and entry.instance == label_set.instance and entry.revision == label_set.revision


class Occurrences(Sequence[Occurrence]):
    """The occurrences of a cluster, stored as columns and read as records."""

    def __init__(self, table: EntryTable, groups: Sequence[tuple[OccurrenceUnit, array[int]]]) -> None:
        self._table = table
        self._rows = array("I")
        self._bounds = array("I", [0])
        self._units = array("B")
        for unit, rows in groups:
            self._rows.extend(rows)
            self._bounds.append(len(self._rows))
            self._units.append(_UNITS.index(unit))
        self.starts = array("q", [table.times[self._rows[first]] for first in self._bounds[:-1]])

    @property
    def unit(self) -> OccurrenceUnit:
        """The most frequent unit of the occurrences."""
        counts = Counter(self._units)
        return _UNITS[max(range(len(_UNITS)), key=lambda unit: counts[unit])]

    def groups(self) -> Iterator[array[int]]:
        """Yield the rows of each occurrence."""
        return (self._rows[first:end] for first, end in pairwise(self._bounds))

    def all_rows(self) -> array[int]:
        """Return the rows of all occurrences."""
        return self._rows

    def first_rows(self) -> array[int]:
        """Return the row with which each occurrence begins."""
        return array("I", map(self._rows.__getitem__, self._bounds[:-1]))

    def bases(self, positions: Iterable[int]) -> Iterator[int]:
        """Yield the time before which each cause must lie: a request's end, or the start of any other occurrence."""
        request = _UNITS.index(OccurrenceUnit.REQUEST)
        return (self._end(at) if self._units[at] == request else self.starts[at] for at in positions)

    def by_facts(self) -> Counter[tuple[int, ...]]:
        """Count the occurrences by the sequence of their entries' fact ids; equal ones can be judged together."""
        codes = map(self._table.fact_ids.__getitem__, self._rows)
        if len(self._rows) == len(self):
            return Counter({(code,): count for code, count in Counter(codes).items()})
        return Counter(tuple(islice(codes, end - first)) for first, end in pairwise(self._bounds))

    def by_facts_of_pieces(self) -> Iterable[tuple[int, ...]]:
        """List the distinct sequences of fact ids, with each piece of a stitched entry counted separately."""
        table = self._table
        if table.pieces.keys().isdisjoint(self._rows):
            return self.by_facts()
        return {tuple(table.fact_ids[at] for row in rows for at in table.originals(row)) for rows in self.groups()}

    def __len__(self) -> int:
        return len(self._units)

    @overload
    def __getitem__(self, at: int) -> Occurrence: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Occurrence]: ...
    def __getitem__(self, at: int | slice) -> Occurrence | Sequence[Occurrence]:
        if isinstance(at, slice):
            return [self._occurrence(i) for i in range(*at.indices(len(self)))]
        return self._occurrence(range(len(self))[at])

    def __iter__(self) -> Iterator[Occurrence]:
        return map(self._occurrence, range(len(self)))

    def _end(self, at: int) -> int:
        ends, first, behind = self._table.ends, self._bounds[at], self._bounds[at + 1]
        if behind - first == 1:
            return ends[self._rows[first]]
        return max(map(ends.__getitem__, self._rows[first:behind]))

    def _occurrence(self, at: int) -> Occurrence:
        table = self._table
        rows = self._rows[self._bounds[at] : self._bounds[at + 1]]
        instance, trace = table.instance(rows[0]), table.traces[rows[0]]
        if len(rows) > 1:
            instance = next((name for row in rows if (name := table.instance(row))), "")
            trace = next((trace for row in rows if (trace := table.traces[row])), 0)
        return Occurrence(
            id=str(at + 1),
            unit=_UNITS[self._units[at]],
            start=Nanoseconds(self.starts[at]),
            end=Nanoseconds(self._end(at)),
            instance=instance,
            trace=trace,
            rows=rows,
        )


class ClusterEntries(Struct, frozen=True, kw_only=True):
    """The entries and occurrences of one cluster."""

    cluster: ClusterId
    representative: Row
    """The most informative entry: the first with frames, else with an exception, else the first."""
    rows: array[int]
    """In order of time."""
    occurrences: Occurrences
