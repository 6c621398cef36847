"""Print the summary of a report on one screen: tables on a terminal, the same as plain text in a pipe."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from forensics.cli.screens import summary_cells as screen
from forensics.cli.screens.plain_text import lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import Report


_TERMINAL_ALL_THE_SAME = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})
"""Environment variables that declare a pipe a terminal; rich reads their values."""


def print_summary(report: Report, folder: Path, formats: tuple[str, ...]) -> None:
    """Print headline, clusters, whys of the first incident, warnings, and the path of the documents."""
    in_pipe = not sys.stdout.isatty() and not _TERMINAL_ALL_THE_SAME & os.environ.keys()
    text = lay_out(report) if in_pipe else None
    if text is None:
        from forensics.cli.screens.rich_report import print_report  # noqa: PLC0415 - rich is slow to load

        print_report(report)
    else:
        click.echo(text)
    click.echo(f"  {folder / ('index.md' if 'md' in formats else 'report.json')}")


def print_comparison(report: Report) -> None:
    """Print the change of each signature, the worst first; nothing without a comparison."""
    if report.comparison is not None:
        click.echo("\n".join(screen.change_lines(report.comparison)) + "\n")
