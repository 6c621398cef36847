"""Failures of two sides, and what can be said of their difference: a p-value, an interval, and how many episodes.

Failures of one outage are one event (`episodes`). Stretches of equal exposure are permuted between the sides
(`permutation`), and instances too where a few have all failures (`uneven_instances`). How much stretches of one side
differ among themselves widens the interval (`dispersion`).
"""

from __future__ import annotations

from math import exp, lgamma
from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.dispersion import dispersion, ratio_interval
from forensics.comparison.episodes import Episode, Failure, Failures, cut, episodes_of
from forensics.comparison.exact import Rates
from forensics.comparison.permutation import permutation_p
from forensics.comparison.uneven_instances import by_instance, instances_p, is_uneven

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_SIDED = 0.025
"""The chance that all episodes fall on one side must be no larger, so that none on the other one tells something."""
_FAR = 10_000


class Assessment(NamedTuple):
    """What two sides tell."""

    rates: Rates
    episodes: tuple[int, int]
    dispersion: float
    uneven: str = ""
    """Where a few instances have all: which side, and how many of them."""


def assess(before: Failures, after: Failures) -> Assessment:
    """Compare two sides that do not both have no failure."""
    episodes = episodes_of(before), episodes_of(after)
    stretches = cut((before.exposure, after.exposure))
    counts = stretches.counts(episodes[0], 0), stretches.counts(episodes[1], 1)
    p_value, wide = permutation_p(*counts), dispersion(counts)
    uneven = _uneven(episodes, (before, after))
    if uneven:
        p_value = max(p_value, instances_p(*(by_instance(*one) for one in zip(episodes, (before, after), strict=True))))
    return Assessment(
        rates=_rates(before, after, wide)._replace(p_value=p_value),
        episodes=(len(episodes[0]), len(episodes[1])),
        dispersion=wide,
        uneven=uneven,
    )


def assess_within(before: Failures, after: Failures, margins: tuple[int, int]) -> Assessment:
    """Compare two sides whose exposures may be so much more or less: what holds at both ends of them."""
    least = assess(_scaled(before, -margins[0]), _scaled(after, margins[1]))
    most = assess(_scaled(before, margins[0]), _scaled(after, -margins[1]))
    p_value = max(least.rates.p_value, most.rates.p_value)
    ratios = least.rates.ratio, most.rates.ratio
    if ratios[0] is not None and ratios[1] is not None and ratios[0] <= 1 <= ratios[1]:
        p_value = 1.0
    found = assess(before, after)
    rates = found.rates._replace(low=least.rates.low, high=most.rates.high, p_value=max(p_value, found.rates.p_value))
    return found._replace(rates=rates)


def _scaled(side: Failures, more: int) -> Failures:
    exposure = max(1, side.exposure + more)
    scale = exposure / side.exposure
    failures = tuple(Failure(one.position * scale, one.count, one.instance) for one in side.failures)
    return Failures(failures, exposure, side.instances)


def _rates(before: Failures, after: Failures, wide: float) -> Rates:
    odds = before.exposure / after.exposure
    low, high = ratio_interval(before.count / wide, after.count / wide, odds)
    return Rates(ratio=after.count / before.count * odds if before.count else None, low=low, high=high, p_value=1.0)


def _uneven(episodes: tuple[Sequence[Episode], Sequence[Episode]], sides: tuple[Failures, Failures]) -> str:
    for name, own, side in zip(("before", "now"), episodes, sides, strict=True):
        if is_uneven(own, side):
            hit = sum(map(bool, by_instance(own, side)))
            return f"{name} {_share(hit, len(side.instances))}"
    return ""


def _share(hit: int, of: int) -> str:
    if hit == of:
        return f"most of it on few of {of} instances"
    return f"all on {'one instance' if hit == 1 else f'{hit} instances'} of {of}"


def all_on_one_side(episodes: int, own: int, other: int, *, once_each: bool) -> float:
    """Return the chance that all episodes fall on the side that has `own` of the exposure."""
    if once_each and episodes <= own:
        # Of units that fail once at most none is drawn twice.
        return exp(_ways(own, episodes) - _ways(own + other, episodes))
    return (own / (own + other)) ** episodes


def episodes_needed(own: int, other: int, *, once_each: bool) -> int:
    """Return how many episodes on one side it takes, so that none on the other one tells something."""
    most = own if once_each else _FAR
    return next((n for n in range(1, most) if all_on_one_side(n, own, other, once_each=once_each) <= ONE_SIDED), most)


def _ways(of: int, drawn: int) -> float:
    return lgamma(of + 1) - lgamma(drawn + 1) - lgamma(of - drawn + 1)
