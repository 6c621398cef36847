"""Adjust the priorities that rules set, by how much of the revision is affected.

A rule says how bad a failure is wherever it happens. The priority goes up one step if nothing succeeded, and down one
if hardly anything failed; a failure never becomes noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.links.join import grade
from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    CutBy,
    Exposure,
    Level,
    Life,
    Link,
    OccurrenceUnit,
    Priority,
    Role,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL_FROM = 3
"""Lives that must have ended before "all of them" means something: one of one is no pattern."""
ALL_REQUESTS_FROM = 10
"""Requests or sessions that must have been seen before "all of them" means something."""
TINY = 0.001
"""Largest share of the exposure that counts as tiny: one in a thousand."""
LARGE = 1000
"""Smallest exposure in which a share can be called tiny."""
OWNED = 0.8
"""From this explained share on, a symptom has no priority of its own; *supported* takes the same share."""

_BY_CHANCE = 2
"""`grade` of a link that is as likely chance."""
_STEPS = tuple(Priority)
_LOWEST = Priority.P2
"""Lower priorities are for noise, and for rules that set them."""


class Extent(Struct, frozen=True, kw_only=True):
    """How much of a revision was seen: what the counts of a failure are compared with."""

    exposure: Exposure
    lives: int
    ended: int
    """Lives whose exit was logged, orderly ones included."""
    is_whole: bool = True
    """False when a limit cut the entries: the rest can show that nothing succeeded, but not that hardly any failed."""

    def of(self, unit: OccurrenceUnit) -> int:
        """Return how many units could have failed; 0 when that is not known."""
        counts = {
            OccurrenceUnit.REQUEST: self.exposure.requests,
            OccurrenceUnit.SESSION: self.exposure.sessions,
            OccurrenceUnit.LIFE: self.lives,
        }
        return counts.get(unit) or 0


def extent_of(revision: str, coverage: Coverage, exposure: Exposure, lives: Sequence[Life]) -> Extent | None:
    """Measure how much of a revision was seen; None when shares of it are not known.

    Shares are unknown for several revisions at once, for entries that were cut, and for exports of errors alone, in
    which every request failed because no other was exported.
    """
    # A cut in time cuts traffic and failures alike, so shares stay right; so does a limit that left the last entries.
    # Where requests were counted in a sample, all failed ones are included.
    is_cut = coverage.truncated is not False and coverage.cut not in {CutBy.TIME, CutBy.SAMPLE}
    is_lost = is_cut and (coverage.truncated or coverage.cut is not CutBy.LIMIT)
    has_routine = any(n and Level(level).rank < Level.WARNING.rank for level, n in coverage.levels.items())
    if revision == "all" or is_lost or not has_routine:
        return None
    return Extent(exposure=exposure, lives=len(lives), ended=sum(life.ended for life in lives), is_whole=not is_cut)


def adjust_priorities(
    clusters: Sequence[Cluster], links: Sequence[Link], chosen: Mapping[ClusterId, Link], extent: Extent | None
) -> tuple[Cluster, ...]:
    """Raise or lower priorities by share, then lower symptoms to the priority of the root that explains them.

    `chosen` holds the link of each cluster to its cause (`parents`). Without an extent, the first step is left out.
    """
    if extent is not None:
        clusters = [_by_share(cluster, clusters, links, chosen, extent) for cluster in clusters]
    by_id = {cluster.id: cluster for cluster in clusters}
    return tuple(_below_root(cluster, by_id, chosen) for cluster in clusters)


def _by_share(
    cluster: Cluster,
    clusters: Sequence[Cluster],
    links: Sequence[Link],
    chosen: Mapping[ClusterId, Link],
    extent: Extent,
) -> Cluster:
    if cluster.role is Role.NOISE:
        return cluster
    all_of_it = _all(cluster, extent)
    # An explained cluster is as urgent as its root: the exits of a crash loop add nothing to their cause.
    if all_of_it is not None and cluster.id not in chosen and _is_harmful(cluster, links):
        return _moved(cluster, -1, all_of_it)
    if _is_harmless_at_start(cluster, clusters, links, extent):
        return _moved(cluster, +1, "requests were answered, and no failure stands near it")
    tiny = _tiny(cluster, clusters, links, extent)
    return cluster if tiny is None else _moved(cluster, +1, tiny)


def _is_harmful(cluster: Cluster, links: Sequence[Link]) -> bool:
    """Tell whether what every request or session shows is a failure of it: what fails, or explains most failures.

    A line that every request logs says nothing of those that were answered.
    """
    if cluster.unit is OccurrenceUnit.LIFE or cluster.role is Role.SYMPTOM:
        return True
    explained = sum(link.explained for link in links if link.cause == cluster.id)
    return explained >= cluster.occurrences * OWNED


def _is_harmless_at_start(cluster: Cluster, clusters: Sequence[Cluster], links: Sequence[Link], extent: Extent) -> bool:
    """Tell whether a failure that keeps instances from starting kept none of them: most requests were answered."""
    if not cluster.failure_class.may_end_start or cluster.priority is not _STEPS[0] or cluster.role is Role.SYMPTOM:
        return False
    if any(link.cause == cluster.id for link in links):
        return False
    failed = sum(c.occurrences for c in clusters if c.role is Role.SYMPTOM and c.unit is OccurrenceUnit.REQUEST)
    requests = extent.of(OccurrenceUnit.REQUEST)
    return requests >= ALL_REQUESTS_FROM and failed * 2 < requests


def _all(cluster: Cluster, extent: Extent) -> str | None:
    """Say that everything failed; None when something succeeded."""
    count = cluster.occurrences
    if cluster.unit is OccurrenceUnit.LIFE:
        # A few exits among many lives that go on are not all.
        is_all = count >= extent.ended >= ALL_FROM and extent.ended * 2 >= extent.lives
        return f"all {extent.ended:,} instance lives that ended show it" if is_all else None
    of = extent.of(cluster.unit)
    if of < ALL_REQUESTS_FROM or count < of:
        return None
    return f"all {of:,} {'sessions' if cluster.unit is OccurrenceUnit.SESSION else 'requests'} show it"


def _tiny(cluster: Cluster, clusters: Sequence[Cluster], links: Sequence[Link], extent: Extent) -> str | None:
    """Say how little failed; None unless that is tiny for all clusters of the signature and all that they explain."""
    of = extent.of(cluster.unit) if extent.is_whole else 0
    # The values that split a signature into clusters must not make each of them look small.
    siblings = [c for c in clusters if c.signature == cluster.signature is not None] or [cluster]
    count = sum(c.occurrences for c in siblings)
    if any(c.unit is not cluster.unit for c in siblings) or not _is_tiny(count, of):
        return None
    units = {c.id: c.unit for c in clusters}
    ids = {c.id for c in siblings}
    affected = [(link.explained, extent.of(units[link.symptom])) for link in links if link.cause in ids]
    if not all(_is_tiny(explained, among) for explained, among in affected):
        return None
    unit = {OccurrenceUnit.SESSION: "sessions", OccurrenceUnit.LIFE: "instance lives"}.get(cluster.unit, "requests")
    return f"{count:,} of {of:,} {unit}"


def _is_tiny(count: int, of: int) -> bool:
    return of >= LARGE and count <= of * TINY


def _moved(cluster: Cluster, steps: int, why: str) -> Cluster:
    """Move a priority by steps, at most up to P0 or down to P2; a P0 that would rise only gains the reason."""
    at = _STEPS.index(cluster.priority)
    last = max(at, _STEPS.index(_LOWEST))
    to = _STEPS[min(max(at + steps, 0), last)]
    if to is cluster.priority:
        return replace(cluster, priority_reason=f"{cluster.priority_reason}; {why}") if steps < 0 else cluster
    word = "raised" if steps < 0 else "lowered"
    return replace(
        cluster,
        priority=to,
        priority_reason=f"{word} from {cluster.priority} to {to}: {why} ({cluster.priority_reason})",
    )


def _below_root(cluster: Cluster, by_id: Mapping[ClusterId, Cluster], chosen: Mapping[ClusterId, Link]) -> Cluster:
    """Lower a symptom to the priority of its root, if that explains nearly all of it."""
    at, is_owned = cluster.id, True
    while at in chosen:
        is_owned = is_owned and chosen[at].coverage >= OWNED and grade(chosen[at]) < _BY_CHANCE
        at = chosen[at].cause
    root = by_id[at]
    root_priority = min(root.priority, _LOWEST)
    if cluster.role is not Role.SYMPTOM or root is cluster or not is_owned or cluster.priority >= root_priority:
        return cluster
    name = root.signature or "the error"
    why = f"no more urgent than {name}, which explains it"
    return replace(
        cluster,
        priority=root_priority,
        priority_reason=f"lowered from {cluster.priority} to {root_priority}: {why} ({cluster.priority_reason})",
    )
