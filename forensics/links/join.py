"""Clusters and their occurrences in, links (symptom ← cause) with their strength out.

A cause explains a symptom's occurrence when it lies in the window before the symptom's end, or at most 250 ms after it,
in the same trace, or the same instance, or, where one of them has neither, the same revision.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from functools import cached_property
from itertools import chain
from math import floor, log10
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.links.chance import Chance, against_moments, against_traces
from forensics.links.grounds import Case, Grounds, Moment
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Cluster,
    ClusterId,
    Explains,
    Life,
    Link,
    Nanoseconds,
    Role,
    Rule,
    Thresholds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from forensics.journal import Journal, Members, Occurrences

_SECOND = 1_000_000_000
LATE = Nanoseconds(_SECOND // 4)
"""Applications log 5–25 ms after the response has left; a quarter of a second is generous and still order."""
DEFAULT_WINDOW = Nanoseconds(5 * _SECOND)
"""Where no rule declares one: a cause this close before, in the same trace or instance, is worth showing."""
UNDECLARED_COVERAGE = 0.5
"""Without a rule's word, a link needs this share of the symptom's occurrences."""

_BITS = 32
_OCCURRENCE = (1 << _BITS) - 1
_BY = ("trace", "instance", "revision")


def link(
    clusters: Sequence[Cluster],
    members: Iterable[Members],
    rules: Mapping[str, Rule],
    journal: Journal,
    lives: Sequence[Life],
) -> tuple[Link, ...]:
    """Join every symptom with every cluster that may explain it; ordered by symptom, strongest cause first."""
    of_cluster = {m.cluster: m for m in members}
    order = {c.id: i for i, c in enumerate(clusters)}
    grounds = Grounds(journal, lives)
    sought: dict[ClusterId, _Sought] = {}
    links = []
    for cause in clusters:
        windows = [(symptom, window) for symptom in clusters if (window := _window(cause, symptom, rules)) is not None]
        for symptom, _ in windows:
            if symptom.id not in sought:
                sought[symptom.id] = _Sought(symptom, of_cluster[symptom.id], journal)
        moments = _Moments(of_cluster[cause.id].occurrences, [sought[symptom.id] for symptom, _ in windows], journal)
        for symptom, window in windows:
            found = _join(symptom, sought[symptom.id], cause, moments, window)
            if found is not None:
                chance = _chance(found, sought[symptom.id], moments, window.within, grounds)
                links.append(replace(found, lift=chance.lift, p_value=chance.p_value))
    links.sort(key=lambda found: (order[found.symptom], *strength(found), order[found.cause]))
    return tuple(links)


def strength(found: Link) -> tuple[float, ...]:
    """Sort key, strongest first: against chance, then lift in powers of ten, a rule's word, the closer key, coverage.

    How often a cause was logged counts nowhere: a loud one is near everything, and its lift is small.
    """
    lag = found.lag[0] if found.lag else float("inf")
    return (
        grade(found),
        -floor(log10(found.lift)) if found.lift else 0,
        not found.declared,
        _BY.index(found.by),
        -round(found.coverage, 2),
        abs(lag),
    )


def grade(found: Link, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> int:
    """Return 0 for a link that meets the thresholds, 1 for one that may be more than chance, 2 for one that may not."""
    if found.meets(thresholds):
        return 0
    return 2 if found.is_chance(thresholds) else 1


def _chance(found: Link, sought: _Sought, moments: _Moments, window: Nanoseconds, grounds: Grounds) -> Chance:
    """Hold a link against what else there was."""
    if found.by == "trace":
        traces = set(sought.traces) - {0}
        population = grounds.traces(sought.case.revision)
        return against_traces(len(traces & moments.traces), len(traces), len(moments.traces), population)
    case = sought.case._replace(by=found.by)
    return against_moments(case, moments.distance(window), grounds, window)


class _Sought:
    """The occurrences of a symptom as its causes are looked for, as columns."""

    def __init__(self, symptom: Cluster, members: Members, journal: Journal) -> None:
        requests = [gist.is_request for gist in journal.gist_table]
        self.bases, self.ends, self.traces = array("q"), array("q"), array("q")
        self.instances: list[str] = []
        for occurrence in members.occurrences:
            # A request is judged at its end; a burst or a life at its first entry, which its cause must not follow.
            is_request = any(requests[journal.gists[row]] for row in occurrence.rows)
            self.bases.append(occurrence.end if is_request else occurrence.start)
            self.ends.append(occurrence.end)
            self.traces.append(occurrence.trace)
            self.instances.append(occurrence.instance)
        self.case = Case(
            symptom=symptom.id,
            revision=symptom.revision,
            by="instance",
            unit=symptom.unit,
            moments=sorted(map(Moment, self.bases, self.ends, self.instances)),
            rows=members.rows,
        )


class _Moments:
    """When and where the entries of a cause stand: by trace, by instance, and all of them.

    A moment is one number, its time and the number of its occurrence, so that lists of them sort and search fast.
    """

    def __init__(self, occurrences: Occurrences, sought: Sequence[_Sought], journal: Journal) -> None:
        traces: set[int] = set().union(*(one.traces for one in sought))
        self._by_trace: dict[int, list[int]] = defaultdict(list)
        self._by_instance: dict[str, list[int]] = defaultdict(list)
        self.traces: set[int] = set()
        """All traces that hold an entry of the cause."""
        instances = [kind.instance for kind in journal.table]
        for number, rows in enumerate(occurrences.groups()) if sought else ():
            for row in rows:
                moment = (journal.times[row] << _BITS) + number
                self._by_instance[instances[journal.kinds[row]]].append(moment)
                trace = journal.traces[row]
                if trace:
                    self.traces.add(trace)
                    if trace in traces:
                        self._by_trace[trace].append(moment)
        for moments in (*self._by_trace.values(), *self._by_instance.values()):
            moments.sort()

    @cached_property
    def _all(self) -> list[int]:
        """Those of all instances, for the few symptoms that name none."""
        return sorted(chain.from_iterable(self._by_instance.values()))

    def nearest(self, sought: _Sought, window: Nanoseconds) -> Iterator[tuple[int, str, int] | None]:
        """Yield for each occurrence (lag, key, occurrence) of the entry nearest to its end, by the closest key."""
        by_trace, by_instance, of_no_instance = self._by_trace, self._by_instance, self._by_instance.get("")
        for base, end, trace, instance in zip(sought.bases, sought.ends, sought.traces, sought.instances, strict=True):
            by, moments = "trace", by_trace.get(trace)
            found = _nearest(moments, base, end, window) if moments else None
            if found is None and instance:
                by, moments = "instance", by_instance.get(instance)
                found = _nearest(moments, base, end, window) if moments else None
            if found is None:
                # A symptom of one instance is not explained by another instance; one of no instance may be by any.
                by, moments = "revision", of_no_instance if instance else self._all
                found = _nearest(moments, base, end, window) if moments else None
            yield None if found is None else (base - (found >> _BITS), by, found & _OCCURRENCE)

    def distance(self, window: Nanoseconds) -> Callable[[Moment], int]:
        """Return how to measure the nanoseconds from a moment to the nearest entry, by instance, else by revision."""
        nowhere: list[int] = []

        def measure(moment: Moment) -> int:
            time, end, instance = moment
            for moments in (
                self._by_instance.get(instance, nowhere) if instance else nowhere,
                self._by_instance.get("", nowhere) if instance else self._all,
            ):
                found = _nearest(moments, time, end, window) if moments else None
                if found is not None:
                    return abs(time - (found >> _BITS))
            return window

        return measure


def _nearest(moments: Sequence[int], base: int, end: int, window: int) -> int | None:
    after = bisect_left(moments, (base + 1) << _BITS)
    early = moments[after - 1] if after else None
    if early is not None and early >> _BITS < base - window:
        early = None
    late = moments[after] if after < len(moments) else None
    if late is None or late >> _BITS > end + LATE:
        return early
    return late if early is None or (late >> _BITS) - base < base - (early >> _BITS) else early


def _window(cause: Cluster, symptom: Cluster, rules: Mapping[str, Rule]) -> Explains | None:
    """Return what lets the one explain the other, None when nothing does."""
    if cause.id == symptom.id or cause.revision != symptom.revision or Role.NOISE in {cause.role, symptom.role}:
        return None
    declared = rules[cause.signature].explains if cause.signature else ()
    for explains in declared:
        if explains.signature == symptom.signature:
            return explains
    if cause.role.rank <= Role.MECHANISM.rank and symptom.role is Role.SYMPTOM:
        return Explains(signature="", within=DEFAULT_WINDOW)
    return None


def _join(symptom: Cluster, sought: _Sought, cause: Cluster, moments: _Moments, window: Explains) -> Link | None:
    declared, of = bool(window.signature), len(sought.bases)
    found = _found(moments.nearest(sought, window.within), 0.0 if declared else UNDECLARED_COVERAGE, of)
    if not found:
        return None
    coverage = len(found) / of
    by = max({key for _, key, _ in found}, key=_BY.index)
    if not declared and by == "revision":
        return None
    lags = [lag for lag, _, _ in found]
    return Link(
        symptom=symptom.id,
        cause=cause.id,
        by=by,
        declared=declared,
        explained=len(found),
        of=of,
        causes=len({occurrence for _, _, occurrence in found}),
        within=window.within / _SECOND,
        lag=(round(min(lags) / _SECOND, 6), round(max(lags) / _SECOND, 6)),
        coverage=round(coverage, 4),
    )


def _found(nearest: Iterable[tuple[int, str, int] | None], least: float, of: int) -> list[tuple[int, str, int]]:
    """Keep what was found for `of` occurrences; nothing from where on the least share of them cannot be reached."""
    found, missed = [], 0
    for near in nearest:
        if near is not None:
            found.append(near)
            continue
        missed += 1
        if (of - missed) / of < least:
            return []
    return found
