"""Which entries may be pieces of one message: told from a few facts of each, so that only those are looked at whole."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from forensics.entries import stitching
from forensics.entries.lines import is_plain, line_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from forensics.model import Gist, LogEntry


class Shape(NamedTuple):
    """What the text of an entry tells about what it may be a piece of."""

    is_line: bool
    """A text that may be a piece of a longer one."""
    awaits: bool
    """It ends in the middle of a traceback, the rest of which may come late."""
    is_typed: bool
    """It begins with an exception, as the line does that ends a traceback."""


_WHOLE = Shape(is_line=False, awaits=False, is_typed=False)
_PLAIN = Shape(is_line=True, awaits=False, is_typed=False)


def shape_of(entry: LogEntry) -> Shape:
    """Look at the text of an entry."""
    line = line_of(entry)
    if line is None:
        return _WHOLE
    if is_plain(line.raw_text):
        return _PLAIN
    awaits = (line.is_header or line.is_python_frame) and stitching.ends_open(line)
    return Shape(is_line=True, awaits=awaits, is_typed=line.is_typed and not line.is_own)


def join(entries: Sequence[LogEntry]) -> LogEntry:
    """Make one entry of the pieces of a message, in order."""
    return stitching.entry_of([line for entry in entries if (line := line_of(entry)) is not None])


def runs(lines: Iterable[tuple[int, int, Hashable, Gist]]) -> Iterator[list[int]]:
    """Gather lines so close to one another that they may be pieces; a line that stands alone is in no run.

    Lines come in order of time as (row, time, stream, gist). What `stitch` makes of a whole stream and of its runs one
    by one is the same: between two runs nothing is open that could take another line.
    """
    open_runs: dict[Hashable, _Run] = defaultdict(_Run)
    for row, time, stream, gist in lines:
        run = open_runs[stream]
        if run.rows and time > run.until:
            if len(run.rows) > 1:
                yield run.rows
            run.rows = []
        run.rows.append(row)
        # A traceback that lacks its end takes any line at once, and an exception for a long while; then it waits again.
        is_near = time <= run.last + stitching.WINDOW
        if gist.awaits or (time <= run.awaits_until and (is_near or gist.is_typed)):
            run.awaits_until = time + stitching.LATE_END
        run.last = time
        run.until = max(time + stitching.WINDOW, run.awaits_until)
    yield from (run.rows for run in open_runs.values() if len(run.rows) > 1)


class _Run:
    """Lines of one stream, each close behind the one before."""

    __slots__ = ("awaits_until", "last", "rows", "until")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.awaits_until = 0
        self.last = 0
        self.until = 0
