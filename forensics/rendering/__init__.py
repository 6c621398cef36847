"""A report in, documents out: Markdown by templates, JSON and CSV built in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.rendering.csv_tables import encode_tables
from forensics.rendering.report_json import decode_report, encode_report, encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from forensics.model import Cycle, Report

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "decode_report",
    "encode_report",
    "encode_rows",
    "encode_tables",
    "render_cycle",
    "render_report",
]

FORMATS = ("md", "json", "csv", "parquet")
DEFAULT_FORMATS = ("md", "json")


def render_cycle(cycle: Cycle, user_templates: Traversable | None = None) -> str:
    """Return the Markdown document of a cycle."""
    from forensics.rendering.documents import render_cycle as render  # noqa: PLC0415 - as in render_report

    return render(cycle, user_templates)


def render_report(report: Report, user_templates: Traversable | None = None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every Markdown document, `index.md` first."""
    from forensics.rendering.documents import render_documents  # noqa: PLC0415 - Jinja is for those who want Markdown

    return render_documents(report, user_templates)
