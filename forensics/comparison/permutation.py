"""Stretches of two sides, permuted between them: how likely so great a difference is where nothing differs."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb, exp, lgamma, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 19_999
"""Enough for corrections over a thousand tests."""
_FIRST_LOOK = 1_999
"""Rounds after which the rest is left out where chance plainly does it."""
_PLAIN = 0.15
_MOST_STRETCHES = 200
"""Of one side: of more some are drawn, since the other side tells no more."""
_SEED = 20_260_301
_SAME = 1e-5
"""Sums that differ by a smaller share are equal: what rounding leaves."""


def permutation_p(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the two-sided p-value of the sum of roots on the later side.

    A root weighs a burst of 22 like five failures: one outage must not outweigh what happens all the time.
    """
    if (alone := _all_on_shorter_side(before, after)) is not None:
        return alone
    return _permuted(_thinned(before), _thinned(after))


def _all_on_shorter_side(before: Sequence[int], after: Sequence[int]) -> float | None:
    """Return the exact chance where only the side with fewer stretches has any failure; None elsewhere."""
    if sum(map(bool, before)) and sum(map(bool, after)):
        return None
    own, other = (before, after) if any(before) else (after, before)
    if len(own) > len(other):
        return None
    hit, number = sum(map(bool, own)), len(own) + len(other)
    if not hit:
        return 1.0
    ways = lgamma(len(own) + 1) - lgamma(len(own) - hit + 1) - lgamma(number + 1) + lgamma(number - hit + 1)
    # At equal numbers the mirror image is as far from the mean.
    return min(1.0, exp(ways) * (2 if len(own) == len(other) else 1))


def _thinned(counts: Sequence[int]) -> Sequence[int]:
    """Draw stretches where they are very many; every tenth would miss what happens every third time."""
    if len(counts) <= _MOST_STRETCHES:
        return counts
    import numpy as np  # noqa: PLC0415 - as below

    drawn = np.random.default_rng(_SEED).permutation(len(counts))[:_MOST_STRETCHES]
    return [counts[at] for at in drawn.tolist()]


def _permuted(before: Sequence[int], after: Sequence[int]) -> float:
    import numpy as np  # noqa: PLC0415 - only comparisons need it, and it is slow to import

    roots = [sqrt(count) for count in (*before, *after)]
    mean = sum(roots) * len(after) / len(roots)
    distance = abs(sum(roots[len(before) :]) - mean) - _SAME * sum(roots)
    if distance <= 0:
        return 1.0
    chosen, is_exact = _arrangements(len(before), len(after))

    weights = np.array(roots, dtype=np.float32)

    def as_far(rows: Any) -> int:
        return int((abs(rows @ weights - mean) >= distance).sum())

    if is_exact:
        return as_far(chosen) / len(chosen)
    plain = (1 + as_far(chosen[:_FIRST_LOOK])) / (1 + _FIRST_LOOK)
    return plain if plain > _PLAIN else (1 + as_far(chosen)) / (1 + len(chosen))


@lru_cache(16)
def _arrangements(before: int, after: int) -> tuple[Any, bool]:
    """Return which stretches are the later side's in each round: every way, or where these are too many, a sample."""
    import numpy as np  # noqa: PLC0415 - only comparisons need it, and it is slow to import

    number = before + after
    if comb(number, after) <= ROUNDS:
        ways = np.array(list(combinations(range(number), after)), dtype=np.int32).reshape(-1, after)
        chosen = np.zeros((len(ways), number), dtype=np.float32)
        np.put_along_axis(chosen, ways, 1.0, axis=1)
        return chosen, True
    dice = np.random.default_rng(_SEED)
    order = dice.random((ROUNDS, number), dtype=np.float32).argsort(axis=1)
    return (order < after).astype(np.float32), False
