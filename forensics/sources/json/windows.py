"""A window that moves over the blocks of a file, as bytes and as text, and knows its place in the file."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from forensics.sources.json.json_values import BrokenJsonError, NotJsonError, decode_at
from forensics.sources.line_blocks import LONGEST_ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 256 * 1024
"""Bytes decoded at once: large enough to make calls cheap, small enough for the values to fit into the cache."""
LONGEST = LONGEST_ENTRY

# No literal, number or escape is longer, and the parser may have stopped inside one. What stands further back than
# that stays as it is, whatever text follows.
_MARGIN = 16
_CLOSED = ("}", "]", '"')


class NeedsMoreError(Exception):
    """The value at a position continues beyond the window."""


class SlidingWindow:
    """The part of a file that was read and is not used up yet; `position` is an index into its text."""

    def __init__(self, blocks: Iterable[bytes], *, is_part: bool = False) -> None:
        self._blocks = iter(blocks)
        self._is_part = is_part
        self.is_end = False
        """True when the window reaches the end of the file; never for a part of a file."""
        self.data = b""
        self.position = 0
        self._text: str | None = None
        self._counted = (0, 0)
        self._characters = self._lines = self._column = 0
        self.fill()

    @property
    def text(self) -> str:
        """`data` as text; bytes that are no UTF-8 become replacement characters."""
        if self._text is None:
            self._text = self.data.decode("utf-8", "replace")
        return self._text

    @property
    def line(self) -> int:
        """The number of the file's line at the position, from 1."""
        place, lines = self._counted if self._counted[0] <= self.position else (0, 0)
        lines += self.text.count("\n", place, self.position)
        self._counted = (self.position, lines)
        return self._lines + lines + 1

    def fill(self, size: int = 0) -> bool:
        """Read until the window has `size` bytes, at least one block; return whether anything was read."""
        wanted = max(size, BLOCK) - len(self.data)
        parts = []
        while wanted > 0 and not self.is_end:
            block = next(self._blocks, None)
            if block is None:
                self.is_end = not self._is_part
                break
            parts.append(block)
            wanted -= len(block)
        if parts:
            self.settle()
            self.data = b"".join([self.data, *parts])
            self._text = None
        return bool(parts)

    def grow(self) -> bool:
        """Drop what is used up and double the window, within limits; return whether anything changed.

        Raise NeedsMoreError where a part of a file ends.
        """
        size_before = len(self.data)
        self.settle()
        if self.is_end or len(self.data) >= LONGEST:
            return len(self.data) < size_before
        if not self.fill(min(2 * len(self.data), LONGEST)) and self._is_part:
            raise NeedsMoreError
        return True

    def settle(self) -> None:
        """Drop everything before the position."""
        if self.position:
            self.drop(_bytes_before(self.data, self.text, self.position))

    def drop(self, size: int) -> None:
        """Drop some bytes at the beginning."""
        passed = self.data[:size]
        lines = passed.count(b"\n")
        self._lines += lines
        self._column = _length(passed[passed.rfind(b"\n") + 1 :]) + (0 if lines else self._column)
        self._characters += _length(passed)
        self.data, self._text, self.position, self._counted = self.data[size:], None, 0, (0, 0)

    def decode(self, position: int) -> tuple[Any, int]:
        """Decode the JSON value at a position; return the value and its end. Raise NotJsonError or NeedsMoreError."""
        text = self.text
        try:
            value, end = decode_at(text, position)
        except BrokenJsonError as error:
            if self.is_end or (_MARGIN + error.position < len(text) and not error.is_open):
                raise NotJsonError(self.with_place(error.problem, error.position)) from error
        else:
            if self.is_end or end + _MARGIN < len(text) or text.startswith(_CLOSED, end - 1):
                return value, end
        raise NeedsMoreError

    def with_place(self, problem: str, place: int | None = None) -> str:
        """Add line and column in the file to a problem; `place` is an index into the text, else the position."""
        text, place = self.text, self.position if place is None else place
        lines = text.count("\n", 0, place)
        column = place - text.rfind("\n", 0, place) if lines else self._column + place + 1
        line, character = self._lines + lines + 1, self._characters + place
        return f"no JSON: {problem}: line {line} column {column} (char {character})"


def _length(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.decode("utf-8", "replace"))


def _bytes_before(data: bytes, text: str, position: int) -> int:
    """Return how many bytes come before a position of their text."""
    if position >= len(text):
        return len(data)
    if len(data) == len(text):
        return position
    if "\N{REPLACEMENT CHARACTER}" not in text:
        return len(text[:position].encode())
    return bisect_right(range(len(data)), position, key=lambda size: _length(data[:size])) - 1
