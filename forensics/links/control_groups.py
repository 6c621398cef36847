"""Control samples for the significance test: instances, requests and moments without the symptom."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property, lru_cache
from itertools import filterfalse
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from forensics.errors import SourceError
from forensics.model import JoinKey
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import ClusterId, Life, OccurrenceUnit

_Item = TypeVar("_Item")

_LATE = SECOND
"""Nanoseconds after a life's end in which entries still belong to it."""
_AFTER = 250_000_000
"""Nanoseconds after the end of a request in which an application may log about it."""
_REMEMBERED = 4_096


class Event(NamedTuple):
    """Where and when a symptom occurred, or might have occurred."""

    time: int
    """Nanoseconds; the cause comes before this: the end of a request, the first entry of a burst."""
    end: int
    instance: str


class TestedSymptom(NamedTuple):
    """A symptom with everything that the significance test needs of it."""

    symptom: ClusterId
    revision: str
    by: JoinKey
    """What cause and symptom share: `instance` or `revision`."""
    unit: OccurrenceUnit
    events: Sequence[Event]
    """One for each occurrence, in order of time."""
    rows: Sequence[int]
    """The symptom's entries."""


class Interval(NamedTuple):
    """A span of time in which a symptom could have occurred at another moment."""

    instance: str
    start: int
    end: int


class ControlGroups:
    """Controls of all links of a run; each is looked up in the table when first needed."""

    def __init__(self, table: EntryTable, lives: Sequence[Life]) -> None:
        self._table = table
        self._lives: dict[str, list[Life]] = defaultdict(list)
        self._by_instance: dict[tuple[str, str], list[Life]] = defaultdict(list)
        self._unaffected: dict[ClusterId, list[Life]] = {}
        self._others: dict[tuple[ClusterId, str], Sequence[int]] = {}
        for life in lives:
            self._lives[life.revision].append(life)
            self._by_instance[life.revision, life.instance].append(life)
        self.traces = lru_cache(maxsize=None)(self._traces_of)
        self.span = lru_cache(maxsize=None)(self._span_of)
        self.end_of_request = lru_cache(_REMEMBERED)(self._end_of_request)

    def life(self, revision: str, instance: str, time: int) -> Life | None:
        """Return the life of an instance at a time."""
        lives = self._by_instance.get((revision, instance), ())
        at = bisect_left(lives, time - _LATE, key=attrgetter("end"))
        return lives[min(at, len(lives) - 1)] if lives else None

    def interval(self, case: TestedSymptom, event: Event) -> Interval:
        """Return the life of an event's instance; for a link by revision, the span of the revision's entries."""
        life = None if case.by is JoinKey.REVISION else self.life(case.revision, event.instance, event.time)
        if life is None:
            return Interval("", *self.span(case.revision))
        return Interval(life.instance, min(life.start, event.time), max(life.end, event.time))

    def instance(self, row: int) -> str:
        """Return the instance of an entry."""
        return self._table.instance(row)

    def unaffected(self, case: TestedSymptom) -> Sequence[Life]:
        """List the lives of the revision's instances without the symptom.

        Earlier lives of an affected instance are left out: what came before a restart may belong to the symptom. So are
        those whose end belongs to another error.
        """
        if case.symptom not in self._unaffected:
            affected = set(map(self._table.instance, case.rows))
            lives = self._lives.get(case.revision, ())
            self._unaffected[case.symptom] = [life for life in lives if life.instance not in affected]
        return self._unaffected[case.symptom]

    def other_requests(self, case: TestedSymptom, instance: str, most: int) -> Sequence[int]:
        """List at most `most` requests without the symptom, evenly spread; of one instance, or with "" of all."""
        key = case.symptom, instance
        if key not in self._others:
            requests = self._requests.get((case.revision, instance), ())
            if self._table.facts(case.rows[0]).is_request:
                symptom_rows = set(case.rows)
                others = list(filterfalse(symptom_rows.__contains__, requests))
            else:
                times = sorted(m.time for m in case.events if not instance or m.instance == instance)
                # More than needed, as some will be left out.
                others = [row for row in evenly(requests, 2 * most) if not self._spans_any(row, times)]
            self._others[key] = evenly(others, most)
        return self._others[key]

    def _spans_any(self, row: int, times: Sequence[int]) -> bool:
        """Tell whether one of the times (sorted) lies within a request."""
        table = self._table
        return bisect_left(times, table.times[row]) < bisect_right(times, self.end_of_request(row) + _AFTER)

    @cached_property
    def _requests(self) -> dict[tuple[str, str], array[int]]:
        """Requests by revision and instance; those of a whole revision under the instance ""."""
        table = self._table
        is_request = [facts.is_request for facts in table.distinct_facts]
        by_place: dict[tuple[str, str], array[int]] = {}
        of_label_set = []
        for label_set in table.label_sets:
            keys = dict.fromkeys([(label_set.revision, ""), (label_set.revision, label_set.instance)])
            of_label_set.append([by_place.setdefault(key, array("I")) for key in keys])
        for row in table.rows_with(is_request):
            for rows in of_label_set[table.label_ids[row]]:
                rows.append(row)
        return by_place

    def _end_of_request(self, row: int) -> int:
        """Return when a request ended; for successful requests the table holds the start only."""
        table = self._table
        if table.label_set(row).routine is None:
            return table.ends[row]
        try:
            return table.original(row).end
        except SourceError:  # the input changed meanwhile
            return table.ends[row]

    def trace_of_request(self, row: int) -> int:
        """Return a number for the trace of a request, 0 without one; for successful requests the table holds none."""
        return self._table.traces[row] or self._table.trace_of(row)

    def traces_of_rows(self, rows: Sequence[int]) -> set[int]:
        """Return the traces of entries."""
        return {self._table.traces[row] for row in rows} - {0}

    def _traces_of(self, revision: str) -> int:
        """Count the traces of a revision: those of entries that are no requests, or its requests if there are more.

        Traces of requests are ignored, since those of successful ones may be unknown.
        """
        table = self._table
        is_of_revision = [label_set.revision == revision for label_set in table.label_sets]
        is_request = [facts.is_request for facts in table.distinct_facts]
        rows = zip(table.label_ids, table.fact_ids, table.traces, strict=True)
        seen = {
            trace for label_set, facts, trace in rows if trace and is_of_revision[label_set] and not is_request[facts]
        }
        return max(len(seen), len(self._requests.get((revision, ""), ())))

    def _span_of(self, revision: str) -> tuple[int, int]:
        """Return the times of the first and the last entry of a revision."""
        table = self._table
        is_of_revision = [label_set.revision == revision for label_set in table.label_sets]
        times = [
            time
            for label_set, time in zip(table.label_ids, table.times, strict=True)
            if is_of_revision[label_set] and time
        ]
        return (times[0], times[-1]) if times else (0, 0)


def evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Pick at most `most` items, evenly spread."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
