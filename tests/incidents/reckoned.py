"""Calculate the difference of two reports' failures again, plainly and slowly."""

from __future__ import annotations

import itertools
import random
from math import log, sqrt
from typing import Any, NamedTuple

from scipy.stats import beta

Json = dict[str, Any]
_ROUNDS = 2_000


class Reckoned(NamedTuple):
    """The numbers of a change."""

    p_value: float
    low: float
    high: float | None
    episodes: tuple[int, int]


def places_of(clusters: list[Json], exposure: int) -> list[float]:
    """Return the places of the failures of clusters, in units of the exposure."""
    found = []
    for cluster in clusters:
        at, spread = 0, cluster["spread"]
        for item in spread["failures"].split():
            place = item.partition("@")[0]
            distance, _, count = place.partition("*")
            at += int(distance)
            found += [at * exposure / spread["of"]] * int(count or 1)
    return sorted(found)


def reckon(sides: tuple[list[float], list[float]], sizes: tuple[int, int]) -> Reckoned:
    """Join, cut and permute."""
    episodes = [_joined(places, size) for places, size in zip(sides, sizes, strict=True)]
    length = min(sizes) / _stretches(sizes)
    counts = [_cut(one, size, length) for one, size in zip(episodes, sizes, strict=True)]
    every = [sqrt(count) for side in counts for count in side]
    mean = sum(every) * len(counts[1]) / len(every)
    distance = abs(sum(map(sqrt, counts[1])) - mean)
    dice = random.Random(7)  # noqa: S311 - the same draws every time
    as_far = sum(abs(sum(dice.sample(every, len(counts[1]))) - mean) >= distance - 1e-4 for _ in range(_ROUNDS))
    wide = _variation(counts)
    before, after = len(sides[0]) / wide, len(sides[1]) / wide
    low, high = (float(beta.ppf(end, after + 0.5, before + 0.5)) for end in (0.025, 0.975))
    odds = sizes[0] / sizes[1]
    return Reckoned(
        p_value=as_far / _ROUNDS,
        low=low / (1 - low) * odds if after else 0.0,
        high=high / (1 - high) * odds if before else None,
        episodes=(len(episodes[0]), len(episodes[1])),
    )


def _joined(places: list[float], size: int) -> list[tuple[float, int]]:
    near = sum(b - a <= 1 for a, b in itertools.pairwise(places))
    gap = 1.0 if near > 2 * len(places) / size * max(len(places) - 1, 0) else 0.0
    found = _by_gap(places, gap) if gap else [(place, 1) for place in places]
    while found and -log(0.9) * size / len(found) > gap:
        gap = -log(0.9) * size / len(found)
        found = _by_gap(places, gap)
    return found


def _by_gap(places: list[float], gap: float) -> list[tuple[float, int]]:
    breaks = [at for at, place in enumerate(places) if not at or place - places[at - 1] > gap]
    return [(places[first], end - first) for first, end in zip(breaks, [*breaks[1:], len(places)], strict=True)]


def _stretches(sizes: tuple[int, int]) -> int:
    if min(sizes) <= 23:
        return min(sizes)
    rest = {n: max(size * n / min(sizes) % 1 / (size * n / min(sizes)) for size in sizes) for n in range(17, 24)}
    return min(rest, key=lambda n: (round(rest[n], 3), abs(n - 20), n))


def _cut(episodes: list[tuple[float, int]], size: int, length: float) -> list[int]:
    counts = [0] * int(size / length + 1e-9)
    for place, count in episodes:
        if int(place / length + 1e-9) < len(counts):
            counts[int(place / length + 1e-9)] += count
    return counts


def _variation(sides: list[list[int]]) -> float:
    squares = freedom = 0.0
    for counts in (counts for counts in sides if sum(counts)):
        mean = sum(counts) / len(counts)
        squares += sum((count - mean) ** 2 / mean for count in counts)
        freedom += len(counts) - 1
    return max(1.0, squares / freedom) if freedom else 1.0
