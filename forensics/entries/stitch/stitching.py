"""Stitch decoded entries: join the pieces of messages that Cloud Run split at line breaks.

Measured on real logs: pieces of one write are 3 to 30 microseconds apart and may have different severities. A traceback
that Cloud Run recognises is one ERROR entry; other tracebacks arrive line by line without a severity.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.entries.decode.decoding import decode_record
from forensics.entries.stitch.line_shapes import Line, line_of
from forensics.model import Level, LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MICROSECOND = 1_000
_MILLISECOND = 1_000_000
WINDOW = 10 * _MILLISECOND
"""Longest time between consecutive pieces of a message, nanoseconds."""
_ANNOUNCED_WITHIN = 2 * _MILLISECOND
_SAME_WRITE = 100 * _MICROSECOND
# An instance without a request has next to no CPU: the line that ends a traceback was seen 1.1 s after the others.
LATE_END = 5_000 * _MILLISECOND
_PLAIN_FOLLOWERS = 50
_OPEN_GROUPS = 8

_StreamKey = tuple[str, str, str]
_sort_key = attrgetter("time", "insert_id", "log_name")
"""A faster `LogEntry.sort_key`."""


def stitch(entries: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    """Join the pieces of each message; every original entry is in exactly one entry of the result."""
    # Stitched entries are taken apart first, so that stitching twice is stitching once.
    originals = sorted((piece for entry in entries for piece in entry.pieces or (entry,)), key=_sort_key)
    whole: list[LogEntry] = []
    streams: dict[_StreamKey, list[Line]] = {}
    for entry in originals:
        line = line_of(entry)
        if line is None:
            whole.append(entry)
        else:
            streams.setdefault((entry.instance, entry.log_name, entry.revision), []).append(line)
    joined = [entry_of(group) for lines in streams.values() for run in _runs(lines) for group in _joined(run)]
    return tuple(sorted(whole + joined, key=_sort_key))


def entry_of(lines: Sequence[Line]) -> LogEntry:
    """Make one entry of lines: the identity of the first, the text of all, the highest level."""
    if len(lines) == 1:
        return lines[0].entry
    head = lines[0]
    text = "\n".join([head.raw_text.rstrip("\r\n"), *(x.continuation(head).rstrip("\r\n") for x in lines[1:])])
    entry = decode_record({**head.entry.raw, "textPayload": text})
    pieces = tuple(line.entry for line in lines)
    level = max((entry.level, *(piece.level for piece in pieces)), key=lambda level: level.rank)
    # An exception without a stack is recognised only at the beginning of a text; here a log line precedes it.
    exceptions = entry.exceptions or next((piece.exceptions for piece in pieces if piece.exceptions), ())
    return replace(entry, level=level, pieces=pieces, exceptions=exceptions)


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Cut a stream where no message can still be open; most runs are a single line."""
    run: list[Line] = []
    awaits = False
    for line in lines:
        if run and line.time - run[-1].time > (LATE_END if awaits else WINDOW):
            yield run
            run, awaits = [], False
        run.append(line)
        awaits = awaits or line.may_await
    if run:
        yield run


def _joined(run: list[Line]) -> Iterator[list[Line]]:
    """Yield the lines of each message; a single line is not examined."""
    if len(run) == 1:
        yield run
    else:
        yield from (group.lines for group in _groups(run))


def _groups(lines: Iterable[Line]) -> Iterator[_Group]:
    """Yield the groups of one stream; lines of several threads may be interleaved."""
    open_groups: list[_Group] = []  # the one that grew last at the end
    for line in lines:
        still_open = []
        for group in open_groups:
            if group.is_over(line):
                yield group
            else:
                still_open.append(group)
        open_groups = still_open
        # A traceback that lacks its end goes before a later line that could be continued as well.
        by_need = sorted(open_groups, key=lambda group: group.awaits_exception)
        taker = next((group for group in reversed(by_need) if group.takes(line, open_groups[-1])), None)
        if taker is None:
            taker = _Group(line)
        else:
            open_groups.remove(taker)
            taker.add(line)
        open_groups.append(taker)
        if len(open_groups) > _OPEN_GROUPS:
            yield open_groups.pop(0)
    yield from open_groups


class _Group:
    """The lines of one message, and the state that decides what may follow."""

    def __init__(self, line: Line) -> None:
        self.lines: list[Line] = []
        self.head = line
        self.level = Level.DEFAULT
        self.has_trace = False
        self.awaits_exception = False
        """True while a Python traceback lacks its last line."""
        self.is_stack = False
        self.in_dump = False
        """True after a `{` or `[` at the end of a line, until it is closed at the margin."""
        self.plain_followers = 0
        self.add(line)

    @property
    def last(self) -> Line:
        return self.lines[-1]

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self.level = max(self.level, line.entry.level, key=lambda level: level.rank)
        if line.is_header or line.is_python_frame:
            self.has_trace = True
            self.awaits_exception = line.ends_open
        elif self.awaits_exception and line.is_exception_line:
            self.awaits_exception = False
        self.is_stack = (
            self.is_stack or line.is_typed or line.is_frame or line.start.startswith(("panic:", "goroutine "))
        )
        self.is_stack = self.is_stack or ("\n" in line.text and "at " in line.text)
        if line.end.endswith(("{", "[")):
            self.in_dump = True
        elif line.is_closer:
            self.in_dump = False

    def is_over(self, line: Line) -> bool:
        """Tell whether the group is complete by the time of a line."""
        return line.time - self.last.time > (LATE_END if self.awaits_exception else WINDOW)

    def takes(self, line: Line, latest: _Group) -> bool:
        """Tell whether a line continues this group; `latest` is the group of the preceding line."""
        gap = line.time - self.last.time
        if gap > WINDOW:
            return line.is_typed and not line.is_own
        if line.is_header:
            return self.last.is_connective or (self is latest and gap <= _ANNOUNCED_WITHIN and self._announces())
        if line.is_connective:
            return self.has_trace and not self.last.is_connective
        if self._awaits(line) or (self is latest and (line.reports_with(self.head) or self._speaks_of(line, gap))):
            return True
        if self is not latest:
            return (self.is_stack and line.is_frame and line.is_indented) and not latest.takes_indented(line)
        return self._takes_next(line, gap)

    def _awaits(self, line: Line) -> bool:
        """Tell whether a line continues a Python traceback that lacks its last line."""
        if not self.awaits_exception or line.is_indented or line.is_python_frame:
            return self.awaits_exception
        return line.is_exception_line and not line.is_own and line.entry.severity is None

    def _takes_next(self, line: Line, gap: int) -> bool:
        if line.is_indented:
            return self.takes_indented(line)
        goes_on = line.is_stack_tail or not line.start
        return (
            line.is_tail
            or (goes_on and (self.is_stack or self.has_trace))
            or (self.in_dump and (line.is_closer or not line.start))
            or (self.head.is_node_place and (line.is_typed or not line.start))
            or self._takes_plain(line, gap)
        )

    def takes_indented(self, line: Line) -> bool:
        """Tell whether an indented line can belong to this group."""
        if self.has_trace or self.is_stack or self.in_dump or self.head.is_dotnet_head or self.head.is_node_place:
            return True
        # An indented head: the first lines of a traceback whose beginning was cut off, or a printed list.
        if self.head.is_indented or line.is_frame:
            return line.is_frame
        return self.level.rank >= Level.WARNING.rank

    def _takes_plain(self, line: Line, gap: int) -> bool:
        """Tell whether a line without any recognisable shape is the rest of a message with a line break."""
        if line.entry.severity is not None or line.begins_anew:
            return False
        if self.last.is_cut and line.is_cut:
            return True
        is_strong = self.has_trace or (self.head.is_own and self.level.rank >= Level.ERROR.rank)
        if is_strong and gap <= _SAME_WRITE and self.plain_followers < _PLAIN_FOLLOWERS:
            self.plain_followers += 1
            return True
        return False

    def _speaks_of(self, line: Line, gap: int) -> bool:
        """Tell whether a line is the exception announced by this log line: `ERROR … - Failed`, `java.io.X: …`."""
        if gap > _SAME_WRITE or not line.is_typed or line.is_prefixed:
            return False
        speaks = self.head.announces or (self.head.is_prefixed and self.level.rank >= Level.ERROR.rank)
        return speaks and not self.is_stack and not self.has_trace

    def _announces(self) -> bool:
        """Tell whether this is a log line that a traceback may follow."""
        if self.has_trace or self.is_stack:
            return False
        if self.head.is_own:
            return self.level.rank >= Level.WARNING.rank
        return self.level.rank >= Level.ERROR.rank or self.head.announces
