"""Find the time windows around a revision's errors, and write the filters that select their entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.cloud.filters import Target, TimeSpan, TimeWindow, merge, neighbourhood, windows_in
from forensics.model import Nanoseconds, PulledWindow
from forensics.text.timestamps import SECOND, parse_duration, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEFORE = 68 * SECOND
"""Nanoseconds before an error that are included: causes are logged up to a minute earlier, and the test of order moves
an error by up to eight seconds."""
AFTER = 10 * SECOND
"""Nanoseconds after an error, or after the end of its request, that are included."""
_LONGEST_REQUEST = 3600 * SECOND
_MOST_FILTERS = 12
"""Each costs at least one request of the quota; twelve hold some thousand windows."""
_ALL = "all"


class _Labels(Struct, frozen=True):
    revision_name: str = ""


class _Resource(Struct, frozen=True):
    labels: _Labels = _Labels()


class _Http(Struct, frozen=True):
    latency: str = ""


class _Error(Struct, frozen=True):
    timestamp: str
    labels: dict[str, str] = {}
    resource: _Resource = _Resource()
    httpRequest: _Http = _Http()  # noqa: N815 - the API's own spelling


_ERROR = msgspec.json.Decoder(_Error)


class ErrorNeighbourhoods(Struct, frozen=True, kw_only=True):
    """The time windows around errors."""

    windows: tuple[TimeWindow, ...]
    first: Nanoseconds | None
    """Time of the first error; None without any."""


def look_around(entries: Iterable[bytes], revision: str, span: TimeSpan) -> ErrorNeighbourhoods:
    """Find the windows around all entries of a revision in a span; the entries must be its errors alone."""
    windows_by_instance: dict[str, list[list[int]]] = {}
    first: int | None = None
    for entry in entries:
        decoded = _decoded(entry)
        if decoded is None:
            continue
        error, time = decoded
        if not span.start <= time < span.end or revision not in {_ALL, error.resource.labels.revision_name}:
            continue
        first = time if first is None else min(first, time)
        start, end = _bounds(error, time, span)
        known = windows_by_instance.setdefault(error.labels.get("instanceId", ""), [])
        # Entries come mostly in order of time, so that a storm of errors is one window at once.
        if known and known[-1][0] <= start <= known[-1][1]:
            known[-1][1] = max(known[-1][1], end)
        else:
            known.append([start, end])
    windows = (
        TimeWindow(TimeSpan(Nanoseconds(start), Nanoseconds(end)), instance)
        for instance, known in windows_by_instance.items()
        for start, end in known
    )
    return ErrorNeighbourhoods(windows=merge(windows), first=None if first is None else Nanoseconds(first))


def window_around(entry: bytes, span: TimeSpan) -> TimeWindow | None:
    """Return the window around one entry; None where it has no time."""
    decoded = _decoded(entry)
    if decoded is None:
        return None
    start, end = _bounds(*decoded, span)
    return TimeWindow(TimeSpan(Nanoseconds(start), Nanoseconds(end)), decoded[0].labels.get("instanceId", ""))


def _decoded(entry: bytes) -> tuple[_Error, int] | None:
    try:
        error = _ERROR.decode(entry)
        return error, parse_time(error.timestamp)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None


def _bounds(error: _Error, time: int, span: TimeSpan) -> tuple[int, int]:
    return max(span.start, time - BEFORE), min(span.end, time + _latency(error) + AFTER)


def _latency(error: _Error) -> int:
    """Return how long a request took: it is logged at its start, and its errors are logged until its end."""
    try:
        return min(parse_duration(error.httpRequest.latency), _LONGEST_REQUEST) if error.httpRequest.latency else 0
    except ValueError:
        return 0


def neighbours_of(target: Target, windows: Sequence[TimeWindow]) -> tuple[tuple[str, ...], int]:
    """Return filters that select the entries in windows, and the number of windows that they leave out.

    Too many windows are thinned evenly over time; the first and the last are kept.
    """
    filters, kept = neighbourhood(target, windows), len(windows)
    chosen: Sequence[TimeWindow] = windows
    while len(filters) > _MOST_FILTERS:
        kept = max(2, min(kept - 1, kept * _MOST_FILTERS // len(filters)))
        chosen = [windows[number * (len(windows) - 1) // (kept - 1)] for number in range(kept)]
        filters = neighbourhood(target, chosen)
    if len(filters) > 1:
        # Each filter spans the whole time: where the limit leaves some out, none of the time is without any.
        filters = tuple(
            text for at in range(len(filters)) for text in neighbourhood(target, chosen[at :: len(filters)])
        )
    return filters, len(windows) - len(chosen)


def whole_windows(text: str, until: Nanoseconds | None = None) -> tuple[PulledWindow, ...]:
    """Return the windows of a filter whose entries all came; where it stopped at a limit, those before that time."""
    return tuple(
        PulledWindow(window.instance, window.span.start, window.span.end)
        for window in windows_in(text)
        if until is None or window.span.end <= until
    )
