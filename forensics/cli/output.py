"""Write the documents of an analysis into a folder, and choose the exit code."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from forensics.errors import TemplateError, UsageError
from forensics.rendering import encode_report, encode_rows, encode_tables, outdated_names, render_report
from forensics.rendering.labels import worst
from forensics.system.atomic_files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from forensics.model import Analysis, Priority, Report


def out_folder(base: Path, revision: str) -> Path:
    """Return the folder for a revision; a name from a log is never taken as a path."""
    return base / (re.sub(r"[^A-Za-z0-9._-]", "_", revision).lstrip(".") or "revision")


def write_documents(analysis: Analysis, folder: Path, formats: tuple[str, ...], templates: Path | None) -> None:
    """Write the documents, each complete or not at all; outdated ones of an earlier run are deleted."""
    if templates is not None and not templates.is_dir():
        raise TemplateError(f"--templates {str(templates)!r} is no folder: give one that holds index.md.j2 or others")
    files: list[tuple[str, Iterable[bytes]]] = []
    if "md" in formats:
        documents = render_report(analysis.report, templates)
        files += [(name, (text.encode("utf-8", "replace"),)) for name, text in documents]
    if "json" in formats:
        files += [("report.json", (encode_report(analysis.report),)), ("entries.csv", encode_rows(analysis.rows))]
    for kind in [name for name in ("csv", "parquet") if name in formats]:
        files += [(name, (data,)) for name, data in encode_tables(analysis.report, kind)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder, analysis.report, outdated_names(analysis.report, templates) if "md" in formats else ())
        for name, pieces in files:
            write_atomically(folder / name, pieces)
    except OSError as error:
        raise UsageError(
            f"cannot write to {str(folder)!r}: {error.strerror}; name another folder with --out"
        ) from error


def write_text(folder: Path, name: str, text: str) -> Path:
    """Write one document into a folder, complete or not at all; return its file."""
    try:
        write_atomically(folder / name, (text.encode("utf-8", "replace"),))
    except OSError as error:
        raise UsageError(
            f"cannot write to {str(folder)!r}: {error.strerror}; name another folder with --out"
        ) from error
    return folder / name


def say_exit(report: Report, fail_on: Priority | None) -> None:
    """Exit 1 when a finding has the priority of --fail-on or a higher one."""
    highest = worst(report)
    if fail_on is not None and highest is not None and highest <= fail_on:
        sys.exit(1)


def _clear(folder: Path, report: Report, outdated: Iterable[str]) -> None:
    """Delete documents of an earlier run that this one does not write again."""
    for pattern in outdated:
        for file in list(folder.glob(pattern)):
            file.unlink()
    if report.comparison is None:
        for kind in ("md", "csv", "parquet"):
            (folder / f"comparison.{kind}").unlink(missing_ok=True)
