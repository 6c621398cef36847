"""Print a table about cycles on a terminal; imported only there, since rich is slow to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics.model import ClaimState

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = {ClaimState.REFUTED: "bold red", ClaimState.HOLDS: "green", ClaimState.ASSERTED: "yellow"}


def print_table(heads: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of cycles, signatures or claims; the state of a claim has a colour."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        style = _STYLE.get(ClaimState(row[0])) if row[0] in set(ClaimState) else None
        table.add_row(*(Text(cell, style or "") if i == 0 else Text(cell) for i, cell in enumerate(row)))
    Console(highlight=False, markup=False, emoji=False).print(Padding(table, (1, 0, 0, 2)))
