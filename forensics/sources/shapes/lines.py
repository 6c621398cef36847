"""One JSON value a line in, elements out; a line that is none costs that line only."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from forensics.sources.json_values import NotJsonError, decode_json, entries_in
from forensics.sources.shapes.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.opening import Content

name = "one JSON entry a line"

_LOOKED_AT = 100
# Cloud Logging's own limit for an entry is 256 KiB.
_LONGEST_LINE = 16 * 1024 * 1024


def accepts(content: Content) -> bool:
    """Tell whether the first line is an entry, or, behind a line that is no JSON at all, one of the next."""
    head_lines = content.head.split(b"\n")
    if not content.is_whole:
        head_lines.pop()
    filled = [line.strip() for line in head_lines if line.strip(b"\0 \t\r")]
    if not filled:
        return False
    first = _entries(filled[0])
    if first is not None:
        # A single line may be a whole document: then its elements are counted, not its lines.
        return isinstance(first, dict) or len(filled) > 1
    looks_like_document = filled[0][:1] in {b"{", b"["}
    return not looks_like_document and any(_entries(line) is not None for line in islice(filled, 1, _LOOKED_AT))


def _entries(line: bytes) -> Any:
    """The value of a line that holds entries, else None."""
    if line[:1] not in {b"{", b"["}:
        return None
    try:
        value = decode_json(line)
    except NotJsonError:
        return None
    found = entries_in(value)
    return None if found is None else value if found == [value] else found


def read(content: Content) -> Iterator[Element]:
    """Yield every line that is not blank."""
    for number, line in enumerate(_lines(content.blocks()), start=1):
        if line is None:
            yield Element(number=number, problem=f"a line of more than {_LONGEST_LINE // 2**20} MiB")
        elif line and not line.isspace() and line.strip(b"\0 \t\r"):
            yield element_of(number, line)


def element_of(number: int, line: bytes) -> Element:
    """Parse one line; what is no JSON becomes a problem."""
    try:
        return Element(number=number, value=decode_json(line))
    except NotJsonError as error:
        return Element(number=number, problem=str(error))


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Split blocks into lines; None stands for a line that is too long to be kept."""
    rest = b""
    too_long = False
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield None if too_long else line
            too_long = False
        if len(rest) > _LONGEST_LINE:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest
