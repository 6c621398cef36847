"""File formats of logs, one module for each; the first that accepts a content reads it.

To add a format, add a module with `name`, `accepts` and `read`, and its name in `INPUT_FORMATS` or `QUOTATIONS`: their
order decides.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

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


def _modules(*names: str) -> tuple[Format, ...]:
    """Import the formats of these names."""
    return tuple(cast("Format", import_module(f"{__name__}.{name}")) for name in names)


INPUT_FORMATS = _modules(
    "json_lines",
    "json_document",
    "sequence",
    "yaml_documents",
    "delimited",
    "gcloud_table",
    "timed_lines",
)
"""In the order they are tried: the cheap and certain ones first."""

QUOTATIONS = _modules(
    "markdown",
    "pasted",
)
"""Tried last, and only for a file that the user named: documents and source code that quote entries."""
