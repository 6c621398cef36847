"""Turn counts, exposures and p-values into the state of a signature, and into a sentence."""

from __future__ import annotations

from typing import NamedTuple

from forensics.comparison.exact import ALPHA, Rates, compare_rates, fisher_p, rate_p
from forensics.model import ChangeState

SHOWS_FROM = 3.0
"""Expected occurrences from which on none at all means something (the rule of three)."""
_SMALL = 0.01
_LARGE = 100


class Counted(NamedTuple):
    """Occurrences and exposures before and after; exposures are positive."""

    before: int
    exposure_before: int
    after: int
    exposure_after: int

    def rates(self, *, once_each: bool) -> Rates:
        """Compare the two rates; `once_each` if a unit of the exposure can fail only once, like an instance start."""
        return compare_rates(*self)._replace(p_value=self.p_value(once_each=once_each))

    def p_value(self, *, once_each: bool) -> float:
        """Return the probability of a difference this large without a change."""
        if not once_each or self.before > self.exposure_before or self.after > self.exposure_after:
            return rate_p(*self)
        # All of twelve starts against none of three is significant, though as rates they are not far apart.
        return fisher_p(*self)

    def rates_within(self, margin_before: int, margin_after: int) -> Rates:
        """Compare the rates when exposures are estimates with margins: what holds at both ends of the margins."""
        least = compare_rates(
            self.before, max(1, self.exposure_before - margin_before), self.after, self.exposure_after + margin_after
        )
        most = compare_rates(
            self.before, self.exposure_before + margin_before, self.after, max(1, self.exposure_after - margin_after)
        )
        p_value = max(least.p_value, most.p_value)
        if least.ratio is not None and most.ratio is not None and least.ratio <= 1 <= most.ratio:
            p_value = 1.0
        return compare_rates(*self)._replace(low=least.low, high=most.high, p_value=p_value)

    @property
    def expected_after(self) -> float:
        """Occurrences now, if the rate had stayed as before."""
        return self.before * self.exposure_after / self.exposure_before

    @property
    def expected_before(self) -> float:
        """Occurrences before, if the rate had been as it is now."""
        return self.after * self.exposure_before / self.exposure_after


def judge(counted: Counted, rates: Rates, corrected: float) -> ChangeState:
    """Choose the state; every word for a change needs a corrected p-value up to 5 %.

    `gone` and `new` also need an exposure in which the other side's rate would have shown three. That alone is not
    enough: with equal traffic, chance makes three before and none now in one pair of four.
    """
    clear = corrected <= ALPHA
    if not counted.after:
        return ChangeState.GONE if clear and counted.expected_after >= SHOWS_FROM else ChangeState.NO_CHANGE
    if not counted.before:
        return ChangeState.NEW if clear and counted.expected_before >= SHOWS_FROM else ChangeState.NO_CHANGE
    if clear and rates.high is not None and rates.high < 1:
        return ChangeState.BETTER
    return ChangeState.WORSE if clear and rates.low > 1 else ChangeState.NO_CHANGE


def sentence(counted: Counted, rates: Rates, state: ChangeState, measure: str, corrected: float) -> str:
    """Write a state with its numbers: `12 → 4 (ratio 0.33, 0.08–1.10): no detectable change`."""
    equal = counted.exposure_before == counted.exposure_after
    where = "" if equal else f" in {counted.exposure_before:,} → {counted.exposure_after:,} {measure}"
    ratio = f"above {number(rates.low)}"
    if rates.ratio is not None and rates.high is not None:
        ratio = f"{number(rates.ratio)}, {number(rates.low)}–{number(rates.high)}"
    numbers = f"{counted.before:,} → {counted.after:,}{where} (ratio {ratio})"
    return f"{numbers}: {_words_of(counted, state, corrected)}"


def _words_of(counted: Counted, state: ChangeState, corrected: float) -> str:
    if counted.before and counted.after:
        return state.value
    when, word = ("before", "new") if counted.after else ("now", "gone")
    rate, expected = (
        ("the rate of now", counted.expected_before) if counted.after else ("the old rate", counted.expected_after)
    )
    would = f"{rate} would have shown {amount(expected)}"
    if state is ChangeState.GONE:
        return f"gone, resolved: {would}"
    if state is ChangeState.NEW:
        return f"new, since {would} before"
    if expected < SHOWS_FROM:
        return f"{state}; not seen {when}, not enough traffic to say it is {word} ({would}, {SHOWS_FROM:g} are needed)"
    return f"{state}; not seen {when}, but too rare to say it is {word} (corrected p = {corrected:.2f})"


def number(value: float) -> str:
    """Write a ratio with two decimals; below 0.01 with one significant digit, from 100 on without decimals."""
    if value >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= _SMALL or not value else f"{value:.1g}"


def amount(value: float) -> str:
    """Write an expected count: `46`, `2.4`."""
    return f"{value:.1f}".removesuffix(".0") if value < _LARGE else f"{value:,.0f}"
