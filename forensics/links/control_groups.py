"""The table and its lives in; beside what a link may be tested out: other lives, other requests, other moments."""

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
"""What still arrives this long after a life's end belongs to it."""
_AFTER = 250_000_000
"""What an application says this long after the end of a request may be about it."""
_REMEMBERED = 4_096


class Event(NamedTuple):
    """Where and when a symptom is, or might have been."""

    time: int
    """What a cause must not follow by much: the end of a request, the first entry of a burst."""
    end: int
    instance: str


class TestedSymptom(NamedTuple):
    """A symptom as it is tested."""

    symptom: ClusterId
    revision: str
    by: JoinKey
    """Instance or revision."""
    unit: OccurrenceUnit
    events: Sequence[Event]
    """Of all occurrences, in order of time."""
    rows: Sequence[int]
    """The symptom's entries."""


class Interval(NamedTuple):
    """A time within which a symptom might have stood elsewhere."""

    instance: str
    start: int
    end: int


class ControlGroups:
    """What else there was. Made once a run; looks at the table only for what is asked."""

    def __init__(self, table: EntryTable, lives: Sequence[Life]) -> None:
        self._table = table
        self._lives: dict[str, list[Life]] = defaultdict(list)
        self._by_instance: dict[tuple[str, str], list[Life]] = defaultdict(list)
        self._spared: dict[ClusterId, list[Life]] = {}
        self._others: dict[tuple[ClusterId, str], Sequence[int]] = {}
        for life in lives:
            self._lives[life.revision].append(life)
            self._by_instance[life.revision, life.instance].append(life)
        self.traces = lru_cache(maxsize=None)(self._traces_of)
        self.span = lru_cache(maxsize=None)(self._span_of)
        self.end_of_request = lru_cache(_REMEMBERED)(self._end_of_request)

    def life(self, revision: str, instance: str, time: int) -> Life | None:
        """Return the life that a time of an instance falls into."""
        lives = self._by_instance.get((revision, instance), ())
        at = bisect_left(lives, time - _LATE, key=attrgetter("end"))
        return lives[min(at, len(lives) - 1)] if lives else None

    def interval(self, case: TestedSymptom, event: Event) -> Interval:
        """Return the life of a moment's instance, or where the revision joins, the span of its entries."""
        life = None if case.by is JoinKey.REVISION else self.life(case.revision, event.instance, event.time)
        if life is None:
            return Interval("", *self.span(case.revision))
        return Interval(life.instance, min(life.start, event.time), max(life.end, event.time))

    def instance(self, row: int) -> str:
        """Return the instance of an entry."""
        return self._table.instance(row)

    def unaffected(self, case: TestedSymptom) -> Sequence[Life]:
        """List the lives of instances of the revision that the symptom did not strike.

        Not those of an instance that it did: what came before a restart may be what the symptom is about.
        """
        if case.symptom not in self._spared:
            affected = {event.instance for event in case.events}
            lives = self._lives.get(case.revision, ())
            self._spared[case.symptom] = [life for life in lives if life.instance not in affected]
        return self._spared[case.symptom]

    def other_requests(self, case: TestedSymptom, instance: str, most: int) -> Sequence[int]:
        """List requests of an instance (of all, without one) that the symptom does not concern, evenly spread."""
        key = case.symptom, instance
        if key not in self._others:
            requests = self._requests.get((case.revision, instance), ())
            if self._table.facts(case.rows[0]).is_request:
                own = set(case.rows)
                others = list(filterfalse(own.__contains__, requests))
            else:
                times = sorted(m.time for m in case.events if not instance or m.instance == instance)
                # More than needed, as some will be left out.
                others = [row for row in evenly(requests, 2 * most) if not self._holds(row, times)]
            self._others[key] = evenly(others, most)
        return self._others[key]

    def _holds(self, row: int, times: Sequence[int]) -> bool:
        """Tell whether one of the times lies within a request."""
        table = self._table
        return bisect_left(times, table.times[row]) < bisect_right(times, self.end_of_request(row) + _AFTER)

    @cached_property
    def _requests(self) -> dict[tuple[str, str], array[int]]:
        """Requests by revision and instance; those of a whole revision under the instance ""."""
        table = self._table
        asks = [facts.is_request for facts in table.distinct_facts]
        found: dict[tuple[str, str], array[int]] = {}
        into = []
        for label_set in table.label_sets:
            keys = dict.fromkeys([(label_set.revision, ""), (label_set.revision, label_set.instance)])
            into.append([found.setdefault(key, array("I")) for key in keys])
        for row in table.rows_with(asks):
            for rows in into[table.label_ids[row]]:
                rows.append(row)
        return found

    def _end_of_request(self, row: int) -> int:
        """Return when a request was over; of those that went well only the start is in the table."""
        table = self._table
        if table.label_set(row).routine is None:
            return table.ends[row]
        try:
            return table.original(row).end
        except SourceError:  # lost meanwhile
            return table.ends[row]

    def _traces_of(self, revision: str) -> int:
        """Count the traces of a revision: those of its other entries, or its requests where there are more.

        Of requests that went well the trace may not be known, so that of none of them is looked at.
        """
        table = self._table
        own = [label_set.revision == revision for label_set in table.label_sets]
        asks = [facts.is_request for facts in table.distinct_facts]
        rows = zip(table.label_ids, table.fact_ids, table.traces, strict=True)
        seen = {trace for label_set, facts, trace in rows if trace and own[label_set] and not asks[facts]}
        return max(len(seen), len(self._requests.get((revision, ""), ())))

    def _span_of(self, revision: str) -> tuple[int, int]:
        """Return when the entries of a revision begin and end."""
        table = self._table
        own = [label_set.revision == revision for label_set in table.label_sets]
        times = [time for label_set, time in zip(table.label_ids, table.times, strict=True) if own[label_set] and time]
        return (times[0], times[-1]) if times else (0, 0)


def evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Pick at most so many items, evenly spread over all."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
