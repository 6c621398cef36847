"""Exact tests and intervals for two counts with exposures: conditional binomial, Fisher, Clopper–Pearson, Holm.

Both counts are assumed to be Poisson, or binomial with a small share, which is narrower still. Given their sum, the
later count is binomial with its share of the exposure, whatever the rate: no approximation is needed.
"""

from __future__ import annotations

from itertools import accumulate
from math import exp, fsum, lgamma, log, log1p
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
"""Significance level: chance does not explain a p-value up to this."""
_SAME = 1e-7
"""Log probabilities that differ by less count as equal: the difference is rounding."""
_NOTHING = 1e-18
"""Relative size of a term that no longer changes a sum."""


class Rates(NamedTuple):
    """Ratio of two rates (after / before), its 95 % interval, and the p-value of no change."""

    ratio: float | None
    """None when nothing occurred before: the ratio has no upper bound."""
    low: float
    high: float | None
    p_value: float


def compare_rates(before: int, exposure_before: int, after: int, exposure_after: int) -> Rates:
    """Compare two rates by the exact conditional test. Counts must not both be zero, exposures must be positive."""
    total, odds = before + after, exposure_before / exposure_after
    low, high = interval(after, total)
    return Rates(
        ratio=after * exposure_before / (before * exposure_after) if before else None,
        low=low / (1 - low) * odds,
        high=high / (1 - high) * odds if high < 1 else None,
        p_value=rate_p(before, exposure_before, after, exposure_after),
    )


def rate_p(before: int, exposure_before: int, after: int, exposure_after: int) -> float:
    """Return the two-sided p-value of equal rates."""
    return binomial_p(after, before + after, exposure_after / (exposure_before + exposure_after))


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Clopper–Pearson interval of a share."""
    from scipy.special import betaincinv  # noqa: PLC0415 - only comparisons need it, and it is slow to import

    tail, failures = (1 - CONFIDENCE) / 2, trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high


def binomial_p(successes: int, trials: int, share: float) -> float:
    """Return the two-sided binomial p-value: the probability of all outcomes that are at most as likely as this one."""

    def weight(outcome: int) -> float:
        return _log_probability(outcome, trials, share)

    limit = weight(successes) + _SAME
    mean = trials * share
    if weight(int(mean)) <= limit and weight(min(int(mean) + 1, trials)) <= limit:
        return 1.0
    if successes < mean:
        other = _first(lambda outcome: weight(outcome) <= limit, int(mean) + 1, trials + 1)
        return min(_beyond(successes, trials, share, -1) + _beyond(other, trials, share, 1), 1.0)
    other = _first(lambda outcome: weight(outcome) > limit, 0, int(mean) + 1) - 1
    return min(_beyond(successes, trials, share, 1) + _beyond(other, trials, share, -1), 1.0)


def _beyond(outcome: int, trials: int, share: float, step: int) -> float:
    """Return the tail probability from an outcome on, in steps of `step` (1 or -1) away from the mean."""
    if not 0 <= outcome <= trials:
        return 0.0
    term = total = exp(_log_probability(outcome, trials, share))
    odds = share / (1 - share)
    while term > total * _NOTHING:
        term *= (trials - outcome) / (outcome + 1) * odds if step > 0 else outcome / (trials - outcome + 1) / odds
        outcome += step
        total += term
    return total


def _log_probability(successes: int, trials: int, share: float) -> float:
    return _log_ways(trials, successes) + successes * log(share) + (trials - successes) * log1p(-share)


def _log_ways(trials: int, successes: int) -> float:
    return lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)


def _first(holds: Callable[[int], bool], start: int, end: int) -> int:
    """Return the first number from `start` on that satisfies a monotonic predicate, or `end` (binary search)."""
    while start < end:
        middle = (start + end) // 2
        if holds(middle):
            end = middle
        else:
            start = middle + 1
    return start


def fisher_p(first: int, first_of: int, second: int, second_of: int) -> float:
    """Return the two-sided p-value of Fisher's exact test for two shares (count and total of each)."""
    total = first + second
    outcomes = range(max(0, total - second_of), min(first_of, total) + 1)
    logs = [_log_ways(first_of, n) + _log_ways(second_of, total - n) for n in outcomes]
    top, limit = max(logs), logs[first - outcomes.start] + _SAME
    return fsum(exp(x - top) for x in logs if x <= limit) / fsum(exp(x - top) for x in logs)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for multiple comparisons (Holm): the chance of any false alarm stays that of a single test."""
    order = sorted(range(len(p_values)), key=lambda at: (p_values[at], at))
    stepped = accumulate((p_values[at] * (len(order) - rank) for rank, at in enumerate(order)), max)
    corrected = dict(zip(order, stepped, strict=True))
    return [min(corrected[at], 1.0) for at in range(len(p_values))]
