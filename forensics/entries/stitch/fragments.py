"""Pre-select, from cheap facts, entries that may be fragments of one multi-line message."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from forensics.entries.decode.texts import MEMORABLE
from forensics.entries.stitch import stitching
from forensics.entries.stitch.line_shapes import LineShape, is_plain, line_of, text_of_line
from forensics.text.digits import unzeroed, zeroed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from forensics.model import EntryFacts, LogEntry


class FragmentShape(NamedTuple):
    """Facts about a text that show whether it may be a fragment of a message."""

    is_line: bool
    """True for a line that may be a fragment of a longer message."""
    awaits: bool
    """True when it ends in the middle of a traceback, whose rest may come late."""
    is_typed: bool
    """True when it begins with an exception, like the last line of a traceback."""


_WHOLE = FragmentShape(is_line=False, awaits=False, is_typed=False)
_PLAIN = FragmentShape(is_line=True, awaits=False, is_typed=False)


def shape_of(entry: LogEntry) -> FragmentShape:
    """Return the shape of an entry's text."""
    text = text_of_line(entry)
    if text is None:
        return _WHOLE
    # The patterns used here have a single literal digit sequence, the exception `Http404`.
    if len(text) > MEMORABLE or "Http" in text:
        return shape_of_text(text)
    return _shape_of_outline(zeroed(text))


def shape_of_text(text: str) -> FragmentShape:
    """Return the shape of a text that may be a fragment."""
    if is_plain(text):
        return _PLAIN
    looks = LineShape(text)
    awaits = (looks.is_header or looks.is_python_frame) and looks.ends_open
    return FragmentShape(is_line=True, awaits=awaits, is_typed=looks.is_typed and not looks.is_own)


@lru_cache(maxsize=1_024)
def _shape_of_outline(text: bytes) -> FragmentShape:
    return shape_of_text(unzeroed(text))


def join(entries: Sequence[LogEntry]) -> LogEntry:
    """Make one entry of the fragments of a message, in order."""
    return stitching.entry_of([line for entry in entries if (line := line_of(entry)) is not None])


def runs(lines: Iterable[tuple[int, int, Hashable, EntryFacts]]) -> Iterator[list[int]]:
    """Group lines that are close enough in time to be fragments of one message; single lines are excluded.

    Lines come in order of time as (row, time, stream, facts). Stitching the runs one by one gives the same result as
    stitching the whole stream: nothing is open between two runs that could take another line.
    """
    open_runs: dict[Hashable, _Run] = defaultdict(_Run)
    for row, time, stream, facts in lines:
        run = open_runs[stream]
        if run.rows and time > run.until:
            if len(run.rows) > 1:
                yield run.rows
            run.rows = []
        run.rows.append(row)
        # A traceback that lacks its end takes any line at once, an exception even much later, and then waits anew.
        is_near = time <= run.last + stitching.WINDOW
        if facts.awaits or (time <= run.awaits_until and (is_near or facts.is_typed)):
            run.awaits_until = time + stitching.LATE_END
        run.last = time
        run.until = max(time + stitching.WINDOW, run.awaits_until)
    yield from (run.rows for run in open_runs.values() if len(run.rows) > 1)


class _Run:
    """Consecutive lines of one stream with short gaps."""

    __slots__ = ("awaits_until", "last", "rows", "until")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.awaits_until = 0
        self.last = 0
        self.until = 0
