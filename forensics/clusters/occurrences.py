"""Rows of one cluster in, its occurrences out: lines are not incidents."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from forensics.journal import Occurrences
from forensics.model import Life, OccurrenceUnit

if TYPE_CHECKING:
    from forensics.journal import Journal

_SECOND = 1_000_000_000
BURST_GAP = _SECOND
"""Entries of one instance this close together tell of one event."""
FATAL = 60 * _SECOND
"""An entry this close before an instance's exit is counted as part of that ending."""

AROUND_END = (_SECOND // 2, _SECOND // 4)
"""An application's error line stands this long before, or after, the end of the request that it belongs to."""

LivesOf = Mapping[tuple[str, str], Sequence[Life]]
"""(revision, instance) → its lives in order."""


def lives_by_instance(lives: Sequence[Life]) -> LivesOf:
    """Index lives by (revision, instance)."""
    index: dict[tuple[str, str], list[Life]] = defaultdict(list)
    for life in lives:
        index[life.revision, life.instance].append(life)
    return index


def life_of(row: int, journal: Journal, lives: LivesOf) -> Life | None:
    """Return the life that an entry belongs to; None without an instance."""
    kind, time = journal.kind(row), journal.times[row]
    candidates = lives.get((kind.revision, kind.instance), ())
    return next((life for life in candidates if time <= life.end + BURST_GAP), candidates[-1] if candidates else None)


class FailedRequests:
    """The requests that ended badly, by instance and end: application lines often lack the trace that names theirs."""

    def __init__(self, rows: Iterable[int], journal: Journal) -> None:
        self._journal = journal
        self._by_instance: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in rows:
            kind = journal.kind(row)
            if kind.instance and journal.is_failed_request(row):
                self._by_instance[kind.revision, kind.instance].append(row)
        for requests in self._by_instance.values():
            requests.sort(key=journal.ends.__getitem__)

    def around(self, row: int) -> int:
        """Return the key of the request that ended nearest to an entry, 0 when none ended around it."""
        before, after = AROUND_END
        journal, time = self._journal, self._journal.times[row]
        kind = journal.kind(row)
        requests = self._by_instance.get((kind.revision, kind.instance), [])
        first = bisect_left(requests, time - after, key=journal.ends.__getitem__)
        last = bisect_right(requests, time + before, key=journal.ends.__getitem__)
        near = [(abs(journal.ends[at] - time), at) for at in requests[first:last] if journal.times[at] <= time]
        return request_key(min(near)[1], journal) if near else 0


def find_occurrences(
    rows: Sequence[int],
    journal: Journal,
    lives: LivesOf,
    unit: OccurrenceUnit | None = None,
    requests: FailedRequests | None = None,
) -> Occurrences:
    """Gather the rows of a cluster (in order of time) into occurrences, numbered in order of time.

    Without a given unit an entry belongs to the life that ends within a minute, else to its request, else to the burst
    of entries around it.
    """
    keyed: dict[tuple[OccurrenceUnit, object], array[int]] = {}
    loose: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        key = _key(row, journal, lives, unit, requests)
        if key is None:
            kind = journal.kind(row)
            loose[kind.revision, kind.instance].append(row)
        elif key in keyed:
            keyed[key].append(row)
        else:
            keyed[key] = array("I", (row,))
    groups = [(unit_, group) for (unit_, _), group in keyed.items()]
    burst = unit if unit is OccurrenceUnit.SESSION else OccurrenceUnit.BURST
    groups += [(burst, array("I", group)) for stream in loose.values() for group in _bursts(stream, journal)]
    groups.sort(key=lambda pair: pair[1][0])
    return Occurrences(journal, groups)


def _key(
    row: int, journal: Journal, lives: LivesOf, unit: OccurrenceUnit | None, requests: FailedRequests | None
) -> tuple[OccurrenceUnit, object] | None:
    is_request = journal.gist(row).is_request
    if unit in {None, OccurrenceUnit.LIFE}:
        life = life_of(row, journal, lives)
        fatal = not is_request and life is not None and journal.times[row] >= life.end - FATAL
        if life is not None and life.ended and (unit is not None or fatal):
            return OccurrenceUnit.LIFE, (life.revision, life.instance, life.number)
    if unit in {None, OccurrenceUnit.REQUEST}:
        if journal.traces[row] or is_request:
            return OccurrenceUnit.REQUEST, request_key(row, journal)
        request = requests.around(row) if requests is not None else 0
        return (OccurrenceUnit.REQUEST, request) if request else None
    return None


def request_key(row: int, journal: Journal) -> int:
    """Return what names a request: its trace, else its own row."""
    return journal.traces[row] or -1 - row


def _bursts(rows: Sequence[int], journal: Journal) -> list[list[int]]:
    bursts = [[rows[0]]]
    for before, row in pairwise(rows):
        if journal.times[row] - journal.times[before] > BURST_GAP:
            bursts.append([])
        bursts[-1].append(row)
    return bursts
