"""Read the error objects of a JSON payload: stacks as a program would print them, and the named exception.

`{"error": {"type": …, "message": …, "stack": …}}` has many spellings: ECS (nested, or flat as `error.type`), Log4j's
`thrown`, Monolog's `context.exception`, structlog's lists, OpenTelemetry's `exception.type`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forensics.entries.raw_fields import at_key, whole_number
from forensics.entries.tracebacks import is_exception_type
from forensics.model import ExceptionInfo
from forensics.text.nested_values import dict_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STACK_KEYS = (
    "stacktrace",
    "stack_trace",
    "stackTrace",
    "stack",
    "traceback",
    "exception",
    "exc_info",
    "exc_text",
    "Exception",
    "@x",
    "backtrace",
    "e",
)
"""Keys of a payload's own stack, as text or as a list."""

_STACK_KEYS = frozenset(STACK_KEYS)
_OBJECTS = {
    path: path.partition(".")[0]
    for path in ("error", "err", "exception", "exc", "thrown", "context.exception", "fields.error")
}
"""Paths of error objects, and for each the first key, without which there is none."""
_FLAT_OBJECTS = ("error", "exception", "err")
_HINTS = frozenset(("thrown", "context", "fields", *_FLAT_OBJECTS, "exc"))
_FLAT_HINTS = frozenset(
    f"{name}.{part}" for name in _FLAT_OBJECTS for part in ("type", "message", "stack_trace", "stack")
)
OBJECT_KEYS = _HINTS | _FLAT_HINTS
"""A payload without any of these keys has no error object."""
_TYPE_KEYS = ("type", "name", "class", "kind", "exc_type")
_VALUE_KEYS = ("message", "value", "msg", "exc_value")
_STACKS_OF_OBJECT = (
    "stack",
    "stack_trace",
    "stackTrace",
    "stacktrace",
    "traceback",
    "extendedStackTrace",
    "backtrace",
    "trace",
)
_KEYS_OF_STACKS = frozenset(_STACKS_OF_OBJECT)
_CAUSES = 4
"""Depth to which causes of causes are followed."""


def stacks_in(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stacks of a payload, its own before those of its error objects."""
    for key in () if _STACK_KEYS.isdisjoint(values) else STACK_KEYS:
        value = values.get(key)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list) and value:
            yield from _stack_of_list(value)
    for error in _objects_in(values):
        stack = _stack_of_object(error)
        if stack:
            yield stack


def typed_error(values: Mapping[str, Any]) -> ExceptionInfo | None:
    """Return the exception named by an error object: `{"error": {"type": "KeyError", "message": …}}`."""
    if OBJECT_KEYS.isdisjoint(values):
        return None
    # Only a word that is an exception's name counts: loggers also fill such an object with `"type": "str"` on INFO.
    for error in _objects_in(values):
        name = _first(error, _TYPE_KEYS)
        if is_exception_type(name):
            return ExceptionInfo(type=name, value=_first(error, _VALUE_KEYS))
    return None


def coded_error(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield error objects with a code and no stack, such as an API's error responses, as text."""
    for error in _objects_in(values):
        if _first(error, _VALUE_KEYS) and (error.get("code") or error.get("status")) and not _stack_of_object(error):
            yield json.dumps(error, ensure_ascii=False, sort_keys=True, default=str)


def _objects_in(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not _HINTS.isdisjoint(values):
        for path, root in _OBJECTS.items():
            value = at_key(values, path) if root in values or path in values else None
            if isinstance(value, dict) and value:
                yield value
    if not _FLAT_HINTS.isdisjoint(values):
        for name in _FLAT_OBJECTS:
            flat = {key[len(name) + 1 :]: value for key, value in values.items() if key.startswith(f"{name}.")}
            if flat:
                yield flat


def _first(error: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        text = error.get(key)
        if text and isinstance(text, str):
            return text
    return ""


def _stack_of_object(error: Mapping[str, Any]) -> str:
    """Return the stacks of an error object and its causes, adding the header that some loggers leave out."""
    parts = []
    for _ in range(0 if _KEYS_OF_STACKS.isdisjoint(error) else _CAUSES):
        stack = next((text for key in _STACKS_OF_OBJECT if (text := _stack_text(error.get(key)))), "")
        if not stack:
            break
        header = ": ".join(filter(None, (_first(error, _TYPE_KEYS), _first(error, _VALUE_KEYS))))
        kind = _first(error, _TYPE_KEYS).rpartition(".")[2]
        has_header = not kind or kind in stack.split("\n", 1)[0] or stack.lstrip().startswith("Traceback")
        parts.append(stack if has_header else _with_header(error, header, stack))
        error = dict_at(error, "cause")
    return "\nCaused by: ".join(part.strip("\n") for part in parts)


def _with_header(error: Mapping[str, Any], header: str, stack: str) -> str:
    place = text_at(error, "file")  # Monolog: the place where it was thrown stands apart
    return f"{header} in {place}\n{stack}" if place else f"{header}\n{stack}"


def _stack_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return ""
    return "\n".join(line for item in value if (line := _frame_line(item)))


def _frame_line(item: Any) -> str:
    """Return one frame of a list as Java would print it; the frame is text or an object of Log4j."""
    if isinstance(item, str):
        return item
    if not isinstance(item, dict) or not (item.get("class") and item.get("method")):
        return ""
    line = whole_number(item.get("line"))
    place = text_at(item, "file") or "Unknown Source"
    number = f":{line}" if line is not None and line > 0 else ""
    return f"\tat {item['class']}.{item['method']}({place}{number})"


def _stack_of_list(value: list[Any]) -> Iterator[str]:
    if all(isinstance(item, str) for item in value):
        yield "\n".join(value)
    for item in reversed(value):  # structlog writes the newest exception first
        if isinstance(item, dict) and isinstance(item.get("frames"), list):
            yield "\n".join(_python_lines(item))


def _python_lines(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield structlog's `dict_tracebacks` as lines of a Python traceback."""
    yield "Traceback (most recent call last):"
    for frame in part["frames"]:
        if isinstance(frame, dict):
            line = whole_number(frame.get("lineno")) or 0
            yield f'  File "{text_at(frame, "filename")}", line {line}, in {text_at(frame, "name")}'
    yield f"{text_at(part, 'exc_type')}: {text_at(part, 'exc_value')}"
