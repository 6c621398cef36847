"""A filter goes in; pages of entries come out, in order, each entry once and byte for byte as it was received.

What keeps a pull whole is the cursor: whoever has put a page away together with its cursor can go on from there after
anything, a kill, an expired token or a night. A token belongs to its filter, so the cursor tells the filter too.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.refusals import BAD_REQUEST, OK, HttpAnswer, explain, read_refusal
from forensics.model import Nanoseconds
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.cloud.pacing import Backoff, Pacer

PAGE_SIZE = 1000
"""The most that the API gives for one read of the quota."""
_REMEMBERED = PAGE_SIZE
"""Entries before the last timestamp whose repetition is noticed: as many as a page has."""
_RESTARTS = 3
"""In a row, without one new entry."""


class PageClient(Protocol):
    """Whoever can post a request for a page; see `connection.Connection`."""

    project: str

    def list_entries(self, body: bytes) -> HttpAnswer:
        """Post one request; raise BrokenOffError when no whole answer came."""
        ...


class Listing(Struct, frozen=True, kw_only=True):
    """What is asked for, page by page."""

    filter: str
    resources: tuple[str, ...] = ()
    """`projects/NAME`; the project of the connection when empty."""
    newest_first: bool = False
    page_size: int = PAGE_SIZE


class Cursor(Struct, frozen=True, kw_only=True):
    """A place in a listing from which it can go on; it can be kept as JSON."""

    token: str = ""
    since: Nanoseconds | None = None
    """The filter of the token began again here."""
    last: Nanoseconds | None = None
    """The furthest timestamp had."""
    at_last: tuple[str, ...] = ()
    """Digests of the identities had at that timestamp, all of them."""
    before: tuple[str, ...] = ()
    """Digests of the last ones before it."""
    is_finished: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """New entries of one answer; there may be none, and more to come."""

    entries: tuple[bytes, ...]
    """As received, each on one line."""
    repeated: int
    """Entries of the answer that had been had before."""
    cursor: Cursor
    """To be put away with the entries, not before them."""


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
    """Asks with patience: never faster than the pacer allows, and again after whatever passes."""

    def __init__(self, client: PageClient, *, pacer: Pacer, backoff: Backoff, sleep: Callable[[float], object]) -> None:
        self._lister = client
        self._pacer = pacer
        self._backoff = backoff
        self._sleep = sleep

    def pages(self, listing: Listing, cursor: Cursor | None = None) -> Iterator[Page]:
        """Yield page after page from a cursor on (or from the start) until there is no more; raise AccessError."""
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
        """Ask for one page until it has come whole, or patience is at its end."""
        body = request_body(self._lister.project, listing, cursor)
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
        answer = self._lister.list_entries(body)
        if answer.status == OK:
            return _open(answer.body)
        refusal = read_refusal(answer)
        # No other part of the request has changed since the page before, so that it is the token that is refused.
        if answer.status == BAD_REQUEST and had_token:
            raise _ExpiredTokenError(refusal.message)
        said = explain(refusal, self._lister.project)
        raise BrokenOffError(said, wait=refusal.wait) if refusal.is_passing else AccessError(said)


def request_body(project: str, listing: Listing, cursor: Cursor) -> bytes:
    """Write the request for the page at a cursor, as JSON."""
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
    """Drop what was had before, and move the cursor behind what is new."""
    raws = envelope.entries or ()
    had = {*cursor.before, *cursor.at_last}
    entries: list[bytes] = []
    marks: list[tuple[str, Nanoseconds | None]] = []
    for raw in raws:
        entry = _on_one_line(bytes(raw))
        mark = _mark(entry)
        if mark[0] not in had:
            had.add(mark[0])
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
    """Let an entry be a line of NDJSON; JSON has its own line breaks between values only, never in one."""
    if b"\n" in entry or b"\r" in entry:
        return entry.replace(b"\n", b" ").replace(b"\r", b" ")
    return entry


def _mark(entry: bytes) -> tuple[str, Nanoseconds | None]:
    """Return the digest of an entry's identity, and its time; what has no identity is only equal to itself."""
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
