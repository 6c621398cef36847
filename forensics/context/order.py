"""What could have failed, in order: requests, sessions and starts of a revision, and where in it a moment lies."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING

from forensics.context.exposure import number_instances, strangers
from forensics.model import ExposureKind, RequestMark
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Life, Sampled

_RETRIED_WITHIN = 5_000_000_000
"""Nanoseconds behind the end of a request that failed within which its client may have sent it again."""
_EARLY = 250_000_000
"""Clocks differ: a second attempt may seem to begin before the first one ended."""


class Attempts:
    """Tells a failed request from one that was sent again: by trace, by what it delivers, or by its client in time."""

    def __init__(self, table: EntryTable) -> None:
        self._table = table
        traced = ((table.traces[row], number) for row, number in table.deliveries.items())
        self._by_trace = {trace: number for trace, number in traced if trace}
        self._seen: set[tuple[str, int]] = set()
        self._ends: dict[int, int] = {}

    def forget(self) -> None:
        """Begin again: no failure was seen yet."""
        self._seen.clear()
        self._ends.clear()

    def is_again(self, row: int) -> bool:
        """Tell whether a failure's request, or other entry, was seen to fail before; call it in order of time."""
        table, client = self._table, self._table.clients[row]
        delivery = table.deliveries.get(row) or self._by_trace.get(table.traces[row], 0)
        # Without a request of its own an entry tells no attempts apart but by what it delivers.
        keys = {("delivery", delivery)} if delivery else set()
        if client and table.traces[row]:
            keys.add(("trace", table.traces[row]))
        is_again = bool(keys & self._seen) or (client in self._ends and self._is_soon(row, self._ends[client]))
        self._seen |= keys
        if client:
            self._ends[client] = table.ends[row]
        return is_again

    def _is_soon(self, row: int, ended: int) -> bool:
        return -_EARLY <= self._table.times[row] - ended <= _RETRIED_WITHIN


def find_retries(table: EntryTable) -> list[int]:
    """Return the rows of failed requests that were failed ones sent again."""
    attempts = Attempts(table)
    return [row for row in compress(range(len(table)), table.clients) if attempts.is_again(row)]


class Order:
    """Moments at which something could have failed, by what is counted."""

    def __init__(
        self, table: EntryTable, lives: Sequence[Life], retries: Sequence[int], sampled: Sequence[Sampled] = ()
    ) -> None:
        self.instances = number_instances(table)
        self._table = table
        self._retries = set(retries)
        self._sampled = [(parse_time(one.from_time), parse_time(one.to_time), one) for one in sampled]
        marks = Counter(table.marks)
        refused = strangers(marks)
        opened = {mark & RequestMark.ROUTE for mark in marks if mark & RequestMark.OPENED}
        asked = {mark for mark in marks if mark and not mark & RequestMark.PROBE}
        tried = RequestMark.OPENED | RequestMark.NOT_OPENED
        self._of_refusals = self._times(asked)
        self._of_requests = self._times(asked - refused)
        self._of_sessions = self._times({m for m in marks if m & tried and m & RequestMark.ROUTE in opened})
        started = [life for life in lives if life.started or life.number > 1]
        self._lives = _Lives(lives)
        self._starts = _Lives(started)

    def _times(self, wanted: set[int]) -> array[int]:
        """Return the times of requests with these marks that were not sent again."""
        is_wanted = {mark: mark in wanted for mark in set(self._table.marks)}
        rows = compress(range(len(self._table)), map(is_wanted.__getitem__, self._table.marks))
        times = self._table.times
        return array("q", [times[row] for row in rows if row not in self._retries])

    def length(self, measure: ExposureKind, *, with_refused: bool = False) -> int:
        """Return how much of a measure there is."""
        if measure in {ExposureKind.STARTS, ExposureKind.LIVES}:
            return len((self._starts if measure is ExposureKind.STARTS else self._lives).order)
        return round(self._weighed(None, self._requests(measure, with_refused=with_refused)))

    def position(self, measure: ExposureKind, time: int, place: tuple[str, str], *, with_refused: bool = False) -> int:
        """Return how much of a measure came before a moment on an instance."""
        if measure in {ExposureKind.STARTS, ExposureKind.LIVES}:
            return (self._starts if measure is ExposureKind.STARTS else self._lives).position(time, place)
        return int(self._weighed(time, self._requests(measure, with_refused=with_refused)))

    def _requests(self, measure: ExposureKind, *, with_refused: bool) -> array[int]:
        if measure is ExposureKind.SESSIONS:
            return self._of_sessions
        return self._of_refusals if with_refused else self._of_requests

    def _weighed(self, time: int | None, times: array[int]) -> float:
        """Count the moments before a time; where requests were sampled, each stands for those that are not here."""
        before = len(times) if time is None else bisect_left(times, time)
        weighed = float(before)
        for start, end, one in self._sampled:
            first, last = bisect_left(times, start), bisect_left(times, end)
            if last > first:
                here = min(before, last) - first
                weighed += max(0, here) * max(0.0, one.listed * one.one_in / (last - first) - 1)
        return weighed


class _Lives:
    """Lives of instances in order of their starts."""

    def __init__(self, lives: Sequence[Life]) -> None:
        self.order = sorted(life.start for life in lives)
        self._own: dict[tuple[str, str], list[tuple[int, int]]] = {}
        numbered = enumerate(sorted(lives, key=lambda life: (life.start, life.revision, life.instance, life.number)))
        for number, life in numbered:
            self._own.setdefault((life.revision, life.instance), []).append((life.start, number))

    def position(self, time: int, place: tuple[str, str]) -> int:
        """Return the number of the life on an instance at a time; where it is not known, by the time alone."""
        own = self._own.get(place)
        if own:
            return own[max(0, bisect_left(own, (time + 1, 0)) - 1)][1]
        return max(0, bisect_left(self.order, time + 1) - 1)
