"""How much traffic without an occurrence it takes to call a signature gone.

One figure has three uses: an action is done when so much traffic stayed clean, a claim is checked by it, and a cycle
names it as the next thing to look at.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from forensics.comparison.assessment import ONE_SIDED, all_on_one_side
from forensics.comparison.denominators import choose
from forensics.comparison.episodes import episodes_of
from forensics.comparison.failures import count_failures, failures_of, is_spread_known
from forensics.comparison.states import SHOWS_FROM
from forensics.model import ExposureKind, Needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.model import Cluster, Exposure

FAIL_ONCE = frozenset({ExposureKind.STARTS, ExposureKind.LIVES})
"""Measures whose units can fail only once."""
_DOUBLINGS = 40


def needed_without(cluster: Cluster, clusters: Iterable[Cluster], exposure: Exposure | None) -> Needed:
    """Return the traffic without this failure that would prove it gone; its rate is that of the whole signature."""
    same: Sequence[Cluster] = [other for other in clusters if _name(other) == _name(cluster)]
    denominator = choose(same, (count_failures(same), 0), exposure, exposure)
    needed = exposure_needed(same, denominator.after, denominator.measure, exposure)
    return Needed(measure=denominator.measure, exposure=needed)


def _name(cluster: Cluster) -> str:
    return cluster.signature or cluster.fingerprint


def exposure_needed(
    clusters: Sequence[Cluster], exposure: int | None, measure: ExposureKind, whole: Exposure | None = None
) -> int | None:
    """Return the least exposure in which none at all is significant, and the old rate would have shown three.

    Chance goes by episodes: nobody knows when a single outage would come again. None when the old rate is unknown.
    """
    count = count_failures(clusters)
    if not (count and exposure):
        return None
    episodes = _episodes(clusters, exposure, whole)
    once = measure in FAIL_ONCE and count <= exposure

    def shows(now: int) -> bool:
        return all_on_one_side(episodes, exposure, now, once_each=once) <= ONE_SIDED

    enough = ceil(SHOWS_FROM * exposure / count)
    if shows(enough):
        return enough
    short = enough
    for _ in range(_DOUBLINGS):
        short, enough = enough, 2 * enough
        if shows(enough):
            break
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if shows(middle) else (middle, enough)
    return enough


def _episodes(clusters: Sequence[Cluster], exposure: int, whole: Exposure | None) -> int:
    """Count episodes; each failure is one in reports that do not tell."""
    if not is_spread_known(clusters):
        return count_failures(clusters)
    return len(episodes_of(failures_of(clusters, exposure, whole)))
