"""Bookkeeping of the times whose entries a watch may have missed and that no listing has brought yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.model import UnreadSpan
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Open(Struct):
    """An `UnreadSpan` that is still being filled or extended; times in nanoseconds."""

    start: int
    """Time of the last entry received before it."""
    end: int | None
    """None while nothing arrives."""
    reason: str


class UnreadTimes:
    """The unread times of one watch, in order; listings fill them from the front."""

    def __init__(self) -> None:
        self._spans: list[_Open] = []

    def __bool__(self) -> bool:
        return bool(self._spans)

    def starts(self) -> Iterator[int]:
        """Yield where each of them starts, in nanoseconds."""
        return (span.start for span in self._spans)

    def begin(self, start: int, reason: str) -> None:
        """Note that nothing arrives from a time on; where that is noted already, the latest reason is kept."""
        if self._spans and self._spans[-1].end is None:
            self._spans[-1].reason = reason
            return
        self._spans.append(_Open(start=start, end=None, reason=reason))

    def end(self, time: int) -> None:
        """Note that everything arrives again from a time on."""
        for span in self._spans:
            span.end = span.end or time

    def fill(self, until: int) -> None:
        """Note that a listing has brought every entry up to a time."""
        self._spans = [span for span in self._spans if span.end is None or span.end > until]
        for span in self._spans:
            span.start = max(span.start, until)

    def clear(self) -> None:
        """Note that a listing has come to its end."""
        self._spans.clear()

    def spans(self, end: int) -> tuple[UnreadSpan, ...]:
        """Return them as they are recorded and reported; those that go on last until `end`."""
        return tuple(
            UnreadSpan(
                from_time=format_time(span.start),
                to_time=format_time(max(span.start, end if span.end is None else min(span.end, end))),
                reason=span.reason,
            )
            for span in self._spans
        )
