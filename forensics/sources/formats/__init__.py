"""How entries lie in a file, one module for each format; the first that accepts a content reads it.

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
    """One way in which entries lie in a file."""

    name: str
    """For people: finishes "understood are …"."""

    def accepts(self, content: TextContent) -> bool:
        """Tell from the content whether this is the shape."""

    def read(self, content: TextContent) -> Iterator[Element]:
        """Yield what stands where an entry is expected, in order."""


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
)
"""In the order in which they are asked: the cheap and certain first."""

QUOTATIONS = _modules(
    "markdown",
    "pasted",
)
"""Asked last, and only of a file that was named: documents and source code that quote entries."""
