"""Read a record's payload: its text, and the level that it states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from forensics.entries.decode.error_objects import OBJECT_KEYS, STACK_KEYS, coded_error, stacks_in, typed_error
from forensics.entries.decode.levels import level_of_name, level_of_number, level_of_python_number, level_of_syslog
from forensics.entries.raw_fields import at_key
from forensics.text.nested_values import dict_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import Level

# In order of trust. A dotted key is looked up as it stands, then as a path.
_MESSAGE_KEYS = (
    "message",
    "msg",
    "event",
    "text",
    "MESSAGE",
    "Message",
    "log",
    "@m",
    "RenderedMessage",
    "@mt",
    "short_message",
    "textPayload",
    "fields.message",
    "error.message",
    "err.message",
    "exception.message",
    "error",
    "err",
    "exception",
    "body",
    "description",
    "detail",
)
_LEVEL_KEYS = ("level", "severity", "levelname", "lvl", "log_level", "loglevel", "logLevel", "LogLevel", "@l", "Level")
_LEVEL_PATHS = ("log.level", "level_name", "record.level.name", "level.name")
# Texts that explain an event better than its message does.
_REASON_KEYS = (
    "error",
    "err",
    "error.message",
    "err.message",
    "exception.message",
    "reason",
    "error_message",
    "errorMessage",
    "exception_message",
    "cause",
    "detail",
)

_REASONS = frozenset(_REASON_KEYS)
_TELLING = frozenset({*STACK_KEYS, *OBJECT_KEYS, *_REASON_KEYS, "fields"})
"""An object without any of these keys has a message and nothing else that belongs to it."""


class Payload(msgspec.Struct, frozen=True):
    """The content of a payload, before any decoration is stripped."""

    text: str
    values: Mapping[str, Any] = MappingProxyType({})
    """The JSON payload, also when it came as text; empty for other payloads."""
    is_log: bool = False
    """True when a program wrote it, so that it may have a logger's decoration."""


_EMPTY = Payload("")
_PAYLOADS = frozenset({"textPayload", "jsonPayload", "protoPayload"})


def read_payload(record: Mapping[str, Any]) -> Payload:
    """Return the payload of a record, with an empty text when it has none."""
    text = record.get("textPayload")
    if isinstance(text, str) and text and not text.isspace():
        values = _json_in(text) if "{" in text else None
        return _structured(values) if values and _says_something(values) else Payload(text, is_log=True)
    if _PAYLOADS.isdisjoint(record):
        return _EMPTY
    values = dict_at(record, "jsonPayload")
    if values:
        return _structured(values)
    if isinstance(record.get("jsonPayload"), list | str) and record["jsonPayload"]:
        return Payload(_as_text(record["jsonPayload"]), is_log=True)
    proto = dict_at(record, "protoPayload")
    if proto:
        return Payload(_audit_text(proto))
    return Payload(text) if isinstance(text, str) and text else _EMPTY


def _json_in(text: str) -> Mapping[str, Any]:
    """Return the JSON object in a text: the line of a JSON logger that the platform did not parse."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}") and '"' in stripped):
        return {}
    try:
        value = msgspec.json.decode(stripped)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _says_something(values: Mapping[str, Any]) -> bool:
    """Tell whether an object was written by a logger, and is not merely printed data."""
    return any(at_key(values, key) for key in (*_MESSAGE_KEYS, *STACK_KEYS))


def _audit_text(proto: Mapping[str, Any]) -> str:
    message = text_at(proto, "status", "message")
    return message or f"{text_at(proto, 'methodName')} {text_at(proto, 'resourceName')}".strip()


def _structured(values: Mapping[str, Any]) -> Payload:
    message = _message(values)
    if _TELLING.isdisjoint(values):
        return Payload(message, values, is_log=True)
    stacks = [stack for stack in stacks_in(values) if stack.strip()]
    known = "\n".join((message, *stacks))
    parts = [message, *(reason for reason in _reasons(values) if reason not in known)]
    parts += [stack for stack in stacks if stack.strip() not in message]
    return Payload("\n".join(dict.fromkeys(part for part in parts if part)), values, is_log=True)


def _message(values: Mapping[str, Any]) -> str:
    first = values.get(_MESSAGE_KEYS[0])
    if isinstance(first, str) and first and not first.isspace():
        return first
    for key in _MESSAGE_KEYS:
        text = _message_text(at_key(values, key))
        if text:
            return text
    return "" if any(stacks_in(values)) else json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)


def _message_text(value: Any) -> str:
    """Return the text of a message field, which may also be an object, a list or a number."""
    if isinstance(value, dict):
        # `{"message": {"message": …}}`; without a message inside, the next key is tried.
        inner = value.get("message") or value.get("msg")
        return inner if isinstance(inner, str) else ""
    if isinstance(value, str):
        return "" if value.isspace() else value
    return "" if value is None or isinstance(value, bool) else _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return "" if value in ([], {}) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _reasons(values: Mapping[str, Any]) -> Iterator[str]:
    error = typed_error(values)
    if error is not None and error.value:
        yield error.value
    yield from coded_error(values)
    for scope in (values, dict_at(values, "fields")):
        for key in () if _REASONS.isdisjoint(scope) else _REASON_KEYS:
            value = scope.get(key)
            if isinstance(value, str) and value and not value.isspace():
                yield value.strip()


def level_in(values: Mapping[str, Any]) -> Level | None:
    """Return the level in a JSON payload; names take precedence over numbers, whose scale differs between loggers."""
    stated = [value for key in _LEVEL_KEYS if (value := values.get(key)) is not None]
    stated += [value for key in _LEVEL_PATHS if (value := at_key(values, key)) is not None]
    for value in stated:
        level = level_of_name(value) if isinstance(value, str) else None
        if level is not None:
            return level
    for value in stated:
        level = level_of_number(value)
        if level is not None:
            return level
    return level_of_python_number(values.get("levelno")) or level_of_syslog(values.get("PRIORITY"))
