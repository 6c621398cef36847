"""Exact p-values and intervals, against scipy's own and against counting every outcome."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, strategies as st

from forensics.comparison.exact import binomial_p, compare_rates, fisher_p, holm, interval

CASES = int(os.environ.get("EXACT_CASES", "1000"))
"""`make exact` asks for ten thousand."""


def cases(seed: int) -> list[tuple[int, int, int, int]]:
    """Counts and exposures: few and many, equal and lopsided exposures, zeros."""
    dice = random.Random(seed)  # noqa: S311 - the same cases every time
    found: list[tuple[int, int, int, int]] = []
    while len(found) < CASES:
        most = dice.choice((3, 20, 200, 3000))
        before, after = dice.randint(0, most), dice.randint(0, dice.choice((3, most)))
        exposures = dice.randint(1, 10 ** dice.randint(1, 7)), dice.randint(1, 10 ** dice.randint(1, 7))
        if dice.random() < 0.3:
            exposures = exposures[0], exposures[0]
        if before + after:
            found.append((before, exposures[0], after, exposures[1]))
    return found


@pytest.mark.slow
def test_p_values_and_intervals_are_those_of_scipy() -> None:
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to import

    for before, exposure_before, after, exposure_after in cases(1):
        rates = compare_rates(before, exposure_before, after, exposure_after)
        share = exposure_after / (exposure_before + exposure_after)
        known = binomtest(after, before + after, share)
        assert rates.p_value == pytest.approx(known.pvalue, rel=1e-6, abs=1e-250)
        exact = known.proportion_ci(0.95, method="exact")
        assert interval(after, before + after) == pytest.approx((exact.low, exact.high), rel=1e-9, abs=1e-12)


def test_fishers_p_values_are_those_of_scipy() -> None:
    from scipy.stats import fisher_exact  # noqa: PLC0415 - slow to import

    dice = random.Random(2)  # noqa: S311 - the same cases every time
    for _ in range(CASES):
        most = dice.choice((3, 20, 300))
        ran = dice.randint(1, most), dice.randint(1, most)
        passed = dice.randint(0, ran[0]), dice.randint(0, ran[1])
        table = [[passed[0], ran[0] - passed[0]], [passed[1], ran[1] - passed[1]]]
        known = fisher_exact(table).pvalue
        assert fisher_p(passed[0], ran[0], passed[1], ran[1]) == pytest.approx(known, rel=1e-6, abs=1e-250)


def counted_binomial(successes: int, trials: int, share: Fraction) -> Fraction:
    weights = [comb(trials, n) * share**n * (1 - share) ** (trials - n) for n in range(trials + 1)]
    return sum((weight for weight in weights if weight <= weights[successes]), Fraction())


def counted_fisher(first: int, first_of: int, second: int, second_of: int) -> Fraction:
    total = first + second
    ways = {
        n: comb(first_of, n) * comb(second_of, total - n)
        for n in range(max(0, total - second_of), min(first_of, total) + 1)
    }
    return Fraction(sum(n for n in ways.values() if n <= ways[first]), sum(ways.values()))


@given(st.integers(1, 40), st.data(), st.integers(1, 60), st.integers(1, 60))
def test_p_values_are_those_of_counting_every_outcome(trials: int, data: st.DataObject, one: int, two: int) -> None:
    successes = data.draw(st.integers(0, trials))
    share = Fraction(two, one + two)
    assert binomial_p(successes, trials, float(share)) == pytest.approx(
        float(counted_binomial(successes, trials, share)), rel=1e-9
    )
    first, second = data.draw(st.integers(0, one)), data.draw(st.integers(0, two))
    assert fisher_p(first, one, second, two) == pytest.approx(float(counted_fisher(first, one, second, two)), rel=1e-9)


@given(st.integers(0, 60), st.integers(0, 60))
def test_an_interval_ends_where_a_tail_is_two_and_a_half_percent(successes: int, failures: int) -> None:
    trials = successes + failures
    if not trials:
        return
    low, high = interval(successes, trials)
    if successes:
        above = sum(comb(trials, n) * low**n * (1 - low) ** (trials - n) for n in range(successes, trials + 1))
        assert above == pytest.approx(0.025, rel=1e-6)
    if failures:
        below = sum(comb(trials, n) * high**n * (1 - high) ** (trials - n) for n in range(successes + 1))
        assert below == pytest.approx(0.025, rel=1e-6)


def test_the_figures_of_the_first_incident() -> None:
    rates = compare_rates(12, 1, 4, 1)
    assert rates.ratio == pytest.approx(1 / 3)
    assert rates.high is not None
    assert (round(rates.low, 2), round(rates.high, 2), round(rates.p_value, 3)) == (0.08, 1.10, 0.077)
    assert round(fisher_p(1, 3, 3, 3), 2) == 0.40
    assert round(fisher_p(6, 16, 9, 16), 2) == 0.48


def test_millions_are_no_trouble() -> None:
    rates = compare_rates(2_000_000, 10**9, 2_000_100, 10**9)
    assert 0.9 < rates.p_value < 1
    assert rates.low < 1 < (rates.high or 0)
    assert compare_rates(2_000_000, 10**9, 2_100_000, 10**9).p_value < 1e-300


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_no_correction_and_bonferronis_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for p, c in zip(p_values, corrected, strict=True):
        assert p <= c <= min(1.0, p * len(p_values)) or c == pytest.approx(p)
    assert [c for _, c in sorted(zip(p_values, corrected, strict=True))] == sorted(corrected)
