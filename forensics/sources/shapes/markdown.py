"""A Markdown file in, the entries that its code blocks quote out; all other blocks are passed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.keys import API_NAMES, ENTRY_KEYS
from forensics.sources.opening import Content
from forensics.sources.shapes import delimited, document, lines, sequence, table, yaml_documents
from forensics.sources.shapes.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.shapes import Shape

name = "entries in code blocks of Markdown"

_INSIDE = (lines, document, sequence, yaml_documents, delimited, table)
# ```json   - ~~~
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?:[-*] +)?(?P<fence>`{3,}|~{3,})(?P<info>[^`\r\n]*)\r?$", re.MULTILINE)
_KEY = re.compile("|".join(sorted(ENTRY_KEYS | set(API_NAMES) | {"TIMESTAMP", "TEXT_PAYLOAD"})))


def accepts(content: Content) -> bool:
    """Tell whether some code block holds entries."""
    head = content.head_text
    if "\0" in head or not _FENCE.search(head) or not _KEY.search(head):
        return False
    return any(_shape_of(block) for _, block in _blocks(content))


def read(content: Content) -> Iterator[Element]:
    """Yield the entries of all blocks that hold some; their place is the line where their block begins."""
    for number, block in _blocks(content):
        shape = _shape_of(block)
        for element in shape.read(block) if shape else ():
            yield Element(number=number, value=element.value, problem=element.problem)


def _shape_of(block: Content) -> Shape | None:
    return next((shape for shape in _INSIDE if _KEY.search(block.head_text) and shape.accepts(block)), None)


def _blocks(content: Content) -> Iterator[tuple[int, Content]]:
    """Cut out the code blocks, each with its first line."""
    fence: re.Match[str] | None = None
    inside: list[str] = []
    start = 0
    for number, line in enumerate(content.everything().decode("utf-8", "replace").split("\n"), start=1):
        found = _FENCE.match(line)
        if fence is None:
            fence, inside, start = found, [], number + 1
        elif found and not found["info"].strip() and found["fence"].startswith(fence["fence"]):
            yield start, Content(["\n".join(inside).encode()])
            fence = None
        else:
            inside.append(line.removeprefix(fence["indent"]))
    if fence is not None:
        yield start, Content(["\n".join(inside).encode()])
