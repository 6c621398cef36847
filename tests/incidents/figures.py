"""Find the figures of a sentence that no value supports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.text.timestamps import format_lag, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

SECOND = 1_000_000_000
_FIGURE = re.compile(r"\d[\d.,:]*\d|\d")


def uncarried(text: str, values: Iterable[object]) -> list[str]:
    """Return the figures that remain in a sentence when every value, as a whole, is removed from it."""
    shown = {one for value in values for one in _ways(value)} - {""}
    for piece in sorted(shown, key=lambda one: (-len(one), one)):
        before = r"(?<![\w.,:])" if piece[0].isalnum() else ""
        after = r"(?![\d]|[.,:]\d)" if piece[-1].isalnum() else ""
        text = re.sub(before + re.escape(piece) + after, " ", text)
    return _FIGURE.findall(text)


def _ways(value: object) -> tuple[str, ...]:
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, int):
        return (str(value), f"{value:,}")
    return (str(value),)


def apart(one: int, other: int) -> str:
    """Write how far two moments lie apart, and on which side the first one lies."""
    gap = one - other
    return f"{format_seconds(abs(gap))} {'after' if gap >= 0 else 'before'}" if gap else "when"


def seconds(value: float) -> str:
    """Write seconds as documents do."""
    return format_seconds(round(value * SECOND))


def lag(low: float, high: float) -> str:
    """Write a span of seconds as documents do."""
    return format_lag((low, high))
