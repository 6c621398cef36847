"""A filter and a moment in; entries out as they arrive, what came before and what a break held back included.

A tail is quick and forgets: what is logged while it is not open never comes, and what it leaves out it only counts. A
listing is slow and whole. So the tail brings entries at once, and after every opening, after a break, after a count of
what was left out, and in long silence a listing asks for what it did not bring. What no listing could fill is a hole.
Where there can be no tail, listings every few seconds do its work.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.pages import Cursor, Listing
from forensics.cloud.refusals import OK, HttpAnswer, explain, read_refusal
from forensics.model import Nanoseconds
from forensics.text.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from forensics.cloud.pacing import Backoff
    from forensics.cloud.pages import PageReader

TICK = 0.25
"""Seconds after which whoever waits for entries hears that none came."""
OVERLAP = 30 * SECOND
"""Nanoseconds before the last entry had from which on a listing asks again: entries arrive out of order."""
SETTLING = 2.0
"""Seconds after an opening until the server surely follows: a listing then brings what came in between."""
SILENCE = 60.0
"""Seconds without an entry after which a listing asks whether there were none, or the tail is deaf."""
POLL = 5.0
"""Seconds between listings where there is no tail: twelve requests of the minute's fifty."""
_AT_ONCE = 0.01
_EXPIRED = "OUT_OF_RANGE"
"""A tail is ended by the server after an hour."""


class Stream(Protocol):
    """An open tail."""

    def receive(self, seconds: float) -> HttpAnswer | None:
        """Return what came, None when nothing did in so many seconds; raise BrokenOffError at its end."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class WatchEvent(StrEnum):
    """What there is to say of a watch beside its entries."""

    POLLING = "polling"
    """There is no tail: listings do its work."""
    BROKEN = "broken"
    """Nothing arrives for the time being."""
    REOPENED = "reopened"
    """Everything arrives again, and what came meanwhile was listed."""


class News(Struct, frozen=True):
    """Something that happened to a watch."""

    kind: WatchEvent
    reason: str = ""
    """One line."""


class Arrival(Struct, frozen=True, kw_only=True):
    """What came in a moment: nothing, perhaps."""

    entries: tuple[bytes, ...] = ()
    """As received, each on one line; some may have come before."""
    is_listed: bool = False
    """A listing brought them, and not the tail."""
    suppressed: int = 0
    """Entries that the tail left out, as it says itself."""
    news: News | None = None


class Hole(Struct, kw_only=True):
    """A time of which entries may be missing."""

    start: int
    """The last entry had before it, nanoseconds."""
    end: int | None
    """None: it goes on."""
    reason: str


class _Suppression(Struct):
    reason: str = ""
    suppressedCount: int = 0  # noqa: N815 - the API's own spelling


class _Message(Struct):
    entries: list[Raw] = []
    suppressionInfo: list[_Suppression] = []  # noqa: N815 - the API's own spelling


class _Stamped(Struct):
    timestamp: str = ""


_MESSAGE = msgspec.json.Decoder(_Message)
_STAMPED = msgspec.json.Decoder(_Stamped)


class Tailing:
    """Follows what a filter lets pass, from a moment on. `now` is the time of day in nanoseconds."""

    def __init__(
        self,
        reader: PageReader,
        text: str,
        since: int,
        *,
        project: str,
        open_stream: Callable[[], Stream] | None,
        backoff: Backoff,
        clock: Callable[[], float],
        now: Callable[[], int],
        sleep: Callable[[float], object],
        pace: float = POLL,
    ) -> None:
        self._reader, self._text, self._project = reader, text, project
        self._open_stream = open_stream
        self._backoff, self._clock, self._now, self._sleep = backoff, clock, now, sleep
        self._pace = pace
        self._stream: Stream | None = None
        self._since, self._last = since, since
        self._due = clock()
        """When to list, or to open the stream again."""
        self._is_broken = False
        self.holes: list[Hole] = [Hole(start=since, end=None, reason="it was not read to its end")]
        """What may be missing as yet; at the end, what is."""
        self.suppressed: Counter[str] = Counter()
        """Entries that the tail left out, by the server's word for the reason."""

    @property
    def whole_until(self) -> int:
        """Up to here nothing is missing, but for what arrives late."""
        return min([self._last, *(hole.start for hole in self.holes)])

    @property
    def is_polling(self) -> bool:
        """Whether listings do the work of a tail."""
        return self._open_stream is None

    def arrivals(self) -> Iterator[Arrival]:
        """Yield what arrives, and every moment when nothing does, without end.

        Raises:
            AccessError: Cloud Logging refuses a listing for good.
        """
        if self.is_polling:
            yield Arrival(news=News(WatchEvent.POLLING, "REST cannot be followed live"))
        while True:
            if self._stream is not None:
                yield from self._listen(TICK)
            elif self._clock() < self._due:
                self._sleep(TICK)
                yield Arrival()
            if self._clock() >= self._due:
                yield from self._catch_up()

    def finish(self, seconds: float) -> Iterator[Arrival]:
        """Take what has come, let go of the stream, and list what is missing, for so many seconds at most."""
        end = self._clock() + seconds
        has_more = True
        while has_more and self._stream is not None and self._clock() < end:
            has_more = False
            for arrival in self._listen(_AT_ONCE):
                has_more = bool(arrival.entries)
                yield arrival
        if self.is_polling:
            self._miss("the watch ended before it was read")
        for arrival in self._list():
            yield arrival
            if self._clock() >= end:
                break
        self.close()

    def give_up(self, reason: str) -> None:
        """Note that nothing can be asked for any more."""
        self.close()
        self._miss(reason)

    def close(self) -> None:
        """Let go of the stream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _listen(self, seconds: float) -> Iterator[Arrival]:
        try:
            message = self._receive(seconds)
        except AccessError as error:
            yield self._end(error)
            return
        if message is None:
            yield Arrival()
            return
        left_out = sum(info.suppressedCount for info in message.suppressionInfo)
        for info in message.suppressionInfo:
            self.suppressed[info.reason or "NO_REASON"] += info.suppressedCount
        for hole in self.holes:
            hole.end = hole.end or self._now()  # the stream brings what comes from here on
        if left_out:
            self._miss("Cloud Logging left entries out of the stream")
            self._due = min(self._due, self._clock() + SETTLING)
        elif not self.holes:
            self._due = self._clock() + SILENCE
        entries = tuple(bytes(raw) for raw in message.entries)
        self._note(entries)
        yield Arrival(entries=entries, suppressed=left_out)

    def _receive(self, seconds: float) -> _Message | None:
        """Return what the stream brings; raise AccessError at its end, BrokenOffError when it can be opened again."""
        assert self._stream is not None  # noqa: S101 - callers look
        answer = self._stream.receive(seconds)
        if answer is None:
            return None
        if answer.status == OK:
            return _MESSAGE.decode(answer.body)
        refusal = read_refusal(answer)
        if refusal.code == _EXPIRED:
            raise BrokenOffError("Cloud Logging ended the stream, as it does after an hour")
        said = explain(refusal, self._project)
        raise BrokenOffError(said, wait=refusal.wait) if refusal.is_passing else AccessError(said)

    def _end(self, error: AccessError) -> Arrival:
        """Note the end of the stream; who may not follow asks from then on."""
        self.close()
        self._miss(str(error))
        if not isinstance(error, BrokenOffError):
            self._open_stream, self._due = None, self._clock()
            return Arrival(news=News(WatchEvent.POLLING, str(error)))
        self._due = self._clock() + (self._backoff.after_failure(error.wait) or 0.0)
        return self._break(str(error))

    def _break(self, reason: str) -> Arrival:
        """Say that nothing arrives: once, however often the stream is tried."""
        is_new, self._is_broken = not self._is_broken, True
        return Arrival(news=News(WatchEvent.BROKEN, reason) if is_new else None)

    def _catch_up(self) -> Iterator[Arrival]:
        """Open the stream when there is none, then list what came before, or meanwhile."""
        was_open = self._stream is not None
        if self._open_stream is not None and not was_open:
            try:
                self._stream = self._open_stream()
            except AccessError as error:
                yield self._end(error)
                return
        is_whole = yield from self._list()
        if not is_whole:
            return
        if not (was_open or self.is_polling):
            # It may be refused yet, and until then nobody knows from when on it brings everything.
            self._miss("the stream had only just been opened")
            self._due = self._clock() + SETTLING
            return
        self._due = self._clock() + (self._pace if self.is_polling else SILENCE)
        self._backoff.succeeded()
        if self._is_broken:
            self._is_broken = False
            yield Arrival(news=News(WatchEvent.REOPENED))

    def _list(self) -> Generator[Arrival, None, bool]:
        """List from the first hole on, or from the last entry had, and fill holes; return whether it came to its end.

        Raises:
            AccessError: the listing is refused for good.
        """
        start = max(self._since, self.whole_until - OVERLAP)
        try:
            for page in self._reader.pages(Listing(filter=self._text), Cursor(since=Nanoseconds(start))):
                if page.cursor.is_finished:
                    self.holes.clear()
                elif page.cursor.last is not None:
                    self._fill(page.cursor.last)
                self._note(page.entries)
                yield Arrival(entries=page.entries, is_listed=True)
        except BrokenOffError as error:
            if self.is_polling or self._stream is None:
                self._miss(str(error))
            self._due = self._clock() + (self._backoff.after_failure(error.wait) or 0.0)
            yield self._break(str(error))
            return False
        return True

    def _miss(self, reason: str) -> None:
        """Open a hole behind the last entry had; one that is open goes on, for the reason that is known now."""
        if self.holes and self.holes[-1].end is None:
            self.holes[-1].reason = reason
            return
        self.holes.append(Hole(start=self._last, end=None, reason=reason))

    def _fill(self, until: int) -> None:
        self.holes = [hole for hole in self.holes if hole.end is None or hole.end > until]
        for hole in self.holes:
            hole.start = max(hole.start, until)

    def _note(self, entries: Iterable[bytes]) -> None:
        """Remember the latest time had; an application may write times to come, which tell nothing."""
        for entry in entries:
            with suppress(msgspec.DecodeError, UnicodeDecodeError, ValueError):
                time = int(parse_time(_STAMPED.decode(entry).timestamp))
                if self._last < time <= self._now():
                    self._last = time
