"""The payload of a record in, what it says out: its text, and the level that it states."""

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
# Texts that say more than the event that they belong to.
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
"""Without one of these, an object holds a message and nothing that belongs to it."""


class Payload(msgspec.Struct, frozen=True):
    """What a payload says, before any decoration is stripped."""

    text: str
    values: Mapping[str, Any] = MappingProxyType({})
    """The JSON payload, also where it came as text; empty for other payloads."""
    is_log: bool = False
    """True when a program wrote it, so that it may carry a logger's decoration."""


_EMPTY = Payload("")
_PAYLOADS = frozenset({"textPayload", "jsonPayload", "protoPayload"})


def read_payload(record: Mapping[str, Any]) -> Payload:
    """Return what the payload of a record says; an empty text when there is none."""
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
    """The object that a text with a brace is, when a JSON logger's line was not parsed on its way."""
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
    return any(at_key(values, key) for key in (*_MESSAGE_KEYS, *STACK_KEYS))


def _audit_text(proto: Mapping[str, Any]) -> str:
    said = text_at(proto, "status", "message")
    return said or f"{text_at(proto, 'methodName')} {text_at(proto, 'resourceName')}".strip()


def _structured(values: Mapping[str, Any]) -> Payload:
    said = _message(values)
    if _TELLING.isdisjoint(values):
        return Payload(said, values, is_log=True)
    stacks = [stack for stack in stacks_in(values) if stack.strip()]
    known = "\n".join((said, *stacks))
    parts = [said, *(reason for reason in _reasons(values) if reason not in known)]
    parts += [stack for stack in stacks if stack.strip() not in said]
    return Payload("\n".join(dict.fromkeys(part for part in parts if part)), values, is_log=True)


def _message(values: Mapping[str, Any]) -> str:
    first = values.get(_MESSAGE_KEYS[0])
    if isinstance(first, str) and first and not first.isspace():
        return first
    for key in _MESSAGE_KEYS:
        text = _said(at_key(values, key))
        if text:
            return text
    return "" if any(stacks_in(values)) else json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)


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
    """Return the level that a JSON payload states; names go before numbers, which every logger counts its own way."""
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
