"""Read the values of a field path (`httpRequest.status`, `exception.type`) from an entry, as text.

Rules, groups and evidence name fields by the same paths. Every scalar is returned as text (`503`, `true`), because the
same number arrives as `503`, `"503"` or `503.0` depending on how the logs were exported; code that compares numbers
parses the text. Values may have any JSON type at any place: a path that cannot be followed has no values.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from forensics.log.root_exception import innermost_frame
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forensics.model import LogEntry, Nanoseconds

    Values = tuple[str | None, ...]
    """Empty when the field is missing; None for a value without a text: an object."""
    Read = Callable[[LogEntry], Values]

_OBJECTS = frozenset(
    {"resource", "labels", "operation", "sourceLocation", "split", "httpRequest", "jsonPayload", "protoPayload"}
)
"""Fields of a LogEntry that are objects; `errorGroups` is a list of objects."""
_SCALARS = frozenset(
    {"insertId", "logName", "timestamp", "receiveTimestamp", "severity", "trace", "spanId", "traceSampled"}
    | {"textPayload"}
)
_HTTP_REQUEST = frozenset(
    {"requestMethod", "requestUrl", "requestSize", "status", "responseSize", "userAgent", "remoteIp", "serverIp"}
    | {"referer", "latency", "cacheLookup", "cacheHit", "cacheValidatedWithOriginServer", "cacheFillBytes", "protocol"}
)
_KNOWN_PARTS = {
    **dict.fromkeys(_SCALARS, frozenset[str]()),
    "httpRequest": _HTTP_REQUEST,
    "resource": frozenset({"type", "labels"}),
}
"""The parts of roots with a closed list of parts: a misspelt part is an error and does not silently miss."""
ROOTS = _OBJECTS | _SCALARS | {"errorGroups"}
"""First segments of the fields that a Cloud Logging record may have."""

LEVEL_FIELDS = frozenset({"level", "severity"})

_SEGMENT = re.compile(r'"[^"]+"|[^."]+')
"""One step of a path: `labels`, or `"run.googleapis.com/execution_name"`."""
_PATH = re.compile(rf"(?:{_SEGMENT.pattern})(?:\.(?:{_SEGMENT.pattern}))*")
_MAX_ELEMENTS = 100
"""Elements of a list that are read."""
_MAX_INT_BITS = 256
"""Longer integers have no text: Python refuses to print the really long ones."""


def field_fault(path: str) -> str | None:
    """Return what is wrong with a field path; None when it is valid."""
    if path in DERIVED_FIELDS:
        return None
    if not _PATH.fullmatch(path):
        return f"{path!r} is no path of a field: join names by dots and put unusual ones in double quotes"
    root, *rest = _segments(path)
    if root not in ROOTS:
        return f"unknown field {path!r}"
    known = _KNOWN_PARTS.get(root)
    if rest and known is not None and rest[0] not in known:
        parts = f"; it has {', '.join(sorted(known))}" if known else ""
        return f"unknown field {path!r}: {root} has no {rest[0]!r}{parts}"
    return None


def holds_fields(path: str) -> bool:
    """Tell whether a path names an object, which can exist but has no text."""
    return path in _OBJECTS or path in {"errorGroups", "resource.labels"}


def read_field(entry: LogEntry, path: str) -> tuple[str, ...]:
    """Read the text values of a field, in order; empty when the field is missing."""
    return tuple(value for value in field_reader(path)(entry) if value is not None)


@lru_cache(maxsize=1024)
def field_reader(path: str) -> Read:
    """Return a reader of one field, to be used on many entries."""
    derived = _DERIVED.get(path)
    if derived is not None:
        return derived
    root, *rest = _segments(path)
    if len(rest) == 1:
        return _reader_of_part(root, rest[0])
    steps = tuple((_whole(path, i), step) for i, step in enumerate(rest, start=1))
    return _reader_of_path(root, steps)


def _reader_of_part(root: str, part: str) -> Read:
    """Return the reader of one part of an object: by far the most frequent path."""
    general = _reader_of_path(root, ((part, part),))

    def read(entry: LogEntry) -> Values:
        value = entry.raw.get(root)
        if value is None:
            return ()
        if not isinstance(value, dict):
            return general(entry)
        found = value.get(part)
        if found is None:
            return ()
        return general(entry) if isinstance(found, list) else (_text(found),)

    return read


def _reader_of_path(root: str, steps: tuple[tuple[str, str], ...]) -> Read:
    def read(entry: LogEntry) -> Values:
        value = entry.raw.get(root)
        if value is None:
            return ()
        return tuple(_text(found) for found in _follow(value, steps, 0))

    return read


def _segments(path: str) -> list[str]:
    return [found.strip('"') for found in _SEGMENT.findall(path)]


def _whole(path: str, start: int) -> str:
    """Join the rest of a path into one key: label names hold dots, `labels.run.googleapis.com/task_index`."""
    return ".".join(_segments(path)[start:])


def _follow(value: Any, steps: tuple[tuple[str, str], ...], at: int) -> Iterator[Any]:
    """Yield the values at the end of a path; every element of a list is followed."""
    for item in islice(value, _MAX_ELEMENTS) if isinstance(value, list) else (value,):
        if at == len(steps):
            if item is not None:
                yield item
        elif isinstance(item, dict):
            whole, step = steps[at]
            if whole in item:
                yield from _follow(item[whole], steps, len(steps))
            elif step in item:
                yield from _follow(item[step], steps, at + 1)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not value.is_integer():
        return str(value)
    if isinstance(value, int | float):
        return str(int(value)) if int(value).bit_length() <= _MAX_INT_BITS else None
    return None


def _if_any(text: str) -> Values:
    return (text,) if text else ()


def _seconds(duration: Nanoseconds | None) -> Values:
    if duration is None:
        return ()
    whole, fraction = divmod(max(duration, 0), SECOND)
    return (f"{whole}.{fraction:09d}s",)


def _frame_file(entry: LogEntry) -> Values:
    frame = innermost_frame(entry)
    return _if_any(frame.file) if frame else ()


def _frame_function(entry: LogEntry) -> Values:
    frame = innermost_frame(entry)
    return _if_any(frame.function) if frame else ()


_DERIVED: dict[str, Read] = {
    "message": lambda entry: _if_any(entry.message),
    "level": lambda entry: (entry.level.name,),
    "stream": lambda entry: _if_any(entry.stream),
    "exception.type": lambda entry: tuple(exception.type for exception in entry.exceptions),
    "exception.value": lambda entry: tuple(exception.value for exception in entry.exceptions),
    "frame.file": _frame_file,
    "frame.function": _frame_function,
    "close.code": lambda entry: (str(entry.close.code),) if entry.close else (),
    "close.reason": lambda entry: _if_any(entry.close.reason) if entry.close else (),
    "http.path": lambda entry: _if_any(entry.http.path) if entry.http else (),
    "http.latency": lambda entry: _seconds(entry.http.latency) if entry.http else (),
}
DERIVED_FIELDS = tuple(_DERIVED)
"""Fields that decoding adds; all others are read from the record as received."""
