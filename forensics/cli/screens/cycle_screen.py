"""Show cycles and claims: as tables on a terminal, as plain lines in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from forensics.cycles import history, standing
from forensics.rendering.cycle_documents import claim_origin, claim_reason, claim_text, rate_bars
from forensics.rendering.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.model import Claim, Cycle

_Table = tuple[tuple[str, ...], "Sequence[tuple[str, ...]]"]
"""Heads and rows."""


def claim_lines(claims: Iterable[Claim]) -> list[str]:
    """Write a line for each claim, in the order given."""
    lines = (f"{c.state}: {claim_text(c)} (cycle {c.made_in}, {claim_origin(c)}): {claim_reason(c)}" for c in claims)
    return [f"  {terminal(line)}" for line in lines]


def print_status(cycles: Sequence[Cycle]) -> None:
    """Print the cycles of each service and environment, with their signatures and claims."""
    series: dict[tuple[str, str, str], list[Cycle]] = {}
    for cycle in cycles:
        key = (cycle.revision.service or "", cycle.revision.project or "", cycle.environment)
        series.setdefault(key, []).append(cycle)
    for (service, project, environment), members in series.items():
        name = "  ·  ".join(filter(None, (service, project, environment)))
        click.echo(terminal(name or "service not named"))
        for table in (_cycle_table(members), _signature_table(members), _claim_table(members)):
            if table[1]:
                _print(*table)


def _cycle_table(cycles: Sequence[Cycle]) -> _Table:
    rows = []
    for cycle in cycles:
        tests = f"{cycle.tests.passed}/{cycle.pass_rates[0].ran}" if cycle.tests else "–"
        states = ", ".join(f"{n} {s}" for s, n in cycle.comparison.counts().items()) if cycle.comparison else "–"
        rows.append((str(cycle.number), cycle.time[:16], cycle.revision.name, tests, states, cycle.focus))
    return ("cycle", "recorded", "revision", "tests passed", "against the one before", "focus"), rows


def _signature_table(cycles: Sequence[Cycle]) -> _Table:
    rows = []
    for row in history(cycles):
        counts = "  ".join(f"{n:,}/{'?' if exposure is None else f'{exposure:,}'}" for n, exposure in row.counts)
        rows.append((row.priority.value, row.name, rate_bars(row.counts), counts, row.measure.value))
    return ("prio", "signature", "rate", "occurrences/exposure, cycle by cycle", "exposure in"), rows


def _claim_table(cycles: Sequence[Cycle]) -> _Table:
    claims = sorted(standing(cycles), key=lambda claim: (claim.state.rank, claim.made_in, claim.statement))
    rows = [(c.state.value, claim_text(c), str(c.made_in), claim_origin(c), claim_reason(c)) for c in claims]
    return ("state", "claim", "cycle", "made", "what was counted"), rows


def _print(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    cells = [[terminal(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from forensics.cli.screens.rich_cycles import print_table  # noqa: PLC0415 - rich is slow to load

        print_table(heads, cells)
        return
    widths = [max(len(cell) for cell in column) for column in zip(heads, *cells, strict=True)]
    click.echo()
    for row in (heads, *cells):
        click.echo("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
