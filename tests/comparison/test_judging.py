"""The words that counts and intervals allow, at the figures where one word becomes another."""

from __future__ import annotations

from math import comb

import pytest

from forensics.comparison.exact import ALPHA, Rates, compare_rates
from forensics.comparison.states import Counted, amount, judge, number
from forensics.model import ChangeState

NEW, GONE, WORSE, BETTER = ChangeState.NEW, ChangeState.GONE, ChangeState.WORSE, ChangeState.BETTER
SAME = ChangeState.NO_CHANGE


def rates(low: float, high: float | None) -> Rates:
    return Rates(ratio=1.0, low=low, high=high, p_value=0.0)


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("expected", "gone", "new"), [(3, GONE, NEW), (2, SAME, SAME)])
def test_from_three_expected_on_none_at_all_says_something(expected: int, gone: ChangeState, new: ChangeState) -> None:
    assert judge(Counted(expected, 1000, 0, 1000), rates(0, 1), 0.01) is gone
    assert judge(Counted(0, 1000, expected, 1000), rates(1, None), 0.01) is new
    # Ten times as many in ten times the traffic are as many.
    assert judge(Counted(expected * 10, 10_000, 0, 1000), rates(0, 1), 0.01) is gone
    assert judge(Counted(0, 1000, expected * 10, 10_000), rates(1, None), 0.01) is new


@pytest.mark.parametrize(("p_value", "is_clear"), [(0.01, True), (ALPHA, True), (0.0501, False), (1.0, False)])
def test_a_word_for_a_change_needs_a_p_value_of_five_in_a_hundred_at_most(p_value: float, *, is_clear: bool) -> None:
    found = [
        judge(Counted(9, 1000, 0, 1000), rates(0, 0.5), p_value),
        judge(Counted(0, 1000, 9, 1000), rates(2, None), p_value),
        judge(Counted(9, 1000, 2, 1000), rates(0.1, 0.5), p_value),
        judge(Counted(2, 1000, 9, 1000), rates(2, 9), p_value),
    ]
    assert found == ([GONE, NEW, BETTER, WORSE] if is_clear else [SAME] * 4)


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.2, 0.99, BETTER),
        (0.2, 1.0, SAME),
        (0.9, 1.1, SAME),
        (1.0, 4.0, SAME),
        (1.01, 4.0, WORSE),
        (1.01, None, WORSE),
    ],
)
def test_an_interval_that_holds_one_shows_no_change(low: float, high: float | None, state: ChangeState) -> None:
    assert judge(Counted(5, 1000, 6, 1000), rates(low, high), 0.01) is state


# ── p-values ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_a_start_fails_once_at_most_all_against_none_is_the_rarest_of_all_draws() -> None:
    rarest = 1 / comb(24, 12)
    assert Counted(12, 12, 0, 12).p_value(once_each=True) == pytest.approx(2 * rarest)
    assert Counted(0, 12, 12, 12).p_value(once_each=True) == pytest.approx(2 * rarest)


@pytest.mark.parametrize("counted", [Counted(12, 12, 0, 12), Counted(13, 12, 0, 13), Counted(0, 13, 13, 12)])
def test_where_one_start_may_fail_twice_counts_are_rates(counted: Counted) -> None:
    once_each = counted != Counted(12, 12, 0, 12)
    total = counted.before + counted.after
    share = counted.exposure_after / (counted.exposure_before + counted.exposure_after)
    alone = share**total if counted.after else (1 - share) ** total
    assert alone <= counted.p_value(once_each=once_each) <= 2.5 * alone


# ── exposures within a margin ────────────────────────────────────────────────────────────────────────────────────────


def test_within_margins_the_interval_reaches_from_one_end_to_the_other() -> None:
    """The lowest ratio is that of the fewest requests before and the most after."""
    found = Counted(40, 1000, 120, 1000).rates_within(100, 50)
    least, most = compare_rates(40, 900, 120, 1050), compare_rates(40, 1100, 120, 950)
    assert (found.ratio, found.low, found.high) == (3.0, least.low, most.high)
    assert found.p_value == max(least.p_value, most.p_value)
    assert found.p_value < ALPHA


@pytest.mark.parametrize(
    ("counted", "margins", "p_value"),
    [
        # 12 of 1,000 to 1,200 before, 10 of 1,200 to 1,100 after: the ratio may be exactly one, so nothing is shown.
        (Counted(10, 1100, 12, 1150), (100, 50), 1.0),
        (Counted(10, 900, 12, 1250), (100, 50), 1.0),
        (Counted(10, 1000, 11, 1000), (200, 200), 1.0),
    ],
)
def test_margins_within_which_the_rates_may_be_equal_show_no_change(
    counted: Counted, margins: tuple[int, int], p_value: float
) -> None:
    assert counted.rates_within(*margins).p_value == p_value


def test_a_margin_never_leaves_less_than_one_request() -> None:
    assert Counted(4, 10, 4, 10).rates_within(20, 0).low == compare_rates(4, 1, 4, 10).low
    assert Counted(4, 10, 4, 10).rates_within(0, 20).high == compare_rates(4, 10, 4, 1).high


def test_nothing_before_has_no_ratio_within_margins_either() -> None:
    found = Counted(0, 1000, 50, 1000).rates_within(100, 100)
    assert (found.ratio, found.high) == (None, None)
    assert found.p_value < ALPHA


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0.00"),
        (0.004, "0.004"),
        (0.00123, "0.001"),
        (0.01, "0.01"),
        (0.333, "0.33"),
        (99.99, "99.99"),
        (100.0, "100"),
        (12345.6, "12,346"),
    ],
)
def test_ratios_are_written_with_the_digits_that_say_something(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0"), (2.3, "2.3"), (46.0, "46"), (99.94, "99.9"), (100.4, "100"), (2999.7, "3,000")]
)
def test_expected_counts_are_written_with_a_digit_where_they_are_small(value: float, written: str) -> None:
    assert amount(value) == written
