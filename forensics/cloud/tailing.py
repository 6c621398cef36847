"""Follow a filter live: receive entries as they arrive, and list again whatever the live stream did not deliver.

Cloud Logging's tail is quick but incomplete: entries logged while it is not open never arrive, and those it leaves out
are only counted. A listing is slow but complete. So entries are taken from the tail at once, and a listing asks for the
rest after every opening, after a break, after a count of left-out entries, and after a long silence. Times that no
listing could fill remain in `UnreadTimes`. Without a tail (REST), a listing runs every few seconds instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.pages import Cursor, Listing
from forensics.cloud.refusals import OK, HttpAnswer, error_of, read_refusal
from forensics.cloud.unread_times import UnreadTimes
from forensics.model import Nanoseconds
from forensics.text.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from forensics.cloud.pacing import Backoff
    from forensics.cloud.pages import PageReader

TICK = 0.25
"""Seconds after which `arrivals` yields an empty `Arrival` when no entry came."""
OVERLAP = 30 * SECOND
"""Nanoseconds that a listing reaches back before the last entry received: entries arrive out of order."""
SETTLING = 2.0
"""Seconds after an opening until the server surely delivers; a listing then brings the entries in between."""
SILENCE = 60.0
"""Seconds without an entry after which a listing checks whether there were none or the tail has stalled."""
POLL = 5.0
"""Seconds between listings where there is no tail: 12 of the 50 requests allowed per minute."""
_AT_ONCE = 0.01
_EXPIRED = "OUT_OF_RANGE"
"""Status code with which the server ends a tail after an hour."""


class Stream(Protocol):
    """An open tail."""

    def receive(self, seconds: float) -> HttpAnswer | None:
        """Return the next message, None when none came within `seconds`; raise BrokenOffError at the stream's end."""
        ...

    def close(self) -> None:
        """Close the stream."""
        ...


class WatchEvent(StrEnum):
    """Changes in the state of a watch that a user should see."""

    POLLING = "polling"
    """There is no tail; listings every few seconds replace it."""
    BROKEN = "broken"
    """Nothing arrives for the time being."""
    REOPENED = "reopened"
    """Entries arrive again, and those logged meanwhile were listed."""


class News(Struct, frozen=True):
    """A change in the state of a watch, with its reason."""

    kind: WatchEvent
    reason: str = ""
    """One line."""


class Arrival(Struct, frozen=True, kw_only=True):
    """The outcome of one moment of waiting: entries, a change of state, or nothing."""

    entries: tuple[bytes, ...] = ()
    """As received, each on one line; some may repeat earlier ones."""
    is_listed: bool = False
    """True when a listing brought them, False for the tail."""
    suppressed: int = 0
    """Number of entries that the tail says it left out."""
    news: News | None = None


class FollowRequest(Struct, frozen=True, kw_only=True):
    """The entries that are followed, and how a tail of them is opened."""

    filter: str
    """Sent to the tail and to listings alike."""
    since: int
    """Nanoseconds; nothing before this time is requested."""
    open_stream: Callable[[], Stream] | None
    """None where there is no tail, so that listings do all the work."""
    pace: float = POLL
    """Seconds between listings where there is no tail."""


class WatchClock(Struct, frozen=True, kw_only=True):
    """The time as a watch needs it; passed in, so that tests run without waiting."""

    monotonic: Callable[[], float]
    """Seconds, for measuring waits."""
    now: Callable[[], int]
    """Time of day in nanoseconds."""
    sleep: Callable[[float], object]


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
    """Follows the entries that match a filter, from a time on."""

    def __init__(self, reader: PageReader, request: FollowRequest, backoff: Backoff, clock: WatchClock) -> None:
        self._reader, self._request, self._backoff = reader, request, backoff
        self._clock, self._now = clock.monotonic, clock.now
        self._sleep = clock.sleep
        self._open_stream = request.open_stream
        self._stream: Stream | None = None
        self._last = request.since
        """Time of the latest entry received, nanoseconds."""
        self._due = self._clock()
        """When to list, or to open the stream again."""
        self._is_broken = False
        self.unread = UnreadTimes()
        """Times that may lack entries for now; after `finish`, those that do."""
        self.unread.begin(request.since, "it was not read to its end")
        self.suppressed: Counter[str] = Counter()
        """Number of entries that the tail left out, by the server's reason."""

    @property
    def whole_until(self) -> int:
        """The time up to which every entry was received, except for late arrivals; nanoseconds."""
        return min([self._last, *self.unread.starts()])

    @property
    def is_polling(self) -> bool:
        """Whether listings replace the tail."""
        return self._open_stream is None

    def arrivals(self) -> Iterator[Arrival]:
        """Yield arrivals without end, empty ones while nothing comes.

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
        """Take the remaining arrivals, close the stream, and list missing entries, for at most `seconds`."""
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
        """Note that Cloud Logging can no longer be asked, and why."""
        self.close()
        self._miss(reason)

    def close(self) -> None:
        """Close the stream, if one is open."""
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
        self.unread.end(self._now())  # the stream brings what comes from here on
        if left_out:
            self._miss("Cloud Logging left entries out of the stream")
            self._due = min(self._due, self._clock() + SETTLING)
        elif not self.unread:
            self._due = self._clock() + SILENCE
        entries = tuple(bytes(raw) for raw in message.entries)
        self._note(entries)
        yield Arrival(entries=entries, suppressed=left_out)

    def _receive(self, seconds: float) -> _Message | None:
        """Return the stream's next message; raise AccessError at its end, BrokenOffError if it can be opened again."""
        assert self._stream is not None  # noqa: S101 - callers look
        answer = self._stream.receive(seconds)
        if answer is None:
            return None
        if answer.status == OK:
            return _MESSAGE.decode(answer.body)
        refusal = read_refusal(answer)
        if refusal.code == _EXPIRED:
            raise BrokenOffError("Cloud Logging ended the stream, as it does after an hour")
        raise error_of(refusal, self._reader.project)

    def _end(self, error: AccessError) -> Arrival:
        """Note the end of the stream; where it is refused for good, listings replace it."""
        self.close()
        self._miss(str(error))
        if not isinstance(error, BrokenOffError):
            self._open_stream, self._due = None, self._clock()
            return Arrival(news=News(WatchEvent.POLLING, str(error)))
        self._due = self._clock() + (self._backoff.after_failure(error.wait) or 0.0)
        return self._break(str(error))

    def _break(self, reason: str) -> Arrival:
        """Report that nothing arrives, once for a row of failed tries."""
        is_new, self._is_broken = not self._is_broken, True
        return Arrival(news=News(WatchEvent.BROKEN, reason) if is_new else None)

    def _catch_up(self) -> Iterator[Arrival]:
        """Open the stream when there is none, then list the entries before it or since the break."""
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
        self._due = self._clock() + (self._request.pace if self.is_polling else SILENCE)
        self._backoff.succeeded()
        if self._is_broken:
            self._is_broken = False
            yield Arrival(news=News(WatchEvent.REOPENED))

    def _list(self) -> Generator[Arrival, None, bool]:
        """List from the first unread time on, or from the last entry received; return whether it came to its end.

        Raises:
            AccessError: the listing is refused for good.
        """
        start = max(self._request.since, self.whole_until - OVERLAP)
        try:
            for page in self._reader.pages(Listing(filter=self._request.filter), Cursor(since=Nanoseconds(start))):
                if page.cursor.is_finished:
                    self.unread.clear()
                elif page.cursor.last is not None:
                    self.unread.fill(page.cursor.last)
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
        """Note that entries after the last one received may be missing."""
        self.unread.begin(self._last, reason)

    def _note(self, entries: Iterable[bytes]) -> None:
        """Remember the latest time received; times in the future, which applications may write, do not count."""
        for entry in entries:
            with suppress(msgspec.DecodeError, UnicodeDecodeError, ValueError):
                stamp = int(parse_time(_STAMPED.decode(entry).timestamp))
                if self._last < stamp <= self._now():
                    self._last = stamp
