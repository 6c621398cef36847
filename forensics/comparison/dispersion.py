"""How much stretches of one side differ among themselves, and the interval of a ratio that allows for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.exact import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence


def dispersion(sides: Sequence[Sequence[int]]) -> float:
    """Return how many times wider than by chance counts of stretches vary within their sides, 1 at least."""
    squares, freedom = 0.0, 0
    for counts in sides:
        mean = sum(counts) / len(counts) if counts else 0.0
        if mean:
            squares += sum((count - mean) ** 2 for count in counts) / mean
            freedom += len(counts) - 1
    return max(1.0, squares / freedom) if freedom else 1.0


def ratio_interval(before: float, after: float, odds: float) -> tuple[float, float | None]:
    """Return Jeffreys' 95 % interval of a ratio of rates; `odds` is the exposure before over that after.

    Counts are divided by their dispersion beforehand: of failures in bursts of four, a quarter tells something new.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - only comparisons need it, and it is slow to import

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(after + 0.5, before + 0.5, tail)) if after else 0.0
    high = float(betaincinv(after + 0.5, before + 0.5, 1 - tail)) if before else 1.0
    return low / (1 - low) * odds, high / (1 - high) * odds if before and high < 1 else None
