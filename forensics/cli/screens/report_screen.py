"""Print the summary of a report on one screen: tables on a terminal, the same as plain text in a pipe."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from forensics.cli.screens import summary_cells as screen
from forensics.cli.screens.plain_text import WIDTH, lay_out
from forensics.model import Report, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

_STYLE = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTESTED: "yellow",
    Verdict.PLAUSIBLE: "yellow",
    Verdict.REFUTED: "red",
    Verdict.NO_EVIDENCE: "dim",
    Verdict.NOT_OBSERVABLE: "dim",
}
_TERMINAL_ALL_THE_SAME = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})
"""Environment variables that declare a pipe a terminal; rich reads their values."""


def print_summary(report: Report, folder: Path, formats: tuple[str, ...]) -> None:
    """Print headline, clusters, whys of the first incident, warnings, and the path of the documents."""
    piped = not sys.stdout.isatty() and not _TERMINAL_ALL_THE_SAME & os.environ.keys()
    text = lay_out(report) if piped else None
    if text is None:
        _print_by_rich(report)
    else:
        click.echo(text)
    click.echo(f"  {folder / ('index.md' if 'md' in formats else 'report.json')}")


def print_comparison(report: Report) -> None:
    """Print the change of each signature, the worst first; nothing without a comparison."""
    if report.comparison is not None:
        click.echo("\n".join(screen.change_lines(report.comparison)) + "\n")


def _print_by_rich(report: Report) -> None:
    from rich.console import Console  # noqa: PLC0415 - a pipe seldom needs it, and it is slow to import

    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        _summarize(console, report)
        return
    # In a pipe there is no width to fit, and nobody wants the blanks that fill a table's lines.
    console = Console(highlight=False, markup=False, emoji=False, width=WIDTH, no_color=True)
    with console.capture() as captured:
        _summarize(console, report)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")) + "\n")


def _summarize(console: Console, report: Report) -> None:
    from rich.padding import Padding  # noqa: PLC0415 - as in _print_by_rich
    from rich.text import Text  # noqa: PLC0415 - as in _print_by_rich

    console.print(Text(screen.title(report)))
    console.print()
    sign, style = screen.mark(report)
    headline = Text(screen.bullet(sign, report.headline))
    headline.stylize(style, 2, 3)
    console.print(headline, soft_wrap=True)
    rhythm = screen.rhythm(report)
    if rhythm is not None:
        console.print(Text(rhythm))
    if report.clusters:
        console.print(Padding(_cluster_table(report), (1, 0, 1, 2)))
    if report.incidents:
        console.print(Padding(_why_table(report), (0, 0, 1, 2)))
    for line in screen.comparison_lines(report):
        console.print(Text(line), soft_wrap=True)
    for warning in screen.notes(report):
        console.print(Text(screen.bullet("!", warning)), soft_wrap=True)


def _cluster_table(report: Report) -> Table:
    from rich.table import Table  # noqa: PLC0415 - as in _print_by_rich
    from rich.text import Text  # noqa: PLC0415 - as in _print_by_rich

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in screen.COLUMNS:
        table.add_column(name, justify="right" if name in screen.NUMBERS else "left", no_wrap=name != "signature")
    for row in screen.cluster_rows(report):
        table.add_row(*map(Text, row))
    return table


def _why_table(report: Report) -> Table:
    from rich.table import Table  # noqa: PLC0415 - as in _print_by_rich
    from rich.text import Text  # noqa: PLC0415 - as in _print_by_rich

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=2)
    table.add_column(ratio=4)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for row in screen.why_rows(report):
        verdict = Text(row.verdict.value, _STYLE[row.verdict])
        table.add_row(row.number, Text(row.ask), Text(row.answer), verdict, row.counts)
    return table
