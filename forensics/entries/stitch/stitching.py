"""Stitch decoded entries: join the pieces of messages that Cloud Run split at line breaks.

Measured on real logs: pieces of one write are 3 to 30 microseconds apart and may have different severities. A traceback
that Cloud Run recognises is one ERROR entry; other tracebacks arrive line by line without a severity.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.entries.decode.decoding import decode_record
from forensics.entries.raw_fields import order_of_id
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
_MESSAGE_LINES = 12
"""Lines of a message between the class of an error and its stack."""
_OPEN_GROUPS = 8

_StreamKey = tuple[str, str, str]


def _sort_key(entry: LogEntry) -> tuple[int, str, str]:
    return entry.time, order_of_id(entry.insert_id, entry.time), entry.log_name


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
    head, *others = _in_reading_order(lines)
    text = "\n".join([head.raw_text.rstrip("\r\n"), *(x.continuation(head).rstrip("\r\n") for x in others)])
    entry = decode_record({**lines[0].entry.raw, "textPayload": text})
    pieces = tuple(line.entry for line in lines)
    level = max((entry.level, *(piece.level for piece in pieces)), key=lambda level: level.rank)
    # An exception without a stack is recognised only at the beginning of a text; here a log line precedes it.
    exceptions = entry.exceptions or next((piece.exceptions for piece in pieces if piece.exceptions), ())
    return replace(entry, level=level, pieces=pieces, exceptions=exceptions)


def _in_reading_order(lines: Sequence[Line]) -> Sequence[Line]:
    """Put an error that was logged after its stack above it."""
    if not lines[0].is_bare_frame:
        return lines
    at = next((n for n, line in enumerate(lines) if line.is_typed or line.opens), 0)
    return [*lines[at:], *lines[:at]]


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


def _groups(lines: Iterable[Line]) -> Iterable[_Group]:
    """Return the groups of one stream, each stack with the error that was logged after it."""
    groups = list(_grown_groups(lines))
    stacks = [group for group in groups if group.head.is_bare_frame]
    taken: set[int] = set()
    by_head = sorted(groups, key=lambda group: _sort_key(group.head.entry)) if stacks else []
    keys = [_sort_key(group.head.entry) for group in by_head]
    for stack in stacks:
        at = bisect_right(keys, _sort_key(stack.last.entry))
        if at < len(keys) and stack.is_of(by_head[at]) and id(by_head[at]) not in taken:
            stack.lines += by_head[at].lines
            taken.add(id(by_head[at]))
    return [group for group in groups if id(group) not in taken]


def _grown_groups(lines: Iterable[Line]) -> Iterator[_Group]:
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
            if taker.begins_stack(line):
                taker = _with_its_message(taker, open_groups)
            taker.add(line)
        open_groups.append(taker)
        if len(open_groups) > _OPEN_GROUPS:
            yield open_groups.pop(0)
    yield from open_groups


def _with_its_message(stack: _Group, open_groups: list[_Group]) -> _Group:
    """Return the message that the line above a stack ends: the lines down from the one that names the class.

    Only the stack shows that these lines were one message. They are taken out of the open groups.
    """
    lines = list(stack.lines)
    for n in range(len(open_groups) - 1, max(len(open_groups) - _MESSAGE_LINES, 0) - 1, -1):
        group = open_groups[n]
        if lines[0].names_error or not group.may_go_on_with(lines[0]):
            break
        lines[:0] = group.lines
        if group.last.names_error:
            del open_groups[n:]
            return _grown(lines)
    return stack


def _grown(lines: Sequence[Line]) -> _Group:
    group = _Group(lines[0])
    for line in lines[1:]:
        group.add(line)
    return group


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
        self.message_lines = 0
        """Lines that a message may still have whose class was the end of the line above; 0 when none is awaited."""
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
        self.message_lines = _MESSAGE_LINES if line.opens else 0 if line.is_frame else max(self.message_lines - 1, 0)
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
        # GKE gives each line the severity of its stream; what Cloud Run recognises is one entry of several lines.
        is_alike = line.entry.severity is None or (
            line.entry.severity == self.head.entry.severity and "\n" not in self.last.text
        )
        return line.is_exception_line and not line.is_own and is_alike

    def begins_stack(self, line: Line) -> bool:
        """Tell whether a line is the first frame below a single line that names no error."""
        is_plain = len(self.lines) == 1 and not (self.is_stack or self.has_trace or self.in_dump)
        return is_plain and line.is_frame and not line.is_python_frame and not self.head.names_error

    def is_of(self, error: _Group) -> bool:
        """Tell whether this stack without a header is that of an error without a stack."""
        is_near = error.head.time - self.last.time <= _ANNOUNCED_WITHIN
        is_error = (error.head.is_typed or error.head.opens) and not error.head.is_own
        return (
            is_near
            and is_error
            and all(line.is_frame for line in self.lines)
            and not any(line.is_frame or "\n" in line.text for line in error.lines)
        )

    def may_go_on_with(self, line: Line) -> bool:
        """Tell whether a line may be a further line of this single line's message, if a stack follows."""
        if self.is_stack or self.has_trace or len(self.lines) > 1:
            return False
        return line.time - self.last.time <= _ANNOUNCED_WITHIN and not line.begins_anew

    def _takes_message(self, line: Line, gap: int) -> bool:
        """Tell whether a line is the message, or more of it, of an error whose class ended the line above."""
        if not self.message_lines or gap > _ANNOUNCED_WITHIN or line.is_own or line.is_header:
            return False
        return line.entry.severity in {None, self.head.entry.severity} and not line.is_typed

    def _takes_next(self, line: Line, gap: int) -> bool:
        if self._takes_message(line, gap) or (line.is_goroutine and self.last.panics and gap <= _ANNOUNCED_WITHIN):
            return True
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
