"""Turn counts, exposures and p-values into the state of a signature, and into a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.assessment import ONE_SIDED, Assessment, all_on_one_side, episodes_needed
from forensics.comparison.exact import ALPHA
from forensics.model import ChangeState

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWS_FROM = 3.0
"""Expected occurrences from which on none at all means something (the rule of three)."""
TWOFOLD = 2.0
"""An interval that reaches so far, or down to the reciprocal, leaves open whether it is twice as bad or half."""
_CLUSTERED = 0.8
"""Episodes for each failure, up to which their number is told."""
_SMALL = 0.01
_LARGE = 100
# shop-api-00041-kum
_NUMBER = re.compile(r"-(\d{5})(?:-\w+)?$")


class Counted(NamedTuple):
    """Failures and exposures before and after; exposures are positive."""

    before: int
    exposure_before: int
    after: int
    exposure_after: int
    measure: str = "requests"
    """What the exposures count."""
    once_each: bool = False
    """True where a unit of the exposure fails once at most, as a start does."""

    @property
    def expected_after(self) -> float:
        """Occurrences now, if the rate had stayed as before."""
        return self.before * self.exposure_after / self.exposure_before

    @property
    def expected_before(self) -> float:
        """Occurrences before, if the rate had been as it is now."""
        return self.after * self.exposure_before / self.exposure_after

    def needed(self) -> int | None:
        """Return how many episodes on one side it takes, where the other one shows none; None where both show some."""
        if self.before and self.after:
            return None
        own, other = self.exposure_before, self.exposure_after
        return episodes_needed(*((own, other) if self.before else (other, own)), once_each=self.once_each)

    def is_told_by(self, episodes: tuple[int, int]) -> bool:
        """Tell whether one side has enough episodes to make none on the other one mean something."""
        own, other = self.exposure_before, self.exposure_after
        number, sides = (episodes[0], (own, other)) if self.before else (episodes[1], (other, own))
        return all_on_one_side(number, *sides, once_each=self.once_each) <= ONE_SIDED


def judge(counted: Counted, found: Assessment, corrected: float) -> ChangeState:
    """Choose the state; every word for a change needs a corrected p-value up to 5 %.

    `gone` and `new` also need an exposure in which the other side's rate would have shown three, and enough episodes
    on that side: one outage before and none now is what chance does in one pair of two.
    """
    clear, rates = corrected <= ALPHA, found.rates
    if not (counted.before and counted.after):
        expected = counted.expected_after if counted.before else counted.expected_before
        if clear and expected >= SHOWS_FROM and counted.is_told_by(found.episodes):
            return ChangeState.GONE if counted.before else ChangeState.NEW
        return _without_word(found)
    if clear and found.uneven and rates.ratio is not None and rates.ratio != 1:
        return ChangeState.WORSE if rates.ratio > 1 else ChangeState.BETTER
    if clear and rates.high is not None and rates.high < 1:
        return ChangeState.BETTER
    return ChangeState.WORSE if clear and rates.low > 1 and not found.uneven else _without_word(found)


def _without_word(found: Assessment) -> ChangeState:
    """Tell what is nearly the same from what may be twice as much, or half."""
    low, high = found.rates.low, found.rates.high
    is_wide = found.uneven or high is None or high >= TWOFOLD or low <= 1 / TWOFOLD
    return ChangeState.UNCLEAR if is_wide else ChangeState.NO_CHANGE


def sentence(
    counted: Counted,
    found: Assessment,
    state: ChangeState,
    corrected: float,
    baselines: Sequence[str] = (),
) -> str:
    """Write a state with its numbers: `12 → 4 (ratio 0.33, 0.08–1.10): unclear`."""
    equal = counted.exposure_before == counted.exposure_after
    comma = "," if any(map(_is_clustered, (counted.before, counted.after), found.episodes)) else ""
    where = "" if equal else f"{comma} in {counted.exposure_before:,} → {counted.exposure_after:,} {counted.measure}"
    before, after = (
        _failures(count, episodes)
        for count, episodes in zip((counted.before, counted.after), found.episodes, strict=True)
    )
    said = _said(counted, found, state, corrected, baselines)
    return f"{before} → {after}{where} ({_ratio(found)}): {said}"


def _is_clustered(count: int, episodes: int) -> bool:
    """Tell whether failures came together often enough to be worth a word."""
    return episodes < _CLUSTERED * count


def _failures(count: int, episodes: int) -> str:
    """Write a count, with its episodes where several failures came together."""
    return f"{count:,} failures in {_episodes(episodes)}" if _is_clustered(count, episodes) else f"{count:,}"


def _episodes(number: int) -> str:
    return "1 episode" if number == 1 else f"{number:,} episodes"


def _ratio(found: Assessment) -> str:
    rates = found.rates
    if found.uneven:
        told = "no ratio" if rates.ratio is None else f"ratio {number(rates.ratio)}"
        return f"{told}; {found.uneven}"
    if rates.ratio is not None and rates.high is not None:
        return f"ratio {number(rates.ratio)}, {number(rates.low)}–{number(rates.high)}"
    return f"ratio above {number(rates.low)}"


def _said(counted: Counted, found: Assessment, state: ChangeState, corrected: float, baselines: Sequence[str]) -> str:
    if counted.before and counted.after:
        return f"{state}{_against(baselines)}" if state in {ChangeState.WORSE, ChangeState.BETTER} else state.value
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
    if not counted.is_told_by(found.episodes):
        episodes = "one episode" if max(found.episodes) == 1 else _episodes(max(found.episodes))
        return f"{state}; {episodes} cannot tell ({counted.needed()} are needed)"
    return f"{state}; not seen {when}, but too rare to say it is {word} (corrected p = {corrected:.2f})"


def _against(baselines: Sequence[str]) -> str:
    """Say what one baseline cannot show, or how many there were."""
    if len(baselines) > 1:
        return f" against {len(baselines)} revisions, by more than these differ among themselves"
    alone = f" against {short(baselines[0])} alone" if baselines else ""
    return f"{alone}; how much revisions differ by themselves is not known; --baseline previous:5 asks"


def short(revision: str) -> str:
    """Return the number of a revision, its whole name where it has none."""
    found = _NUMBER.search(revision)
    return found[1] if found else revision


def number(value: float) -> str:
    """Write a ratio with two decimals; below 0.01 with one significant digit, from 100 on without decimals."""
    if value >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= _SMALL or not value else f"{value:.1g}"


def amount(value: float) -> str:
    """Write an expected count: `46`, `2.4`."""
    return f"{value:.1f}".removesuffix(".0") if value < _LARGE else f"{value:,.0f}"
