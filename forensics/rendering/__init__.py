"""Write documents of a report: Markdown from templates; JSON, CSV and Parquet built in."""

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
    "outdated_names",
    "render_cycle",
    "render_report",
]

FORMATS = ("md", "json", "csv", "parquet")
DEFAULT_FORMATS = ("md", "json")


def outdated_names(report: Report, user_templates: Traversable | None = None) -> Iterator[str]:
    """Yield patterns of the documents that an earlier run may have left, and that a new one would not replace."""
    from forensics.rendering.document_headers import Purpose, find_documents  # noqa: PLC0415 - as in render_report

    for document in find_documents(user_templates):
        if document.purpose is Purpose.CLUSTER:  # ids of clusters end in six hexadecimal digits
            yield document.name.replace("{id}", f"*-{'[0-9a-f]' * 6}")
        elif document.purpose is Purpose.INCIDENT:
            yield document.name.replace("{id}", "incident-[0-9]*")
        elif document.purpose is Purpose.COMPARISON and report.comparison is None:
            yield document.name


def render_cycle(cycle: Cycle, user_templates: Traversable | None = None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every Markdown document of a cycle, the shipped one first."""
    from forensics.rendering.documents import render_cycle as render  # noqa: PLC0415 - as in render_report

    return render(cycle, user_templates)


def render_report(report: Report, user_templates: Traversable | None = None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every Markdown document of a report, the shipped ones first."""
    from forensics.rendering.documents import render_documents  # noqa: PLC0415 - Jinja is for those who want Markdown

    return render_documents(report, user_templates)
