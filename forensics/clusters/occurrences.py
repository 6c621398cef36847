"""Entries of one cluster in, its occurrences out: lines are not incidents."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from forensics.model import Level, Life, LogEntry, Nanoseconds, Occurrence, OccurrenceUnit

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


def life_of(entry: LogEntry, lives: LivesOf) -> Life | None:
    """Return the life that an entry belongs to; None without an instance."""
    candidates = lives.get((entry.revision, entry.instance), ())
    return next(
        (life for life in candidates if entry.time <= life.end + BURST_GAP), candidates[-1] if candidates else None
    )


class FailedRequests:
    """The requests that ended badly, by instance and end: application lines often lack the trace that names theirs."""

    def __init__(self, entries: Iterable[LogEntry]) -> None:
        self._by_instance: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
        for entry in entries:
            if entry.http is not None and entry.instance and entry.level.rank >= Level.ERROR.rank:
                place = (entry.revision, entry.instance)
                self._by_instance[place].append((entry.end, entry.time, _request_key(entry)))
        for requests in self._by_instance.values():
            requests.sort()

    def around(self, entry: LogEntry) -> str | None:
        """Return the key of the request that ended nearest to an entry, None when none ended around it."""
        before, after = AROUND_END
        requests = self._by_instance.get((entry.revision, entry.instance), [])
        first = bisect_left(requests, (entry.time - after,))
        last = bisect_right(requests, (entry.time + before + 1,))
        near = [(abs(end - entry.time), key) for end, start, key in requests[first:last] if start <= entry.time]
        return min(near)[1] if near else None


NO_REQUESTS = FailedRequests(())


def find_occurrences(
    entries: Sequence[LogEntry],
    lives: LivesOf,
    unit: OccurrenceUnit | None = None,
    requests: FailedRequests = NO_REQUESTS,
) -> tuple[Occurrence, ...]:
    """Gather the entries of a cluster (in order of time) into occurrences, numbered in order of time.

    Without a given unit an entry belongs to the life that ends within a minute, else to its request, else to the burst
    of entries around it.
    """
    keyed: dict[tuple[OccurrenceUnit, str], list[LogEntry]] = defaultdict(list)
    loose: dict[tuple[str, str], list[LogEntry]] = defaultdict(list)
    for entry in entries:
        key = _key(entry, lives, unit, requests)
        if key is None:
            loose[entry.revision, entry.instance].append(entry)
        else:
            keyed[key].append(entry)
    groups = [(unit_, group) for (unit_, _), group in keyed.items()]
    burst = unit if unit is OccurrenceUnit.SESSION else OccurrenceUnit.BURST
    groups += [(burst, group) for stream in loose.values() for group in _bursts(stream)]
    groups.sort(key=lambda pair: pair[1][0].sort_key)
    return tuple(_occurrence(number, unit_, group) for number, (unit_, group) in enumerate(groups, 1))


def _key(
    entry: LogEntry, lives: LivesOf, unit: OccurrenceUnit | None, requests: FailedRequests
) -> tuple[OccurrenceUnit, str] | None:
    if unit in {None, OccurrenceUnit.LIFE}:
        life = life_of(entry, lives)
        if life is not None and life.ended and (unit is not None or _is_fatal(entry, life)):
            return OccurrenceUnit.LIFE, f"{life.revision}/{life.instance}/{life.number}"
    if unit in {None, OccurrenceUnit.REQUEST}:
        request = _request_key(entry) if entry.trace or entry.http else requests.around(entry)
        return (OccurrenceUnit.REQUEST, request) if request else None
    return None


def _request_key(entry: LogEntry) -> str:
    return entry.trace or f"{entry.sort_key}"


def _is_fatal(entry: LogEntry, life: Life) -> bool:
    return entry.http is None and entry.time >= life.end - FATAL


def _bursts(entries: Sequence[LogEntry]) -> list[list[LogEntry]]:
    bursts = [[entries[0]]]
    for before, entry in pairwise(entries):
        if entry.time - before.time > BURST_GAP:
            bursts.append([])
        bursts[-1].append(entry)
    return bursts


def _occurrence(number: int, unit: OccurrenceUnit, entries: Sequence[LogEntry]) -> Occurrence:
    return Occurrence(
        id=str(number),
        unit=unit,
        start=entries[0].time,
        end=Nanoseconds(max(e.end for e in entries)),
        instance=next((e.instance for e in entries if e.instance), ""),
        trace=next((e.trace for e in entries if e.trace), ""),
        entries=tuple(entries),
    )
