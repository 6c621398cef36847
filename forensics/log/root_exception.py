"""Find the root exception of an entry, and the application's innermost frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.model import ExceptionInfo, Frame, LogEntry

_CONTROL_FLOW = frozenset(
    {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "StopAsyncIteration", "StopIteration"}
)
"""Exceptions for control flow: the failure is an exception that was raised while one of these was handled."""


def root_exception(entry: LogEntry) -> ExceptionInfo | None:
    """Return the first exception of the chain that is not mere control flow; None without exceptions."""
    for exception in entry.exceptions:
        if exception.type.rpartition(".")[2] not in _CONTROL_FLOW:
            return exception
    return entry.exceptions[0] if entry.exceptions else None


def innermost_frame(entry: LogEntry) -> Frame | None:
    """Return the application's frame nearest to the root exception; without any, a library's."""
    root = root_exception(entry)
    if root is None:
        return None
    for exception in (root, *entry.exceptions):
        for frame in reversed(exception.frames):
            if frame.in_app:
                return frame
    return root.frames[-1] if root.frames else None


def innermost_of(exception: ExceptionInfo) -> Frame | None:
    """Return the application's frame nearest to where an exception was raised; without any, a library's."""
    own = (frame for frame in reversed(exception.frames) if frame.in_app)
    return next(own, exception.frames[-1] if exception.frames else None)
