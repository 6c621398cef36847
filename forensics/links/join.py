"""Clusters and their occurrences in, links (symptom ← cause) out.

A cause explains a symptom's occurrence when it lies in the window before the symptom's end, or at most 250 ms after it,
in the same trace, or the same instance, or, where one of them has neither, the same revision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Cluster, Explains, Link, Members, Nanoseconds, Occurrence, Role, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SECOND = 1_000_000_000
LATE = Nanoseconds(_SECOND // 4)
"""Applications log 5–25 ms after the response has left; a quarter of a second is generous and still order."""
DEFAULT_WINDOW = Nanoseconds(5 * _SECOND)
"""Where no rule declares one: a cause this close before, in the same trace or instance, is worth showing."""
UNDECLARED_COVERAGE = 0.5
"""Without a rule's word, a link needs this share of the symptom's occurrences."""

_BY = ("trace", "instance", "revision")


def link(clusters: Sequence[Cluster], members: Iterable[Members], rules: Mapping[str, Rule]) -> tuple[Link, ...]:
    """Join every symptom with every cluster that may explain it; ordered by symptom, strongest cause first."""
    loud = {c.id for c in clusters if c.role is not Role.NOISE}
    occurrences = {m.cluster: m.occurrences for m in members if m.cluster in loud}
    moments = {cluster: Moments(found) for cluster, found in occurrences.items()}
    sought = {cluster: [_seek(o) for o in found] for cluster, found in occurrences.items()}
    order = {c.id: i for i, c in enumerate(clusters)}
    links = []
    for cause, symptom in product(clusters, clusters):
        window = _window(cause, symptom, rules)
        if window is not None:
            found = _join(symptom, sought[symptom.id], cause, moments[cause.id], window)
            links += [found] if found is not None else []
    links.sort(key=lambda found: (order[found.symptom], *strength(found), order[found.cause]))
    return tuple(links)


def strength(found: Link) -> tuple[float, ...]:
    """Sort key, strongest first: coverage, a rule's word, the closer key, the shorter lag."""
    lag = found.lag[0] if found.lag else float("inf")
    return (-round(found.coverage, 2), not found.declared, _BY.index(found.by), abs(lag))


class Moments:
    """When and where the entries of a cause stand, searchable by trace, instance and revision."""

    def __init__(self, occurrences: Sequence[Occurrence]) -> None:
        self._times: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for occurrence in occurrences:
            for entry in occurrence.entries:
                self._add("trace", entry.trace, entry.time, occurrence.id)
                self._add("instance", entry.instance, entry.time, occurrence.id)
                if not entry.instance:
                    self._add("revision", "without instance", entry.time, occurrence.id)
                self._add("revision", "all", entry.time, occurrence.id)
        for times in self._times.values():
            times.sort()

    def nearest(self, sought: Sought, window: Nanoseconds) -> tuple[str, int, str] | None:
        """Return (key, time, occurrence) of the entry nearest to the symptom's end, by the closest key that has one."""
        for key in sought.keys:
            times = self._times.get(key)
            found = _nearest(times, sought, window) if times else None
            if found is not None:
                return key[0], *found
        return None

    def _add(self, by: str, key: str, time: int, occurrence: str) -> None:
        if key:
            self._times[by, key].append((time, occurrence))


class Sought(NamedTuple):
    """An occurrence of a symptom as its causes are looked for."""

    base: int
    """A request is judged at its end; a burst or a life at its first entry, which its cause must not follow."""
    end: int
    keys: tuple[tuple[str, str], ...]
    """What may join it with a cause, closest first."""


def _seek(symptom: Occurrence) -> Sought:
    # A symptom of one instance is not explained by another instance; one of no instance may be by any.
    reach = "without instance" if symptom.instance else "all"
    keys = (("trace", symptom.trace), ("instance", symptom.instance), ("revision", reach))
    base = symptom.end if any(e.http for e in symptom.entries) else symptom.start
    return Sought(base, symptom.end, tuple(key for key in keys if key[1]))


def _nearest(times: Sequence[tuple[int, str]], sought: Sought, window: int) -> tuple[int, str] | None:
    after = bisect_left(times, (sought.base + 1, ""))
    near = [times[after - 1]] if after and times[after - 1][0] >= sought.base - window else []
    near += [times[after]] if after < len(times) and times[after][0] <= sought.end + LATE else []
    return min(near, key=lambda moment: abs(moment[0] - sought.base), default=None)


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


def _join(
    symptom: Cluster, occurrences: Sequence[Sought], cause: Cluster, moments: Moments, window: Explains
) -> Link | None:
    found = [(o, near) for o in occurrences if (near := moments.nearest(o, window.within)) is not None]
    if not found:
        return None
    coverage = len(found) / len(occurrences)
    by = max((near[0] for _, near in found), key=_BY.index)
    declared = bool(window.signature)
    if not declared and (coverage < UNDECLARED_COVERAGE or by == "revision"):
        return None
    lags = [(o.base - near[1]) / _SECOND for o, near in found]
    return Link(
        symptom=symptom.id,
        cause=cause.id,
        by=by,
        declared=declared,
        explained=len(found),
        of=len(occurrences),
        causes=len({near[2] for _, near in found}),
        within=window.within / _SECOND,
        lag=(round(min(lags), 6), round(max(lags), 6)),
        coverage=round(coverage, 4),
    )
