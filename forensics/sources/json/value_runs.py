"""Decode a run of consecutive JSON values at once, as many as can be delimited with certainty.

The fast decoder says whether bytes are JSON, but not where a value ends when more bytes follow. So the end is guessed:
the place where an object seems to begin in the same way as the first one. The guess is proved when the bytes up to
there decode as a list, since text between objects is inside none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.json.windows import SlidingWindow

RUN = 256 * 1024
_decoder = msgspec.json.Decoder(list[Any])
_one_after_the_other = msgspec.json.Decoder()
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_raw_one_after_the_other = msgspec.json.Decoder(msgspec.Raw)
# `{"insertId"`, with its line break and indent: objects inside of others are indented deeper.
_OPENING = re.compile(rb'\{\s*"[^"\\]{1,80}"')
_GAP = re.compile(rb"[ \t\r\n]*,?[ \t\r\n]*")
_SPACES = b" \t\r\n"
_WIDEST_GAP = 256
# Where the next object may begin otherwise, looked for at the end.
_NEXT_OBJECT = re.compile(rb"\}[ \t\r\n]*+(?:,[ \t\r\n]*+)?(?=\{)")
_LOOKED_AT = 64 * 1024
_MOST_OTHERS = 3


def decoded_run(window: SlidingWindow, *, in_array: bool, raw: bool = False) -> list[Any]:
    """Decode and consume a run of values; an empty list means that nothing is certain.

    A raw value is its bytes (msgspec.Raw): its end is certain, the contents of its strings were not checked.
    """
    window.settle()
    is_cut = len(window.data) > 2 * RUN
    data = window.data[:RUN] if is_cut else window.data
    gap = _GAP.match(data)
    start = gap.end() if gap else 0
    opening = _OPENING.match(data, start)
    if opening is None:
        return []
    for end, has_comma in _ends(data, opening[0], start, is_end=window.is_end and not is_cut):
        values = [] if in_array and not has_comma else _decoded(data[start:end], has_comma=has_comma, raw=raw)
        if values:
            window.drop(end)
            return values
    return []


def _decoded(data: bytes, *, has_comma: bool, raw: bool) -> list[Any]:
    try:
        if has_comma:
            return (_raw_decoder if raw else _decoder).decode(b"".join((b"[", data, b"]")))
        return (_raw_one_after_the_other if raw else _one_after_the_other).decode_lines(data)
    except (ValueError, RecursionError):  # decoding one by one reports the exact problem
        return []


def _ends(data: bytes, opening: bytes, start: int, *, is_end: bool) -> Iterator[tuple[int, bool]]:
    """Yield guesses of where a value ends, the best first, and whether a comma follows."""
    if is_end:
        everything = data.rstrip(_SPACES)
        is_closed = everything.endswith(b"]")
        yield len(everything) - is_closed, is_closed
    last = _beginning_before(data, opening, start, len(data))
    middle = len(data) // 2
    if last > middle:
        yield _end_before(data, last)
    tail = max(start + 1, len(data) - _LOOKED_AT)
    for other in [*_NEXT_OBJECT.finditer(data, tail)][-1 : -1 - _MOST_OTHERS : -1]:
        yield other.start() + 1, b"," in other[0]
    # A broken place is likelier behind the middle than before it the nearer the middle is to the beginning.
    while last > start:
        last = _beginning_before(data, opening, start, min(last, middle + 1))
        middle //= 2
        if last > start:
            yield _end_before(data, last)


def _beginning_before(data: bytes, opening: bytes, start: int, end: int) -> int:
    """Return the last position before `end` where an object begins with these bytes after another object; else -1."""
    at = data.rfind(opening, start + 1, end)
    while at > start and data[_end_before(data, at)[0] - 1 : at][:1] != b"}":
        at = data.rfind(opening, start + 1, at)
    return at


def _end_before(data: bytes, at: int) -> tuple[int, bool]:
    """Return the end of the value before a position, and whether a comma lies between."""
    between = data[max(0, at - _WIDEST_GAP) : at]
    before = between.rstrip(_SPACES)
    value = before.removesuffix(b",").rstrip(_SPACES)
    return at - len(between) + len(value), before.endswith(b",")
