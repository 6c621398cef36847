"""Failures in the order of what could have failed, joined into episodes and cut into stretches of equal exposure.

One outage that fails fifty requests is one event. How far apart failures of two events lie is told by the data: by
chance alone, nine in ten failures would have no other within the gap that joins them.
"""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

_JOINED_BY_CHANCE = 0.1
"""Share of independent failures that lie within the gap of another one."""
_MORE_THAN_CHANCE = 2
"""Times: so often failures must follow upon each other to be taken for one event, however many there are."""
STRETCHES = 20
"""Of the side with less exposure."""
_NEAR_STRETCHES = (20, 19, 21, 18, 22, 17, 23)
"""Numbers of stretches of which the one is taken that leaves the least of the larger side over."""
_ROUNDING = 1e-9


class Failure(Struct, frozen=True):
    """Failures at one place of the order."""

    position: float
    count: int
    instance: int | None
    """Its number on its side, None where it is not known."""


class Failures(Struct, frozen=True):
    """The failures of one side in order, the exposure in which they were seen, and that of each instance."""

    failures: tuple[Failure, ...]
    exposure: int
    instances: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many failures there are."""
        return sum(failure.count for failure in self.failures)


class Episode(Struct, frozen=True):
    """Failures that come together."""

    position: float
    """Where it begins."""
    count: int
    instance: int | None
    """Where it began."""


def episodes_of(side: Failures) -> list[Episode]:
    """Join failures of one side into episodes.

    The gap that joins them is told by the side alone: beside a baseline of a hundred times the traffic, failures all
    through a small revision would look like a single outage.
    """
    return join(side, find_gap(side))


def find_gap(side: Failures) -> float:
    """Find the distance up to which failures belong together; it grows with each joining until it joins no more."""
    number, gap = side.count, 0.0
    if _follow_each_other(side):
        gap = 1.0
        number = len(join(side, gap))
    while number:
        wider = -log(1 - _JOINED_BY_CHANCE) * side.exposure / number
        if wider <= gap:
            break
        gap = wider
        number = len(join(side, gap))
    return gap


def _follow_each_other(side: Failures) -> bool:
    """Tell whether failures follow upon each other far more often than their rate would have it."""
    distances = [b.position - a.position for a, b in pairwise(side.failures)]
    rate = side.count / side.exposure
    return sum(distance <= 1 for distance in distances) > _MORE_THAN_CHANCE * rate * len(distances)


def join(side: Failures, gap: float) -> list[Episode]:
    """Join failures that lie at most a gap apart."""
    episodes: list[Episode] = []
    last = 0.0
    for failure in side.failures:
        if episodes and failure.position - last <= gap:
            episodes[-1] = replace(episodes[-1], count=episodes[-1].count + failure.count)
        else:
            episodes.append(Episode(failure.position, failure.count, failure.instance))
        last = failure.position
    return episodes


class Cut(NamedTuple):
    """Stretches of equal exposure: how long one is, and how many fit each side."""

    length: float
    numbers: tuple[int, ...]

    def counts(self, episodes: Sequence[Episode], side: int) -> list[int]:
        """Count failures stretch by stretch; an episode belongs whole to the stretch where it begins."""
        counts = [0] * self.numbers[side]
        for episode in episodes:
            at = int(episode.position / self.length + _ROUNDING)
            if at < len(counts):  # what is left behind the last whole stretch is no stretch
                counts[at] += episode.count
        return counts


def cut(exposures: Sequence[int], stretches: int = STRETCHES) -> Cut:
    """Cut sides into stretches as long as a twentieth of the smaller one, or one request, start or session."""
    least = min(exposures)
    numbers = [n + stretches - STRETCHES for n in _NEAR_STRETCHES] if least > stretches + 3 else [least]

    def left_over(number: int) -> float:
        return max(exposure * number / least % 1 / (exposure * number / least) for exposure in exposures)

    number = min(numbers, key=lambda n: round(left_over(n), 3))
    length = least / number
    return Cut(length, tuple(int(exposure / length + _ROUNDING) for exposure in exposures))
