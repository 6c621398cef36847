"""Whether causes keep one lag to their symptoms: a test of order at the scale of the lag.

What shares bad minutes, load or an instance stands near by more than chance, and explains nothing. A cause explains
more: its symptoms follow at one lag. So the onsets of the symptom are moved within cells that are a few times as long
as the lag is precise, and the test asks how often as many onsets then have a cause in one band of lags (interval
jitter: Platkiewicz, Stark & Amarasingham 2017, doi:10.1007/s10827-017-0651-8; drawing anew in fixed cells is exact).

Times are counted in steps of half a band. The causes near one onset are the bits of one integer, moving the onset
shifts them, and the onsets of a band are summed for all bands at once, digit by digit. So the cost does not depend on
how often the cause was logged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache
from hashlib import shake_128
from typing import TYPE_CHECKING, NamedTuple

from forensics.links.clocks import common_period
from forensics.model.clusters import FEWEST, ORDERED_P, ORDERED_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCALES = (250_000_000, 1_000_000_000)
"""Widths of a band of lags, nanoseconds: each is tried, and the p-value corrected for it."""
LOOSE = 4_000_000_000
"""A band this wide shows that both keep step within half a minute, and no more."""
CELL = 16
"""Half bands in a cell: onsets are moved within eight bands."""
FEW = 6
"""Fewer onsets are moved within twice as many of the narrowest bands: three could not tell anything otherwise."""
ROUNDS = 499
PERIODS = 10
"""Whole periods by which onsets are moved at most, either way."""
ONSETS = 60
"""Onsets that are looked at, evenly spread."""
LATE = 250_000_000
"""A cause may be logged this long after its symptom."""


class Order(NamedTuple):
    """How strictly onsets follow their causes."""

    p_value: float
    share: float
    """Of the onsets that chance would not bring into the band, the share that stands there."""
    lag: float
    """Where the band begins, seconds before the onset."""
    width: float
    """Of the band, seconds."""
    by_clock: float | None = None
    """Where both keep a period: how often as many stand in the band when onsets are moved by whole periods."""

    @property
    def holds(self) -> bool:
        """Tell whether the cause keeps order, and not only time."""
        is_ordered = self.p_value <= ORDERED_P and self.share >= ORDERED_SHARE
        return is_ordered and (self.by_clock is None or self.by_clock <= ORDERED_P)


def onsets_of(times: Iterable[int], width: int) -> list[int]:
    """Keep of times, in order, those before which nothing happened for half a cell: a burst has one onset."""
    kept: list[int] = []
    last: int | None = None
    for time in times:
        if last is None or time - last > width * CELL // 4:
            kept.append(time)
        last = time
    return kept


def order_of(
    failures: Sequence[Sequence[int]],
    causes: Sequence[Sequence[int]],
    window: int,
    scales: Sequence[int] = SCALES,
    *,
    anywhere: Sequence[int] | None = None,
) -> Order | None:
    """Test whether failures follow causes at one lag.

    Both are times in nanoseconds, in order, a sequence for each instance, the same instances in the same order. With
    `anywhere`, the causes of all instances, onsets that are moved by whole periods may meet any of them: two jobs that
    start by the clock share an instance whenever both look for the same free one.

    Returns:
        The most telling scale, its p-value corrected for the number of scales; None with fewer than three onsets.
    """
    found = [order for width in scales if (order := _at_scale(failures, causes, window, width)) is not None]
    if not found:
        return None
    best = min(found, key=lambda order: (order.p_value, -order.share, order.width))
    best = best._replace(p_value=min(1.0, best.p_value * len(scales)))
    period = common_period(failures, causes) if best.holds else None
    if period is None:
        return best
    by_clock = _by_clock(failures, causes, anywhere, window, period=period, width=int(best.width * 1e9))
    return best._replace(by_clock=by_clock)


def _at_scale(
    failures: Sequence[Sequence[int]], causes: Sequence[Sequence[int]], window: int, width: int
) -> Order | None:
    placed = _placed(failures, causes, width)
    if len(placed) < FEWEST:
        return None
    frame = _Frame(window, width, 2 * CELL if len(placed) < FEW and width == min(SCALES) else CELL)
    bits = [frame.bits(own, time) for time, own in placed]
    count, band = _most(bits, frame.allowed)
    start = min(time for time, _ in placed)  # cells move with the log, so that another day changes nothing
    positions = [((time - start) // frame.step + frame.cell // 2) % frame.cell for time, _ in placed]
    draws = _draws(len(placed))
    totals = [
        _most([_moved(*one, frame.cell) for one in zip(bits, positions, draws[at:], strict=False)], frame.allowed)[0]
        for at in range(0, len(draws), len(placed))
    ]
    usual = sum(totals) / ROUNDS
    share = (count - usual) / (len(placed) - usual) if len(placed) > usual else 0.0
    p_value = (1 + sum(total >= count for total in totals)) / (ROUNDS + 1)
    return Order(p_value, max(share, 0.0), (frame.first + band) * frame.step / 1e9, width / 1e9)


def _by_clock(
    failures: Sequence[Sequence[int]],
    causes: Sequence[Sequence[int]],
    anywhere: Sequence[int] | None,
    window: int,
    *,
    period: int,
    width: int,
) -> float:
    """Return how often as many onsets stand in one band when each is moved by up to ten whole periods."""
    frame = _Frame(window, width, CELL)
    placed = _placed(failures, causes, width)
    moves = [period * number for number in (*range(-PERIODS, 0), *range(1, PERIODS + 1))]
    # Not beyond what was recorded, where no cause can stand.
    start, end = min(time for time, _ in placed), max(time for time, _ in placed)
    bits = [
        [
            frame.bits(own if anywhere is None else anywhere, time + move)
            for move in moves
            if start <= time + move <= end
        ]
        or [frame.bits(own, time)]
        for time, own in placed
    ]
    count, _ = _most([frame.bits(own, time) for time, own in placed], frame.allowed)
    draws = _draws(len(placed))
    totals = [
        _most([own[draw % len(own)] for own, draw in zip(bits, draws[at:], strict=False)], frame.allowed)[0]
        for at in range(0, len(draws), len(placed))
    ]
    return (1 + sum(total >= count for total in totals)) / (ROUNDS + 1)


def _placed(
    failures: Sequence[Sequence[int]], causes: Sequence[Sequence[int]], width: int
) -> list[tuple[int, Sequence[int]]]:
    """Return onsets with the causes of their instance, evenly spread where there are many."""
    pairs = zip(failures, causes, strict=True)
    found = [(time, own) for times, own in pairs for time in onsets_of(times, width)]
    return [found[at * len(found) // ONSETS] for at in range(ONSETS)] if len(found) > ONSETS else found


class _Frame:
    """The half bands of lags that are looked at, for one window and width."""

    def __init__(self, window: int, width: int, cell: int) -> None:
        self.cell, self.step = cell, width // 2
        bands = window // self.step + LATE // self.step + 1
        self.first = -(LATE // self.step) - cell
        """The half band of bit 0: a cell behind the latest cause that counts, so that moved causes are not lost."""
        self.size = bands + 2 * cell
        self.allowed = ((1 << bands) - 1) << cell

    def bits(self, causes: Sequence[int], time: int) -> int:
        """Set a bit for each half band in which a cause stands before a time."""
        bits = 0
        earliest, latest = time - (self.first + self.size) * self.step, time - self.first * self.step
        for cause in causes[bisect_left(causes, earliest) : bisect_right(causes, latest)]:
            at = (time - cause) // self.step - self.first
            if 0 <= at < self.size:
                bits |= 1 << at
        return bits


def _moved(bits: int, position: int, draw: int, cell: int) -> int:
    """Move an onset to another place of its cell."""
    shift = draw % cell - position
    return bits << shift if shift >= 0 else bits >> -shift


def _most(onsets: Sequence[int], allowed: int) -> tuple[int, int]:
    """Return the most onsets that have a cause in one band, and the first half band of the first such band."""
    digits: list[int] = []
    for bits in onsets:
        carry = bits & allowed
        carry |= carry >> 1  # a band is this half and the next
        for at, digit in enumerate(digits):
            if not carry:
                break
            digits[at], carry = digit ^ carry, digit & carry
        if carry:
            digits.append(carry)
    most, where = 0, -1
    for at in range(len(digits) - 1, -1, -1):
        if digits[at] & where:
            where &= digits[at]
            most |= 1 << at
    return most, (where & -where).bit_length() - 1 if most else 0


@lru_cache(maxsize=64)
def _draws(onsets: int) -> bytes:
    """Draw a number for each onset of each round; the same number of onsets draws the same."""
    return shake_128(b"order").digest(onsets * ROUNDS)
