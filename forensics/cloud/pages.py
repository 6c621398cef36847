"""Page through the entries that match a filter: in order, each entry once, byte for byte as received.

The cursor keeps a pull complete: a caller that stores each page together with its cursor can go on from there after a
kill, an expired token or a long pause. A page token belongs to its filter, so the cursor records the filter's start.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.refusals import BAD_REQUEST, OK, HttpAnswer, error_of, read_refusal
from forensics.model import Nanoseconds
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.cloud.pacing import Backoff, Pacer

PAGE_SIZE = 1000
"""Entries: the most that the API returns for one request of the quota."""
_REMEMBERED = PAGE_SIZE
"""Entries before the last timestamp that are checked for repetition: one page of them."""
_RESTARTS = 3
"""Restarts in a row without a new entry before the reader gives up."""


class PageClient(Protocol):
    """A client that requests one page at a time; see `connection.Transport`."""

    project: str

    def list_entries(self, body: bytes) -> HttpAnswer:
        """Post one request; raise BrokenOffError when no complete response arrived."""
        ...


class Listing(Struct, frozen=True, kw_only=True):
    """A query for entries, read page by page."""

    filter: str
    resources: tuple[str, ...] = ()
    """`projects/NAME`; the connection's project when empty."""
    newest_first: bool = False
    page_size: int = PAGE_SIZE


class Cursor(Struct, frozen=True, kw_only=True):
    """A position from which a listing can be continued; stored as JSON."""

    token: str = ""
    since: Nanoseconds | None = None
    """Where the listing was restarted after an expired token; the token belongs to a filter from this time on."""
    last: Nanoseconds | None = None
    """The furthest timestamp received."""
    at_last: tuple[str, ...] = ()
    """Digests of all entries received at that timestamp."""
    before: tuple[str, ...] = ()
    """Digests of the last entries received before it."""
    is_finished: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """The new entries of one response; may be empty although more pages follow."""

    entries: tuple[bytes, ...]
    """As received, each on one line."""
    repeated: int
    """Number of entries in the response that were received before."""
    cursor: Cursor
    """Where the next page starts; to be stored together with the entries, never before them."""


class _Envelope(Struct):
    entries: list[Raw] | None = None
    nextPageToken: str | None = None  # noqa: N815 - the API's own spelling


class _Identity(Struct):
    logName: str = ""  # noqa: N815 - the API's own spelling
    timestamp: str = ""
    insertId: str = ""  # noqa: N815 - the API's own spelling


class _ExpiredTokenError(Exception):
    """A page token was refused."""


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_IDENTITY = msgspec.json.Decoder(_Identity)


class PageReader:
    """Reads pages at the pace of the quota, and retries whatever may pass."""

    def __init__(self, client: PageClient, *, pacer: Pacer, backoff: Backoff, sleep: Callable[[float], object]) -> None:
        self._client = client
        self.project = client.project
        self._pacer = pacer
        self._backoff = backoff
        self._sleep = sleep

    def pages(self, listing: Listing, cursor: Cursor | None = None) -> Iterator[Page]:
        """Yield pages from a cursor (or from the start) to the end; raise AccessError."""
        cursor = cursor or Cursor()
        restarts = 0
        while not cursor.is_finished:
            try:
                envelope = self._ask(listing, cursor)
            except _ExpiredTokenError as error:
                restarts += 1
                if restarts > _RESTARTS:
                    raise AccessError(
                        f"Cloud Logging refuses its own page tokens ({error}): try again later"
                    ) from error
                # At the last timestamp: entries that share it may lie on either side of the break.
                cursor = msgspec.structs.replace(cursor, token="", since=cursor.last)
                continue
            page = _take(envelope, cursor, newest_first=listing.newest_first)
            restarts = 0 if page.entries else restarts
            cursor = page.cursor
            yield page

    def _ask(self, listing: Listing, cursor: Cursor) -> _Envelope:
        """Request one page until it arrives complete, or the backoff gives up."""
        body = request_body(self.project, listing, cursor)
        while True:
            self._pacer.wait()
            try:
                envelope = self._try(body, had_token=bool(cursor.token))
            except BrokenOffError as error:
                delay = self._backoff.after_failure(error.wait)
                if delay is None:
                    raise
                self._sleep(delay)
            else:
                self._backoff.succeeded()
                return envelope

    def _try(self, body: bytes, *, had_token: bool) -> _Envelope:
        answer = self._client.list_entries(body)
        if answer.status == OK:
            return _open(answer.body)
        refusal = read_refusal(answer)
        # No other part of the request has changed since the page before, so that it is the token that is refused.
        if answer.status == BAD_REQUEST and had_token:
            raise _ExpiredTokenError(refusal.message)
        raise error_of(refusal, self.project)


def request_body(project: str, listing: Listing, cursor: Cursor) -> bytes:
    """Encode the request for the page at a cursor, as JSON."""
    request = {
        "resourceNames": listing.resources or (f"projects/{project}",),
        "filter": _filter_from(listing, cursor),
        "orderBy": "timestamp desc" if listing.newest_first else "timestamp asc",
        "pageSize": listing.page_size,
    }
    if cursor.token:
        request["pageToken"] = cursor.token
    return msgspec.json.encode(request)


def _filter_from(listing: Listing, cursor: Cursor) -> str:
    if cursor.since is None:
        return listing.filter
    side = "<=" if listing.newest_first else ">="
    return f'({listing.filter}) AND (timestamp{side}"{format_time(cursor.since)}")'


def _open(body: bytes) -> _Envelope:
    try:
        return _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenOffError(f"an answer of Cloud Logging is no page of entries ({error}): check --endpoint") from error


def _take(envelope: _Envelope, cursor: Cursor, *, newest_first: bool) -> Page:
    """Drop entries received before, and move the cursor behind the new ones."""
    raws = envelope.entries or ()
    seen = {*cursor.before, *cursor.at_last}
    entries: list[bytes] = []
    marks: list[tuple[str, Nanoseconds | None]] = []
    for raw in raws:
        entry = _on_one_line(bytes(raw))
        mark = _mark(entry)
        if mark[0] not in seen:
            seen.add(mark[0])
            marks.append(mark)
            entries.append(entry)
    following = _remember(cursor, marks, newest_first=newest_first)
    token = envelope.nextPageToken or ""
    following = msgspec.structs.replace(following, token=token, is_finished=not token)
    return Page(entries=tuple(entries), repeated=len(raws) - len(entries), cursor=following)


def _remember(cursor: Cursor, marks: Iterable[tuple[str, Nanoseconds | None]], *, newest_first: bool) -> Cursor:
    marks = tuple(marks)
    times = [time for _, time in marks if time is not None]
    if cursor.last is not None:
        times.append(cursor.last)
    last = (min if newest_first else max)(times, default=None)
    at_last = tuple(digest for digest, time in marks if time == last and time is not None)
    before = tuple(digest for digest, time in marks if time != last or time is None)
    if last == cursor.last:
        at_last = cursor.at_last + at_last
        before = cursor.before + before
    else:
        before = cursor.before + cursor.at_last + before
    return msgspec.structs.replace(cursor, last=last, at_last=at_last, before=before[-_REMEMBERED:])


def _on_one_line(entry: bytes) -> bytes:
    """Write an entry as one line of NDJSON; JSON allows raw line breaks only between values, never inside one."""
    if b"\n" in entry or b"\r" in entry:
        return entry.replace(b"\n", b" ").replace(b"\r", b" ")
    return entry


def _mark(entry: bytes) -> tuple[str, Nanoseconds | None]:
    """Return the digest of an entry's identity, and its time; one without an identity equals only its own copies."""
    try:
        identity = _IDENTITY.decode(entry)
        time = parse_time(identity.timestamp)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return _digest(entry), None
    if not identity.insertId:
        return _digest(entry), time
    return _digest(f"{identity.logName}\0{time}\0{identity.insertId}".encode(errors="surrogatepass")), time


def _digest(identity: bytes) -> str:
    # Ten bytes: a thousand of them stand in every cursor, and two that are equal by chance are out of the question.
    return blake2b(identity, digest_size=10).hexdigest()
