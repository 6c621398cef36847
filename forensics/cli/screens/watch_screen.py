"""Show a live watch as plain lines, one for each change; `watch_table` shows it on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

import click

from forensics.rendering.escape import terminal
from forensics.text.plurals import counted
from forensics.text.timestamps import SECOND, format_seconds, format_time

if TYPE_CHECKING:
    from forensics.cli.follow_live import Followed
    from forensics.cloud.tailing import News
    from forensics.model import UnreadSpan
    from forensics.watch import Sighting, Tally

_LONG = 5.0
"""Seconds from which a wait gets a line."""


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
        click.echo(f"{clock(time.time_ns())}  {terminal(words)}", file=self._out)


def describe(sighting: Sighting) -> str:
    """Write the line for a failure that is seen for the first time."""
    role = sighting.role.value if sighting.role else "unknown"
    state = f" ({sighting.state.value})" if sighting.state.value else ""
    return f"{sighting.priority.value} {role}: {sighting.name}{state}, first at {clock(sighting.first)}"


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
    seen = f"{counts(tally)}, {kinds}"
    lost = [_gap(gap) for gap in followed.gaps]
    if followed.suppressed:
        lost.append(
            f"at most {counted(followed.suppressed, 'entry')} that Cloud Logging left out, though asked for again"
        )
    passed = format_seconds(round(followed.seconds) * SECOND)
    return terminal(
        f"watched {followed.revision} for {passed}{ended}: {seen}; lost: {'; '.join(lost) if lost else 'nothing'}"
    )


def counts(tally: Tally) -> str:
    """Write the number of entries, and of errors among them."""
    return f"{counted(tally.entries, 'entry')}, {tally.errors:,} of them errors"


def _gap(gap: UnreadSpan) -> str:
    return f"{gap.from_time[11:19]} – {gap.to_time[11:19]} could not be had ({gap.reason})"


def clock(ns: int) -> str:
    """Write the time of day of a time in nanoseconds: `00:41:13`."""
    return format_time(ns)[11:19]
