"""JSON objects one after the other in (also a document that is cut off or broken in places), elements out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.json_values import NotJsonError, decode_at, decode_json, is_entry
from forensics.sources.keys import API_NAMES, ENTRY_KEYS
from forensics.sources.shapes.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.opening import Content

name = "JSON objects one after the other"

_ENTRY_KEY = re.compile("|".join(f'"{key}"' for key in sorted({*ENTRY_KEYS, *API_NAMES})))
# Every failure costs a look at all that came before; an export has one broken place, a hostile file has thousands.
_MOST_FAILURES = 1000

_COMMENTS = re.compile(r"(?:\s*(?:#|//)[^\n]*\n)*\s*")  # a licence, say
_BETWEEN = re.compile(r"[\s,\0\ufeff\x1e]*")
# Where an element can begin behind a broken one: `[ {`, `}, {`, `},\n{`, or `{` at the start of a line.
_NEXT_OBJECT = re.compile(r"(?:[\[,}]\s*|\n[ \t]*)(?=\{)")


def accepts(content: Content) -> bool:
    """Tell whether it begins like JSON, is not one whole value, and names a key of an entry."""
    text = content.head_text
    if not text.startswith(("{", "["), _start(text)) or _ENTRY_KEY.search(text) is None:
        return False
    try:
        decode_json(content.everything())
    except NotJsonError:
        return True
    return False


def read(content: Content) -> Iterator[Element]:
    """Yield one object after the other; what is broken is one problem, up to the next entry that can be read."""
    text = content.everything().decode("utf-8", "replace")
    position = _start(text)
    in_array = text.startswith("[", position)
    position = _after_gap(text, position + in_array)
    number = failures = 0
    while position < len(text) and not (in_array and text.startswith("]", position)):
        number += 1
        try:
            value, position = decode_at(text, position)
            yield Element(number=number, value=value)
        except NotJsonError as error:
            yield Element(number=number, problem=str(error))
            position, failed = _next_entry(text, position + 1, _MOST_FAILURES - failures)
            failures += failed + 1
        position = _after_gap(text, position)
    if in_array and not failures and position >= len(text):
        yield Element(number=number + 1, problem="the JSON ends early: the array is not closed")


def _start(text: str) -> int:
    comments = _COMMENTS.match(text)
    return _after_gap(text, comments.end() if comments else 0)


def _after_gap(text: str, position: int) -> int:
    gap = _BETWEEN.match(text, position)
    return gap.end() if gap else position


def _next_entry(text: str, position: int, most_failures: int) -> tuple[int, int]:
    """Find the next place where an entry can be decoded, or the end; say how often it failed."""
    failures = 0
    while failures < most_failures and (candidate := _NEXT_OBJECT.search(text, position)):
        try:
            value, _ = decode_at(text, candidate.end())
        except NotJsonError:
            value = None
            failures += 1
        if is_entry(value):
            return candidate.end(), failures
        position = candidate.end() + 1
    return len(text), failures
