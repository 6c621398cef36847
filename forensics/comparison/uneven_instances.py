"""Episodes on the instances of one side: whether they sit there more unevenly than chance would set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.permutation import permutation_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.comparison.episodes import Episode, Failures

_FEWEST = 3
"""Episodes from which on it can be told, and instances of which one can be spared."""
_UNEVEN = 0.01
_PLAINLY_EVEN = 0.2
"""Above this even the approximation is sure."""
_SPARED = 0.2
"""The expected number of instances without any, by chance, up to which one that has none is one that is not bad."""
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
    if _is_spared(counts, shares.tolist()):
        return True
    if chdtrc(len(counts) - 1, found) > _PLAINLY_EVEN:
        return False
    drawn = np.random.default_rng(_SEED).multinomial(number, shares, size=_ROUNDS)
    usual = ((drawn - expected) ** 2 / expected).sum(axis=1)
    return (1 + int((usual >= found - 1e-9).sum())) / (1 + _ROUNDS) <= _UNEVEN


def _is_spared(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Tell whether an instance has no episode, though by chance hardly any would have none.

    Where two of three instances are bad, few failures do not sit more unevenly than chance may set them; but no failure
    at all on the third one is telling much earlier.
    """
    if len(counts) < _FEWEST:
        return False
    usual = [(count, share) for count, share in zip(counts, shares, strict=True) if 2 * share * len(shares) >= 1]
    expected = sum((1 - share) ** sum(counts) for _, share in usual)
    return expected <= _SPARED and any(not count for count, _ in usual)


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
