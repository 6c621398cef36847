"""Occurrences and their exposure in, the exposure in which none at all would mean that it is gone, out.

What an action is done by, what a claim is checked by and what a cycle is to look at next are one figure: this one.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from forensics.comparison.denominators import choose
from forensics.comparison.exact import ALPHA
from forensics.comparison.states import SHOWS_FROM, Counted
from forensics.model import ExposureKind, Needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.model import Cluster, Exposure

FAIL_ONCE = frozenset({ExposureKind.STARTS, ExposureKind.LIVES})
"""Measures of which a unit fails once at most."""
_DOUBLINGS = 40


def needed_without(cluster: Cluster, clusters: Iterable[Cluster], exposure: Exposure | None) -> Needed:
    """Say in how much traffic a cluster's failure, by its rate in all clusters of its name, must not be seen again."""
    same: Sequence[Cluster] = [other for other in clusters if _name(other) == _name(cluster)]
    occurrences = sum(other.occurrences for other in same)
    held = choose(same, (occurrences, 0), exposure, exposure)
    return Needed(measure=held.measure, exposure=exposure_needed(occurrences, held.after, held.measure))


def _name(cluster: Cluster) -> str:
    return cluster.signature or cluster.fingerprint


def exposure_needed(occurrences: int, exposure: int | None, measure: ExposureKind) -> int | None:
    """Return the least exposure in which the old rate would have shown three, and none at all is no matter of chance.

    None where the old rate is unknown.
    """
    if not (occurrences and exposure):
        return None

    def shows(now: int) -> bool:
        return Counted(occurrences, exposure, 0, now).p_value(once_each=measure in FAIL_ONCE) <= ALPHA

    enough = ceil(SHOWS_FROM * exposure / occurrences)
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
