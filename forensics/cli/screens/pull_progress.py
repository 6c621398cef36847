"""Progress of a pull: one updated line on a terminal; elsewhere long waits, changes of the request, and how far it is.

Where there is no terminal, a line every ten seconds shows whoever reads along that it goes on.
"""

from __future__ import annotations

import sys
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

import click

from forensics.text.timestamps import SECOND, format_seconds, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.cases import PullRecord
    from forensics.cloud.filters import TimeSpan
    from forensics.cloud.pages import Page

_LONG = 10.0
"""Seconds from which a wait gets a line where there is no terminal."""
EVERY = 10.0
"""Seconds after which a pull says how far it is where there is no terminal."""
_CLEAR = "\r\x1b[K"


class PullProgress:
    """Shows a pull's progress, and sleeps for it. `say` receives the queries; None hides them."""

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], object], say: Callable[[str], object] | None
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._say = say
        self._is_terminal = sys.stderr.isatty()
        self._entries = 0
        self._began = clock()
        self._start = 0
        self._words = ""
        """What is going on, as a terminal shows it."""
        self._said = clock()
        self._over = Event()

    def __enter__(self) -> Self:
        if not self._is_terminal:
            Thread(target=self._say_again, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._in_place("")

    def _say_again(self) -> None:
        """Say what is going on whenever nothing was said for a while; also while a single answer is waited for."""
        while not self._over.wait(max(0.05, self._said + EVERY - self._clock())):
            self.say_if_due()

    def say_if_due(self) -> None:
        """Print a line where the last one is ten seconds old."""
        if self._words and self._clock() - self._said >= EVERY:
            self._line(self._words.removesuffix(" …"))

    def shows(self, purpose: str, span: TimeSpan, text: str) -> None:
        """Show a request whose entries are not kept: it resolves a name, or asks how much there is."""
        self._query(purpose, format_time(span.start), format_time(span.end), text)
        self._in_place(f"asking: {purpose} …")

    def resumes(self) -> None:
        """Say that a stopped pull continues."""
        self._line("going on with a pull that was stopped")

    def widens(self, record: PullRecord) -> None:
        """Say that the pull reaches further back than the user asked."""
        self._line(f"errors stand at the start of the span: looking further back, from {record.from_time} on")

    def begins(self, record: PullRecord) -> None:
        """Begin to count for a listing."""
        self._query(record.part, record.from_time, record.to_time, record.filter)
        self._entries, self._began = 0, self._clock()
        # A run may begin in the middle of a span: entries of earlier runs say nothing about its pace.
        self._start = parse_time(record.checkpoint.last_timestamp or record.from_time or format_time(0))
        self._in_place(f"pulling {record.part} …")

    def turns(self, record: PullRecord, page: Page) -> None:
        """Show how far a listing has come."""
        self._entries += len(page.entries)
        last = page.cursor.last
        share = None if page.cursor.is_finished else self._share(record, last)
        self._in_place(describe(record, self._entries, self._clock() - self._began, share, last))

    def ends(self, record: PullRecord) -> None:
        """Report the count of a listing if queries are shown."""
        if self._say is not None:
            self._in_place("")
            limit = ", its limit" if record.checkpoint.capped else ""
            self._say(f"# {record.part}: {record.entries:,} new entries in {record.pages:,} pages{limit}")

    def wait_for_quota(self, seconds: float) -> None:
        """Wait until the quota has room."""
        self._wait(seconds, f"waiting {seconds:.0f} s for the read quota")

    def wait_for_answer(self, seconds: float) -> None:
        """Wait after a failure."""
        self._wait(seconds, f"no good answer from Cloud Logging, asking again in {seconds:.0f} s")

    def _wait(self, seconds: float, words: str) -> None:
        before = self._words
        if seconds >= _LONG and not self._is_terminal:
            self._line(words)
        elif seconds >= 1:
            self._in_place(f"{words} …")
        self._sleep(seconds)
        self._words = before

    def _share(self, record: PullRecord, last: int | None) -> float | None:
        """Return the share of this run's time span that is covered; None when unknown."""
        if last is None or not record.to_time:
            return None
        return (last - self._start) / max(1, parse_time(record.to_time) - self._start)

    def _query(self, purpose: str, start: str | None, end: str | None, text: str) -> None:
        if self._say is not None:
            self._in_place("")
            self._say(f"# {purpose}, {start} – {end}")
            self._say(text)

    def _line(self, words: str) -> None:
        if self._is_terminal:
            click.echo(_CLEAR, err=True, nl=False)
        click.echo(f"forensics: {words}", err=True)
        self._said = self._clock()

    def _in_place(self, words: str) -> None:
        self._words = words
        if self._is_terminal:
            click.echo(f"{_CLEAR}{words}", err=True, nl=False)


def describe(record: PullRecord, entries: int, seconds: float, share: float | None, last: int | None) -> str:
    """Describe a listing's progress: entries, rate, latest time, and an estimate of the time left.

    `share` is the covered share of the span; entries are not spread evenly, so the time left is a guess.
    """
    parts = [f"pulling {record.part}: {entries:,} entries"]
    if seconds > 0:
        parts.append(f"{entries / seconds:,.0f}/s")
    if last is not None:
        parts.append(f"up to {format_time(last - last % SECOND)}")
    if share is not None and 0 < share < 1 and seconds > 0:
        parts.append(f"about {format_seconds(round(seconds * (1 - share) / share) * SECOND)} left")
    return ", ".join(parts)
