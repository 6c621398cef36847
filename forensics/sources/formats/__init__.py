"""How entries lie in a file, one module for each shape; the first that accepts a content reads it.

A new shape is one module with `name`, `accepts` and `read`, and its line in `INPUT_FORMATS` or `QUOTATIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from forensics.sources.formats import (
    delimited,
    gcloud_table as table,
    json_document as document,
    json_lines as lines,
    markdown,
    pasted,
    sequence,
    yaml_documents,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent
    from forensics.sources.formats.element import Element


class Format(Protocol):
    """One way in which entries lie in a file."""

    name: str
    """For people: finishes "understood are …"."""

    def accepts(self, content: TextContent) -> bool:
        """Tell from the content whether this is the shape."""

    def read(self, content: TextContent) -> Iterator[Element]:
        """Yield what stands where an entry is expected, in order."""


INPUT_FORMATS: tuple[Format, ...] = (lines, document, sequence, yaml_documents, delimited, table)
"""In the order they are asked: the cheap and certain first."""

QUOTATIONS: tuple[Format, ...] = (markdown, pasted)
"""Asked last, and only of a file that was named: documents and source code that quote entries."""
