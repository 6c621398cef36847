"""The payload of a record in, what it says out: its text, the level that it states, the exception that it names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from forensics.entries.exceptions import is_exception_type
from forensics.entries.fields import dict_at, text_at, whole_number
from forensics.entries.levels import level_of_name, level_of_number, level_of_python_number, level_of_syslog
from forensics.model import ExceptionInfo, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_STACK_KEYS = (
    "stacktrace",
    "stack_trace",
    "stackTrace",
    "stack",
    "traceback",
    "exception",
    "exc_info",
    "exc_text",
    "error.stack",
    "error.stack_trace",
    "error.traceback",
    "err.stack",
    "exception.stacktrace",
    "exception.stack",
    "Exception",
    "@x",
    "backtrace",
    "e",
)
_LEVEL_KEYS = ("level", "severity", "levelname", "lvl", "log_level", "loglevel", "logLevel", "LogLevel", "@l", "Level")
_LEVEL_PATHS = ("log.level", "level_name", "record.level.name", "level.name")
_ERROR_OBJECTS_IN_ORDER = ("error", "err", "exception", "exc")
_ERROR_OBJECTS = frozenset(_ERROR_OBJECTS_IN_ORDER)
_STACK_HINTS = frozenset(key.split(".", 1)[0] for key in _STACK_KEYS)
_TYPE_KEYS = ("type", "name", "class", "kind", "exc_type")
_VALUE_KEYS = ("message", "value", "msg", "exc_value")
# Texts that say more than the event that they belong to.
_REASON_KEYS = ("error", "err", "reason", "error_message", "cause")


class Payload(msgspec.Struct, frozen=True):
    """What a payload says, before any decoration is stripped."""

    text: str
    values: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The JSON payload, also where it came as text; empty for other payloads."""
    is_log: bool = False
    """True when a program wrote it, so that it may carry a logger's decoration."""


def read_payload(record: Mapping[str, Any]) -> Payload:
    """Return what the payload of a record says; an empty text when there is none."""
    text = record.get("textPayload")
    if isinstance(text, str) and text and not text.isspace():
        values = _json_in(text)
        return _structured(values) if _says_something(values) else Payload(text, is_log=True)
    values = dict_at(record, "jsonPayload")
    if values:
        return _structured(values)
    if isinstance(record.get("jsonPayload"), list | str) and record["jsonPayload"]:
        return Payload(_as_text(record["jsonPayload"]), is_log=True)
    proto = dict_at(record, "protoPayload")
    if proto:
        return Payload(_audit_text(proto))
    return Payload(text if isinstance(text, str) else "")


def _json_in(text: str) -> Mapping[str, Any]:
    """The object that a text is, when a JSON logger's line was not parsed on its way."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}") and '"' in stripped):
        return {}
    try:
        value = msgspec.json.decode(stripped)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _says_something(values: Mapping[str, Any]) -> bool:
    """Tell a logger's object from data that was printed."""
    return bool(values) and any(at_key(values, key) for key in (*_MESSAGE_KEYS, *_STACK_KEYS))


def _audit_text(proto: Mapping[str, Any]) -> str:
    said = text_at(proto, "status", "message")
    return said or f"{text_at(proto, 'methodName')} {text_at(proto, 'resourceName')}".strip()


def _structured(values: Mapping[str, Any]) -> Payload:
    said = _message(values)
    stacks = [stack for stack in _stacks(values) if stack.strip()]
    known = "\n".join((said, *stacks))
    parts = [said, *(reason for reason in _reasons(values) if reason not in known)]
    parts += [stack for stack in stacks if stack.strip() not in said]
    return Payload("\n".join(part for part in parts if part), values, is_log=True)


def _message(values: Mapping[str, Any]) -> str:
    for key in _MESSAGE_KEYS:
        text = _said(at_key(values, key))
        if text:
            return text
    return "" if any(_stacks(values)) else json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)


def _said(value: Any) -> str:
    """The text of a message field; loggers also put objects, lists and numbers there."""
    if isinstance(value, dict):
        # `{"message": {"message": …}}`; without a message inside, the next key may know better.
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


def at_key(values: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key; where there is none and the key has dots, the value at that path."""
    if key in values or "." not in key:
        return values.get(key)
    *path, last = key.split(".")
    return dict_at(values, *path).get(last)


def typed_error(values: Mapping[str, Any]) -> ExceptionInfo | None:
    """Return the exception that an error object names: `{"error": {"type": "KeyError", "message": …}}`."""
    # Only a word that is an exception's name counts: loggers also fill such an object with `"type": "str"` on INFO.
    if _ERROR_OBJECTS.isdisjoint(values):
        return None
    for key in _ERROR_OBJECTS_IN_ORDER:
        error = dict_at(values, key)
        name = next((text for part in _TYPE_KEYS if (text := text_at(error, part))), "")
        if is_exception_type(name):
            value = next((text for part in _VALUE_KEYS if (text := text_at(error, part))), "")
            return ExceptionInfo(type=name, value=value)
    return None


def _reasons(values: Mapping[str, Any]) -> Iterator[str]:
    error = typed_error(values)
    if error is not None and error.value:
        yield error.value
    for key in _REASON_KEYS:
        value = values.get(key)
        if isinstance(value, str) and value and not value.isspace():
            yield value.strip()


def _stacks(values: Mapping[str, Any]) -> Iterator[str]:
    if _STACK_HINTS.isdisjoint(values):
        return
    for key in _STACK_KEYS:
        value = at_key(values, key)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list) and value:
            yield from _stack_of_list(value)


def _stack_of_list(value: list[Any]) -> Iterator[str]:
    if all(isinstance(item, str) for item in value):
        yield "\n".join(value)
    for item in reversed(value):  # structlog writes the newest exception first
        if isinstance(item, dict) and isinstance(item.get("frames"), list):
            yield "\n".join(_python_lines(item))


def _python_lines(part: Mapping[str, Any]) -> Iterator[str]:
    """Structlog's `dict_tracebacks`, written as Python would have."""
    yield "Traceback (most recent call last):"
    for frame in part["frames"]:
        if isinstance(frame, dict):
            line = whole_number(frame.get("lineno")) or 0
            yield f'  File "{text_at(frame, "filename")}", line {line}, in {text_at(frame, "name")}'
    yield f"{text_at(part, 'exc_type')}: {text_at(part, 'exc_value')}"


def level_in(values: Mapping[str, Any]) -> Level | None:
    """Return the level that a JSON payload states."""
    for key in (*_LEVEL_KEYS, *_LEVEL_PATHS):
        value = at_key(values, key)
        level = level_of_name(value) if isinstance(value, str) else None
        level = level or level_of_number(value)
        if level is not None:
            return level
    return level_of_python_number(values.get("levelno")) or level_of_syslog(values.get("PRIORITY"))
