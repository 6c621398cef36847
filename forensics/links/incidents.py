"""Group clusters that share one root cause into incidents, and rank the incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.links.owners import PARENT_COVERAGE
from forensics.model import (
    DEFAULT_THRESHOLDS,
    FEWEST,
    Cluster,
    ClusterId,
    Effect,
    Finding,
    Incident,
    IncidentRevision,
    Link,
    OccurrenceUnit,
    RevisionSpan,
    Role,
)
from forensics.text.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BURST = 60_000_000_000
"""Nanoseconds; failures within this time are one outage, in which only order tells which came first."""
UNDER_WAY = 5_000_000_000
"""Nanoseconds; a request that fails may have begun this long before what made it fail."""
DRAIN = 300_000_000_000
"""Nanoseconds; a revision still answers requests this long after the next one began: Cloud Run's usual time-out."""

Families = dict[ClusterId, list[Cluster]]
"""Root → the clusters that it explains, itself included."""


class Explained(NamedTuple):
    """What the stages before know of the clusters of a run."""

    links: Sequence[Link]
    chosen: Mapping[ClusterId, Link]
    """Each cluster's link to the cause that owns it."""
    findings: Mapping[ClusterId, Finding]
    effects: Mapping[ClusterId, Effect]
    """What each root led to."""
    revisions: Sequence[RevisionSpan]
    """In order of first appearance."""


def find_incidents(clusters: Sequence[Cluster], explained: Explained) -> tuple[Incident, ...]:
    """Make an incident of every root and the clusters it explains; the worst first. Noise alone is no incident.

    One failure on several revisions is one incident, which the newest of them leads.
    """
    below: Families = {}
    for cluster in clusters:
        if cluster.role is not Role.NOISE:
            below.setdefault(_root(cluster.id, explained.chosen), []).append(cluster)
    by_id = {c.id: c for c in clusters}
    roots = _same_failures(below, by_id, explained.revisions)
    below = {lead: [c for root in same for c in below[root]] for lead, same in roots.items()}
    from_root = _links_by_cause(explained.links, below)
    reasons: dict[ClusterId, list[Link]] = {}
    for link in explained.links:
        reasons.setdefault(link.symptom, []).append(link)
    led_to: dict[tuple[ClusterId, ClusterId | None], Link] = {(x.cause, x.symptom): x for x in explained.links}
    standing = {
        root: Standing(
            is_over=_is_cured(family, explained.revisions)
            or _gave_way(led_to.get((root, explained.effects[root].cluster)), reasons, by_id),
            is_unproven=_is_unproven(from_root[root]),
            is_beside=len(family) == len(roots[root]) and _stands_beside(from_root[root], explained.chosen, by_id),
        )
        for root, family in below.items()
    }
    ordered = sorted(below, key=lambda root: urgency(by_id[root], below[root], standing[root]))
    return tuple(
        _incident(number, [by_id[same] for same in roots[root]], below[root], explained)
        for number, root in enumerate(ordered, 1)
    )


def roots_of(clusters: Sequence[Cluster], chosen: Mapping[ClusterId, Link]) -> dict[ClusterId, ClusterId]:
    """Return of each cluster the root of its incident; noise has none."""
    return {cluster.id: _root(cluster.id, chosen) for cluster in clusters if cluster.role is not Role.NOISE}


def _same_failures(
    below: Families, by_id: Mapping[ClusterId, Cluster], revisions: Sequence[RevisionSpan]
) -> dict[ClusterId, list[ClusterId]]:
    """Return the roots of the same failure, by signature and group, under the one of the newest revision."""
    age = {span.name: at for at, span in enumerate(revisions)}
    service = {span.name: span.service for span in revisions}
    newest_first = sorted(below, key=lambda root: (-age.get(by_id[root].revision, -1), root))
    leads: dict[tuple[str, str, tuple[str, ...]], ClusterId] = {}
    same: dict[ClusterId, list[ClusterId]] = {}
    for root in newest_first:
        cluster = by_id[root]
        name = cluster.signature or cluster.fingerprint
        lead = leads.setdefault((service.get(cluster.revision, ""), name, cluster.group), root)
        same.setdefault(lead, []).append(root)
    return same


def _is_cured(family: Sequence[Cluster], revisions: Sequence[RevisionSpan]) -> bool:
    """Tell whether a failure ended when a newer revision began to serve, which went on without it for long enough.

    Long enough is as long as it took the older revisions to fail once. What ends lives and deployments is tried at
    once.
    """
    end = max(moment(cluster.last_seen) for cluster in family)
    own = {cluster.revision for cluster in family}
    failing = [span for span in revisions if span.name in own]
    services = {span.service for span in failing}
    newest = [span for span in revisions if span.service in services][-1:]
    took = sum(span.last - span.first for span in failing) / max(cluster.occurrences for cluster in family)
    needed = 0 if any(cluster.unit is OccurrenceUnit.LIFE for cluster in family) else took
    return any(
        span.name not in own and end <= span.first + DRAIN and end < span.last and span.last - span.first >= needed
        for span in newest
    )


def _gave_way(
    effect: Link | None, reasons: Mapping[ClusterId, Sequence[Link]], clusters: Mapping[ClusterId, Cluster]
) -> bool:
    """Tell whether what a cause led to goes on for another reason, which began when the cause was over."""
    if effect is None:
        return False
    over = moment(clusters[effect.cause].last_seen)
    if moment(clusters[effect.symptom].last_seen) <= over + UNDER_WAY:
        return False
    return any(
        moment(clusters[later.cause].first_seen) > over
        and later.explained >= min(effect.explained, FEWEST)
        and not later.is_near_by_chance
        for later in reasons[effect.symptom]
    )


class Standing(NamedTuple):
    """How a root stands to the failures around it."""

    is_over: bool
    """A later deployment ended it, or what it led to goes on for another reason."""
    is_unproven: bool
    """It is near failures by chance alone, or only behind their causes."""
    is_beside: bool
    """It merely accompanies failures that nothing explains."""


def urgency(
    root: Cluster, family: Sequence[Cluster], standing: Standing
) -> tuple[bool, bool, str, bool, int, int, int, int, str]:
    """Sort key of incidents: what still fails, what explains or is suffered, then priority, role, counts."""
    followed = sum(c.occurrences for c in family if c.id != root.id)
    worst = min(c.priority for c in family)
    counts = -followed, -root.occurrences, moment(root.first_seen)
    return (standing.is_over, standing.is_unproven, worst, standing.is_beside, root.role.rank, *counts, root.id)


def _links_by_cause(links: Sequence[Link], roots: Iterable[ClusterId]) -> dict[ClusterId, list[Link]]:
    found: dict[ClusterId, list[Link]] = {root: [] for root in roots}
    for link in links:
        if link.cause in found:
            found[link.cause].append(link)
    return found


def _is_unproven(links: Sequence[Link]) -> bool:
    """Tell whether all links of a root are near by chance or stand behind another cause: it leads no report."""
    return bool(links) and all(link.is_near_by_chance or link.behind for link in links)


def _stands_beside(
    links: Sequence[Link], chosen: Mapping[ClusterId, Link], clusters: Mapping[ClusterId, Cluster]
) -> bool:
    """Tell whether a cause merely accompanies unexplained failures: by chance, or few of them, explaining no other.

    However frequent it is, the failures matter more. A cause with no failure near it, or only failures that another
    cause explains, is different: its consequences may not be logged. So is one that a single burst of failures begins
    with: a connection that was lost once.
    """
    if any(_explains_much(x) or _begins_a_burst(clusters[x.cause], clusters[x.symptom]) for x in links):
        return False
    return any(x.symptom not in chosen for x in links)


def _begins_a_burst(cause: Cluster, symptom: Cluster) -> bool:
    """Tell whether all of a symptom is one burst, and begins behind a cause."""
    first, last = moment(symptom.first_seen), moment(symptom.last_seen)
    return last - first <= BURST and first - BURST <= moment(cause.first_seen) <= first + UNDER_WAY


def _explains_much(link: Link) -> bool:
    return link.coverage >= PARENT_COVERAGE and not link.is_chance(DEFAULT_THRESHOLDS)


def _root(cluster: ClusterId, chosen: Mapping[ClusterId, Link]) -> ClusterId:
    while cluster in chosen:
        cluster = chosen[cluster].cause
    return cluster


def _incident(number: int, roots: Sequence[Cluster], family: Sequence[Cluster], explained: Explained) -> Incident:
    """Make an incident; `roots` are those of the same failure, the newest revision's first."""
    root = roots[0]
    places = {one.id: place for place, one in enumerate(roots)}

    def place(cluster: Cluster) -> tuple[int, int]:
        """Return the place of the cluster's root, and the number of steps to it."""
        at, steps = cluster.id, 0
        while at in explained.chosen:
            at, steps = explained.chosen[at].cause, steps + 1
        return places[at], steps

    ordered = sorted(family, key=lambda c: (*place(c), c.role.rank, moment(c.first_seen), c.id))
    effect = explained.effects[root.id]
    return Incident(
        id=f"incident-{number}",
        title=explained.findings[root.id].headline,
        root_cluster=root.id,
        clusters=tuple(c.id for c in ordered),
        onset=min((c.first_seen for c in family), key=moment),
        end=max((c.last_seen for c in family), key=moment),
        occurrences=sum(one.occurrences for one in roots),
        priority=min(c.priority for c in family),
        verdict=effect.verdict,
        effect=effect,
        revisions=tuple(map(_row, roots)) if len(roots) > 1 else (),
    )


def _row(root: Cluster) -> IncidentRevision:
    return IncidentRevision(
        revision=root.revision,
        cluster=root.id,
        occurrences=root.occurrences,
        unit=root.unit,
        first_seen=root.first_seen,
        last_seen=root.last_seen,
    )
