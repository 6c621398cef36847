"""A raw record in, a `LogEntry` out: what it says, how bad it is, which exceptions and which close it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.entries.closes import close_in
from forensics.entries.decoration import Words, undecorate
from forensics.entries.error_objects import typed_error
from forensics.entries.exceptions import parse_exceptions, tells_failure, unescaped
from forensics.entries.fields import dict_at, http_of, stream_of, text_at, time_of, whole_number
from forensics.entries.levels import level_of_severity
from forensics.entries.payload import level_in, read_payload
from forensics.entries.revisions import revision_of, service_of
from forensics.model import Level, LogEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forensics.entries.payload import Payload
    from forensics.model import ExceptionInfo, HttpRequest, RawEntry

_SERVER_ERROR = 500
_CLIENT_ERROR = 400


def decode_entry(raw: RawEntry) -> LogEntry:
    """Decode one record; whatever it holds, this does not raise."""
    return decode_record(raw.record)


def decode_record(record: dict[str, Any]) -> LogEntry:
    """Decode one record that needs no place: a raw one, or pieces that were joined."""
    payload = read_payload(record)
    words = undecorate(unescaped(payload.text)) if payload.is_log else Words(payload.text.strip(), None, False)
    http = http_of(record)
    log_name = text_at(record, "logName")
    severity = record.get("severity")
    return LogEntry(
        insert_id=text_at(record, "insertId"),
        timestamp=text_at(record, "timestamp"),
        time=time_of(record),
        log_name=log_name,
        stream=stream_of(log_name),
        severity=None if severity is None or isinstance(severity, dict | list | bool) else str(severity),
        level=_level(record, payload, words, http),
        message=words.message or _request_line(http),
        revision=revision_of(record),
        service=service_of(record),
        instance=text_at(record, "labels", "instanceId"),
        trace=text_at(record, "trace"),
        raw=record,
        has_payload=_has_payload(record),
        http=http,
        exceptions=_exceptions(payload, words),
        close=close_in(words.message, payload.values) if payload.is_log else None,
    )


def _level(record: Mapping[str, Any], payload: Payload, words: Words, http: HttpRequest | None) -> Level:
    """Return the effective severity: the entry's own, else what the payload states, else what it shows."""
    given = level_of_severity(record.get("severity"))
    if given is None or given is Level.DEFAULT:
        given = (level_in(payload.values) if payload.values else None) or words.level
    if given is not None and given is not Level.DEFAULT:
        return given
    if payload.is_log and tells_failure(words.message):
        return Level.ERROR
    if http is not None and http.status is not None:
        return _level_of_status(http.status)
    failed = whole_number(dict_at(record, "protoPayload", "status").get("code"))
    return Level.ERROR if failed else Level.DEFAULT


def _level_of_status(status: int) -> Level:
    if status >= _SERVER_ERROR:
        return Level.ERROR
    return Level.WARNING if status >= _CLIENT_ERROR else Level.INFO


def _exceptions(payload: Payload, words: Words) -> tuple[ExceptionInfo, ...]:
    if not payload.is_log:
        return ()
    found = parse_exceptions(words.message)
    error = typed_error(payload.values) if payload.values and not found else None
    return found if error is None else (error,)


def _request_line(http: HttpRequest | None) -> str:
    if http is None:
        return ""
    return " ".join(part for part in (str(http.status or ""), http.method, http.path) if part)


def _has_payload(record: Mapping[str, Any]) -> bool:
    return any(record.get(key) for key in ("textPayload", "jsonPayload", "protoPayload", "httpRequest"))
