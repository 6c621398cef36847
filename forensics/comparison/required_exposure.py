"""How much traffic without an occurrence it takes to call a signature gone.

One figure has three uses: an action is done when so much traffic stayed clean, a claim is checked by it, and a cycle
names it as the next thing to look at.
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
"""Measures whose units can fail only once."""
_DOUBLINGS = 40


def needed_without(cluster: Cluster, clusters: Iterable[Cluster], exposure: Exposure | None) -> Needed:
    """Return the traffic without this failure that would prove it gone; its rate is that of the whole signature."""
    same: Sequence[Cluster] = [other for other in clusters if _name(other) == _name(cluster)]
    occurrences = sum(other.occurrences for other in same)
    denominator = choose(same, (occurrences, 0), exposure, exposure)
    needed = exposure_needed(occurrences, denominator.after, denominator.measure)
    return Needed(measure=denominator.measure, exposure=needed)


def _name(cluster: Cluster) -> str:
    return cluster.signature or cluster.fingerprint


def exposure_needed(occurrences: int, exposure: int | None, measure: ExposureKind) -> int | None:
    """Return the least exposure in which none at all is significant, and the old rate would have shown three.

    None when the old rate is unknown.
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
