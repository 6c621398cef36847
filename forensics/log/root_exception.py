"""An entry in, the exception where its chain began and the application's innermost frame out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.model import ExceptionInfo, Frame, LogEntry

_CONTROL_FLOW = frozenset(
    {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "StopAsyncIteration", "StopIteration"}
)
"""Raised to steer, not because something failed: what was raised while they passed through is the failure."""


def root_exception(entry: LogEntry) -> ExceptionInfo | None:
    """Pick the exception where the chain began, passing over those that only steer the control flow."""
    for exception in entry.exceptions:
        if exception.type.rpartition(".")[2] not in _CONTROL_FLOW:
            return exception
    return entry.exceptions[0] if entry.exceptions else None


def innermost_frame(entry: LogEntry) -> Frame | None:
    """Pick the application's frame nearest to where the chain began; a library's only when there is no other."""
    root = root_exception(entry)
    if root is None:
        return None
    for exception in (root, *entry.exceptions):
        for frame in reversed(exception.frames):
            if frame.in_app:
                return frame
    return root.frames[-1] if root.frames else None


def innermost_of(exception: ExceptionInfo) -> Frame | None:
    """Pick the application's frame nearest to where one exception was raised; a library's when there is no other."""
    own = (frame for frame in reversed(exception.frames) if frame.in_app)
    return next(own, exception.frames[-1] if exception.frames else None)
