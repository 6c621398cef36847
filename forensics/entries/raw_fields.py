"""Read fields of a raw record: a missing field, or one of an unexpected type, is empty and never an error."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from forensics.model import HttpRequest, Nanoseconds, RequestMark
from forensics.text.nested_values import dict_at
from forensics.text.timestamps import SECOND, parse_duration, parse_time
from forensics.text.user_agents import asks_for_health

if TYPE_CHECKING:
    from collections.abc import Mapping

_FARTHEST = 2**63 - 10**18
"""Nanoseconds: the range of 64 bits less thirty years, to leave room for additions. Go writes year 1 for no time."""
_EARLIEST = -_FARTHEST
_LONGEST_REQUEST = 7 * 86_400 * SECOND  # Cloud Run ends a request after an hour, a job's task after seven days


SWITCHING_PROTOCOLS = 101
_FAILED = 400
_BROKEN = 500


def may_be_handshake(status: int) -> bool:
    """Tell whether a request with this status may be a WebSocket handshake; such requests are always decoded."""
    return status == SWITCHING_PROTOCOLS or status >= _FAILED


_NAMED_BY_ID = re.compile(r"(?<![^/])[^/]*\d[^/]*")
"""The part of a path that differs from session to session: 17 in /rooms/17/ws"""


_ID_DIGITS = 24
_SECONDS_A_DAY = 86_400


@lru_cache(maxsize=4096)
def route_of(path: str) -> int:
    """Return the number of a path's route, which leaves out what differs from request to request.

    There are four thousand numbers, however many paths a scanner tries; routes that share one are counted as one.
    """
    return 1 + crc32(_NAMED_BY_ID.sub("*", path).encode("utf-8", "replace")) % RequestMark.ROUTE


@lru_cache(maxsize=4096)
def mark_of(method: str, path: str, status: int | None, user_agent: str) -> int:
    """Return one number for what counting needs of a request: its route, its kind, and its answer."""
    mark = route_of(path)
    if user_agent and asks_for_health(user_agent):
        mark |= RequestMark.PROBE
    if status is not None and may_be_handshake(status):
        if method == "GET":
            mark |= RequestMark.OPENED if status == SWITCHING_PROTOCOLS else RequestMark.NOT_OPENED
        if _FAILED <= status < _BROKEN:
            mark |= RequestMark.REFUSED
    return int(mark)


def text_of(value: Any) -> str:
    """Return a value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def at_key(values: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key; for a missing key with dots, the value at that path."""
    if key in values or "." not in key:
        return values.get(key)
    *path, last = key.split(".")
    return dict_at(values, *path).get(last)


def whole_number(value: Any) -> int | None:
    """Return a whole number, also from text as in CSV and some int64 fields; None for any other value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdigit():  # noqa: PLR2004
        return int(value)
    return None


def time_of(record: Mapping[str, Any]) -> Nanoseconds:
    """Return the time of a record; 0 when it is missing, unreadable or out of range."""
    return time_in(text_of(record.get("timestamp")))


def time_in(text: str) -> Nanoseconds:
    """Return the time in a text, 0 as in `time_of`."""
    if not text:
        return Nanoseconds(0)
    try:
        time = parse_time(text)
    except ValueError:
        return Nanoseconds(0)
    return time if _EARLIEST < time < _FARTHEST else Nanoseconds(0)


@lru_cache(maxsize=256)
def stream_of(log_name: str) -> str:
    """Return the last part of a log name: `…%2Fstderr` is `stderr`, `…%2Fvarlog%2Fsystem` is `system`."""
    return log_name.replace("%2F", "/").replace("%2f", "/").rsplit("/", 1)[-1]


def http_of(record: Mapping[str, Any]) -> HttpRequest | None:
    """Return the HTTP request of a record with parsed numbers; None without one."""
    request = record.get("httpRequest")
    if not isinstance(request, dict) or not request:
        return None
    url = text_of(request.get("requestUrl"))
    return HttpRequest(
        method=text_of(request.get("requestMethod")),
        url=url,
        path=path_of(url),
        status=whole_number(request.get("status")),
        latency=_latency_of(request.get("latency")),
        user_agent=text_of(request.get("userAgent")),
    )


def path_of(url: str) -> str:
    """Return the path of a URL, without scheme, host, query and fragment."""
    scheme = url.find("://", 0, 12)
    rest = url if scheme < 0 else url[scheme + 3 :]
    without_query = rest.partition("?")[0].partition("#")[0]
    if scheme < 0 and url.startswith("/"):
        return without_query
    slash = without_query.find("/")
    return "/" if slash < 0 and url else without_query[slash:]


def _latency_of(value: Any) -> Nanoseconds | None:
    latency = None
    if isinstance(value, str):
        try:
            latency = parse_duration(value)
        except ValueError:
            return None
    elif isinstance(value, dict):  # a protobuf Duration that was written field by field
        seconds, nanos = whole_number(value.get("seconds")), whole_number(value.get("nanos"))
        latency = Nanoseconds((seconds or 0) * SECOND + (nanos or 0))
    return latency if latency is not None and latency < _LONGEST_REQUEST else None


def order_of_id(insert_id: str, time: int) -> str:
    """Return an insertId where it tells the order of entries at one time; "" for one that does not.

    Those of Cloud Run have 24 hexadecimal digits and begin with their second. One of that length that begins otherwise
    was made by somebody else, and entries stand best in the order in which they were read.
    """
    if len(insert_id) != _ID_DIGITS:
        return insert_id
    try:
        second = int(insert_id[:8], 16)
    except ValueError:
        return insert_id
    return insert_id if abs(second - time // SECOND) <= _SECONDS_A_DAY else ""
