"""A report in, one screen for a tired reader out: a table on a terminal, the same as plain text in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics.model import Cluster, Finding, Report, Role, Verdict
from forensics.render import words
from forensics.render.escape import terminal

if TYPE_CHECKING:
    from pathlib import Path

NAME = 72
"""Characters of a cluster's name on the screen."""
ROWS = 12
"""Clusters on the screen; the rest is counted and stands in index.md."""
_STYLE = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTESTED: "yellow",
    Verdict.PLAUSIBLE: "yellow",
    Verdict.REFUTED: "red",
    Verdict.NO_EVIDENCE: "dim",
    Verdict.NOT_OBSERVABLE: "dim",
}


def print_summary(report: Report, folder: Path, formats: tuple[str, ...]) -> None:
    """Print headline, clusters, whys of the first finding, warnings, and where the documents are."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        _summarize(console, report)
    else:
        # In a pipe there is no width to fit, and nobody wants the blanks that fill a table's lines.
        console = Console(highlight=False, markup=False, emoji=False, width=160, no_color=True)
        with console.capture() as captured:
            _summarize(console, report)
        click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")) + "\n")
    click.echo(f"  {folder / ('index.md' if 'md' in formats else 'report.json')}")


def _summarize(console: Console, report: Report) -> None:
    console.print(Text(_title(report)))
    console.print()
    _print_headline(console, report)
    if report.clusters:
        console.print(Padding(_cluster_table(report), (1, 0, 1, 2)))
    if report.incidents:
        first = next(f for f in report.findings if f.cluster == report.incidents[0].root_cluster)
        console.print(Padding(_why_table(first), (0, 0, 1, 2)))
    for warning in report.coverage.warnings:
        console.print(_bullet("!", warning), soft_wrap=True)


def _title(report: Report) -> str:
    revision, coverage = report.revision, report.coverage
    name = "all revisions" if revision.name == "all" else terminal(revision.name)
    place = "/".join(terminal(part) for part in (revision.project, revision.location) if part)
    length = f"({words.seconds(coverage.covered_seconds)})" if coverage.covered_seconds else ""
    return "  ·  ".join(part for part in (name, place, f"{words.span(coverage.covered)} {length}".strip()) if part)


def _print_headline(console: Console, report: Report) -> None:
    mark, style = ("✗", "bold red") if report.incidents else ("✓", "bold green")
    if report.coverage.entries_selected and report.coverage.no_payload == report.coverage.entries_selected:
        mark, style = "?", "bold yellow"
    line = _bullet(mark, report.headline)
    line.stylize(style, 2, 3)
    console.print(line, soft_wrap=True)
    if report.incidents:
        incident = report.incidents[0]
        root = next(c for c in report.clusters if c.id == incident.root_cluster)
        rhythm = words.cadence(root) or ""
        every = f", {rhythm}" if rhythm.startswith("one every") else ""
        console.print(Text(f"    {words.occurrences(root)}{every}.   {incident.verdict}"))


def _bullet(mark: str, text: str) -> Text:
    return Text(f"  {mark} {terminal(text)}")


def _cluster_table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("role", "prio", "signature", "occurrences", "entries", "first", "last", "trend"):
        number = name in {"occurrences", "entries"}
        table.add_column(name, justify="right" if number else "left", no_wrap=name != "signature")
    loud = [c for c in report.clusters if c.role is not Role.NOISE]
    for cluster in loud[:ROWS]:
        table.add_row(*_cells(cluster, report))
    if len(loud) > ROWS:
        table.add_row("", "", Text(f"… and {len(loud) - ROWS} more, in index.md"))
    noise = [c for c in report.clusters if c.role is Role.NOISE]
    if noise:
        more = f"  (+{len(noise) - 1} more)" if len(noise) > 1 else ""
        total = sum(c.entries for c in noise)
        table.add_row("noise", "", Text(f"{noise[0].signature}{more}"), "", f"{total:,}")
    return table


def _cells(cluster: Cluster, report: Report) -> list[Text | str]:
    depth = _depth(cluster, report)
    name = terminal(words.name(cluster, report))[:NAME]
    return [
        ("└ " if depth else "") + cluster.role.value,
        "" if depth else cluster.priority.value,
        Text(name),
        f"{cluster.occurrences:,}",
        f"{cluster.entries:,}",
        Text(words.clock(cluster.first_seen)[:8]),
        Text(words.clock(cluster.last_seen)[:8]),
        words.spark(cluster.trend),
    ]


def _depth(cluster: Cluster, report: Report) -> int:
    incident = next((i for i in report.incidents if cluster.id in i.clusters), None)
    return 0 if incident is None or incident.root_cluster == cluster.id else 1


def _why_table(finding: Finding) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=2)
    table.add_column(ratio=4)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for number, why in enumerate(finding.whys, 1):
        best = why.evidence[0] if why.evidence else None
        counts = f"{best.count}/{best.of}" if best and best.count is not None and best.of and why.verdict.holds else ""
        said = (why.answer or why.next_step or "open").replace("`", "")
        table.add_row(
            str(number),
            Text(terminal(why.ask)),
            Text(terminal(said)),
            Text(why.verdict.value, _STYLE[why.verdict]),
            counts,
        )
    return table
