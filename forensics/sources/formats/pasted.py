"""JSON entries that were pasted into a text or source file; everything else is ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.api_keys import ANY_KEYS
from forensics.sources.formats.element import Element
from forensics.sources.json.json_values import NotJsonError, is_entry
from forensics.sources.json.windows import LONGEST, NeedsMoreError, SlidingWindow
from forensics.sources.line_blocks import sliced, too_long

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "an entry as JSON inside another text"

# An object whose first key may be an entry's: {"insertId": …
_BEGINNING = re.compile(r"\{\s*\"(?:" + "|".join(sorted(ANY_KEYS)) + r")\"\s*:")
_LONGEST_BEGINNING = 64 * 1024
# The margin of a comment: ` * `, `// `, `# `, `> `
_MARGIN = re.compile(r"^[ \t]*(?://+|\*(?!/)|#+|>)[ \t]?", re.MULTILINE)


def accepts(content: TextContent) -> bool:
    """Tell whether an entry can be decoded somewhere; of a very long text only the first megabytes are searched."""
    text = content.head_text
    if "\0" in text or not (_BEGINNING.search(text) or _BEGINNING.search(_MARGIN.sub("", text))):
        return False
    beginning = content.everything()
    return any(element.value is not None for reading in _READINGS for element in _elements(reading(sliced(beginning))))


def read(content: TextContent) -> Iterator[Element]:
    """Yield the entries; the number of each is the line where it begins."""
    beginning = content.everything()
    as_it_is, without_margins = (_entries(_elements(reading(sliced(beginning)))) for reading in _READINGS)
    reading = _READINGS[without_margins > as_it_is]
    yield from _elements(reading(content.blocks()))


def _entries(elements: Iterator[Element]) -> int:
    return sum(element.value is not None for element in elements)


def _without_margins(blocks: Iterable[bytes]) -> Iterator[bytes]:
    # Each block but the last ends where a line does: a margin stands at the beginning of a line.
    rest = b""
    for block in blocks:
        lines, line_break, rest = (rest + block).rpartition(b"\n")
        yield _without_margin(lines + line_break)
    yield _without_margin(rest)


def _without_margin(lines: bytes) -> bytes:
    return _MARGIN.sub("", lines.decode("utf-8", "replace")).encode()


_READINGS: tuple[Callable[[Iterable[bytes]], Iterable[bytes]], ...] = (iter, _without_margins)


def _elements(blocks: Iterable[bytes]) -> Iterator[Element]:
    window = SlidingWindow(blocks)
    while beginning := _next_beginning(window):
        window.position = beginning.start()
        line = window.line
        try:
            value, end = window.decode(window.position)
        except NeedsMoreError:
            if window.grow():
                continue
            yield Element(number=line, problem=too_long(LONGEST))
            window.position = beginning.end()
        except NotJsonError as error:
            yield Element(number=line, problem=str(error))
            window.position = beginning.end()
        else:
            if is_entry(value):
                yield Element(number=line, value=value)
                window.position = end
            else:
                window.position = beginning.end()


def _next_beginning(window: SlidingWindow) -> re.Match[str] | None:
    """Find the next place where an entry may begin, reading on as needed."""
    while not (found := _BEGINNING.search(window.text, window.position)) and not window.is_end:
        last = window.text.rfind("{")
        is_near = last >= len(window.text) - _LONGEST_BEGINNING
        window.position = max(window.position, last if is_near else len(window.text))
        window.grow()
    return found
