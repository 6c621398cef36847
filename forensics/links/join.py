"""Clusters and their occurrences in, links (symptom ← cause) out.

A cause explains a symptom's occurrence when it lies in the window before the symptom's end, or at most 250 ms after it,
in the same trace, or the same instance, or, where one of them has neither, the same revision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Cluster, ClusterId, Explains, Link, Nanoseconds, Occurrence, Role, Rule

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from forensics.journal import Journal, Members

    _By = tuple[str, str | int]
    """What two entries have in common: ("trace", its number), ("instance", its name), ("revision", how far)."""

_SECOND = 1_000_000_000
LATE = Nanoseconds(_SECOND // 4)
"""Applications log 5–25 ms after the response has left; a quarter of a second is generous and still order."""
DEFAULT_WINDOW = Nanoseconds(5 * _SECOND)
"""Where no rule declares one: a cause this close before, in the same trace or instance, is worth showing."""
UNDECLARED_COVERAGE = 0.5
"""Without a rule's word, a link needs this share of the symptom's occurrences."""

_BY = ("trace", "instance", "revision")


def link(
    clusters: Sequence[Cluster], members: Iterable[Members], rules: Mapping[str, Rule], journal: Journal
) -> tuple[Link, ...]:
    """Join every symptom with every cluster that may explain it; ordered by symptom, strongest cause first."""
    of_cluster = {m.cluster: m for m in members}
    order = {c.id: i for i, c in enumerate(clusters)}
    links = []
    for symptom in clusters:
        windows = [(cause, window) for cause in clusters if (window := _window(cause, symptom, rules)) is not None]
        sought = [_seek(o, journal) for o in of_cluster[symptom.id].occurrences] if windows else []
        for cause, window in windows:
            found = _join(symptom, sought, cause, _moments(cause, of_cluster, sought, journal), window)
            links += [found] if found is not None else []
    links.sort(key=lambda found: (order[found.symptom], *strength(found), order[found.cause]))
    return tuple(links)


def strength(found: Link) -> tuple[float, ...]:
    """Sort key, strongest first: coverage, a rule's word, the closer key, the shorter lag."""
    lag = found.lag[0] if found.lag else float("inf")
    return (-round(found.coverage, 2), not found.declared, _BY.index(found.by), abs(lag))


def _moments(
    cause: Cluster, members: Mapping[ClusterId, Members], sought: Sequence[Sought], journal: Journal
) -> Moments:
    return Moments(members[cause.id].occurrences, {key for one in sought for key in one.keys}, journal)


class Moments:
    """When and where the entries of a cause stand, searchable by those of trace, instance and revision that matter."""

    def __init__(self, occurrences: Sequence[Occurrence], wanted: Container[_By], journal: Journal) -> None:
        self._times: dict[_By, list[tuple[int, int]]] = defaultdict(list)
        self._wanted = wanted
        for number, occurrence in enumerate(occurrences):
            for row in occurrence.rows:
                moment, instance = (journal.times[row], number), journal.instance(row)
                self._add(("trace", journal.traces[row]), moment)
                self._add(("instance", instance), moment)
                if not instance:
                    self._add(("revision", "without instance"), moment)
                self._add(("revision", "all"), moment)
        for times in self._times.values():
            times.sort()

    def nearest(self, sought: Sought, window: Nanoseconds) -> tuple[str, int, int] | None:
        """Return (key, time, occurrence) of the entry nearest to the symptom's end, by the closest key that has one."""
        for key in sought.keys:
            times = self._times.get(key)
            found = _nearest(times, sought, window) if times else None
            if found is not None:
                return key[0], *found
        return None

    def _add(self, key: _By, moment: tuple[int, int]) -> None:
        if key in self._wanted:
            self._times[key].append(moment)


class Sought(NamedTuple):
    """An occurrence of a symptom as its causes are looked for."""

    base: int
    """A request is judged at its end; a burst or a life at its first entry, which its cause must not follow."""
    end: int
    keys: tuple[_By, ...]
    """What may join it with a cause, closest first."""


def _seek(symptom: Occurrence, journal: Journal) -> Sought:
    # A symptom of one instance is not explained by another instance; one of no instance may be by any.
    reach = "without instance" if symptom.instance else "all"
    keys: tuple[_By, ...] = (("trace", symptom.trace), ("instance", symptom.instance), ("revision", reach))
    base = symptom.end if any(journal.gist(row).is_request for row in symptom.rows) else symptom.start
    return Sought(base, symptom.end, tuple(key for key in keys if key[1]))


def _nearest(times: Sequence[tuple[int, int]], sought: Sought, window: int) -> tuple[int, int] | None:
    after = bisect_left(times, (sought.base + 1, -1))
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
