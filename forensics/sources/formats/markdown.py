"""Entries that are quoted in the code blocks of a Markdown file; other blocks are ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.api_keys import API_NAMES, ENTRY_KEYS
from forensics.sources.containers.utf8 import TextContent
from forensics.sources.formats import (
    delimited,
    gcloud_table as table,
    json_document as document,
    json_lines as lines,
    sequence,
    yaml_documents,
)
from forensics.sources.formats.element import Element
from forensics.sources.line_blocks import LONGEST_ENTRY, lines_of, sliced, too_long

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.sources.formats import Format

name = "entries in code blocks of Markdown"

_LONGEST = LONGEST_ENTRY
_INSIDE = (lines, document, sequence, yaml_documents, delimited, table)
# ```json   - ~~~
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?:[-*] +)?(?P<fence>`{3,}|~{3,})(?P<info>[^`\r\n]*)\r?$", re.MULTILINE)
_KEY = re.compile("|".join(sorted(ENTRY_KEYS | set(API_NAMES) | {"TIMESTAMP", "TEXT_PAYLOAD"})))


def accepts(content: TextContent) -> bool:
    """Tell whether a code block has entries; of a very long document only the first megabytes are searched."""
    head = content.head_text
    if "\0" in head or not _FENCE.search(head) or not _KEY.search(head):
        return False
    return any(block and _shape_of(block) for _, block in _blocks(sliced(content.everything())))


def read(content: TextContent) -> Iterator[Element]:
    """Yield the entries of all blocks; the number of each is the line where its block begins."""
    for number, block in _blocks(content.blocks()):
        if block is None:
            yield Element(number=number, problem=too_long(_LONGEST))
            continue
        shape = _shape_of(block)
        for element in shape.read(block) if shape else ():
            yield Element(number=number, value=element.value, problem=element.problem)


def _shape_of(block: TextContent) -> Format | None:
    return next((shape for shape in _INSIDE if _KEY.search(block.head_text) and shape.accepts(block)), None)


def _blocks(parts: Iterable[bytes]) -> Iterator[tuple[int, TextContent | None]]:
    """Yield the code blocks with the number of their first line; None for a block that is too long to be kept."""
    fence: re.Match[str] | None = None
    inside: list[str] = []
    start = size = 0
    for number, kept in enumerate(lines_of(parts, _LONGEST), start=1):
        line = "" if kept is None else kept.decode("utf-8", "replace")
        found = _FENCE.match(line)
        if fence is None:
            fence, inside, start, size = found, [], number + 1, 0
        elif found and not found["info"].strip() and found["fence"].startswith(fence["fence"]):
            yield start, _content(inside, size)
            fence = None
        else:
            size += _LONGEST + 1 if kept is None else len(kept) + 1
            if size <= _LONGEST:
                inside.append(line.removeprefix(fence["indent"]))
            else:
                inside.clear()
    if fence is not None:
        yield start, _content(inside, size)


def _content(inside: list[str], size: int) -> TextContent | None:
    return TextContent(["\n".join(inside).encode()]) if size <= _LONGEST else None
