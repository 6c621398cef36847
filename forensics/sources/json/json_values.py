"""Decode JSON exactly and forgivingly, and recognise the values that are log entries."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from forensics.sources.api_keys import API_NAMES, ENTRY_KEYS, OTHER_PAYLOADS, PAYLOADS, PLACES, TIMES

DEEPEST = 100

_ANY_PAYLOADS = PAYLOADS | OTHER_PAYLOADS
_TELLING = ENTRY_KEYS | frozenset(API_NAMES) | {"severity"}
# What Python's client library calls a payload of any kind; the word is too common to identify an entry by itself.
_PYTHON_PAYLOAD = "payload"
_BESIDE_IT = _TELLING - TIMES

_decoder = msgspec.json.Decoder()
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJsonError(ValueError):
    """Bytes are no JSON value, or one that is nested too deeply; the message says why."""


class BrokenJsonError(NotJsonError):
    """Text stops being JSON at a position."""

    def __init__(self, error: json.JSONDecodeError) -> None:
        super().__init__(f"no JSON: {error}")
        self.problem = error.msg
        self.position = error.pos

    @property
    def is_open(self) -> bool:
        """True when a string is never closed: the position is where it begins."""
        return self.problem.startswith("Unterminated string")


def decode_json(data: bytes) -> Any:
    """Decode one JSON value; raise NotJsonError. Integers of any size stay exact."""
    try:
        return _decoder.decode(data)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        return _decode_forgivingly(data, error)


def _too_deep() -> NotJsonError:
    return NotJsonError(f"nested deeper than {DEEPEST} levels")


def _decode_forgivingly(data: bytes, why: ValueError) -> Any:
    # Real exports hold bytes that are no UTF-8, raw control characters, NaN, halves of surrogate pairs, a BOM or
    # NULs around a line, and a comma after it. An entry matters more than its form.
    text = data.decode("utf-8", "replace").strip("\ufeff\0 \t\r\n").removesuffix(",")
    try:
        value, end = decode_at(text, 0)
    except ValueError:
        raise NotJsonError(_reason(why)) from why
    if text[end:].strip():
        raise NotJsonError(_reason(why)) from why
    return value


def _reason(why: ValueError) -> str:
    text = str(why)
    if "truncated" in text:
        return "the JSON ends early"
    return "no JSON: " + text.removeprefix("JSON is malformed: ")[:120]


def decode_at(text: str, position: int) -> tuple[Any, int]:
    """Decode the JSON value at a position; return the value and its end. Raise NotJsonError."""
    try:
        value, end = _forgiving.raw_decode(text, position)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise BrokenJsonError(error) from error
    except ValueError as error:
        raise NotJsonError(f"no JSON: {error}") from error
    return (value if is_deep(value) else _without_surrogates(value)), end


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


# NaN and Infinity become text: they are no JSON, and NaN is not equal to itself.
_forgiving = json.JSONDecoder(strict=False, parse_constant=str, parse_float=_finite)


def _without_surrogates(value: Any) -> Any:
    # Half a surrogate pair cannot be written in UTF-8, so no document could quote it.
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(item) for key, item in value.items()}
    return value


def is_deep(value: Any) -> bool:
    """Tell whether a value is nested too deeply; later stages may recurse over all other values."""
    return (type(value) is dict or type(value) is list) and _reaches_below(value, DEEPEST)


def _reaches_below(value: Any, levels: int) -> bool:
    # Asked of every record, so a loop and no comprehension: most values are text, and hold nothing.
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is not str and (kind is dict or kind is list) and (not levels or _reaches_below(item, levels - 1)):
            return True
    return False


def is_entry(value: Any) -> bool:
    """Tell whether a value looks like a Cloud Logging entry."""
    if not isinstance(value, dict):
        return False
    # An entry may lack any payload. A hand-written list of incidents may have a `timestamp` and a `severity`, too.
    return _has_payload(value) or not (TIMES.isdisjoint(value) or PLACES.isdisjoint(value))


def _has_payload(value: dict[str, Any]) -> bool:
    if not _ANY_PAYLOADS.isdisjoint(value):
        return True
    return _PYTHON_PAYLOAD in value and not (TIMES.isdisjoint(value) or _BESIDE_IT.isdisjoint(value))


def may_be_entry(value: Any) -> bool:
    """Tell whether a value in a list of entries is one itself; some entries have only their time and severity left."""
    return isinstance(value, dict) and not _TELLING.isdisjoint(value)


def entries_in(value: Any) -> list[Any] | None:
    """Return the entries that a value is or wraps, with other values of the same list; None without any entry."""
    if isinstance(value, dict) and _has_payload(value):
        return [value]
    parts = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if isinstance(value, list) and any(is_entry(part) for part in parts):
        return parts
    # `{"entries": […]}`, `{"status": …, "result": […]}`, `[[page], [page]]`, `{"data": {"entries": […]}}`
    wrapped = [found for part in parts if isinstance(part, dict | list) and (found := entries_in(part)) is not None]
    if wrapped:
        return [entry for found in wrapped for entry in found]
    return [value] if is_entry(value) else None


def is_empty(value: Any) -> bool:
    """Tell whether a value means "no entries": `[]`, `{}`, `{"entries": []}`."""
    if isinstance(value, dict):
        return not value or any(isinstance(item, list) and not item for item in value.values())
    return isinstance(value, list) and not value
