"""One JSON document: an array, an object that wraps a list of entries, or a single entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.sources.formats import sequence
from forensics.sources.formats.element import Element
from forensics.sources.json.json_values import NotJsonError, decode_json, entries_in, is_empty
from forensics.sources.json.windows import SlidingWindow
from forensics.sources.json.wrappers import Beginning, Wrapper, beginning_of, go_to_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = 'a JSON array of entries, `{"entries": […]}` or another object around them, a single entry'


def accepts(content: TextContent) -> bool:
    """Tell whether the content is one JSON value with entries, or an empty list of them."""
    if content.head.lstrip(b"\0 \t\r\n")[:1] not in {b"{", b"["}:
        return False
    if not content.is_whole:
        beginning = beginning_of(content)
        if beginning is not Beginning.UNKNOWN or content.is_cut:
            return beginning is Beginning.WRAPPER  # a large array is read as the objects that it holds
    try:
        value = decode_json(content.everything())
    except NotJsonError:
        return False
    return entries_in(value) is not None or is_empty(value)


def read(content: TextContent) -> Iterator[Element]:
    """Yield the elements of the list, or the one entry."""
    if not content.is_whole and beginning_of(content) is Beginning.WRAPPER:
        yield from _read_in_steps(SlidingWindow(content.blocks()))
        return
    entries = entries_in(decode_json(content.everything())) or []
    for number, value in enumerate(entries, start=1):
        yield Element(number=number, value=value)


def _read_in_steps(window: SlidingWindow) -> Iterator[Element]:
    """Yield the elements of lists that are too large for memory; after a broken element, read on one by one."""
    go_to_start(window)
    is_object = window.text.startswith("{", window.position)
    wrapper = Wrapper(window)
    number = failures = 0
    try:
        for number, value in enumerate(wrapper.entries(), start=1):
            yield Element(number=number, value=value)
    except NotJsonError as error:
        if not number:
            yield from sequence.from_beginning(window).elements()
            return
        if is_object:  # one broken value: it is reported, and its parts are read as values of their own
            yield Element(number=1, problem=str(error))
            number, failures = number + 1, 1
    rest = sequence.Sequence(window, in_array=wrapper.is_in_array, number=number, failures=failures)
    yield from rest.elements()
