"""A text or source file in, the JSON entries that somebody pasted into it out; all else is passed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.json_values import NotJsonError, decode_at, is_entry
from forensics.sources.keys import ANY_KEYS
from forensics.sources.shapes.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.opening import Content

name = "an entry as JSON inside another text"

# An object whose first key may be an entry's: {"insertId": …
_BEGINNING = re.compile(r"\{\s*\"(?:" + "|".join(sorted(ANY_KEYS)) + r")\"\s*:")
# The margin of a comment: ` * `, `// `, `# `, `> `
_MARGIN = re.compile(r"^[ \t]*(?://+|\*(?!/)|#+|>)[ \t]?", re.MULTILINE)


def accepts(content: Content) -> bool:
    """Tell whether an entry begins somewhere and can be decoded."""
    if "\0" in content.head_text or not any(map(_BEGINNING.search, _readings(content.head_text))):
        return False
    return any(element.value is not None for element in read(content))


def read(content: Content) -> Iterator[Element]:
    """Yield the entries; their place is the line where they begin."""
    as_it_is, without_margins = map(list, map(_elements, _readings(content.everything().decode("utf-8", "replace"))))
    yield from without_margins if _entries(without_margins) > _entries(as_it_is) else as_it_is


def _readings(text: str) -> tuple[str, str]:
    return text, _MARGIN.sub("", text)


def _entries(elements: list[Element]) -> int:
    return sum(element.value is not None for element in elements)


def _elements(text: str) -> Iterator[Element]:
    position, line = 0, 1
    while beginning := _BEGINNING.search(text, position):
        line += text.count("\n", position, beginning.start())
        position = beginning.start()
        try:
            value, end = decode_at(text, position)
        except NotJsonError as error:
            yield Element(number=line, problem=str(error))
            end = beginning.end()
        else:
            if is_entry(value):
                yield Element(number=line, value=value)
            else:
                end = beginning.end()
        line += text.count("\n", position, end)
        position = end
