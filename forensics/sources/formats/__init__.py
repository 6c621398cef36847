"""File formats of logs, one module for each; the first that accepts a content reads it.

A new format is one module with `name`, `accepts` and `read`, and its line in `INPUT_FORMATS` or `QUOTATIONS`.
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
    """A file format: how entries are laid out in a file."""

    name: str
    """The format's name for people; continues a sentence that begins "understood are …"."""

    def accepts(self, content: TextContent) -> bool:
        """Tell from the content whether it has this format."""

    def read(self, content: TextContent) -> Iterator[Element]:
        """Yield, in order, each value where an entry is expected."""


INPUT_FORMATS: tuple[Format, ...] = (lines, document, sequence, yaml_documents, delimited, table)
"""In the order they are tried: the cheap and certain ones first."""

QUOTATIONS: tuple[Format, ...] = (markdown, pasted)
"""Tried last, and only for a file that the user named: documents and source code that quote entries."""
