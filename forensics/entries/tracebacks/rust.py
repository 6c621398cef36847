"""Parse Rust's panics, with and without a backtrace, and errors with their causes, into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.stack_frame import foreign_crate, placed_frame, python_frame
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

_PLACE = r"(?P<file>(?:[A-Za-z]:)?[^\s:'\"]+\.rs):(?P<line>\d+)(?::\d+)?"
# thread 'main' panicked at src/main.rs:4:5:\nno such order
_PANIC = late(rf"(?:thread '[^'\n]*'|thread <unnamed>)(?: \(\d+\))? panicked at {_PLACE}:?[ \t]*(?P<rest>\n)?")
# thread 'main' panicked at 'no order', src/main.rs:4:5
_OLD = late(r"thread '[^'\n]*' panicked at '")
_OLD_PLACE = late(rf"',\s{{1,20}}{_PLACE}")
_LONGEST_VALUE = 4_000
_END = late(r"^(?:stack backtrace:|note: |[ \t]*\d+:\s)|^[ \t]*$", re.MULTILINE)
#    4: shop::pay            the address before it, and the place below it, may be missing
#              at ./src/pay.rs:78:5
_FRAME = late(
    rf"^[ \t]*+\d+:[ \t]++(?:0x[0-9a-f]+ - )?(?P<function>[^\s][^\n]*)(?:\n[ \t]++at {_PLACE}[ \t]*$)?", re.MULTILINE
)
# Error: could not open the shop\n\nCaused by:\n    0: no connection\n    1: refused
_ERROR = late(
    r"^(?:[^\n]{0,80}\s)?Error: (?P<value>[^\n]*)\n\s*Caused by:\n(?P<causes>(?:[ \t]+[^\n]+\n?)+)", re.MULTILINE
)
_CAUSE = late(r"^[ \t]+(?:\d+: )?(?P<value>[^\n]+)$", re.MULTILINE)


def may_be(text: str) -> bool:
    """Tell whether a text may contain a panic or an error of Rust."""
    return "panicked at " in text or ("Caused by:\n" in text and "Error: " in text)


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the panic in a text, or its error with the causes, the innermost first."""
    panic = _panic(text)
    return (panic,) if panic is not None else _error(text)


def _panic(text: str) -> ExceptionInfo | None:
    panic = _PANIC.search(text)
    if panic is not None:
        value = _value_below(text, panic.end()) if panic["rest"] else ""
        return ExceptionInfo(type="panic", value=value, frames=_frames(text, panic))
    old = _OLD.search(text)
    place = old and _OLD_PLACE.search(text, old.end(), old.end() + _LONGEST_VALUE)
    if old is None:
        return None
    if place is None:  # cut off within its words
        return ExceptionInfo(type="panic", value=text[old.end() :].partition("\n")[0])
    return ExceptionInfo(type="panic", value=text[old.end() : place.start()], frames=_frames(text, place))


def _value_below(text: str, start: int) -> str:
    end = _END.search(text, start, start + _LONGEST_VALUE)
    return text[start : end.start() if end else start + _LONGEST_VALUE].strip()


def _frames(text: str, panic: re.Match[str]) -> tuple[Frame, ...]:
    """Return the calls of the backtrace, and the place of the panic last."""
    calls = _calls(text, panic.end())
    place = placed_frame(panic, "")
    at = next((i for i, call in enumerate(calls) if call.line == place.line and _same_file(call, place)), None)
    if at is None:
        return (*reversed(calls), place)
    return tuple(reversed(calls[at:]))


def _same_file(call: Frame, place: Frame) -> bool:
    return call.file.removeprefix("./").endswith(place.file.removeprefix("./"))


def _calls(text: str, start: int) -> list[Frame]:
    begin = text.find("tack backtrace:", start)
    return [] if begin < 0 else [_call(match) for match in _FRAME.finditer(text, begin)]


def _call(match: re.Match[str]) -> Frame:
    function = match["function"].strip()
    if match["file"]:
        return python_frame(match["file"], int(match["line"][:9]), function)
    return Frame(file="", line=None, function=function, in_app=not foreign_crate(function))


def _error(text: str) -> tuple[ExceptionInfo, ...]:
    error = _ERROR.search(text)
    if error is None:
        return ()
    causes = [match["value"].strip() for match in _CAUSE.finditer(error["causes"])]
    frames = tuple(reversed(_calls(text, error.end())))
    outer = ExceptionInfo(type="Error", value=error["value"].strip(), frames=frames)
    return (*(ExceptionInfo(type="Error", value=value) for value in reversed(causes)), outer)
