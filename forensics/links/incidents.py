"""Clusters and links in, incidents out: clusters that share one root, in order of cause."""

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
"""A cause that lies before fewer of a symptom's occurrences is shown as a link, and does not own the symptom; nor does
one that may stand there by chance, and of whose own occurrences fewer lie before the symptom's."""
HARMFUL_COVERAGE = 0.5
"""An unknown error before this share of a symptom's occurrences is judged by the symptom."""

_NEVER = (True, float("inf"))

NOT_STARTED = {
    "application-startup-failed",
    "deploy-container-not-listening",
    "startup-probe-failed",
    "worker-failed-to-boot",
}
"""Signatures that say: an instance did not come up."""


def parents(clusters: Sequence[Cluster], links: Sequence[Link]) -> dict[ClusterId, Link]:
    """Choose for each cluster the one link that explains it best; never in a circle.

    Chance comes last, and only where a rule speaks for it and the cause mostly stands where the symptom does: what is
    said all the time stands before every failure, and leaves it unexplained. A cause that itself follows from the
    chosen one and stands nearer takes its place, so that a chain hangs in order of time: missing module → workers →
    exit → 503.
    """
    by_id = {c.id: c for c in clusters}
    candidates = _candidates(links, by_id)
    chosen: dict[ClusterId, Link] = {}
    # Of a circle the link is left out that would explain what came first.
    latest_first = sorted(clusters, key=lambda c: (_moment(c.first_seen), c.id), reverse=True)
    for cluster in latest_first:
        found = candidates.get(cluster.id, [])
        found.sort(key=lambda x: (grade(x), _step(by_id[x.cause]), *strength(x), x.cause))
        best = next((x for x in found if not _leads_to(x.cause, cluster.id, chosen)), None)
        if best is not None:
            chosen[cluster.id] = best
    for cluster in latest_first:
        if cluster.id in chosen:
            chosen[cluster.id] = _nearest_step(chosen[cluster.id], candidates[cluster.id], chosen)
    return chosen


def _candidates(links: Sequence[Link], clusters: Mapping[ClusterId, Cluster]) -> dict[ClusterId, list[Link]]:
    """Group by symptom the links that may own one; of two that explain each other the one in order of time stays."""
    lead = {(x.symptom, x.cause): _lead(x) for x in links}
    found: dict[ClusterId, list[Link]] = {}
    for link in links:
        is_backward = lead.get((link.cause, link.symptom), _NEVER) < lead[link.symptom, link.cause]
        is_elsewhere = link.causes < clusters[link.cause].occurrences * PARENT_COVERAGE
        is_chance = link.is_chance(DEFAULT_THRESHOLDS) and (is_elsewhere or not link.declared)
        if link.coverage >= PARENT_COVERAGE and not is_backward and not is_chance:
            found.setdefault(link.symptom, []).append(link)
    return found


def _lead(link: Link) -> tuple[bool, float]:
    """Tell how a cause precedes: smallest is just before; logged after comes last."""
    lag = link.lag[0] if link.lag else 0.0
    return (lag < 0, abs(lag))


def _nearest_step(best: Link, candidates: Sequence[Link], chosen: Mapping[ClusterId, Link]) -> Link:
    """Return the link to the last thing before the symptom that follows from what explains it best."""
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
    """Prefer a cause over a mechanism over another symptom, and a rule's signature over an unknown error."""
    return 2 * cause.role.rank + (cause.signature is None)


def _leads_to(start: ClusterId, goal: ClusterId, chosen: Mapping[ClusterId, Link]) -> bool:
    at: ClusterId | None = start
    while at is not None:
        if at == goal:
            return True
        at = chosen[at].cause if at in chosen else None
    return False


def prioritise(clusters: Sequence[Cluster], links: Sequence[Link]) -> tuple[Cluster, ...]:
    """Judge unknown exceptions by what follows them: P1 with a symptom behind, a start-up failure where that failed."""
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
    """Make an incident of every root with what hangs below it; the worst first. Noise alone is no incident."""
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


def urgency(root: Cluster, family: Sequence[Cluster], *, is_beside: bool) -> tuple[str, bool, int, int, int, int, str]:
    """Sort key of incidents: priority, unexplained failures before what is beside them, role, symptoms, how often."""
    explained = sum(c.occurrences for c in family if c.id != root.id)
    worst = min(c.priority for c in family)
    return (worst, is_beside, root.role.rank, -explained, -root.occurrences, _moment(root.first_seen), root.id)


def _stands_beside(root: ClusterId, links: Sequence[Link], chosen: Mapping[ClusterId, Link]) -> bool:
    """Tell whether a cause is near unexplained failures by chance only, or near a few of them, and explains no other.

    However loud it is, the failures matter more. A cause that nothing is near to, or only what another explains, may
    have had consequences that are not logged.
    """
    own = [x for x in links if x.cause == root]
    return any(x.symptom not in chosen for x in own) and not any(_explains_much(x) for x in own)


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
    """Order times by what they mean: as text, 12.1Z would come after 12.12Z."""
    try:
        return parse_time(time)
    except ValueError:
        return 0
