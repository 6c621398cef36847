"""Group clusters that share one root cause into incidents, and rank the incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forensics.links.join import grade, strength
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Cluster,
    ClusterId,
    FailureClass,
    Finding,
    Incident,
    Link,
    Priority,
    Role,
)
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARENT_COVERAGE = 0.3
"""A cause owns a symptom only if it precedes this share of the symptom's occurrences; otherwise it is a mere link. If
the link may be chance, this share of the cause's own occurrences must precede the symptom as well."""
HARMFUL_COVERAGE = 0.5
"""An unknown error that precedes this share of a symptom's occurrences gets its priority from the symptom."""

_NEVER = (True, float("inf"))

NOT_STARTED = {
    "application-startup-failed",
    "deploy-container-not-listening",
    "startup-probe-failed",
    "worker-failed-to-boot",
}
"""Signatures of an instance that did not start."""


def parents(clusters: Sequence[Cluster], links: Sequence[Link]) -> dict[ClusterId, Link]:
    """Choose for each cluster the one link that explains it best; the links form no circle.

    A link that may be chance comes last, and counts only if a rule declares it and the cause mostly occurs with the
    symptom: what is logged all the time precedes every failure without explaining it. A nearer cause that itself
    follows from the chosen one replaces it, so that a chain is in order of time: missing module → workers → exit → 503.
    """
    by_id = {c.id: c for c in clusters}
    candidates = _candidates(links, by_id)
    chosen: dict[ClusterId, Link] = {}
    # In a circle, the link that would explain the earliest cluster is left out.
    latest_first = sorted(clusters, key=lambda c: (_moment(c.first_seen), c.id), reverse=True)
    for cluster in latest_first:
        own_links = candidates.get(cluster.id, [])
        own_links.sort(key=lambda x: (grade(x), _step(by_id[x.cause]), *strength(x), x.cause))
        best = next((x for x in own_links if not _leads_to(x.cause, cluster.id, chosen)), None)
        if best is not None:
            chosen[cluster.id] = best
    for cluster in latest_first:
        if cluster.id in chosen:
            chosen[cluster.id] = _nearest_step(chosen[cluster.id], candidates[cluster.id], chosen)
    return chosen


def _candidates(links: Sequence[Link], clusters: Mapping[ClusterId, Cluster]) -> dict[ClusterId, list[Link]]:
    """Group by symptom the links whose cause may own it; of two opposite links the one in order of time stays."""
    lead = {(x.symptom, x.cause): _lead(x) for x in links}
    by_symptom: dict[ClusterId, list[Link]] = {}
    for link in links:
        is_backward = lead.get((link.cause, link.symptom), _NEVER) < lead[link.symptom, link.cause]
        is_elsewhere = link.causes < clusters[link.cause].occurrences * PARENT_COVERAGE
        is_chance = link.is_chance(DEFAULT_THRESHOLDS) and (is_elsewhere or not link.declared)
        if link.coverage >= PARENT_COVERAGE and not is_backward and not is_chance:
            by_symptom.setdefault(link.symptom, []).append(link)
    return by_symptom


def _lead(link: Link) -> tuple[bool, float]:
    """Sort key of a cause's lead: just before the symptom comes first, logged after it comes last."""
    lag = link.lag[0] if link.lag else 0.0
    return (lag < 0, abs(lag))


def _nearest_step(best: Link, candidates: Sequence[Link], chosen: Mapping[ClusterId, Link]) -> Link:
    """Return the link to the nearest cause that itself follows from the best one."""
    between = [
        x
        for x in candidates
        if grade(x) <= grade(best)
        and _lead(x) < _lead(best)
        and _leads_to(x.cause, best.cause, chosen)
        and not _leads_to(x.cause, best.symptom, chosen)
    ]
    return min([best, *between], key=lambda x: (_lead(x), x.cause))


def _step(cause: Cluster) -> int:
    """Sort key: cause, mechanism, symptom; for each, a rule's signature before an unknown error."""
    return 2 * cause.role.rank + (cause.signature is None)


def _leads_to(start: ClusterId, goal: ClusterId, chosen: Mapping[ClusterId, Link]) -> bool:
    at: ClusterId | None = start
    while at is not None:
        if at == goal:
            return True
        at = chosen[at].cause if at in chosen else None
    return False


def prioritise(clusters: Sequence[Cluster], links: Sequence[Link]) -> tuple[Cluster, ...]:
    """Raise unknown exceptions by what follows them: P1 before a symptom, a start-up failure before one of those."""
    by_id = {c.id: c for c in clusters}
    strong = [x for x in links if x.coverage >= HARMFUL_COVERAGE and not x.is_chance(DEFAULT_THRESHOLDS)]
    harmful = {x.cause for x in strong}
    at_start = {x.cause for x in strong if by_id[x.symptom].signature in NOT_STARTED}
    return tuple(_judged(c, start=c.id in at_start) if c.id in harmful else c for c in clusters)


def _judged(cluster: Cluster, *, start: bool) -> Cluster:
    if cluster.signature is not None or cluster.failure_class is not FailureClass.UNHANDLED_EXCEPTION:
        return cluster
    what = "after which the instance did not start" if start else "with a symptom behind it"
    return msgspec.structs.replace(
        cluster,
        failure_class=FailureClass.STARTUP_FAILURE if start else cluster.failure_class,
        priority=Priority.P1,
        priority_reason=f"an error that no rule knows, {what}",
    )


def find_incidents(
    clusters: Sequence[Cluster],
    links: Sequence[Link],
    chosen: Mapping[ClusterId, Link],
    findings: Mapping[ClusterId, Finding],
) -> tuple[Incident, ...]:
    """Make an incident of every root and the clusters it explains; the worst first. Noise alone is no incident."""
    below: dict[ClusterId, list[Cluster]] = {}
    for cluster in clusters:
        if cluster.role is not Role.NOISE:
            below.setdefault(_root(cluster.id, chosen), []).append(cluster)
    by_id = {c.id: c for c in clusters}
    beside = {root for root, family in below.items() if len(family) == 1 and _stands_beside(root, links, chosen)}
    ordered = sorted(below, key=lambda root: urgency(by_id[root], below[root], is_beside=root in beside))
    return tuple(
        _incident(number, by_id[root], below[root], findings[root], chosen) for number, root in enumerate(ordered, 1)
    )


def roots_of(clusters: Sequence[Cluster], chosen: Mapping[ClusterId, Link]) -> dict[ClusterId, ClusterId]:
    """Return of each cluster the root of its incident; noise has none."""
    return {cluster.id: _root(cluster.id, chosen) for cluster in clusters if cluster.role is not Role.NOISE}


def urgency(root: Cluster, family: Sequence[Cluster], *, is_beside: bool) -> tuple[str, bool, int, int, int, int, str]:
    """Sort key of incidents: priority, unexplained failures before what merely accompanies them, role, counts."""
    explained = sum(c.occurrences for c in family if c.id != root.id)
    worst = min(c.priority for c in family)
    return (worst, is_beside, root.role.rank, -explained, -root.occurrences, _moment(root.first_seen), root.id)


def _stands_beside(root: ClusterId, links: Sequence[Link], chosen: Mapping[ClusterId, Link]) -> bool:
    """Tell whether a cause merely accompanies unexplained failures: by chance, or few of them, explaining no other.

    However frequent it is, the failures matter more. A cause with no failure near it, or only failures that another
    cause explains, is different: its consequences may not be logged.
    """
    links_of_root = [x for x in links if x.cause == root]
    return any(x.symptom not in chosen for x in links_of_root) and not any(_explains_much(x) for x in links_of_root)


def _explains_much(link: Link) -> bool:
    return link.coverage >= PARENT_COVERAGE and not link.is_chance(DEFAULT_THRESHOLDS)


def _root(cluster: ClusterId, chosen: Mapping[ClusterId, Link]) -> ClusterId:
    while cluster in chosen:
        cluster = chosen[cluster].cause
    return cluster


def _incident(
    number: int, root: Cluster, family: Sequence[Cluster], finding: Finding, chosen: Mapping[ClusterId, Link]
) -> Incident:
    def depth(cluster: Cluster) -> int:
        at, steps = cluster.id, 0
        while at in chosen:
            at, steps = chosen[at].cause, steps + 1
        return steps

    ordered = sorted(family, key=lambda c: (depth(c), c.role.rank, _moment(c.first_seen), c.id))
    return Incident(
        id=f"incident-{number}",
        title=finding.headline,
        root_cluster=root.id,
        clusters=tuple(c.id for c in ordered),
        onset=min((c.first_seen for c in family), key=_moment),
        end=max((c.last_seen for c in family), key=_moment),
        occurrences=root.occurrences,
        priority=min(c.priority for c in family),
        verdict=finding.confidence,
    )


def _moment(time: str) -> int:
    """Parse a time for sorting: as text, 12.1Z would come after 12.12Z."""
    try:
        return parse_time(time)
    except ValueError:
        return 0
