"""Revisions that differ in nothing, and revisions that do: how often a comparison finds a change.

A few pairs of each kind are tried in every run; `make simulate` tries a thousand of every kind and prints the table of
docs/verdicts.md. Failures come as real ones do: alone, tried again four times, in outages, or on one bad instance.
"""

from __future__ import annotations

import os
import random
from math import log, sqrt
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.comparisons import cluster, side

from forensics.comparison import compare
from forensics.model import ChangeState, Exposure, ExposureKind, OccurrenceUnit, Spread
from forensics.model.spread import write_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.comparison import Side

PAIRS = int(os.environ.get("SIMULATED_PAIRS", "0"))
"""Of each kind; 0 for the few of an ordinary run."""
FEW = 100
INSTANCES = 3
WORDS = {ChangeState.NEW, ChangeState.WORSE, ChangeState.BETTER, ChangeState.GONE}
ONE_BAD = "one bad instance of 3"
KINDS = ("alone", "four in a row", "outages of 3", "outages of 10", "outages of 40", ONE_BAD)
RATES = (0.002, 0.02, 0.2)


def failures(dice: random.Random, requests: int, rate: float, kind: str) -> Iterator[tuple[int, int]]:
    """Yield the positions of requests that fail, and their instances."""
    if "bad" in kind:
        bad = [dice.random() < 1 / INSTANCES for _ in range(INSTANCES)]
        if kind == ONE_BAD:  # or none, as often
            worst = dice.randrange(2 * INSTANCES)
            bad = [instance == worst for instance in range(INSTANCES)]
        for position in range(requests):
            instance = dice.randrange(INSTANCES)
            if bad[instance] and dice.random() < INSTANCES * rate:
                yield position, instance
        return
    if kind == "alone":
        yield from ((at, dice.randrange(INSTANCES)) for at in range(requests) if dice.random() < rate)
        return
    length = 4 if kind == "four in a row" else int(kind.rpartition(" ")[2])
    position, is_failing = 0, dice.random() < rate
    while position < requests:
        if is_failing:
            run = length if kind == "four in a row" else geometric(dice, 1 / length)
            yield from ((at, dice.randrange(INSTANCES)) for at in range(position, min(position + run, requests)))
        else:
            run = geometric(dice, rate / (length * (1 - rate)))
        position += run
        is_failing = not is_failing


def geometric(dice: random.Random, chance: float) -> int:
    """Draw how many tries it takes."""
    return 1 if chance >= 1 else 1 + int(log(1 - dice.random()) / log(1 - chance))


def revision(dice: random.Random, name: str, requests: int, rate: float, kind: str) -> Side:
    """Make a side of one signature that fails at a rate."""
    found = list(failures(dice, requests, rate, kind))
    exposure = Exposure(requests=requests, instances=(requests // INSTANCES,) * INSTANCES)
    if not found:
        return side(name, {"x": 0}, exposure=exposure)
    spread = Spread(
        measure=ExposureKind.REQUESTS,
        of=requests,
        failures=write_places((position, 1, instance) for position, instance in found),
        count=len(found),
    )
    seen = (cluster("x", len(found), OccurrenceUnit.REQUEST, spread=spread),)
    return side(name, {"x": 1}, clusters=seen, exposure=exposure)


def share_of_words(kind: str, requests: tuple[int, int], rate: float, times: float = 1, pairs: int = 0) -> float:
    """Return in how many pairs a comparison finds a change, where the later rate is so many times the first."""
    dice = random.Random(f"{kind} {requests} {rate} {times}")  # noqa: S311 - the same pairs every time
    pairs = pairs or PAIRS or FEW
    found = 0
    for _ in range(pairs):
        before = revision(dice, "shop-00041-abc", requests[0], rate, kind)
        after = revision(dice, "shop-00042-abc", requests[1], rate * times, kind)
        found += any(change.state in WORDS for change in compare(before, after).changes)
    told(f"{kind} | {requests[0]:,} → {requests[1]:,} | {rate:.1%} | ×{times:g}", found / pairs)
    return found / pairs


def told(row: str, share: float) -> None:
    """Print a row of the table where all pairs are tried."""
    if PAIRS:
        print(f"| {row} | {share:.1%} |")  # noqa: T201 - read by whoever runs `make simulate`


def slack(limit: float) -> float:
    """Return by how much a share of a few pairs may lie beyond its limit."""
    return 0 if PAIRS else 2.5 * sqrt(limit * (1 - limit) / FEW)


ROWS = [(kind, requests, rate) for kind in KINDS for requests in (800, 4000) for rate in RATES]
FEW_ROWS = [("alone", 800, 0.02), ("four in a row", 4000, 0.02), ("outages of 10", 4000, 0.02), (ONE_BAD, 800, 0.2)]


@pytest.mark.parametrize(("kind", "requests", "rate"), ROWS if PAIRS else FEW_ROWS)
def test_where_nothing_differs_no_change_is_found(kind: str, requests: int, rate: float) -> None:
    limit = 0.065 if rate == max(RATES) and kind.startswith("outages") else 0.05
    assert share_of_words(kind, (requests, requests), rate) <= limit + slack(limit)


@pytest.mark.parametrize("kind", KINDS[:5] if PAIRS else ["outages of 10"])
@pytest.mark.parametrize("requests", [(4000, 800), (800, 4000)])
def test_nor_where_one_side_has_five_times_the_traffic(kind: str, requests: tuple[int, int]) -> None:
    assert share_of_words(kind, requests, 0.02) <= 0.05 + slack(0.05)


@pytest.mark.parametrize("rate", [0.001, *RATES] if PAIRS else [0.002])
def test_instances_that_go_bad_by_themselves_are_no_change(rate: float) -> None:
    """None, one, two or all of three may be bad: where one is not, few failures seem to be all over the place."""
    assert share_of_words("each of 3 instances bad or not", (4000, 4000), rate) <= 0.05 + slack(0.05)


POWER = [("alone", 0.95), ("four in a row", 0.95), ("outages of 3", 0.9), ("outages of 10", 0.45)]


@pytest.mark.parametrize(("kind", "least"), POWER if PAIRS else POWER[:2])
def test_three_times_as_many_are_found(kind: str, least: float) -> None:
    assert share_of_words(kind, (4000, 4000), 0.02, 3) >= least - slack(least)


@pytest.mark.parametrize("kind", ["alone", "four in a row"])
def test_three_times_as_many_are_found_in_a_tenth_of_the_traffic(kind: str) -> None:
    """A rollout begins small beside a baseline that served for days."""
    assert share_of_words(kind, (40_000, 4000), 0.02, 3, pairs=min(PAIRS, 200) or 10) >= 0.8


@pytest.mark.parametrize("requests", [800, 4000] if PAIRS else [800])
def test_five_baselines_tell_how_much_revisions_differ_by_themselves(requests: int) -> None:
    """Rates differ from revision to revision by a factor of two or so, and none of them is a change."""
    dice = random.Random(requests)  # noqa: S311 - the same pairs every time
    one = many = 0
    pairs = PAIRS or FEW
    for _ in range(pairs):
        rates = [dice.gammavariate(2, 0.01) for _ in range(6)]
        sides = [
            revision(dice, f"shop-0004{at}-abc", requests, min(rate, 0.5), "alone") for at, rate in enumerate(rates)
        ]
        many += any(change.state in WORDS for change in compare(sides[:5], sides[5]).changes)
        one += any(change.state in WORDS for change in compare(sides[4], sides[5]).changes)
    told(f"rates vary, 5 baselines | {requests:,} | 2 % | ×1", many / pairs)
    told(f"rates vary, 1 baseline | {requests:,} | 2 % | ×1", one / pairs)
    assert many / pairs <= 0.06 + slack(0.06)
    assert one / pairs > 0.2  # this is what several are for


@pytest.mark.parametrize("kind", ["alone", "outages of 3"] if PAIRS else ["alone"])
def test_against_five_baselines_three_times_as_many_are_found(kind: str) -> None:
    dice = random.Random(kind)  # noqa: S311 - the same pairs every time
    found = 0
    pairs = min(PAIRS, 300) or 10
    for _ in range(pairs):
        sides = [revision(dice, f"shop-0004{at}-abc", 4000, 0.06 if at == 5 else 0.02, kind) for at in range(6)]
        found += any(change.state in WORDS for change in compare(sides[:5], sides[5]).changes)
    told(f"{kind}, 5 baselines | 4,000 | 2.0% | ×3", found / pairs)
    assert found / pairs >= 0.9 - (0 if PAIRS else 0.2)


def test_what_is_left_of_an_outage_is_not_called_resolved() -> None:
    """Fifty requests in a row failed before, and none did since: when it comes again nobody knows."""
    dice = random.Random(3)  # noqa: S311 - the same pair every time
    before = revision(dice, "shop-00041-abc", 4000, 0.02, "alone")
    (seen,) = before.clusters
    row = Spread(
        measure=ExposureKind.REQUESTS,
        of=4000,
        failures=write_places((1000 + at, 1, 0) for at in range(50)),
        count=50,
    )
    (change,) = compare(
        replace(before, clusters=(replace(seen, spread=row),)), revision(dice, "shop-00042-abc", 4000, 0, "alone")
    ).changes
    assert change.state is ChangeState.UNCLEAR
    assert "50 failures in 1 episode → 0" in change.statement
