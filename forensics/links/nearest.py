"""Search for the entry of a cause that stands nearest to each occurrence of a symptom."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from copy import copy
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from forensics.links.control_groups import Event, TestedSymptom
from forensics.model import JoinKey, Nanoseconds, OccurrenceUnit
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forensics.links.own_errors import OwnErrors
    from forensics.log.entry_table import ClusterEntries, EntryTable, Occurrences
    from forensics.model import Cluster, ClusterId

LATE = Nanoseconds(SECOND // 4)
"""Applications log 5–25 ms after the response; a quarter of a second is generous and still keeps the order."""

_NUMBER = 32
_TRACED = 1 << _NUMBER
_BITS = _NUMBER + 1
_OCCURRENCE = _TRACED - 1
_TRACE, _INSTANCE, _REVISION = JoinKey


class Near(NamedTuple):
    """The entry of a cause that stands nearest to an occurrence."""

    lag: int
    """Nanoseconds from the entry to the occurrence."""
    by: JoinKey
    cause: int
    """The number of the cause's occurrence."""
    is_of_another: bool
    """True when the entry stands in the trace of another request."""


class SymptomColumns:
    """Columns with one row for each occurrence of a symptom, used to search for its causes."""

    def __init__(self, symptom: Cluster, members: ClusterEntries, table: EntryTable) -> None:
        requests = [facts.is_request for facts in table.distinct_facts]
        self.bases, self.ends, self.traces = array("q"), array("q"), array("q")
        self.keys: Sequence[int] = self.traces
        """What each occurrence's own errors are found under: its trace; of ends of lives its number."""
        self.instances: list[str] = []
        for occurrence in members.occurrences:
            # A request is judged at its end; a burst or a life at its first entry, which its cause must not follow.
            is_request = any(requests[table.fact_ids[row]] for row in occurrence.rows)
            self.bases.append(occurrence.end if is_request else occurrence.start)
            self.ends.append(occurrence.end)
            self.traces.append(occurrence.trace)
            self.instances.append(occurrence.instance)
        self.case = TestedSymptom(
            symptom=symptom.id,
            revision=symptom.revision,
            by=_INSTANCE,
            unit=symptom.unit,
            events=sorted(map(Event, self.bases, self.ends, self.instances)),
            rows=members.rows,
        )
        self.numbers: Sequence[int] = range(len(self.bases))
        """The number of each occurrence among all of the symptom's."""
        if symptom.unit is OccurrenceUnit.LIFE:
            self.keys = self.numbers
        self.total = len(self.bases)

    def left_to(self, cause: ClusterId, given: OwnErrors, *, declared: bool) -> SymptomColumns:
        """Leave out the occurrences that another error explains, as it stands in their own trace or life, and this not.

        A cause that a rule declares and that stands in none of the traces, such as a database that is down, may be what
        those errors come from.
        """
        if not given or (declared and not any(cause in own for own in given.values())):
            return self
        kept = [at for at, key in enumerate(self.keys) if cause in given.get(key, (cause,))]
        if len(kept) == len(self.traces):
            return self
        left = copy(self)
        left.numbers = kept
        left.bases, left.ends, left.traces = (
            array("q", map(column.__getitem__, kept)) for column in (self.bases, self.ends, self.traces)
        )
        left.instances = [self.instances[at] for at in kept]
        left.case = self.case._replace(events=sorted(map(Event, left.bases, left.ends, left.instances)))
        return left


class CauseEvents:
    """Index of the entries of a cause: by trace, by instance, and all of them.

    An event is one integer (time in the high bits, then a bit that tells whether it has a trace, then the number of the
    occurrence in 32 bits), so that lists of them sort and search fast.
    """

    def __init__(self, occurrences: Occurrences, symptoms: Sequence[SymptomColumns], table: EntryTable) -> None:
        traces: set[int] = set().union(*(one.traces for one in symptoms))
        self._by_trace: dict[int, list[int]] = defaultdict(list)
        self._by_instance: dict[str, list[int]] = defaultdict(list)
        self.traces: set[int] = set()
        """All traces with an entry of the cause."""
        instances = [label_set.instance for label_set in table.label_sets]
        for number, rows in enumerate(occurrences.groups()) if symptoms else ():
            for row in rows:
                trace = table.traces[row]
                event = (table.times[row] << _BITS) + (_TRACED if trace else 0) + number
                self._by_instance[instances[table.label_ids[row]]].append(event)
                if trace:
                    self.traces.add(trace)
                    if trace in traces:
                        self._by_trace[trace].append(event)
        for events in (*self._by_trace.values(), *self._by_instance.values()):
            events.sort()

    @property
    def is_everywhere(self) -> bool:
        """Whether some entries name no instance."""
        return "" in self._by_instance

    def stands_between(self, instance: str, start: int, end: int) -> bool:
        """Tell whether the cause was logged by an instance, or by none, after `start` and not after `end`."""
        events = self._of(instance)
        at = bisect_left(events, (start + 1) << _BITS)
        return at < len(events) and events[at] >> _BITS <= end

    def times_for(self, instance: str) -> list[int]:
        """Return the times at which the cause was logged by an instance, else by none; for "" by any."""
        return [event >> _BITS for event in self._of(instance)]

    def _of(self, instance: str) -> list[int]:
        if not instance:
            return self._all
        return self._by_instance.get(instance) or self._by_instance.get("", [])

    @cached_property
    def _all(self) -> list[int]:
        """Events of all instances, for the few symptoms that name no instance."""
        return sorted(chain.from_iterable(self._by_instance.values()))

    def nearest(self, symptom: SymptomColumns, window: Nanoseconds) -> Iterator[Near | None]:
        """Yield for each occurrence the nearest entry, by the closest key.

        The keys, closest first, are trace, instance and revision; None when no entry lies within the window.
        """
        by_trace, by_instance, of_no_instance = self._by_trace, self._by_instance, self._by_instance.get("")
        columns = zip(symptom.bases, symptom.ends, symptom.traces, symptom.instances, strict=True)
        for base, end, trace, instance in columns:
            by, events = _TRACE, by_trace.get(trace)
            event = _nearest(events, base, end, window) if events else None
            if event is None and instance:
                by, events = _INSTANCE, by_instance.get(instance)
                event = _nearest(events, base, end, window) if events else None
            if event is None:
                # A symptom of one instance is not explained by another instance; one of no instance may be by any.
                by, events = _REVISION, of_no_instance if instance else self._all
                event = _nearest(events, base, end, window) if events else None
            is_of_another = event is not None and by is not _TRACE and trace != 0 and event & _TRACED != 0
            yield None if event is None else Near(base - (event >> _BITS), by, event & _OCCURRENCE, is_of_another)

    def beside(self, symptom: SymptomColumns, by: JoinKey) -> tuple[list[list[int]], list[list[int]]]:
        """Return the times of a symptom and of the cause, by instance; those of a whole revision together."""
        if by is _REVISION or not any(symptom.instances):
            return [sorted(symptom.bases)], [[event >> _BITS for event in self._all]]
        times: dict[str, list[int]] = defaultdict(list)
        for base, instance in zip(symptom.bases, symptom.instances, strict=True):
            times[instance].append(base)
        of_none = self._by_instance.get("", [])
        causes = [[event >> _BITS for event in self._by_instance.get(name) or of_none] for name in times]
        return [sorted(own) for own in times.values()], causes

    @property
    def everywhere(self) -> list[int]:
        """The times of the cause on all instances, in order."""
        return [event >> _BITS for event in self._all]

    def distance(self, window: Nanoseconds) -> Callable[[Event], int]:
        """Return a function that measures the nanoseconds from an event to the nearest entry of the cause.

        The nearest entry is searched for in the instance, else in the revision; without one the result is the window.
        """
        nowhere: list[int] = []

        def measure(event: Event) -> int:
            time, end, instance = event
            for events in (
                self._by_instance.get(instance, nowhere) if instance else nowhere,
                self._by_instance.get("", nowhere) if instance else self._all,
            ):
                near = _nearest(events, time, end, window) if events else None
                if near is not None:
                    return abs(time - (near >> _BITS))
            return window

        return measure


def _nearest(events: Sequence[int], base: int, end: int, window: int) -> int | None:
    after = bisect_left(events, (base + 1) << _BITS)
    early = events[after - 1] if after else None
    if early is not None and early >> _BITS < base - window:
        early = None
    late = events[after] if after < len(events) else None
    if late is None or late >> _BITS > end + LATE:
        return early
    return late if early is None or (late >> _BITS) - base < base - (early >> _BITS) else early
