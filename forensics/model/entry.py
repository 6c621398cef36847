"""One decoded log entry, and its parts: request, exceptions, WebSocket close."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from forensics.model.enums import Level, Nanoseconds


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of a traceback."""

    file: str
    line: int | None
    function: str
    in_app: bool
    """False for the standard library, installed packages and the runtime."""


class ExceptionInfo(Struct, frozen=True, kw_only=True):
    """One exception of a chain."""

    type: str
    """The type as printed, module included: `pymysql.err.OperationalError`."""
    value: str
    frames: tuple[Frame, ...] = ()
    """In call order: the last frame raised the exception."""


class TracedException(Struct, frozen=True, kw_only=True):
    """What a text tells about an exception, a panic or an abort, in whatever language the program is written."""

    type: str
    """The type of the exception that was printed as the outermost; empty where the text does not name it."""
    message: str
    root: ExceptionInfo
    """The first exception of the chain."""
    frame: Frame | None
    """The application's frame nearest to the root; without any, a library's."""
    chain: tuple[ExceptionInfo, ...]
    """All exceptions, in the order they were raised."""


class Close(Struct, frozen=True, kw_only=True):
    """A WebSocket close that a message reports (RFC 6455, section 7.4)."""

    code: int
    reason: str


class HttpRequest(Struct, frozen=True, kw_only=True):
    """The parts of `httpRequest` that analysis needs, with numbers parsed."""

    method: str
    url: str
    path: str
    """The URL without scheme, host, query and fragment, which may contain secrets."""
    status: int | None
    latency: Nanoseconds | None
    user_agent: str = ""


class LogEntry(Struct, frozen=True):
    """One decoded log entry. Field names are Cloud Logging's, in snake_case.

    Fields may be passed by position: one record is made for every entry, and keyword arguments take three times as
    long.
    """

    insert_id: str
    """The entry's identity, together with `timestamp` and `log_name`; evidence cites it."""
    timestamp: str
    """The timestamp as received, with up to nine fractional digits."""
    time: Nanoseconds
    """`timestamp` as nanoseconds; 0 when the entry has none."""
    log_name: str
    stream: str
    """`requests`, `stdout`, `stderr`, `system`, `activity`, `system_event`, … or "" when unknown."""
    severity: str | None
    """The severity as received; None when the entry has none."""
    level: Level
    """The effective severity: `severity`, or the level stated in the payload when that is absent or DEFAULT."""
    message: str
    """The message, stitched and without decoration (ANSI codes, emoji, logger prefixes)."""
    revision: str
    """The revision, from the resource labels or the content of an audit entry; "" when unknown."""
    service: str
    instance: str
    """`labels.instanceId`, "" when unknown."""
    trace: str
    raw: dict[str, Any]
    """The record as received; the source of rule fields such as `jsonPayload.x`."""
    has_payload: bool
    """False when text, JSON, proto payload and httpRequest are all absent or empty."""
    http: HttpRequest | None = None
    exceptions: tuple[ExceptionInfo, ...] = ()
    """The chain of exceptions in the order they were raised."""
    close: Close | None = None
    pieces: tuple[LogEntry, ...] = ()
    """For a stitched entry all original entries in order, the first included; else empty."""

    @property
    def end(self) -> Nanoseconds:
        """The end of a request (start plus latency); for all other entries `time`."""
        if self.http is None or self.http.latency is None:
            return self.time
        return Nanoseconds(self.time + self.http.latency)

    @property
    def originals(self) -> tuple[LogEntry, ...]:
        """The original entries of the log: the pieces, or the entry itself."""
        return self.pieces or (self,)

    @property
    def sort_key(self) -> tuple[int, str, str]:
        """The key of the total order of entries."""
        return (self.time, self.insert_id, self.log_name)
