"""Parse Python tracebacks: chained, grouped, cut off at either end, or without indentation."""

from __future__ import annotations

from functools import lru_cache

from forensics.entries.tracebacks.exception_types import TYPE
from forensics.entries.tracebacks.stack_frame import python_frame
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

_MEMORABLE = 200
"""Characters of the longest cached line: failures occur at few places, again and again."""
HEADER = "Traceback (most recent call last)"
CONNECTIVES = (
    "During handling of the above exception, another exception occurred",
    "The above exception was the direct cause of the following exception",
)

# The margin of an exception group, and the lines between its parts:
#   + Exception Group Traceback (most recent call last):
#   |   File "/app/main.py", line 12, in handler
#   +-+---------------- 1 ----------------
_MARGIN = late(r"\s*(?:[|+] ?)+")
_SEPARATOR = late(r"(?P<margin>\s*(?:\| ?)*\+(?:-\+)?)-{5,}(?: (?:\d+|\.\.\.) -+)?$")
# File "/app/main.py", line 12, in handler
_FRAME = late(r'(?P<indent>\s*)File "(?P<file>[^"\n]+)",\s?line (?P<line>\d+)(?:, in (?P<function>.+))?')
# pymysql.err.OperationalError: (1364, "…")      KeyError      ExceptionGroup: two failed (2 sub-exceptions)
_EXCEPTION = late(r"(?P<type>[A-Za-z_][\w.<>]*)(?::\s(?P<value>.*)|:?)$")
_SURELY_EXCEPTION = late(rf"(?P<type>{TYPE})(?::\s?(?P<value>.*)|)$")


def may_be(text: str) -> bool:
    """Tell whether a text may contain a Python traceback."""
    return HEADER in text or 'File "' in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions of all tracebacks in a text, in the order they were raised."""
    reader = _Reader()
    for line in text.split("\n"):
        reader.take(line.rstrip())
    reader.finish()
    # A group is printed before its parts, which were raised before it.
    return tuple(exception for _, exception in sorted(reader.found, key=lambda found: -found[0]))


class _Reader:
    """The state of parsing a traceback: outside, among frames, or in the exception's message."""

    def __init__(self) -> None:
        self.found: list[tuple[int, ExceptionInfo]] = []
        self.frames: list[Frame] = []
        self.type = ""
        self.value: list[str] | None = None
        self.grouped = False
        self.depth = 0
        self._open(0, 0, headed=False)

    def _open(self, depth: int, indent: int, *, headed: bool) -> None:
        self.headed, self.depth, self.indent, self.lost = headed, depth, indent, False

    def take(self, raw: str) -> None:
        self.grouped = self.grouped or "Exception Group Traceback" in raw
        separator = _SEPARATOR.match(raw) if self.grouped else None
        if separator:
            self.finish()
            self._open(len(separator["margin"]), 0, headed=True)
            return
        line, depth = _without_margin(raw) if self.grouped else (raw, 0)
        if HEADER in line:
            self.finish()
            self._open(depth, len(line) - len(line.lstrip()), headed=True)
        elif "above exception" in line and line.lstrip().startswith(CONNECTIVES):
            self.finish()
        elif frame := _frame_of(line):
            self._take_frame(*frame)
        elif self.value is not None:
            self.value.append(line)
        elif (self.frames or self.headed) and line.strip():
            self._take_exception(line)

    def _take_frame(self, indent: int, frame: Frame) -> None:
        if self.value is not None:
            self.finish()  # a traceback whose header is missing
        if not self.frames and not self.headed:
            self.indent = max(0, indent - 2)
        self.lost = self.lost or indent <= self.indent
        self.frames.append(frame)

    def _take_exception(self, line: str) -> None:
        if len(line) - len(line.lstrip()) > self.indent:
            return  # a line of code, or the markers under it
        # Where indentation was lost, code stands at the margin, too.
        match = (_SURELY_EXCEPTION if self.lost else _EXCEPTION).match(line.strip())
        if match:
            self.type = match["type"]
            self.value = [match["value"] or ""]

    def finish(self) -> None:
        """Close the open traceback, if any."""
        # One frame alone may be a line that was torn from its traceback.
        if self.value is not None or len(self.frames) > 1 or (self.headed and self.frames):
            value = "\n".join(self.value or []).strip()
            self.found.append((self.depth, ExceptionInfo(type=self.type, value=value, frames=tuple(self.frames))))
        self.frames, self.value, self.type = [], None, ""
        self._open(self.depth, self.indent, headed=False)


def _frame_of(line: str) -> tuple[int, Frame] | None:
    if 'File "' not in line:
        return None
    return _known_frame(line) if len(line) <= _MEMORABLE else _read_frame(line)


def _read_frame(line: str) -> tuple[int, Frame] | None:
    """Return the indentation and the frame of a line; None when it is no frame."""
    frame = _FRAME.match(line)
    if frame is None:
        return None
    return len(frame["indent"]), python_frame(frame["file"], int(frame["line"][:9]), frame["function"] or "")


_known_frame = lru_cache(maxsize=1024)(_read_frame)


def _without_margin(line: str) -> tuple[str, int]:
    margin = _MARGIN.match(line)
    return (line, 0) if margin is None else (line[margin.end() :], len(margin[0].rstrip()))
