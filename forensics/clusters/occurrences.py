"""Group the entries of a cluster into occurrences: one failure may write many lines."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from forensics.log.entry_table import Occurrences
from forensics.model import Level, Life, OccurrenceUnit
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable

BURST_GAP = SECOND
"""Nanoseconds; entries of one instance this close together belong to one event."""
FATAL = 60 * SECOND
"""Nanoseconds; an entry this close before an instance's exit is counted as part of that exit."""

AROUND_END = (SECOND // 2, SECOND // 4)
"""Nanoseconds (before, after) the end of a request in which an application logs its error."""

_BY_REQUEST = frozenset({None, OccurrenceUnit.REQUEST})
"""Values of a rule's `occurs_per` for which entries are grouped by request."""

LivesOf = Mapping[tuple[str, str], Sequence[Life]]
"""(revision, instance) → its lives in order."""


def lives_by_instance(lives: Sequence[Life]) -> LivesOf:
    """Index lives by (revision, instance)."""
    index: dict[tuple[str, str], list[Life]] = defaultdict(list)
    for life in lives:
        index[life.revision, life.instance].append(life)
    return index


def life_of(row: int, table: EntryTable, lives: LivesOf) -> Life | None:
    """Return the life of an entry; None without an instance."""
    label_set = table.label_set(row)
    candidates = lives.get((label_set.revision, label_set.instance))
    return _life_at(table.times[row], candidates) if candidates else None


def _life_at(time: int, lives: Sequence[Life]) -> Life:
    """Return the first life (of an instance's, in order) that does not end well before a time, else the last."""
    at = bisect_left(lives, time - BURST_GAP, key=attrgetter("end")) if len(lives) > 1 else 0
    return lives[min(at, len(lives) - 1)]


class FailedRequests:
    """Index of failed requests by instance and end, since application lines often lack the trace of their request."""

    def __init__(self, rows: Iterable[int], table: EntryTable) -> None:
        self._table = table
        failed = [facts.is_request and facts.level.rank >= Level.ERROR.rank for facts in table.distinct_facts]
        by_instance: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in rows:
            if failed[table.fact_ids[row]]:
                label_set = table.label_set(row)
                by_instance[label_set.revision, label_set.instance].append(row)
        for requests in by_instance.values():
            requests.sort(key=table.ends.__getitem__)
        columns = {
            place: (array("I", requests), array("q", map(table.ends.__getitem__, requests)))
            for place, requests in by_instance.items()
            if place[1]
        }
        self._of_label_set = [columns.get((label_set.revision, label_set.instance)) for label_set in table.label_sets]
        """Label id → the rows of failed requests in order of their ends, and those ends; None without one."""

    @cached_property
    def _by_trace(self) -> dict[int, int]:
        """Trace → the row of the failed request in it."""
        traces = self._table.traces
        return {traces[row]: row for columns in self._of_label_set if columns for row in columns[0] if traces[row]}

    def of_entry(self, row: int) -> int | None:
        """Return the row of the failed request that an entry belongs to, by trace, else the one around it."""
        trace = self._table.traces[row]
        return self._by_trace.get(trace) if trace else self._around(row)

    def of_cluster_row(self, row: int) -> int | None:
        """Return the row of the failed request that an entry is or belongs to."""
        return row if self._table.facts(row).is_request else self.of_entry(row)

    def around(self, row: int) -> int:
        """Return the key of the failed request that ended nearest to an entry; 0 when none ended around it."""
        found = self._around(row)
        return 0 if found is None else request_key(found, self._table)

    def _around(self, row: int) -> int | None:
        table = self._table
        columns = self._of_label_set[table.label_ids[row]]
        if columns is None:
            return None
        (before, after), (requests, ends), time = AROUND_END, columns, table.times[row]
        first = bisect_left(ends, time - after)
        last = bisect_right(ends, time + before, first)
        near = [(abs(ends[at] - time), requests[at]) for at in range(first, last) if table.times[requests[at]] <= time]
        return min(near)[1] if near else None

    def keys(self, rows: Iterable[int]) -> array[int]:
        """Return the request key of each entry: by trace, of the request itself, or of one around it; 0 for none."""
        table = self._table
        is_request = [facts.is_request for facts in table.distinct_facts]
        fact_ids, traces, around = table.fact_ids, table.traces, self.around
        return array("q", [traces[row] or (-1 - row if is_request[fact_ids[row]] else around(row)) for row in rows])


def find_occurrences(
    rows: Sequence[int],
    table: EntryTable,
    lives: LivesOf,
    unit: OccurrenceUnit | None = None,
    requests: Sequence[int] | None = None,
) -> Occurrences:
    """Group the rows of a cluster (in order of time) into occurrences, numbered in order of time.

    `requests` holds the keys of the rows' requests (`FailedRequests.keys`). Without a unit, an entry belongs to the
    life that ends within a minute, else to its request, else to the burst of entries around it.
    """
    if requests is None:
        requests = FailedRequests((), table).keys(rows)
    exited = _lives_with_exits(table, lives) if unit in {None, OccurrenceUnit.LIFE} else {}
    keyed: dict[tuple[OccurrenceUnit, object], array[int]] = {}
    loose: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, request in zip(rows, requests, strict=True):
        own_lives = exited.get(table.label_ids[row])
        key = _life_key(row, table, own_lives, unit) if own_lives is not None else None
        if key is None and request and unit in _BY_REQUEST:
            key = OccurrenceUnit.REQUEST, request
        if key is None:
            label_set = table.label_set(row)
            loose[label_set.revision, label_set.instance].append(row)
        elif key in keyed:
            keyed[key].append(row)
        else:
            keyed[key] = array("I", (row,))
    groups = [(unit_, group) for (unit_, _), group in keyed.items()]
    burst = unit if unit is OccurrenceUnit.SESSION else OccurrenceUnit.BURST
    groups += [(burst, array("I", group)) for stream in loose.values() for group in _bursts(stream, table)]
    groups.sort(key=lambda pair: pair[1][0])
    return Occurrences(table, groups)


def _lives_with_exits(table: EntryTable, lives: LivesOf) -> dict[int, Sequence[Life]]:
    """Label id → lives, for instances that exited at least once; other entries cannot belong to an exit."""
    ended = {place: own for place, own in lives.items() if any(life.ended for life in own)}
    places = {code: (label_set.revision, label_set.instance) for code, label_set in enumerate(table.label_sets)}
    return {code: ended[place] for code, place in places.items() if place in ended}


def _life_key(
    row: int, table: EntryTable, lives: Sequence[Life], unit: OccurrenceUnit | None
) -> tuple[OccurrenceUnit, object] | None:
    """Return the key of the exit that an entry belongs to; None for an entry without one."""
    life = _life_at(table.times[row], lives)
    if not life.ended:
        return None
    # An instance that is taken away ends in order: an error before that is not what ended it.
    is_fatal = life.failed and not table.facts(row).is_request and table.times[row] >= life.end - FATAL
    return (OccurrenceUnit.LIFE, (life.revision, life.instance, life.number)) if unit is not None or is_fatal else None


def request_key(row: int, table: EntryTable) -> int:
    """Return the key of a request: its trace, else a negative number made of its row."""
    return table.traces[row] or -1 - row


def _bursts(rows: Sequence[int], table: EntryTable) -> list[list[int]]:
    bursts = [[rows[0]]]
    for before, row in pairwise(rows):
        if table.times[row] - table.times[before] > BURST_GAP:
            bursts.append([])
        bursts[-1].append(row)
    return bursts
