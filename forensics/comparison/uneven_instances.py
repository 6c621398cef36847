"""Episodes on the instances of one side: whether they sit there more unevenly than chance would set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.permutation import permutation_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.comparison.episodes import Episode, Failures

_FEWEST = 3
"""Episodes from which on it can be told."""
_UNEVEN = 0.01
_PLAINLY_EVEN = 0.2
"""Above this even the approximation is sure."""
_ROUNDS = 1_999
_SEED = 20_260_301


def is_uneven(episodes: Sequence[Episode], side: Failures) -> bool:
    """Tell whether a few instances have the episodes of all, by Pearson's distance from shares of the exposure."""
    import numpy as np  # noqa: PLC0415 - only comparisons need it, and it is slow to import
    from scipy.special import chdtrc  # noqa: PLC0415 - as above

    exposures = np.array(side.instances, dtype=np.float64) + 1  # an instance that counts no request may fail too
    counts = by_instance(episodes, side)
    number = sum(counts)
    if number < _FEWEST or len(counts) < 2:  # noqa: PLR2004 - one instance is even
        return False
    shares = exposures / exposures.sum()
    expected = number * shares
    found = float(((np.array(counts) - expected) ** 2 / expected).sum())
    if chdtrc(len(counts) - 1, found) > _PLAINLY_EVEN:
        return False
    drawn = np.random.default_rng(_SEED).multinomial(number, shares, size=_ROUNDS)
    usual = ((drawn - expected) ** 2 / expected).sum(axis=1)
    return (1 + int((usual >= found - 1e-9).sum())) / (1 + _ROUNDS) <= _UNEVEN


def by_instance(episodes: Sequence[Episode], side: Failures) -> list[int]:
    """Count the episodes that began on each instance."""
    counts = [0] * len(side.instances)
    for episode in episodes:
        if episode.instance is not None and episode.instance < len(counts):
            counts[episode.instance] += 1
    return counts


def instances_p(before: Sequence[int], after: Sequence[int]) -> float:
    """Permute instances between the sides: where one bad instance decides, three against three tell nothing."""
    return permutation_p(before, after) if before and after else 1.0
