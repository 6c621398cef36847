"""Show a live watch: an updated table on a terminal, or a line for each change in a pipe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

import click

from forensics.render.escape import terminal
from forensics.text.plurals import counted
from forensics.text.timestamps import SECOND, format_seconds, format_time

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table

    from forensics.cli.follow_live import Followed
    from forensics.cloud.tailing import News
    from forensics.model import UnreadSpan
    from forensics.watch import Sighting, Tally

_ROWS = 15
_MESSAGES = 4
"""Latest messages that are shown below the table."""
_LONG = 5.0
"""Seconds from which a wait gets a line."""
_REFRESH = 0.2
"""Least seconds between two updates of the table."""
_COLUMNS = (("prio", 4), ("role", 9), ("failure", 0), ("", 5), ("entries", 7), ("per min", 7), ("last", 8))
"""Columns and widths; 0 takes the rest, so that on a narrow terminal only the name of the failure is cut."""
_WIDEST = 110
"""Widest table, in characters; in a wider one the numbers would be too far from the names."""
_STYLE = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "dim"}


class PlainLines:
    """Writes a plain line for each change."""

    def __init__(self, out: TextIO, length: str) -> None:
        self._out, self._length = out, length

    def waits(self, words: str) -> None:
        """Say that the revision does not exist yet."""
        self.say(f"waiting for its first entry: {words}")

    def begins(self, revision: str, tally: Tally, *, is_polling: bool) -> None:
        """Say which revision is followed, and how."""
        del tally
        how = "by listing" if is_polling else "live"
        self.say(f"watching {terminal(revision)} {how}, {self._length}")

    def saw(self, sightings: tuple[Sighting, ...]) -> None:
        """Report failures that are seen for the first time."""
        for sighting in sightings:
            self.say(describe(sighting))

    def tells(self, news: News, listed: int) -> None:
        """Report a change in the state of the watch."""
        self.say(describe_news(news, listed))

    def suppressed(self, count: int) -> None:
        """Report that Cloud Logging left entries out."""
        self.say(f"suppressed: Cloud Logging left {counted(count, 'entry')} out; that time is asked for again")

    def pauses(self, seconds: float) -> None:
        """Sleep for the read quota, and say so when it takes long."""
        if seconds >= _LONG:
            self.say(f"waiting {seconds:.0f} s for the read quota")
        time.sleep(seconds)

    def ends(self, gaps: tuple[UnreadSpan, ...]) -> None:
        """Report the spans whose entries may be missing."""
        for gap in gaps:
            self.say(f"gap: {_gap(gap)}")

    def close(self) -> None:
        """Release the terminal."""

    def say(self, words: str) -> None:
        """Write one line, with the time of day."""
        click.echo(f"{_clock(time.time_ns())}  {terminal(words)}", file=self._out)


class LiveTable(PlainLines):
    """Shows a table that is redrawn as entries arrive."""

    def __init__(self, out: TextIO, length: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - a pipe need not wait for it

        super().__init__(out, length)
        self._console: Console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._tally: Tally | None = None
        self._revision = ""
        self._began = time.monotonic()
        self._drawn = 0.0
        self._messages: list[str] = []

    def begins(self, revision: str, tally: Tally, *, is_polling: bool) -> None:
        """Draw the first table."""
        from rich.live import Live  # noqa: PLC0415 - as in __init__

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
        self._messages = [*self._messages, f"{_clock(time.time_ns())}  {terminal(words)}"][-_MESSAGES:]
        self._draw()

    def _draw(self) -> None:
        if self._live is None or self._tally is None:
            return
        self._drawn = time.monotonic()
        self._live.update(self._layout(self._tally), refresh=True)

    def _layout(self, tally: Tally) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415 - as in __init__
        from rich.text import Text  # noqa: PLC0415

        passed = format_seconds(round(time.monotonic() - self._began) * SECOND)
        last = f"last {_clock(tally.latest)}" if tally.latest else "none yet"
        head = f"{self._revision}  ·  {passed}, {self._length}"
        counts = (
            f"{counted(tally.entries, 'entry')}, {tally.errors:,} of them errors, {last}  ·  Ctrl-C ends and reports"
        )
        messages = [Text(f"! {line}", "yellow", no_wrap=True, overflow="ellipsis") for line in self._messages]
        return Group(
            Text(head, "bold"),
            Text(counts, "dim"),
            Text(),
            _table(tally, min(_WIDEST, self._console.width)),
            Text(),
            *messages,
        )


def _table(tally: Tally, width: int) -> Table:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

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
            _clock(sighting.last),
        )
    if len(seen) > _ROWS:
        table.add_row("", "", f"… and {len(seen) - _ROWS} more")
    if not seen:
        table.add_row("", "", Text("no failure so far", "green"))
    return table


def describe(sighting: Sighting) -> str:
    """Write the line for a failure that is seen for the first time."""
    role = sighting.role.value if sighting.role else "unknown"
    state = f" ({sighting.state.value})" if sighting.state.value else ""
    return f"{sighting.priority.value} {role}: {sighting.name}{state}, first at {_clock(sighting.first)}"


def describe_news(news: News, listed: int) -> str:
    """Write the line for a change in the state of a watch."""
    if news.kind == "polling":
        return f"asking every few seconds instead of following: {news.reason}"
    if news.kind == "broken":
        return f"gap: broken off, what is missed will be asked for: {news.reason}"
    return f"reopened: nothing is missing, what was missed was listed ({counted(listed, 'entry')})"


def verdict(followed: Followed) -> str:
    """Write the line above the summary: duration, counts, and what was lost."""
    tally = followed.tally
    ended = f" ({followed.ended})" if followed.ended else ""
    failures = len(tally.sightings())
    kinds = counted(failures, "failure") if failures else "no failure"
    seen = f"{_seen(tally)}, {kinds}"
    lost = [_gap(gap) for gap in followed.gaps]
    if followed.suppressed:
        lost.append(
            f"at most {counted(followed.suppressed, 'entry')} that Cloud Logging left out, though asked for again"
        )
    passed = format_seconds(round(followed.seconds) * SECOND)
    return terminal(
        f"watched {followed.revision} for {passed}{ended}: {seen}; lost: {'; '.join(lost) if lost else 'nothing'}"
    )


def _seen(tally: Tally) -> str:
    return f"{counted(tally.entries, 'entry')}, {tally.errors:,} of them errors"


def _gap(gap: UnreadSpan) -> str:
    return f"{gap.from_time[11:19]} – {gap.to_time[11:19]} could not be had ({gap.reason})"


def _clock(ns: int) -> str:
    return format_time(ns)[11:19]
