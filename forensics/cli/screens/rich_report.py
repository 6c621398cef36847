"""Print the summary of a report by rich: on a terminal, and in a pipe where only rich can lay it out.

Imported only where it is needed, since rich is slow to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics.cli.screens import summary_cells as screen
from forensics.cli.screens.plain_text import WIDTH
from forensics.model import Verdict

if TYPE_CHECKING:
    from forensics.model import Report

_STYLE = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTESTED: "yellow",
    Verdict.PLAUSIBLE: "yellow",
    Verdict.REFUTED: "red",
    Verdict.NO_EVIDENCE: "dim",
    Verdict.NOT_OBSERVABLE: "dim",
}


def print_report(report: Report) -> None:
    """Print the summary of a report, with tables; without colours and padding where there is no terminal."""
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
    console.print(Text(screen.title(report)))
    console.print()
    sign, style = screen.mark(report)
    headline = Text(screen.bullet(sign, report.headline))
    headline.stylize(style, 2, 3)
    console.print(headline, soft_wrap=True)
    if (said := screen.as_logged(report)) is not None:
        console.print(Text(said), soft_wrap=True)
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
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in screen.COLUMNS:
        table.add_column(name, justify="right" if name in screen.NUMBERS else "left", no_wrap=name != "signature")
    for row in screen.cluster_rows(report):
        table.add_row(*map(Text, row))
    return table


def _why_table(report: Report) -> Table:
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
