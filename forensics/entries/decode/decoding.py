"""Decode a raw record into a `LogEntry`: message, level, exceptions, WebSocket close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.entries.decode.error_objects import typed_error
from forensics.entries.decode.levels import level_of_severity
from forensics.entries.decode.payload import level_in, read_payload
from forensics.entries.decode.resource import revision_of, service_of
from forensics.entries.decode.texts import TextFacts, text_facts_of
from forensics.entries.decode.websocket_close import close_in_values
from forensics.entries.raw_fields import http_of, stream_of, text_of, time_in, whole_number
from forensics.entries.tracebacks import fails_without_exception, tells_failure
from forensics.model import Level, LogEntry
from forensics.text.nested_values import dict_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forensics.entries.decode.payload import Payload
    from forensics.model import ExceptionInfo, HttpRequest, RawEntry

_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_NO_TEXTS = (dict, list, bool)
_NO_TEXT_FACTS = TextFacts("")


def decode_entry(raw: RawEntry) -> LogEntry:
    """Decode one record; this never raises, whatever the record contains."""
    return decode_record(raw.record)


def decode_record(record: dict[str, Any]) -> LogEntry:
    """Decode one record without a place: a raw one, or the joined pieces of a stitched entry."""
    get = record.get
    payload = read_payload(record)
    text_facts = _text_facts(payload)
    message = text_facts.message
    exceptions, close = text_facts.exceptions, text_facts.close
    http = http_of(record) if "httpRequest" in record else None
    timestamp = text_of(get("timestamp"))
    log_name = text_of(get("logName"))
    severity = get("severity")
    labels = dict_at(record, "resource", "labels")
    own_labels = get("labels")
    if payload.values:
        exceptions = exceptions or _typed(payload.values)
        close = close_in_values(message, payload.values) or close
    return LogEntry(
        text_of(get("insertId")),
        timestamp,
        time_in(timestamp),
        log_name,
        stream_of(log_name),
        None if severity is None or isinstance(severity, _NO_TEXTS) else str(severity),
        _level(severity, record, payload, text_facts, http),
        message or _request_line(http),
        # Most records have both in their resource labels; the slower look-up is for the rest.
        text_of(labels.get("revision_name")) or revision_of(record),
        text_of(labels.get("service_name")) or service_of(record),
        text_of(own_labels.get("instanceId")) if isinstance(own_labels, dict) else "",
        text_of(get("trace")),
        record,
        payload.is_log or http is not None or _has_payload(record),
        http,
        exceptions,
        close,
    )


def _text_facts(payload: Payload) -> TextFacts:
    text = payload.text
    if payload.is_log:
        return text_facts_of(text)
    return TextFacts(text.strip()) if text else _NO_TEXT_FACTS


def _typed(values: Mapping[str, Any]) -> tuple[ExceptionInfo, ...]:
    error = typed_error(values)
    return () if error is None else (error,)


def _level(
    severity: Any, record: Mapping[str, Any], payload: Payload, text_facts: TextFacts, http: HttpRequest | None
) -> Level:
    """Return the effective severity: the entry's own, else the payload's level, else one inferred from its content."""
    level = None if severity is None else level_of_severity(severity)
    if level is None or level is Level.DEFAULT:
        level = (level_in(payload.values) if payload.values else None) or text_facts.level
    if level is not None and level is not Level.DEFAULT:
        return level
    if payload.is_log and _fails(text_facts):
        return Level.ERROR
    if http is not None and http.status is not None:
        return level_of_status(http.status)
    failed = whole_number(dict_at(record, "protoPayload", "status").get("code"))
    return Level.ERROR if failed else Level.DEFAULT


def _fails(text_facts: TextFacts) -> bool:
    message = text_facts.message
    return tells_failure(message) if text_facts.exceptions else fails_without_exception(message)


def level_of_status(status: int) -> Level:
    """Return the level of an HTTP status, for a request without a severity."""
    if status >= _SERVER_ERROR:
        return Level.ERROR
    return Level.WARNING if status >= _CLIENT_ERROR else Level.INFO


def _request_line(http: HttpRequest | None) -> str:
    if http is None:
        return ""
    if http.status and http.method and http.path:
        return f"{http.status} {http.method} {http.path}"
    return " ".join(part for part in (str(http.status or ""), http.method, http.path) if part)


def _has_payload(record: Mapping[str, Any]) -> bool:
    get = record.get
    return bool(get("httpRequest") or get("textPayload") or get("jsonPayload") or get("protoPayload"))
