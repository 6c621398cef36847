"""Whether what fails and what stands before it both run by the clock.

Two jobs that start every minute keep a lag to each other without one being the other's cause. What keeps a period is
found by the Rayleigh test: the times, wound around a circle of the period's length, point one way.
"""

from __future__ import annotations

from cmath import exp
from itertools import pairwise
from math import exp as real_exp, pi
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECOND = 1_000_000_000
ROUND_PERIODS = tuple(
    seconds * _SECOND
    for seconds in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 21600, 86400)
)
"""What people and programs set timers to."""
_NEAR = tuple(1 + percent / 200 for percent in range(-6, 7))
"""An odd period is looked for within 3 % of the usual gap."""
_BY_CHANCE = 0.001
_FEWEST = 5
"""Fewer times point one way by luck."""
_LOOKED_AT = 400
_DIVIDES = 0.01
"""Periods whose ratio is this near to a whole number divide each other."""


def common_period(failures: Sequence[Sequence[int]], causes: Sequence[Sequence[int]]) -> int | None:
    """Return the longer of the two periods where both keep one and they divide each other, else None."""
    own = period_of([time for times in failures for time in times])
    other = period_of([time for times in causes for time in times]) if own else None
    if own is None or other is None:
        return None
    ratio = max(own, other) / min(own, other)
    return max(own, other) if abs(ratio - round(ratio)) <= _DIVIDES * round(ratio) else None


def period_of(times: Iterable[int]) -> int | None:
    """Return the longest period that the times keep, round ones first; None where they keep none."""
    ordered = sorted(times)
    some = ordered[:: max(len(ordered) // _LOOKED_AT, 1)]
    if len(some) < _FEWEST:
        return None
    span = some[-1] - some[0]
    gaps = [b - a for a, b in pairwise(ordered) if b > a]
    usual = median(gaps) if gaps else 0
    periods = [p for p in ROUND_PERIODS if 2 * p <= span and p * 4 >= usual]
    kept = [period for period in periods if _points_one_way(some, period) * len(periods) <= _BY_CHANCE]
    if kept:
        return max(kept)
    odd = [int(usual * near) for near in _NEAR if usual]
    best = min(odd, key=lambda period: _points_one_way(some, period), default=None)
    return best if best and _points_one_way(some, best) * len(odd) <= _BY_CHANCE else None


def _points_one_way(times: Sequence[int], period: int) -> float:
    """Return how often chance points times this much the same way around a circle (Rayleigh)."""
    mean = sum(exp(2j * pi * (time % period) / period) for time in times) / len(times)
    return real_exp(-len(times) * abs(mean) ** 2)
