"""Follow a revision live into a case, until it fails, the time is over, or the user stops it."""

from __future__ import annotations

import math
import random
import signal
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click
from msgspec import Struct

from forensics.cli.live import LONGEST, opened, utc_now
from forensics.cli.output import out_folder
from forensics.cli.screens.pull_progress import PullProgress
from forensics.cloud.access_errors import AccessError
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.cloud.tailing import FollowRequest, Tailing, WatchClock
from forensics.errors import NoEntriesError, RevisionError, SeveralRevisionsError
from forensics.model import Nanoseconds, UnreadSpan
from forensics.pulling import Follower, begin, find_target, look_for_target, say_missing
from forensics.text.timestamps import SECOND, format_time
from forensics.watch import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from forensics.cases import Case
    from forensics.cli.options import CloudOptions, InputOptions
    from forensics.cli.settings import Settings
    from forensics.cloud.connection import Transport
    from forensics.cloud.tailing import Arrival, News, Stream
    from forensics.watch import Sighting

_LOOK_AGAIN = 3.0
"""Seconds between two looks for a revision that does not exist yet."""
_LAST_LISTING = 20.0
"""Seconds that the last listing may take."""
_IMPATIENT = 2.0
"""Seconds for which one listing is retried; the watch itself goes on trying."""
_MARGIN = 120
"""Seconds by which the filter exceeds the end of a watch, since clocks differ."""


class Plan(Struct, frozen=True, kw_only=True):
    """How long to follow a revision."""

    seconds: float
    """Longest duration."""
    since: Nanoseconds
    """How far back to begin."""
    until_p0: bool
    """Whether the first P0 ends it."""
    linger: float
    """Seconds to go on after the first P0, so that related entries arrive."""


class Followed(Struct, frozen=True, kw_only=True):
    """The outcome of `follow`."""

    folder: Path
    revision: str
    seconds: float
    ended: str
    """Why it ended, in words; "" when the time was over."""
    tally: Tally
    suppressed: int
    """Number of entries that Cloud Logging left out of the stream."""
    gaps: tuple[UnreadSpan, ...]


class Display(Protocol):
    """Shows the events of a watch."""

    def waits(self, words: str) -> None:
        """The revision does not exist yet."""

    def begins(self, revision: str, tally: Tally, *, is_polling: bool) -> None:
        """The watch begins."""

    def saw(self, sightings: tuple[Sighting, ...]) -> None:
        """New failures were seen; or none, and a moment has passed."""

    def tells(self, news: News, listed: int) -> None:
        """The state of the watch changed; `listed` entries came by listing since the last change."""

    def suppressed(self, count: int) -> None:
        """Cloud Logging left entries out."""

    def pauses(self, seconds: float) -> None:
        """Wait for the read quota."""

    def ends(self, gaps: tuple[UnreadSpan, ...]) -> None:
        """The watch is over."""


def follow(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions,
    transport: Transport,
    plan: Plan,
    screen: Display,
    make_tally: Callable[[str], Tally],
) -> Followed:
    """Wait for a revision's first entry, and follow it into a case.

    Raises:
        ForensicsError: one line for the user; a new case without an entry is deleted again.
    """
    end = time.monotonic() + plan.seconds
    request = Target(
        revision=revision,
        service=inputs.service or settings.service or "",
        location=inputs.region or settings.region or "",
        project=transport.project,
    )
    with PullProgress(
        time.monotonic, time.sleep, partial(click.echo, err=True) if live.show_query else None
    ) as progress:
        pacer = Pacer(time.monotonic, screen.pauses, live.requests_per_minute)
        target = _wait_for(request, transport, pacer, progress, screen, end)
    folder = inputs.case or out_folder(Path("forensics-cases"), target.revision)
    with opened(folder, target.revision) as case, _stopping() as is_stopped:
        watch = _Watch(case, target, transport, pacer, plan, screen, make_tally(target.revision), end)
        return watch.run(folder, is_stopped)


def _wait_for(
    request: Target, transport: Transport, pacer: Pacer, progress: PullProgress, screen: Display, end: float
) -> Target:
    """Look for the revision until it exists; NoEntriesError when the time is over."""
    patience = max(0.0, end - time.monotonic())
    backoff = Backoff(random.Random(), patience=patience)  # noqa: S311 - jitter
    reader = PageReader(transport, pacer=pacer, backoff=backoff, sleep=progress.wait_for_answer)
    is_announced = False
    while True:
        span = _span(LONGEST, _MARGIN * SECOND)
        try:
            target = look_for_target(reader, request, span, progress.shows)
        except SeveralRevisionsError:
            raise
        except RevisionError:
            target = None  # an entry mentions it, and none is its own
        if target is not None:
            return target
        if time.monotonic() + _LOOK_AGAIN > end:
            time.sleep(max(0.0, end - time.monotonic()))
            return find_target(reader, request, _span(LONGEST, _MARGIN * SECOND), progress.shows)
        if not is_announced:
            is_announced = True
            screen.waits(say_missing(reader, request, span, progress.shows))
        time.sleep(_LOOK_AGAIN)


def _span(before: int, after: int) -> TimeSpan:
    now = time.time_ns() // SECOND * SECOND  # whole seconds read better
    return TimeSpan(Nanoseconds(now - before), Nanoseconds(now + after))


class _Watch:
    """One watch of a revision into an open case."""

    def __init__(
        self,
        case: Case,
        target: Target,
        transport: Transport,
        pacer: Pacer,
        plan: Plan,
        screen: Display,
        tally: Tally,
        end: float,
    ) -> None:
        self._case, self._target, self._plan, self._screen, self._end = case, target, plan, screen, end
        self._tally = tally
        self._began = time.monotonic()
        after = int((max(0.0, end - self._began) + plan.linger + _MARGIN) * SECOND)
        is_grpc = hasattr(transport, "tail")
        name = "grpc tail" if is_grpc else transport.transport
        begun = begin(case, target, _span(plan.since, after), transport=name, started=utc_now())
        clock = WatchClock(monotonic=time.monotonic, now=time.time_ns, sleep=time.sleep)
        impatient = Backoff(random.Random(), patience=_IMPATIENT)  # noqa: S311 - jitter
        self._tailing: Tailing = Tailing(
            PageReader(transport, pacer=pacer, backoff=impatient, sleep=time.sleep),
            FollowRequest(filter=begun.filter, since=begun.start, open_stream=_opener(transport, begun.filter)),
            Backoff(random.Random(), longest=10.0, patience=math.inf),  # noqa: S311 - jitter
            clock,
        )
        self._follower: Follower = Follower(case, begun, self._tailing, clock)
        self._since_break = 0

    def run(self, folder: Path, is_stopped: Callable[[], bool]) -> Followed:
        """Follow to the end, and write everything to the case."""
        self._screen.begins(self._target.revision, self._tally, is_polling=self._tailing.is_polling)
        try:
            ended = self._follow(is_stopped)
            for arrival in self._tailing.finish(_LAST_LISTING):
                self._take(arrival)
        except AccessError as error:
            if not self._follower.entries:
                raise
            ended = str(error)
            self._tailing.give_up(ended)
        finally:
            self._tailing.close()
        gaps = self._follower.finish(time.time_ns())
        self._screen.ends(gaps)
        if not self._case.manifest.entries:
            raise NoEntriesError(
                f"no entry of {self._target.revision!r} came, nor stands in the "
                f"{self._plan.since / SECOND:g} s before: begin earlier with --since, or follow longer with --for"
            )
        return Followed(
            folder=folder,
            revision=self._target.revision,
            seconds=time.monotonic() - self._began,
            ended=ended,
            tally=self._tally,
            suppressed=self._tailing.suppressed.total(),
            gaps=gaps,
        )

    def _follow(self, is_stopped: Callable[[], bool]) -> str:
        """Take arrivals until there is a reason to end; return the reason in words."""
        end_after_p0 = math.inf
        for arrival in self._tailing.arrivals():
            self._take(arrival)
            now, first = time.monotonic(), self._tally.first_p0
            if first is not None and self._plan.until_p0 and end_after_p0 == math.inf:
                end_after_p0 = now + self._plan.linger
            if is_stopped():
                return "stopped"
            if first is not None and now >= end_after_p0:
                return f"first P0 {first.name} at {format_time(first.first)[11:19]}"
            if now >= self._end:
                break
        return ""

    def _take(self, arrival: Arrival) -> None:
        fresh = self._follower.take(arrival)
        self._since_break += len(fresh) if arrival.is_listed else 0
        if arrival.suppressed:
            self._screen.suppressed(arrival.suppressed)
        if arrival.news is not None:
            self._screen.tells(arrival.news, self._since_break)
            self._since_break = 0
        self._screen.saw(self._tally.add(fresh))


def _opener(transport: Transport, text: str) -> Callable[[], Stream] | None:
    """Return a function that opens a tail; None where the transport has none."""
    tail: Callable[[str], Stream] | None = getattr(transport, "tail", None)
    return None if tail is None else partial(tail, text)


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Let the first SIGINT or SIGTERM end the watch only, and the second one the program."""
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        signals.append(number)
        if len(signals) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(signals)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
