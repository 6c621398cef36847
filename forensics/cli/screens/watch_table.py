"""Show a live watch on a terminal: a table that is redrawn as entries arrive.

Imported only where there is a terminal, since rich is slow to load.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from forensics.cli.screens.watch_screen import PlainLines, clock, counts
from forensics.rendering.escape import terminal
from forensics.text.timestamps import SECOND, format_seconds

if TYPE_CHECKING:
    from forensics.model import UnreadSpan
    from forensics.watch import Sighting, Tally

_ROWS = 15
_MESSAGES = 4
"""Latest messages that are shown below the table."""
_REFRESH = 0.2
"""Least seconds between two updates of the table."""
_COLUMNS = (("prio", 4), ("role", 9), ("failure", 0), ("", 5), ("entries", 7), ("per min", 7), ("last", 8))
"""Columns and widths; 0 takes the rest, so that on a narrow terminal only the name of the failure is cut."""
_WIDEST = 110
"""Widest table, in characters; in a wider one the numbers would be too far from the names."""
_STYLE = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "dim"}


class LiveTable(PlainLines):
    """Shows a table that is redrawn as entries arrive."""

    def __init__(self, out: TextIO, length: str) -> None:
        super().__init__(out, length)
        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._tally: Tally | None = None
        self._revision = ""
        self._began = time.monotonic()
        self._drawn = 0.0
        self._messages: list[str] = []

    def begins(self, revision: str, tally: Tally, *, is_polling: bool) -> None:
        """Draw the first table."""
        del is_polling
        self._revision, self._tally, self._began = terminal(revision), tally, time.monotonic()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._draw()

    def saw(self, sightings: tuple[Sighting, ...]) -> None:
        """Redraw the table, if it is time."""
        if sightings or time.monotonic() - self._drawn >= _REFRESH:
            self._draw()

    def ends(self, gaps: tuple[UnreadSpan, ...]) -> None:
        """Remove the table; the verdict reports the missed spans."""
        del gaps
        self.close()

    def close(self) -> None:
        """Release the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, words: str) -> None:
        """Show a line below the table, or on the screen while there is no table."""
        if self._live is None:
            super().say(words)
            return
        self._messages = [*self._messages, f"{clock(time.time_ns())}  {terminal(words)}"][-_MESSAGES:]
        self._draw()

    def _draw(self) -> None:
        if self._live is None or self._tally is None:
            return
        self._drawn = time.monotonic()
        self._live.update(self._layout(self._tally), refresh=True)

    def _layout(self, tally: Tally) -> RenderableType:
        passed = format_seconds(round(time.monotonic() - self._began) * SECOND)
        last = f"last {clock(tally.latest)}" if tally.latest else "none yet"
        head = f"{self._revision}  ·  {passed}, {self._length}"
        seen = f"{counts(tally)}, {last}  ·  Ctrl-C ends and reports"
        messages = [Text(f"! {line}", "yellow", no_wrap=True, overflow="ellipsis") for line in self._messages]
        return Group(
            Text(head, "bold"),
            Text(seen, "dim"),
            Text(),
            _table(tally, min(_WIDEST, self._console.width)),
            Text(),
            *messages,
        )


def _table(tally: Tally, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), width=width)
    for name, column_width in _COLUMNS:
        table.add_column(
            name,
            justify="right" if name in {"entries", "per min"} else "left",
            width=column_width or None,
            ratio=None if column_width else 1,
            no_wrap=True,
            overflow="ellipsis",
        )
    now, seen = max(time.time_ns(), tally.latest), tally.sightings()
    for sighting in seen[:_ROWS]:
        table.add_row(
            Text(sighting.priority.value, _STYLE.get(sighting.priority.value, "")),
            sighting.role.value if sighting.role else "unknown",
            Text(terminal(sighting.name)),
            Text(sighting.state.value, "bold" if sighting.state.value == "new" else "dim"),
            f"{sighting.entries:,}",
            f"{sighting.per_minute(now):,}",
            clock(sighting.last),
        )
    if len(seen) > _ROWS:
        table.add_row("", "", f"… and {len(seen) - _ROWS} more")
    if not seen:
        table.add_row("", "", Text("no failure so far", "green"))
    return table
