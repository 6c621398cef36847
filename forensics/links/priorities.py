"""Clusters with the priorities of their rules in, priorities that their share of the revision allows out.

A rule says how bad a failure is wherever it happens. How much of a revision it strikes can lift it by a step, when
nothing got through, or lower it by one, when hardly anything was struck; it never makes noise of a failure.
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
"""Lives that ended, of which all must show it: one of one is no pattern."""
ALL_REQUESTS_FROM = 10
"""Requests or sessions, of which all must have failed."""
TINY = 0.001
"""Up to this share of the exposure is tiny: one of a thousand."""
LARGE = 1000
"""An exposure from here on is large enough to call a share tiny."""
OWNED = 0.8
"""A symptom of which a root explains this share has no priority of its own: as much as *supported* takes."""

_BY_CHANCE = 2
"""Grade from which on a link is what chance brings too."""
_STEPS = tuple(Priority)
_LOWEST = Priority.P2
"""What is below is for noise, and for what a rule puts there."""


class Extent(Struct, frozen=True, kw_only=True):
    """How much of a revision was seen."""

    exposure: Exposure
    lives: int
    ended: int
    """Lives whose exit was logged, orderly ones included."""
    is_whole: bool = True
    """False where a limit has cut: what is left shows that nothing got through, and not that hardly anything failed."""

    def of(self, unit: OccurrenceUnit) -> int:
        """Return how often something of that unit could have failed, 0 where that is not known."""
        counts = {
            OccurrenceUnit.REQUEST: self.exposure.requests,
            OccurrenceUnit.SESSION: self.exposure.sessions,
            OccurrenceUnit.LIFE: self.lives,
        }
        return counts.get(unit) or 0


def extent_of(revision: str, coverage: Coverage, exposure: Exposure, lives: Sequence[Life]) -> Extent | None:
    """Measure what priorities are held against; None where shares are not known.

    That is so for several revisions at once, for entries that were cut, and for exports of errors alone, in which every
    request failed because no other was exported.
    """
    # What is cut in time is cut in traffic too, and its shares stand; the last entries up to a limit are a time too.
    # Where requests were counted in a sample, all that failed are here.
    is_cut = coverage.truncated is not False and coverage.cut not in {CutBy.TIME, CutBy.SAMPLE}
    is_lost = is_cut and (coverage.truncated or coverage.cut is not CutBy.LIMIT)
    has_quiet = any(n and Level(level).rank < Level.WARNING.rank for level, n in coverage.levels.items())
    if revision == "all" or is_lost or not has_quiet:
        return None
    return Extent(exposure=exposure, lives=len(lives), ended=sum(life.ended for life in lives), is_whole=not is_cut)


def adjust_priorities(
    clusters: Sequence[Cluster], links: Sequence[Link], chosen: Mapping[ClusterId, Link], extent: Extent | None
) -> tuple[Cluster, ...]:
    """Raise or lower priorities by share, then let no symptom stand above the root that explains it.

    `chosen` are the links by which clusters hang together. Without an extent shares are not known, and only roots lower
    priorities.
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
    # What has a root is as urgent as that: the exits of a crash loop say nothing that their cause does not.
    if all_of_it is not None and cluster.id not in chosen:
        return _moved(cluster, -1, all_of_it)
    tiny = _tiny(cluster, clusters, links, extent)
    return cluster if tiny is None else _moved(cluster, +1, tiny)


def _all(cluster: Cluster, extent: Extent) -> str | None:
    """Say that nothing got through, None where something did."""
    count = cluster.occurrences
    if cluster.unit is OccurrenceUnit.LIFE:
        # A few that ended among many that live on are not all.
        is_all = count >= extent.ended >= ALL_FROM and extent.ended * 2 >= extent.lives
        return f"all {extent.ended:,} instance lives that ended show it" if is_all else None
    of = extent.of(cluster.unit)
    if of < ALL_REQUESTS_FROM or count < of:
        return None
    return f"all {of:,} {'sessions' if cluster.unit is OccurrenceUnit.SESSION else 'requests'} show it"


def _tiny(cluster: Cluster, clusters: Sequence[Cluster], links: Sequence[Link], extent: Extent) -> str | None:
    """Say how little is struck, None where it is not little: by the cluster itself, its kin, or what follows it."""
    of = extent.of(cluster.unit) if extent.is_whole else 0
    # The values that split a signature into clusters must not make each of them look small.
    kin = [c for c in clusters if c.signature == cluster.signature is not None] or [cluster]
    count = sum(c.occurrences for c in kin)
    if any(c.unit is not cluster.unit for c in kin) or not _is_tiny(count, of):
        return None
    units = {c.id: c.unit for c in clusters}
    ids = {c.id for c in kin}
    affected = [(link.explained, extent.of(units[link.symptom])) for link in links if link.cause in ids]
    if not all(_is_tiny(explained, among) for explained, among in affected):
        return None
    unit = {OccurrenceUnit.SESSION: "sessions", OccurrenceUnit.LIFE: "instance lives"}.get(cluster.unit, "requests")
    return f"{count:,} of {of:,} {unit}"


def _is_tiny(count: int, of: int) -> bool:
    return of >= LARGE and count <= of * TINY


def _moved(cluster: Cluster, steps: int, why: str) -> Cluster:
    """Move a priority, up at most to P0, down at most to P2; one that is there already only gains the why."""
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
    """Lower a symptom to the priority of its root, where that explains nearly all of it."""
    at, is_owned = cluster.id, True
    while at in chosen:
        is_owned = is_owned and chosen[at].coverage >= OWNED and grade(chosen[at]) < _BY_CHANCE
        at = chosen[at].cause
    root = by_id[at]
    own = min(root.priority, _LOWEST)
    if cluster.role is not Role.SYMPTOM or root is cluster or not is_owned or cluster.priority >= own:
        return cluster
    name = root.signature or "the error"
    why = f"no more urgent than {name}, which explains it"
    return replace(
        cluster,
        priority=own,
        priority_reason=f"lowered from {cluster.priority} to {own}: {why} ({cluster.priority_reason})",
    )
