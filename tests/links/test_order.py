"""Causes that are followed at one lag, and what is near by shared bad windows, load or the clock."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from forensics.links.clocks import common_period, period_of
from forensics.links.order import order_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Times = tuple[list[int], list[int]]

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
WINDOW = 60 * SECOND
SEEDS = range(12)
FAILURES = 30


def seconds(value: float) -> int:
    return int(value * SECOND)


def anywhere(draw: Random, number: int = FAILURES) -> list[int]:
    return [draw.randrange(HOUR) for _ in range(number)]


def after(lag: float, spread: float = 0.0) -> Callable[[Random], Times]:
    """Failures that follow their cause after a lag."""

    def made(draw: Random) -> Times:
        failures = anywhere(draw)
        return failures, [time - seconds(lag + draw.gauss(0, spread)) for time in failures]

    return made


def beside_noise(draw: Random) -> Times:
    failures = anywhere(draw)
    return failures, [time - seconds(0.3) for time in failures] + anywhere(draw, 2000)


def in_bursts(draw: Random) -> Times:
    causes = anywhere(draw, 10)
    return [time + seconds(0.3 + 0.2 * n) for time in causes for n in range(4)], causes


def by_cron(draw: Random) -> Times:
    """A job that runs every minute and fails one time in three, for the cause that it logs."""
    runs = [n * 60 * SECOND + draw.randrange(SECOND // 5) for n in range(90)]
    failures = [time for time in runs if draw.random() < 1 / 3]
    return failures, [time - seconds(0.3) for time in failures]


def noise(draw: Random) -> Times:
    return anywhere(draw), anywhere(draw, 300)


def bad_windows(length: float) -> Callable[[Random], Times]:
    """Windows in which everything goes wrong, each on its own."""

    def made(draw: Random) -> Times:
        starts = anywhere(draw, 7)
        failures = [start + draw.randrange(seconds(length)) for start in starts for _ in range(5)]
        return failures, [start + draw.randrange(seconds(length)) for start in starts for _ in range(12)]

    return made


def timers(every: int, other: int, jitter: float) -> Callable[[Random], Times]:
    """Two jobs that start by the clock, three seconds apart."""

    def made(draw: Random) -> Times:
        def at() -> int:
            return draw.randrange(seconds(jitter))

        failures = [n * every * SECOND + at() for n in range(FAILURES)]
        return failures, [n * other * SECOND - 3 * SECOND + at() for n in range(FAILURES * every // other)]

    return made


def holding(made: Callable[[Random], Times]) -> int:
    """Count the draws in which the cause keeps order."""
    count = 0
    for seed in SEEDS:
        failures, causes = made(Random(seed))  # noqa: S311 - seeded on purpose
        order = order_of([sorted(failures)], [sorted(causes)], WINDOW)
        count += order is not None and order.holds
    return count


@pytest.mark.parametrize(
    "made",
    [after(0.005), after(0.3), after(2, 0.1), after(10, 0.1), after(-0.2), beside_noise, in_bursts, by_cron],
    ids=["5 ms", "0.3 s", "2 s", "10 s", "logged late", "beside noise", "in bursts", "by cron"],
)
def test_a_cause_that_is_followed_at_one_lag_keeps_order(made: Callable[[Random], Times]) -> None:
    assert holding(made) == len(SEEDS)


@pytest.mark.parametrize(
    "made",
    [noise, bad_windows(30), bad_windows(10), timers(60, 60, 0.5), timers(60, 60, 2), timers(60, 30, 0.5)],
    ids=["noise", "bad 30 s", "bad 10 s", "timers", "timers with jitter", "timers of two periods"],
)
def test_what_is_near_for_another_reason_does_not(made: Callable[[Random], Times]) -> None:
    assert holding(made) <= 2


def test_the_lag_is_found_and_told() -> None:
    failures, causes = after(10)(Random(1))  # noqa: S311 - seeded on purpose
    order = order_of([sorted(failures)], [sorted(causes)], WINDOW)
    assert order is not None
    assert order.lag <= 10 < order.lag + order.width
    assert (order.share, order.by_clock) == (1.0, None)


def test_a_cause_of_another_instance_is_none() -> None:
    failures, causes = after(0.3)(Random(1))  # noqa: S311 - seeded on purpose
    order = order_of([sorted(failures), []], [[], sorted(causes)], WINDOW)
    assert order is not None
    assert order.p_value == 1.0


def test_two_onsets_tell_nothing_and_a_burst_is_one() -> None:
    burst = [HOUR + n * SECOND // 10 for n in range(50)]
    assert order_of([[0, *burst]], [[0, *burst]], WINDOW) is None
    assert order_of([[0, *burst, 2 * HOUR]], [[0, *burst, 2 * HOUR]], WINDOW) is not None


def test_another_day_and_more_of_the_same_change_nothing() -> None:
    failures, causes = after(2, 0.1)(Random(1))  # noqa: S311 - seeded on purpose
    here = order_of([sorted(failures)], [sorted(causes)], WINDOW)
    moved = [[sorted(time + 86_400 * SECOND for time in times)] for times in (failures, causes)]
    assert order_of(moved[0], moved[1], WINDOW) == here


@pytest.mark.parametrize(
    ("times", "period"),
    [
        ([n * 60 * SECOND for n in range(20)], 60),
        ([n * 60 * SECOND + n % 3 * SECOND for n in range(20)], 60),
        ([n * 47 * SECOND for n in range(40)], 47),
        ([n * n * SECOND for n in range(1, 40)], None),
        ([0, 60 * SECOND, 120 * SECOND], None),
    ],
)
def test_a_period_is_found_by_where_times_point(times: list[int], period: int | None) -> None:
    found = period_of(times)
    assert found == (None if period is None else pytest.approx(period * SECOND, rel=0.01))


def test_periods_are_common_where_one_divides_the_other() -> None:
    minutes = [n * 60 * SECOND for n in range(30)]
    assert common_period([minutes], [[n * 30 * SECOND for n in range(60)]]) == 60 * SECOND
    assert common_period([minutes], [[n * 47 * SECOND for n in range(60)]]) is None
    assert common_period([minutes], [[n * n * SECOND for n in range(60)]]) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_two_jobs_that_share_an_instance_by_the_clock_are_told_by_the_other_instances(seed: int) -> None:
    """Each minute both start on whichever instance is free: moves that keep the instance see no cause there."""
    draw = Random(seed)  # noqa: S311 - the same draws each time
    failures: list[list[int]] = [[], [], []]
    causes: list[list[int]] = [[], [], []]
    for minute in range(40):
        one, time = draw.randrange(3), minute * 60 * SECOND + draw.randrange(SECOND // 20)
        causes[one].append(time)
        failures[one].append(time + seconds(0.55))
    together = sorted(time for own in causes for time in own)
    kept = order_of(failures, causes, WINDOW)
    met = order_of(failures, causes, WINDOW, anywhere=together)
    assert kept is not None
    assert met is not None
    assert kept.holds
    assert not met.holds
