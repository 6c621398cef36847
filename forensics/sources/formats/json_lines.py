"""NDJSON: one JSON value in each line; a broken line does not affect the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.sources.api_keys import ANY_KEYS
from forensics.sources.formats.element import Element
from forensics.sources.json.json_values import NotJsonError, decode_at, decode_json, entries_in
from forensics.sources.line_blocks import LONGEST_ENTRY, lines_of, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "one JSON entry a line"

_LOOKED_AT = 100
_ENOUGH = 3  # among other lines; a single entry was more likely pasted into a text
_LONGEST = LONGEST_ENTRY
# Prose with code blocks may begin like log lines with remarks between them.
_FENCE = re.compile(rb"^[ \t]*(?:```|~~~)", re.MULTILINE)
_FIRST_KEY = re.compile(r'\s*\{\s*"(\w+)"\s*:')


def accepts(content: TextContent) -> bool:
    """Tell whether the first line is an entry; after a first line that is no JSON, look at a few more."""
    filled = [line.strip() for line in content.head_lines() if line.strip(b"\0 \t\r")]
    if not filled:
        return False
    if not content.is_whole and b"\n" not in content.head:
        return _is_long_entry(content.head_text)
    first = _entries(filled[0])
    if first is not None:
        # A single line may be a whole document: then its elements are counted, not its lines.
        return isinstance(first, dict) or len(filled) > 1
    if filled[0][:1] in {b"{", b"["} or _FENCE.search(content.head):
        return False
    others = filled[1:_LOOKED_AT]
    entries = sum(_entries(line) is not None for line in others)
    return entries >= _ENOUGH or 2 * entries > len(others)


def _is_long_entry(text: str) -> bool:
    """Tell whether a long text is one entry of many megabytes, rather than entries without line breaks between them."""
    key = _FIRST_KEY.match(text)
    if key is None or key[1] not in ANY_KEYS:
        return False
    try:
        decode_at(text, text.index("{"))
    except NotJsonError:
        return True
    return False


def _entries(line: bytes) -> Any:
    """Return the value of a line with entries, else None."""
    if line[:1] not in {b"{", b"["}:
        return None
    try:
        value = decode_json(line)
    except NotJsonError:
        return None
    found = entries_in(value)
    return None if found is None else value if found == [value] else found


def read(content: TextContent) -> Iterator[Element]:
    """Yield every line that is not blank."""
    for number, line in enumerate(lines_of(content.blocks(), _LONGEST), start=1):
        if line is None:
            yield Element(number=number, problem=too_long(_LONGEST))
        elif line and not line.isspace() and line.strip(b"\0 \t\r"):
            yield element_of(number, line)


def element_of(number: int, line: bytes) -> Element:
    """Parse one line; a line that is no JSON becomes an element with a problem."""
    try:
        return Element(number=number, value=decode_json(line))
    except NotJsonError as error:
        return Element(number=number, problem=str(error))
