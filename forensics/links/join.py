"""Find links (symptom ← cause) between clusters, and measure their strength.

A cause explains an occurrence of a symptom if it was logged in the window before the symptom's end, or at most 250 ms
after it, in the same trace or the same instance; if one of them has neither, in the same revision.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import nsmallest
from math import floor, log10
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.links.alike_requests import AlikeRequests
from forensics.links.chance import Chance, against_moments, against_traces, weaker
from forensics.links.contests import Explanation, contest
from forensics.links.control_groups import ControlGroups
from forensics.links.nearest import CauseEvents, SymptomColumns
from forensics.links.order import order_of
from forensics.links.own_errors import give_to_lives, give_to_traces
from forensics.links.partly_pulled import PartlyPulled
from forensics.links.request_ends import against_ends
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
    from collections.abc import Iterable, Mapping, Sequence

    from forensics.links.nearest import Near
    from forensics.log.entry_table import ClusterEntries, EntryTable
    from forensics.log.pulled_whole import PulledWhole

DEFAULT_WINDOW = Nanoseconds(5 * SECOND)
"""Nanoseconds; the window for links that no rule declares, in the same trace or instance."""
UNDECLARED_COVERAGE = 0.5
"""A link that no rule declares must explain this share of the symptom's occurrences."""

FAR = Explains(signature="", within=Nanoseconds(30 * SECOND))
"""How far back a cause is looked for where nothing nearer explains a symptom."""
FAR_CAUSES = 20
"""Causes that are looked at from afar for each symptom."""
FAR_SHARE = 0.75
"""The share of a symptom's onsets that must stand at one lag behind such a cause."""

LEAST_TESTED = 0.3
"""Coverage below which no rule lets a link support an answer, so that its order need not be tested."""

_KEYS = tuple(JoinKey)


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
    search = _Search(clusters, members, table, lives, whole)
    found: dict[tuple[ClusterId, ClusterId], Explanation] = {}
    for cause in clusters:
        windows = [(symptom, window) for symptom in clusters if (window := _window(cause, symptom, rules)) is not None]
        found |= search.explained_by(cause, windows)
    found |= _from_far(clusters, found.values(), rules, search)
    links = contest(found.values())
    order = {c.id: i for i, c in enumerate(clusters)}
    links.sort(key=lambda x: (order[x.symptom], *strength(x), order[x.cause]))
    return tuple(links)


class _Search:
    """What the search for causes needs of a run."""

    def __init__(
        self,
        clusters: Sequence[Cluster],
        members: Iterable[ClusterEntries],
        table: EntryTable,
        lives: Sequence[Life],
        whole: PulledWhole,
    ) -> None:
        self._of_cluster = {m.cluster: m for m in members}
        self._table = table
        groups = ControlGroups(table, lives)
        self._controls = _Controls(groups, AlikeRequests(table, groups))
        self._partly = PartlyPulled(whole, groups, whole.controls(table)) if whole.is_partial else None
        self._lacking = {m.cluster for m in self._of_cluster.values() if not whole.has_all(table, m.rows)}
        self._given = give_to_traces(clusters, self._of_cluster, table, groups)
        self._given |= give_to_lives(clusters, self._of_cluster, table)
        self._columns: dict[ClusterId, SymptomColumns] = {}

    def explained_by(
        self, cause: Cluster, windows: Sequence[tuple[Cluster, Explains]]
    ) -> dict[tuple[ClusterId, ClusterId], Explanation]:
        """Find which of some symptoms a cause may explain; by symptom and cause."""
        for symptom, _ in windows:
            if symptom.id not in self._columns:
                self._columns[symptom.id] = SymptomColumns(symptom, self._of_cluster[symptom.id], self._table)
        columns = [self._columns[symptom.id] for symptom, _ in windows]
        events = CauseEvents(self._of_cluster[cause.id].occurrences, columns, self._table)
        found = {}
        for symptom, window in windows:
            one = self._explanation(symptom, cause, events, window)
            if one is not None:
                # Only what may contest is compared.
                meets = one.link.meets(DEFAULT_THRESHOLDS)
                found[symptom.id, cause.id] = one if meets else one._replace(times={})
        return found

    def _explanation(
        self, symptom: Cluster, cause: Cluster, events: CauseEvents, window: Explains
    ) -> Explanation | None:
        given = self._given.get(symptom.id, {})
        own = self._columns[symptom.id].left_to(cause.id, given, declared=bool(window.signature))
        joined = _join(symptom, own, cause, events, window)
        if joined is None or joined.link.of < FEWEST:
            return joined
        if self._partly is None or self._lacking.isdisjoint((cause.id, symptom.id)):
            return _tested(joined, own, events, window.within, self._controls)
        if symptom.id in self._lacking:  # those that are here are those that stand near failures
            return joined._replace(link=replace(joined.link, controls=0))
        return joined._replace(link=self._partly.tested(joined.link, own.case, events, window.within))


def _from_far(
    clusters: Sequence[Cluster], found: Iterable[Explanation], rules: Mapping[str, Rule], search: _Search
) -> dict[tuple[ClusterId, ClusterId], Explanation]:
    """Look further back for causes of the symptoms that nothing explains: a client's time-out may be half a minute.

    So long a window holds much that is unrelated. Only a cause that most stand behind at one lag is taken.
    """
    explained = {one.link.symptom for one in found if one.link.meets(DEFAULT_THRESHOLDS)}
    windows: dict[ClusterId, list[tuple[Cluster, Explains]]] = defaultdict(list)
    for symptom in clusters:
        is_open = symptom.role is Role.SYMPTOM and symptom.id not in explained
        if is_open and symptom.unit is not OccurrenceUnit.LIFE:
            for cause in _as_frequent(symptom, clusters, rules):
                windows[cause.id].append((symptom, FAR))
    far: dict[tuple[ClusterId, ClusterId], Explanation] = {}
    for cause in clusters:
        if cause.id in windows:
            far |= search.explained_by(cause, windows[cause.id])
    return {pair: one for pair, one in far.items() if _stands_at_one_lag(one.link)}


def _as_frequent(symptom: Cluster, clusters: Iterable[Cluster], rules: Mapping[str, Rule]) -> list[Cluster]:
    """Return the possible causes that were logged most nearly as often as a symptom."""
    near = []
    for cause in clusters:
        window = _window(cause, symptom, rules)
        if window is not None and window.within < FAR.within and cause.role.rank <= Role.MECHANISM.rank:
            ratio = cause.occurrences / symptom.occurrences
            near.append((max(ratio, 1 / ratio), cause.id, cause))
    return [cause for *_, cause in nsmallest(FAR_CAUSES, near)]


def _stands_at_one_lag(found: Link) -> bool:
    return found.in_step is not None and found.in_step >= FAR_SHARE and found.meets(DEFAULT_THRESHOLDS)


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
    joined: Explanation, symptom: SymptomColumns, events: CauseEvents, window: Nanoseconds, controls: _Controls
) -> Explanation:
    """Test a link against chance; one that would support an answer also for the order of its onsets."""
    link_ = joined.link
    chance = _chance(link_, symptom, events, window, controls)
    link_ = replace(link_, lift=chance.lift, p_value=chance.p_value)
    if link_.by is not JoinKey.TRACE and link_.coverage >= LEAST_TESTED and not link_.is_near_by_chance:
        anywhere = None if symptom.case.unit is OccurrenceUnit.LIFE else events.everywhere
        order = order_of(*events.beside(symptom, link_.by), window, anywhere=anywhere)
        if order is not None:
            order_p, in_step = _digits(order.p_value), _digits(order.share)
            link_ = replace(link_, order_p=order_p, in_step=in_step, by_clock=order.by_clock)
    return joined._replace(link=link_)


def _digits(number: float) -> float:
    return float(f"{number:.3g}")


def _chance(
    joined: Link, symptom: SymptomColumns, events: CauseEvents, window: Nanoseconds, controls: _Controls
) -> Chance:
    """Test a link against its controls."""
    if joined.by == "trace":
        traces = set(symptom.traces) - {0}
        explained, population = (
            len(traces & events.traces),
            controls.groups.traces(symptom.case.revision) - joined.given_away,
        )
        found = against_traces(explained, len(traces), len(events.traces), population)
        if replace(joined, lift=found.lift, p_value=found.p_value).meets(DEFAULT_THRESHOLDS):
            for alike in controls.alike.traces(symptom.case):
                beside = alike.difference(symptom.traces)
                with_cause = explained + len(beside & events.traces)
                found = weaker(found, against_traces(explained, len(traces), with_cause, len(traces) + len(beside)))
        return found
    case = symptom.case._replace(by=joined.by)
    found = against_moments(case, events.distance(window), controls.groups, window)
    is_open = found.p_value is None or replace(joined, lift=found.lift, p_value=found.p_value).is_chance(
        DEFAULT_THRESHOLDS
    )
    if not is_open or case.unit is not OccurrenceUnit.REQUEST or joined.by is not JoinKey.INSTANCE:
        return found
    at_ends = against_ends(case, events, controls.groups)
    return min(found, at_ends, key=lambda x: 1.0 if x.p_value is None else x.p_value)


class _Controls(NamedTuple):
    """What a link is tested against."""

    groups: ControlGroups
    alike: AlikeRequests


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
    symptom: Cluster, columns: SymptomColumns, cause: Cluster, events: CauseEvents, window: Explains
) -> Explanation | None:
    declared, of = bool(window.signature), len(columns.bases)
    explained = _found(events.nearest(columns, window.within), 0.0 if declared else UNDECLARED_COVERAGE, of)
    if not explained:
        return None
    by = max({near.by for near in explained.values()}, key=_KEYS.index)
    if not declared and (by is JoinKey.REVISION or _is_left_over(len(explained), by, columns)):
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


def _is_left_over(explained: int, by: JoinKey, columns: SymptomColumns) -> bool:
    """Tell whether a cause merely stands near the few occurrences that no error of their own trace explains."""
    is_own = by is JoinKey.TRACE or columns.case.unit is OccurrenceUnit.LIFE
    return not is_own and explained < columns.total * UNDECLARED_COVERAGE


def _found(nearest: Iterable[Near | None], least: float, of: int) -> dict[int, Near]:
    """Collect the explained ones of `of` occurrences; none as soon as the least share cannot be reached any more."""
    explained: dict[int, Near] = {}
    missed = 0
    for at, near in enumerate(nearest):
        if near is not None:
            explained[at] = near
            continue
        missed += 1
        if (of - missed) / of < least:
            return {}
    return explained
