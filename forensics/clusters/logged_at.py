"""Find where in the code an entry was logged, by what its logger says of it: the place of an error without a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import FrameRef
from forensics.text.nested_values import dict_at
from forensics.text.redact import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forensics.model import LogEntry

_FILES = (
    "file",
    "filename",
    "pathname",
    "file_name",
    "module",
    "python_logger",
    "logger",
    "logger_name",
    "logging.logger",
)
_LINES = ("line", "lineno", "line_number")
_FUNCTIONS = ("function", "funcName", "func_name", "func", "method_name")
_DIGITS = 9
"""Digits of the largest line number."""
_CALLERS = ("caller", "source")


def logged_at(entry: LogEntry) -> FrameRef | None:
    """Return the place that the fields of an entry name; None when they name none."""
    return next((place for fields in _fields(entry.raw) if (place := _place(fields)) is not None), None)


def _fields(raw: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in which loggers name their place, the surest first."""
    payload = dict_at(raw, "jsonPayload")
    yield dict_at(raw, "sourceLocation")
    for name in ("logging.googleapis.com/sourceLocation", "sourceLocation", "source", "caller"):
        yield dict_at(payload, name)
    yield from (dict_at(raw, "labels"), dict_at(payload, "labels"), payload)


def _place(fields: Mapping[str, Any]) -> FrameRef | None:
    file, function, number = _first(_FILES, fields), _first(_FUNCTIONS, fields), _first(_LINES, fields)
    if not file:  # shop/cart.go:40
        before, _, after = _first(_CALLERS, fields).rpartition(":")
        if before and after.isdecimal():
            file, number = before, after
    if not file:
        return None
    line = int(number) if number.isascii() and number.isdecimal() and len(number) <= _DIGITS else None
    return FrameRef(file=quote(file, 200), line=line, function=quote(function, 120))


def _first(names: tuple[str, ...], fields: Mapping[str, Any]) -> str:
    found = (fields.get(name) for name in names)
    return next((str(value) for value in found if isinstance(value, str | int) and value and value is not True), "")
