"""One log entry, decoded, and what it holds: request, exceptions, close."""

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
    """As printed, module included: `pymysql.err.OperationalError`."""
    value: str
    frames: tuple[Frame, ...] = ()
    """In call order: the last one raised."""


class Close(Struct, frozen=True, kw_only=True):
    """A WebSocket close that a message tells of (RFC 6455, section 7.4)."""

    code: int
    reason: str


class HttpRequest(Struct, frozen=True, kw_only=True):
    """The parts of `httpRequest` that analysis needs, numbers as numbers."""

    method: str
    url: str
    path: str
    """Without scheme, host, query and fragment: those may hold secrets."""
    status: int | None
    latency: Nanoseconds | None
    user_agent: str = ""


class LogEntry(Struct, frozen=True):
    """One log entry, decoded. Field names are Cloud Logging's, in snake_case.

    Its fields may be given in order: one is made of every entry, and names take three times as long.
    """

    insert_id: str
    """With `timestamp` and `log_name`, the entry's identity; evidence cites it."""
    timestamp: str
    """As received, with up to nine fractional digits."""
    time: Nanoseconds
    """`timestamp` as nanoseconds; 0 when the entry has none."""
    log_name: str
    stream: str
    """`requests`, `stdout`, `stderr`, `system`, `activity`, `system_event`, … or "" when unknown."""
    severity: str | None
    """As received; None when the entry has none."""
    level: Level
    """The effective severity: `severity`, or, where absent or DEFAULT, what the text or payload states."""
    message: str
    """What the entry says, stitched and without decoration (ANSI, emoji, logger prefixes)."""
    revision: str
    """From the resource, or from what an audit entry speaks of; "" when neither tells."""
    service: str
    instance: str
    """`labels.instanceId`, "" when unknown."""
    trace: str
    raw: dict[str, Any]
    """The record as received; rule fields such as `jsonPayload.x` read it."""
    has_payload: bool
    """False when text, JSON, proto payload and httpRequest are all absent or empty."""
    http: HttpRequest | None = None
    exceptions: tuple[ExceptionInfo, ...] = ()
    """A chain in the order raised: the first is where it began."""
    close: Close | None = None
    pieces: tuple[LogEntry, ...] = ()
    """For a stitched entry: every original entry, itself included, in order. Else empty."""

    @property
    def end(self) -> Nanoseconds:
        """When it was over: for a request its start plus its latency, else `time`."""
        if self.http is None or self.http.latency is None:
            return self.time
        return Nanoseconds(self.time + self.http.latency)

    @property
    def originals(self) -> tuple[LogEntry, ...]:
        """The entries as they were in the log: the pieces, or the entry itself."""
        return self.pieces or (self,)

    @property
    def sort_key(self) -> tuple[int, str, str]:
        """Total order of entries."""
        return (self.time, self.insert_id, self.log_name)
