"""One JSON document in (an array, an object that wraps a list of entries, a single entry), its elements out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.sources.json_values import NotJsonError, decode_json, entries_in, is_empty
from forensics.sources.shapes.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.opening import Content

name = 'a JSON array of entries, `{"entries": […]}` or another object around them, a single entry'


def accepts(content: Content) -> bool:
    """Tell whether the whole is one JSON value that holds entries, or none yet."""
    if content.head.lstrip(b"\0 \t\r\n")[:1] not in {b"{", b"["}:
        return False
    try:
        value = decode_json(content.everything())
    except NotJsonError:
        return False
    return entries_in(value) is not None or is_empty(value)


def read(content: Content) -> Iterator[Element]:
    """Yield the elements of the list, or the one entry."""
    entries = entries_in(decode_json(content.everything())) or []
    for number, value in enumerate(entries, start=1):
        yield Element(number=number, value=value)
