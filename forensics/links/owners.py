"""Choose which cause owns each symptom, and raise unknown errors by what follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forensics.links.join import grade, strength
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Cluster,
    ClusterId,
    FailureClass,
    JoinKey,
    Link,
    OccurrenceUnit,
    Priority,
)
from forensics.text.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARENT_COVERAGE = 0.3
"""A cause owns a symptom only if it precedes this share of the symptom's occurrences; otherwise it is a mere link. If
the link may be chance, this share of the cause's own occurrences must precede the symptom as well."""
HARMFUL_COVERAGE = 0.5
"""An unknown error that precedes this share of a symptom's occurrences gets its priority from the symptom."""

SAID_LAST = 5.0
"""Seconds before the end of a life in which an error is what the process said last."""

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
    symptom: what is logged all the time precedes every failure without explaining it. A cause that stands behind
    another one, as an echo does, comes after it. A nearer cause that itself follows from the chosen one replaces it, so
    that a chain is in order of time: missing module → workers → exit → 503.
    """
    by_id = {c.id: c for c in clusters}
    candidates = _candidates(links, by_id)
    chosen: dict[ClusterId, Link] = {}
    # In a circle, the link that would explain the earliest cluster is left out.
    latest_first = sorted(clusters, key=lambda c: (moment(c.first_seen), c.id), reverse=True)
    for cluster in latest_first:
        own_links = candidates.get(cluster.id, [])
        own_links.sort(
            key=lambda x: (
                grade(x),
                bool(x.behind),
                bool(x.rivals),
                _is_minor(x),
                _step(by_id[x.cause]),
                *strength(x),
                x.cause,
            )
        )
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
        if link.coverage >= PARENT_COVERAGE and not (is_backward or is_chance or _is_loose(link, clusters)):
            by_symptom.setdefault(link.symptom, []).append(link)
    return by_symptom


def _is_loose(link: Link, clusters: Mapping[ClusterId, Cluster]) -> bool:
    """Tell whether a link is too loose for its cause to own the symptom: near by chance, or in no order with it.

    Where no rule declares the cause, it must meet all that an answer takes, or share traces with the symptom. In a
    restart loop everything keeps time, so there the end of a life needs no order of its own.
    """
    is_of_life = OccurrenceUnit.LIFE in {clusters[link.cause].unit, clusters[link.symptom].unit}
    if link.is_near_by_chance or (link.lacks_order and not is_of_life):
        return True
    if link.declared or link.by is JoinKey.TRACE or link.meets(DEFAULT_THRESHOLDS):
        return False
    return not _is_said_last(link, clusters[link.symptom])


def _is_said_last(link: Link, symptom: Cluster) -> bool:
    """Tell whether a cause stands within seconds before nearly each end of a life that it may explain."""
    is_end = symptom.unit is OccurrenceUnit.LIFE and link.by is JoinKey.INSTANCE
    is_close = link.lag is not None and link.lag[1] <= SAID_LAST
    return is_end and is_close and link.coverage >= DEFAULT_THRESHOLDS.coverage


def _is_minor(link: Link) -> bool:
    """Tell whether most of the symptom's occurrences belong to other errors, which stand in their traces."""
    return link.explained * 2 < link.of + link.given_away


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
    is_words = start and cluster.failure_class is FailureClass.OTHER
    if cluster.signature is not None or not (is_words or cluster.failure_class is FailureClass.UNHANDLED_EXCEPTION):
        return cluster
    what = "after which the instance did not start" if start else "with a symptom behind it"
    return msgspec.structs.replace(
        cluster,
        failure_class=FailureClass.STARTUP_FAILURE if start else cluster.failure_class,
        priority=Priority.P1,
        priority_reason=f"an error that no rule knows, {what}",
    )
