"""Several baselines: whether a revision differs from them by more than they differ among themselves."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from forensics.comparison.episodes import Failure, Failures

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 2
"""Baselines from which on they show how much revisions differ by themselves."""


def spread_p(baselines: Sequence[Failures], after: Failures, dispersion: float) -> float:
    """Return the two-sided p-value of a rate among those of several baselines, by Student's t.

    Roots of counts vary alike whatever the rate; they are taken to vary at least as much as bursts make them.
    """
    from scipy.special import stdtr  # noqa: PLC0415 - only comparisons need it, and it is slow to import

    exposure = min(side.exposure for side in (*baselines, after))
    old = [_root(side, exposure) for side in baselines]
    mean = sum(old) / len(old)
    variance = sum((root - mean) ** 2 for root in old) / (len(old) - 1)
    error = sqrt(max(variance, dispersion) * (1 + 1 / len(old)))
    return float(2 * stdtr(len(old) - 1, -abs(_root(after, exposure) - mean) / error))


def _root(side: Failures, exposure: int) -> float:
    return 2 * sqrt(side.count * exposure / side.exposure + 3 / 8)


def pooled(sides: Sequence[Failures]) -> Failures:
    """Put several sides behind each other, as if they were one."""
    if len(sides) == 1:
        return sides[0]
    failures, offset, numbers = [], 0, 0
    for side in sides:
        failures += [
            Failure(one.position + offset, one.count, None if one.instance is None else one.instance + numbers)
            for one in side.failures
        ]
        offset, numbers = offset + side.exposure, numbers + len(side.instances)
    instances = tuple(number for side in sides for number in side.instances)
    return Failures(tuple(failures), offset, instances)
