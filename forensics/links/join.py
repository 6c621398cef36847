"""Find links (symptom ← cause) between clusters, and measure their strength.

A cause explains an occurrence of a symptom if it was logged in the window before the symptom's end, or at most 250 ms
after it, in the same trace or the same instance; if one of them has neither, in the same revision.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from copy import copy
from functools import cached_property
from itertools import chain
from math import floor, log10
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.links.alike_requests import AlikeRequests
from forensics.links.chance import Chance, against_moments, against_traces, weaker
from forensics.links.contests import Explanation, contest
from forensics.links.control_groups import ControlGroups, Event, TestedSymptom
from forensics.links.order import order_of
from forensics.links.own_traces import give_to_traces
from forensics.links.partly_pulled import PartlyPulled
from forensics.log.pulled_whole import EVERYTHING
from forensics.model import (
    DEFAULT_THRESHOLDS,
    FEWEST,
    Cluster,
    ClusterId,
    Explains,
    JoinKey,
    Level,
    Life,
    Link,
    Nanoseconds,
    OccurrenceUnit,
    Role,
    Rule,
    Thresholds,
)
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from forensics.links.own_traces import OwnErrors
    from forensics.log.entry_table import ClusterEntries, EntryTable, Occurrences
    from forensics.log.pulled_whole import PulledWhole

LATE = Nanoseconds(SECOND // 4)
"""Applications log 5–25 ms after the response; a quarter of a second is generous and still keeps the order."""
DEFAULT_WINDOW = Nanoseconds(5 * SECOND)
"""Nanoseconds; the window for links that no rule declares, in the same trace or instance."""
UNDECLARED_COVERAGE = 0.5
"""A link that no rule declares must explain this share of the symptom's occurrences."""

LEAST_TESTED = 0.3
"""Coverage below which no rule lets a link support an answer, so that its order need not be tested."""

_NUMBER = 32
_TRACED = 1 << _NUMBER
_BITS = _NUMBER + 1
_OCCURRENCE = _TRACED - 1
_TRACE, _INSTANCE, _REVISION = _KEYS = tuple(JoinKey)


def link(
    clusters: Sequence[Cluster],
    members: Iterable[ClusterEntries],
    rules: Mapping[str, Rule],
    table: EntryTable,
    lives: Sequence[Life],
    *,
    whole: PulledWhole = EVERYTHING,
) -> tuple[Link, ...]:
    """Link every symptom to the clusters that may explain it; ordered by symptom, strongest cause first."""
    of_cluster = {m.cluster: m for m in members}
    order = {c.id: i for i, c in enumerate(clusters)}
    groups = ControlGroups(table, lives)
    controls = _Controls(groups, AlikeRequests(table, groups))
    partly = PartlyPulled(whole, groups, whole.controls(table)) if whole.is_partial else None
    lacking = {m.cluster for m in of_cluster.values() if not whole.has_all(table, m.rows)}
    columns: dict[ClusterId, _SymptomColumns] = {}
    given = give_to_traces(clusters, of_cluster, table, groups)
    found: list[Explanation] = []
    for cause in clusters:
        windows = [(symptom, window) for symptom in clusters if (window := _window(cause, symptom, rules)) is not None]
        for symptom, _ in windows:
            if symptom.id not in columns:
                columns[symptom.id] = _SymptomColumns(symptom, of_cluster[symptom.id], table)
        events = _CauseEvents(of_cluster[cause.id].occurrences, [columns[symptom.id] for symptom, _ in windows], table)
        for symptom, window in windows:
            own = columns[symptom.id].left_to(cause.id, given.get(symptom.id, {}), declared=bool(window.signature))
            joined = _join(symptom, own, cause, events, window)
            if joined is None or joined.link.of < FEWEST:
                found += [joined] if joined is not None else []
            elif partly is None or lacking.isdisjoint((cause.id, symptom.id)):
                found.append(_tested(joined, own, events, window.within, controls))
            elif symptom.id in lacking:  # those that are here are those that stand near failures
                found.append(joined._replace(link=replace(joined.link, controls=0)))
            else:
                tested = partly.tested(joined.link, own.case, events, window.within)
                found.append(joined._replace(link=tested))
            if joined is not None and not found[-1].link.meets(DEFAULT_THRESHOLDS):
                found[-1] = found[-1]._replace(times={})  # only what may contest is compared
    links = contest(found)
    links.sort(key=lambda x: (order[x.symptom], *strength(x), order[x.cause]))
    return tuple(links)


def strength(found: Link) -> tuple[float, ...]:
    """Sort key, strongest first: grade, lift in powers of ten, declared by a rule, the closer key, coverage, lag.

    How often a cause was logged does not count: a frequent one is near everything, and its lift is small.
    """
    lag = found.lag[0] if found.lag else float("inf")
    return (
        grade(found),
        -floor(log10(found.lift)) if found.lift else 0,
        not found.declared,
        _KEYS.index(found.by),
        -round(found.coverage, 2),
        abs(lag),
    )


def grade(found: Link, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> int:
    """Return 0 for a link that meets the thresholds, 2 for one that is as likely chance, 1 for one in between."""
    if found.meets(thresholds):
        return 0
    return 2 if found.is_chance(thresholds) else 1


def _tested(
    joined: Explanation, symptom: _SymptomColumns, events: _CauseEvents, window: Nanoseconds, controls: _Controls
) -> Explanation:
    """Test a link against chance; one that would support an answer also for the order of its onsets."""
    link_ = joined.link
    chance = _chance(link_, symptom, events, window, controls)
    link_ = replace(link_, lift=chance.lift, p_value=chance.p_value)
    if link_.by is not _TRACE and link_.coverage >= LEAST_TESTED and not link_.is_near_by_chance:
        anywhere = None if symptom.case.unit is OccurrenceUnit.LIFE else events.everywhere
        order = order_of(*events.beside(symptom, link_.by), window, anywhere=anywhere)
        if order is not None:
            order_p, in_step = _digits(order.p_value), _digits(order.share)
            link_ = replace(link_, order_p=order_p, in_step=in_step, by_clock=order.by_clock)
    return joined._replace(link=link_)


def _digits(number: float) -> float:
    return float(f"{number:.3g}")


def _chance(
    joined: Link, symptom: _SymptomColumns, events: _CauseEvents, window: Nanoseconds, controls: _Controls
) -> Chance:
    """Test a link against its controls."""
    if joined.by == "trace":
        traces = set(symptom.traces) - {0}
        explained, population = (
            len(traces & events.traces),
            controls.groups.traces(symptom.case.revision) - joined.given_away,
        )
        found = against_traces(explained, len(traces), len(events.traces), population)
        if joined.coverage < DEFAULT_THRESHOLDS.coverage or (found.p_value or 0) > DEFAULT_THRESHOLDS.p_value:
            return found
        for alike in controls.alike.traces(symptom.case):
            beside = alike.difference(symptom.traces)
            with_cause = explained + len(beside & events.traces)
            found = weaker(found, against_traces(explained, len(traces), with_cause, len(traces) + len(beside)))
        return found
    case = symptom.case._replace(by=joined.by)
    return against_moments(case, events.distance(window), controls.groups, window)


class _Controls(NamedTuple):
    """What a link is tested against."""

    groups: ControlGroups
    alike: AlikeRequests


class _Near(NamedTuple):
    """The entry of a cause that stands nearest to an occurrence."""

    lag: int
    """Nanoseconds from the entry to the occurrence."""
    by: JoinKey
    cause: int
    """The number of the cause's occurrence."""
    is_of_another: bool
    """True when the entry stands in the trace of another request."""


class _SymptomColumns:
    """Columns with one row for each occurrence of a symptom, used to search for its causes."""

    def __init__(self, symptom: Cluster, members: ClusterEntries, table: EntryTable) -> None:
        requests = [facts.is_request for facts in table.distinct_facts]
        self.bases, self.ends, self.traces = array("q"), array("q"), array("q")
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
        self.total = len(self.bases)

    def left_to(self, cause: ClusterId, given: OwnErrors, *, declared: bool) -> _SymptomColumns:
        """Leave out the occurrences that another error explains, as it stands in their own trace and this one does not.

        A cause that a rule declares and that stands in none of the traces, such as a database that is down, may be what
        those errors come from.
        """
        if not given or (declared and not any(cause in own for own in given.values())):
            return self
        kept = [at for at, trace in enumerate(self.traces) if cause in given.get(trace, (cause,))]
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


class _CauseEvents:
    """Index of the entries of a cause: by trace, by instance, and all of them.

    An event is one integer (time in the high bits, then a bit that tells whether it has a trace, then the number of the
    occurrence in 32 bits), so that lists of them sort and search fast.
    """

    def __init__(self, occurrences: Occurrences, symptoms: Sequence[_SymptomColumns], table: EntryTable) -> None:
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

    def nearest(self, symptom: _SymptomColumns, window: Nanoseconds) -> Iterator[_Near | None]:
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
            yield None if event is None else _Near(base - (event >> _BITS), by, event & _OCCURRENCE, is_of_another)

    def beside(self, symptom: _SymptomColumns, by: JoinKey) -> tuple[list[list[int]], list[list[int]]]:
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


def _window(cause: Cluster, symptom: Cluster, rules: Mapping[str, Rule]) -> Explains | None:
    """Return the window in which one cluster may explain another; None when it may not."""
    if cause.id == symptom.id or cause.revision != symptom.revision or Role.NOISE in {cause.role, symptom.role}:
        return None
    declared = rules[cause.signature].explains if cause.signature else ()
    for explains in declared:
        if explains.signature == symptom.signature:
            return explains
    if cause.role.rank <= Role.MECHANISM.rank and symptom.role is Role.SYMPTOM:
        return Explains(signature="", within=DEFAULT_WINDOW)
    return None


def _join(
    symptom: Cluster, columns: _SymptomColumns, cause: Cluster, events: _CauseEvents, window: Explains
) -> Explanation | None:
    declared, of = bool(window.signature), len(columns.bases)
    explained = _found(events.nearest(columns, window.within), 0.0 if declared else UNDECLARED_COVERAGE, of)
    if not explained:
        return None
    by = max({near.by for near in explained.values()}, key=_KEYS.index)
    if not declared and (by is _REVISION or _is_left_over(len(explained), by, columns)):
        return None
    lags = [near.lag for near in explained.values()]
    found = Link(
        symptom=symptom.id,
        cause=cause.id,
        by=by,
        declared=declared,
        explained=len(explained),
        of=of,
        causes=len({near.cause for near in explained.values()}),
        within=window.within / SECOND,
        lag=(round(min(lags) / SECOND, 6), round(max(lags) / SECOND, 6)),
        coverage=round(len(explained) / of, 4),
        given_away=columns.total - of,
        of_others=sum(near.is_of_another for near in explained.values()),
    )
    times = {columns.numbers[at]: columns.bases[at] - near.lag for at, near in explained.items()}
    return Explanation(link=found, times=times, is_error=cause.level.rank >= Level.ERROR.rank)


def _is_left_over(explained: int, by: JoinKey, columns: _SymptomColumns) -> bool:
    """Tell whether a cause merely stands near the few occurrences that no error of their own trace explains."""
    return by is not _TRACE and explained < columns.total * UNDECLARED_COVERAGE


def _found(nearest: Iterable[_Near | None], least: float, of: int) -> dict[int, _Near]:
    """Collect the explained ones of `of` occurrences; none as soon as the least share cannot be reached any more."""
    explained: dict[int, _Near] = {}
    missed = 0
    for at, near in enumerate(nearest):
        if near is not None:
            explained[at] = near
            continue
        missed += 1
        if (of - missed) / of < least:
            return {}
    return explained
