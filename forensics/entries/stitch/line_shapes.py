"""Classify the shape of one text entry: the start of a message, a frame, the end of a traceback, and so on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from forensics.entries.decode.decoration import begins_like_logger, has_logger_prefix, open_markup, without_colours
from forensics.entries.tracebacks.at_frames import frame_of
from forensics.entries.tracebacks.exception_types import typed_start
from forensics.entries.tracebacks.python import CONNECTIVES, HEADER
from forensics.text.lazy_regex import late

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.model import LogEntry

_Shape = TypeVar("_Shape")

# Streams with complete entries: what the platform writes is never split.
_WHOLE_STREAMS = frozenset({"requests", "system", "activity", "system_event", "data_access", "policy"})

# What continues any message: SQLAlchemy's and gRPC's details, PostgreSQL's fields
_TAIL = late(
    r"""\[(?:SQL|parameters|generated\ in|cached\ since)[:\ ] | \(Background\ on\ this\ error\ at:
    | error\ details:\ name | (?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LINE\ \d+):[ ]""",
    re.VERBOSE,
)
# What continues a stack: Java's, Go's, PHP's, Node's and Rust's lines that stand at the margin
_STACK_TAIL = late(
    r"""(?:Caused\ by:|Suppressed:|--->|at|\#\d+|created\ by|thrown\ in|exit\ status)[ ]
    | For\ further\ information\ visit | \.\.\.\ \d+\ (?:more|common) | ---\ End\ of | \{main\}
    | Stack\ trace: | Require\ stack: | -\ [/.] | panic\( | \.\.\.additional\ frames\ elided
    | goroutine\ \d+\ \[ | \[signal\  | (?:  # a function, at the first of the dots where its package may end
        (?:(?:[\w.]*+[/*\-])++\w*+\.|[\w.]\w*+\.) | [\w./*\-]++(?<=[\w./*\-]\.)\([^()\s]*\)\. )[\w.\[\]·]+\([^()]*\)$
    | Node\.js\ v\d | \S+\.(?:rb|ru):\d+:in\  | note:\ run\ with\ `RUST_BACKTRACE | stack\ backtrace: | [\^~]+$""",
    re.VERBOSE,
)
# What Rails prints of an exception, one tagged line each; only old versions repeat the logger's prefix:
# F, [2025-09-16T00:41:13.084505 #13] FATAL -- : [5f0c-11] NoMethodError (undefined method 'total' for nil):
# [5f0c-11] app/models/cart.rb:18:in 'Cart#sum'
_RAILS = late(r"(?P<prefix>F, \[[^\]\n]*\]\s+FATAL -- [^:\n]*:\s?)?(?P<tags>(?:\[[^\]\n]{4,64}\] ?)*)")
# npm error Missing script: "start"      Step #0 - "Build": npm ERR! code ERESOLVE      one report of many such lines
_NPM = late(r'(?:Step #\d+(?: - "[^"\n]*")?: )?p?npm (?:ERR!|error)')
# Failed to render: Error [ShopClientError]:      ShopClientError:      the message follows on the next lines
# thread 'main' panicked at src/main.rs:14:42:
_OPENS = late(r"(?:(?:Error|Exception)(?: \[\w{1,100}\])?|panicked at [^\s:]{1,300}:\d{1,9}:\d{1,9}):$")
# Invalid `prisma.order.findMany()` invocation in      what is wrong follows, below an excerpt of the code
_OPENS_PRISMA = late(r"Invalid `[^`\n]{1,200}` invocation(?: in|:)$")
# Sending failed: Error: refused      ShopError      a message that may have more lines before its stack
_NAMES_ERROR = late(r"(?:Error|Exception)(?: \[\w{1,100}\])?(?::\s|:?$)")
_GOROUTINE = late(r"goroutine \d+ (?:gp=\S+ )?(?:m=\S+ )?(?:mp=\S+ )?\[")
_NAMED_WITHIN = 400
"""Characters at the start of a line in which it names the class of an error."""
_CLOSER = late(r"[\]})]+[,;]*(?:,\ \{)?$")
_PYTHON_FRAME = late(r'\s*(?:\|\s*)*File "[^"\n]+",\s?line \d+')
# What a header and a Python frame have in common: how they begin
_TRACE_BEGIN = late(r'[\s|+]*(?:Exception Group )?(?:Traceback|File ")')
# KeyError: 'x'      sqlalchemy.exc.OperationalError: (1364, …)      AssertionError
_EXCEPTION_LINE = late(r"[A-Za-z_][\w.]*(?::\s.*)?$", re.DOTALL)
# The place of an uncaught error, as Node prints it above the line of code: /app/server.js:12
_NODE_PLACE = late(r"(?:file://)?(?:/|node:)\S+:\d+$")
# fail: Microsoft.AspNetCore.Server.Kestrel[13]      the message follows on indented lines
_DOTNET_HEAD = late(r"(?:trce|dbug|info|warn|fail|crit): [\w.`+\-]+\[\d+\]$")
# Exception in worker process      Task exception was never retrieved      Internal Server Error: /pay
_ANNOUNCES = late(
    r"(?:exception|error) (?:in|while|on|during|ignored)\b|never retrieved|unhandled|uncaught|internal server error"
    r"|--- logging error ---|traceback",
    re.IGNORECASE,
)
# Beginnings of a new message without a logger: a tag, an address, a symbol
_BEGINS_ANEW = late(r"\[[^\]\n]{1,60}\]|\d{1,3}(?:\.\d{1,3}){3}\b|[^\x00-\u02ff]|[=\-*#>]{2,}")


class _once(Generic[_Shape]):  # noqa: N801 - a decorator
    """`functools.cached_property` without its lock, which costs more time than most of the properties."""

    def __init__(self, work_out: Callable[[LineShape], _Shape]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    @overload
    def __get__(self, line: None, owner: type[LineShape]) -> _once[_Shape]: ...
    @overload
    def __get__(self, line: LineShape, owner: type[LineShape]) -> _Shape: ...
    def __get__(self, line: LineShape | None, owner: type[LineShape]) -> _once[_Shape] | _Shape:
        if line is None:
            return self
        shape = line.__dict__[self._name] = self._work_out(line)
        return shape


class LineShape:
    """The shape of a text; its properties are computed on demand, since most are never needed."""

    def __init__(self, text: str) -> None:
        self.raw_text = text

    @_once
    def text(self) -> str:
        """The text without colours and markup."""
        return without_colours(self.raw_text).rstrip()

    @_once
    def start(self) -> str:
        """The first physical line."""
        if "\n" not in self.text:
            return self.text
        return self.text.lstrip("\n").split("\n", 1)[0].rstrip()

    @_once
    def end(self) -> str:
        """The last physical line."""
        return self.text.rsplit("\n", 1)[-1]

    @_once
    def is_own(self) -> bool:
        """True for a complete message: with a logger's prefix or a level at the margin, or one JSON object."""
        if self.start.startswith("{") and self.text.endswith("}") and len(self.text) > 2:  # noqa: PLR2004
            return True
        return not self.is_indented and begins_like_logger(self.start)

    @_once
    def is_prefixed(self) -> bool:
        """True when it begins with a logger's prefix."""
        return has_logger_prefix(self.start)

    @_once
    def _rails(self) -> tuple[bool, str]:
        match = _RAILS.match(self.start)
        return (False, "") if match is None else (match["prefix"] is not None, match["tags"].strip())

    @_once
    def is_rails_report(self) -> bool:
        """True for the first line of Rails' report of an exception."""
        return self._rails[0]

    @_once
    def is_npm_report(self) -> bool:
        """True for a line of npm's report of an error."""
        return _NPM.match(self.start) is not None

    def reports_with(self, head: LineShape) -> bool:
        """Tell whether this line continues a report of Rails or npm that begins with `head`."""
        if self.is_npm_report:
            return head.is_npm_report
        prefixed, tags = self._rails
        return head.is_rails_report and tags == head._rails[1] and (prefixed or bool(tags))

    def continuation(self, head: LineShape) -> str:
        """Return the text as a continuation of the head's message."""
        if not self.reports_with(head):
            return self.raw_text
        match = _RAILS.match(self.raw_text)
        return self.raw_text if match is None else self.raw_text[match.end() :]

    @_once
    def begins_anew(self) -> bool:
        """True when its first words begin a new message."""
        return self.is_own or self.is_typed or _BEGINS_ANEW.match(self.start) is not None

    @_once
    def is_cut(self) -> bool:
        """True when a quotation or markup is open at either end."""
        return self.end.count('"') % 2 == 1 or open_markup(self.raw_text) != 0

    @_once
    def announces(self) -> bool:
        """True when it mentions an exception, so that a traceback may follow."""
        return _ANNOUNCES.search(self.start) is not None

    @_once
    def is_indented(self) -> bool:
        """True when it begins with a blank."""
        return self.start[:1] in {" ", "\t"}

    @_once
    def is_header(self) -> bool:
        """True for the first line of a Python traceback."""
        if HEADER not in self.text:
            return False
        return self.start.lstrip(" +").removeprefix("Exception Group ").startswith(HEADER)

    @_once
    def is_connective(self) -> bool:
        """True for a line that connects two Python tracebacks."""
        return self.start.lstrip(" |").startswith(CONNECTIVES)

    @_once
    def is_typed(self) -> bool:
        """True when it begins with an exception: `TypeError: …`."""
        return not self.is_indented and typed_start(self.text) is not None

    @_once
    def may_await(self) -> bool:
        """True when a plain search shows that it may be part of a traceback whose end comes late."""
        text = self.raw_text
        return HEADER in text or 'File "' in text or "\x1b" in text or "<" in text

    @_once
    def is_exception_line(self) -> bool:
        """True when it may be the last line of a Python traceback."""
        return not self.is_indented and _EXCEPTION_LINE.match(self.start) is not None

    @_once
    def is_python_frame(self) -> bool:
        """True for a frame of a Python traceback, with or without its code."""
        return 'File "' in self.text and _PYTHON_FRAME.match(self.start) is not None

    @_once
    def is_frame(self) -> bool:
        """True for a frame of any stack."""
        return self.is_python_frame or frame_of(self.start) is not None

    @_once
    def is_bare_frame(self) -> bool:
        """True for a frame of another stack than Python's at the start of the text."""
        return self.is_frame and not self.is_python_frame

    @_once
    def is_tail(self) -> bool:
        """True when it continues any preceding line."""
        return _TAIL.match(self.start) is not None

    @_once
    def is_stack_tail(self) -> bool:
        """True when it continues a stack."""
        return _STACK_TAIL.match(self.start) is not None

    @_once
    def is_closer(self) -> bool:
        """True when it closes a bracket of a dump."""
        return _CLOSER.match(self.start) is not None

    @_once
    def is_node_place(self) -> bool:
        """True for the place that Node prints above the code of an uncaught error."""
        return _NODE_PLACE.match(self.start) is not None

    @_once
    def opens(self) -> bool:
        """True when it ends with the class of an error, whose message follows on other lines."""
        end = self.end[-_NAMED_WITHIN:]
        if not end.endswith((":", " invocation in")):
            return False
        return _OPENS.search(end) is not None or _OPENS_PRISMA.search(end) is not None

    @_once
    def names_error(self) -> bool:
        """True when it names the class of an error, so that a stack may follow its message."""
        return _NAMES_ERROR.search(self.start[:_NAMED_WITHIN]) is not None

    @_once
    def is_goroutine(self) -> bool:
        """True for the first line of a Go stack."""
        return self.start.startswith("goroutine ") and _GOROUTINE.match(self.start) is not None

    @_once
    def panics(self) -> bool:
        """True when it speaks of a panic, so that a Go stack may follow."""
        return "panic" in self.start[:_NAMED_WITHIN].lower()

    @_once
    def is_dotnet_head(self) -> bool:
        """True for a category line of .NET's console logger, whose message follows."""
        return self.start.endswith("]") and _DOTNET_HEAD.match(self.start) is not None

    @_once
    def ends_open(self) -> bool:
        """True when, as part of a Python traceback, it lacks the line with the exception."""
        return self.end[:1] in {" ", "\t"} or self.end.lstrip(" +").startswith("Traceback")


class Line(LineShape):
    """A text entry and its shape."""

    def __init__(self, entry: LogEntry, text: str) -> None:
        super().__init__(text)
        self.entry = entry
        self.time = entry.time


def is_plain(text: str) -> bool:
    """Tell whether a text is certainly neither the start of a traceback, nor a Python frame, nor an exception."""
    if "\x1b" in text or "<" in text or _TRACE_BEGIN.match(text) is not None:
        return False
    return text[:1] in {" ", "\t"} or typed_start(text.rstrip()) is None


def text_of_line(entry: LogEntry) -> str | None:
    """Return the text of an entry that may be a fragment; None for a complete entry."""
    text = entry.raw.get("textPayload")
    if not isinstance(text, str) or entry.http is not None or not entry.time or entry.stream in _WHOLE_STREAMS:
        return None
    return text


def line_of(entry: LogEntry) -> Line | None:
    """Return an entry that may be a fragment, with its shape; None for a complete entry."""
    text = text_of_line(entry)
    return None if text is None else Line(entry, text)
