"""The words that counts and intervals allow, at the figures where one word becomes another."""

from __future__ import annotations

import pytest

from forensics.comparison.assessment import Assessment
from forensics.comparison.exact import ALPHA, Rates
from forensics.comparison.states import Counted, amount, judge, number, sentence
from forensics.model import ChangeState

NEW, GONE, WORSE, BETTER = ChangeState.NEW, ChangeState.GONE, ChangeState.WORSE, ChangeState.BETTER
SAME, UNCLEAR = ChangeState.NO_CHANGE, ChangeState.UNCLEAR


def rates(low: float, high: float | None, episodes: tuple[int, int] = (9, 9), uneven: str = "") -> Assessment:
    found = Rates(ratio=1.0, low=low, high=high, p_value=0.0)
    return Assessment(rates=found, episodes=episodes, dispersion=1.0, uneven=uneven)


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("expected", "gone", "new"), [(3, GONE, NEW), (2, UNCLEAR, UNCLEAR)])
def test_from_three_expected_on_none_at_all_says_something(expected: int, gone: ChangeState, new: ChangeState) -> None:
    assert judge(Counted(expected, 1000, 0, 1000), rates(0, 1), 0.01) is gone
    assert judge(Counted(0, 1000, expected, 1000), rates(1, None), 0.01) is new
    # Ten times as many in ten times the traffic are as many.
    assert judge(Counted(expected * 10, 10_000, 0, 1000), rates(0, 1, (40, 0)), 0.01) is gone
    assert judge(Counted(0, 1000, expected * 10, 10_000), rates(1, None, (0, 40)), 0.01) is new


@pytest.mark.parametrize(("p_value", "is_clear"), [(0.01, True), (ALPHA, True), (0.0501, False), (1.0, False)])
def test_a_word_for_a_change_needs_a_p_value_of_five_in_a_hundred_at_most(p_value: float, *, is_clear: bool) -> None:
    found = [
        judge(Counted(9, 1000, 0, 1000), rates(0, 0.5), p_value),
        judge(Counted(0, 1000, 9, 1000), rates(2, None), p_value),
        judge(Counted(9, 1000, 2, 1000), rates(0.1, 0.5), p_value),
        judge(Counted(2, 1000, 9, 1000), rates(2, 9), p_value),
    ]
    assert found == ([GONE, NEW, BETTER, WORSE] if is_clear else [UNCLEAR] * 4)


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.2, 0.99, BETTER),
        (0.2, 1.0, UNCLEAR),
        (0.9, 1.1, SAME),
        (1.0, 4.0, UNCLEAR),
        (1.01, 4.0, WORSE),
        (1.01, None, WORSE),
    ],
)
def test_an_interval_that_holds_one_shows_no_change(low: float, high: float | None, state: ChangeState) -> None:
    assert judge(Counted(5, 1000, 6, 1000), rates(low, high), 0.01) is state


def test_one_side_with_none_needs_episodes_enough_on_the_other() -> None:
    none = Counted(60, 1000, 0, 1000)
    assert judge(none, rates(0, 0.1, (6, 0)), 0.01) is GONE
    assert judge(none, rates(0, 0.1, (5, 0)), 0.01) is UNCLEAR
    assert none.needed() == 6
    assert [Counted(9, of, 0, 1000).needed() for of in (4000, 250)] == [17, 3]
    assert Counted(9, 1000, 1, 1000).needed() is None


def test_where_a_start_fails_once_at_most_fewer_are_needed() -> None:
    """Of eight starts six that failed cannot all be drawn from four."""
    assert Counted(6, 8, 0, 8).needed() == 6
    assert Counted(6, 8, 0, 8, "instance starts", once_each=True).needed() == 5


def test_one_instance_of_a_few_leaves_no_interval_and_may_still_be_worse() -> None:
    found = rates(1.2, 9.0, uneven="all on one instance of 10")
    assert judge(Counted(5, 1000, 50, 1000), replaced(found, 10.0), 0.01) is WORSE
    assert judge(Counted(50, 1000, 5, 1000), replaced(found, 0.1), 0.01) is BETTER
    assert judge(Counted(5, 1000, 50, 1000), replaced(found, 10.0), 0.2) is UNCLEAR


def replaced(found: Assessment, ratio: float) -> Assessment:
    return found._replace(rates=found.rates._replace(ratio=ratio))


@pytest.mark.parametrize(
    ("low", "high", "state"), [(0.51, 1.99, SAME), (0.5, 1.2, UNCLEAR), (0.9, 2.0, UNCLEAR), (0.9, None, UNCLEAR)]
)
def test_an_interval_that_reaches_twofold_is_unclear(low: float, high: float | None, state: ChangeState) -> None:
    assert judge(Counted(5, 1000, 6, 1000), rates(low, high), 0.5) is state


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


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ratio", "state"), [(0.5, BETTER), (1.0, UNCLEAR), (1.5, WORSE), (2.0, WORSE)])
def test_where_instances_were_permuted_the_ratio_alone_gives_the_direction(ratio: float, state: ChangeState) -> None:
    found = rates(0.1, 9.0, uneven="now all on one instance of 10")
    found = found._replace(rates=found.rates._replace(ratio=ratio))
    assert judge(Counted(10, 1000, round(10 * ratio), 1000), found, 0.01) is state


def said(counted: Counted, found: Assessment, state: ChangeState, *baselines: str) -> str:
    return sentence(counted, found, state, 0.01, baselines or ("shop-00041-abc",))


def test_a_sentence_gives_failures_and_episodes_where_failures_came_together() -> None:
    counted = Counted(22, 1000, 30, 2000)
    together = said(counted, rates(0.3, 0.9, (1, 30)), UNCLEAR)
    assert together == "22 failures in 1 episode → 30, in 1,000 → 2,000 requests (ratio 1.00, 0.30–0.90): unclear"
    alone = said(counted, rates(0.3, 0.9, (22, 30)), UNCLEAR)
    assert alone == "22 → 30 in 1,000 → 2,000 requests (ratio 1.00, 0.30–0.90): unclear"
    some = said(Counted(10, 1000, 10, 1000), rates(0.3, 2.1, (8, 7)), UNCLEAR)
    assert some == "10 → 10 failures in 7 episodes (ratio 1.00, 0.30–2.10): unclear"


def test_where_a_few_instances_have_all_the_sentence_says_so_instead_of_an_interval() -> None:
    found = rates(0.3, 9.0, uneven="now all on one instance of 3")
    assert said(Counted(9, 1000, 9, 1000), found, UNCLEAR) == (
        "9 → 9 (ratio 1.00; now all on one instance of 3): unclear"
    )
    new = found._replace(rates=found.rates._replace(ratio=None))
    assert "(no ratio; now all on one instance of 3)" in said(Counted(0, 1000, 9, 1000), new, UNCLEAR)


def test_a_worse_revision_is_worse_against_one_baseline_alone_or_against_several() -> None:
    alone = said(Counted(9, 1000, 40, 1000), rates(2.0, 9.0), WORSE)
    assert alone.endswith(
        "worse against 00041 alone; how much revisions differ by themselves is not known; --baseline previous:5 asks"
    )
    two = said(Counted(9, 1000, 40, 1000), rates(2.0, 9.0), WORSE, "a", "b")
    assert two.endswith("worse against 2 revisions, by more than these differ among themselves")
