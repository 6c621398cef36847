"""Parse Ruby's stacks, also as Rails logs them, into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.exception_types import TYPE
from forensics.entries.tracebacks.stack_frame import placed_frame
from forensics.model import ExceptionInfo
from forensics.text.lazy_regex import late

# app/shop.rb:12:in `pay': undefined method `total' for nil (NoMethodError)
_RUBY = late(
    r"""^(?P<file>[^\s:]+):(?P<line>\d+):in\ [`'](?P<function>[^'\n]+)':\ (?P<value>[^\n]*)
    \ \((?P<type>[A-Z]\w*(?:::[A-Z]\w*)*)\)[ \t]*$""",
    re.VERBOSE | re.MULTILINE,
)
# app/shop.rb:12:in `pay': undefined local variable or method `totl' for main:Object      and the type lines below
_RUBY_OPEN = late(r"^(?P<file>[^\s:]+):(?P<line>\d+):in [`'](?P<function>[^'\n]+)': (?P<value>[^\n]+)$", re.MULTILINE)
_TYPE_AT_END = late(r"^[^\n]*\((?P<type>[A-Z]\w*(?:::[A-Z]\w*)*)\)[ \t]*$", re.MULTILINE)
# NoMethodError (undefined method `total' for nil):      ActionView::Template::Error (no such file):
_RAILS = late(rf"^(?P<type>{TYPE}|[A-Z]\w*(?:::[A-Z]\w*)+) \((?P<value>[^\n]*)\):?\s*$", re.MULTILINE)
# NoMethodError: undefined method `total' for nil
_NAMED = late(rf"(?:^|\s)(?P<type>{TYPE}|[A-Z]\w*(?:::[A-Z]\w*)+): (?P<value>[^\n]*)")
# Puma caught this error: undefined method `total' for nil (NoMethodError)
_TOLD = late(r"^(?:[^:\n]{1,80}: )?(?P<value>[^\n]*) \((?P<type>[A-Z]\w*(?:::[A-Z]\w*)*)\)[ \t]*$", re.MULTILINE)
# Causes:      PG::ConnectionBad (connection refused)
_CAUSES = "\nCauses:\n"
# 	from app/shop.rb:3:in `<main>'      app/shop.rb:3:in `pay'
_FRAME = late(
    r"^[^\S\n]*+(?:\d+: )?(?:from )?(?P<file>[^\s:]+\.\w+):(?P<line>\d+):in [`'](?P<function>[^'\n]+)'[^\S\n]*$",
    re.MULTILINE,
)


def may_be(text: str) -> bool:
    """Tell whether a text may contain a Ruby stack."""
    return ":in `" in text or ":in '" in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, the innermost cause first."""
    raised = list(_RUBY.finditer(text))
    if raised:
        return tuple(reversed(_placed(text, raised)))
    if open_end := _RUBY_OPEN.search(text):
        return _with_late_type(text, open_end)
    start = _first_frame(text)
    header = _RAILS.search(text) or _NAMED.search(text, 0, start) or _TOLD.search(text, 0, start)
    if header is None:
        return ()
    frames = tuple(placed_frame(match) for match in _FRAME.finditer(text))
    causes = list(_RAILS.finditer(text, text.find(_CAUSES))) if _CAUSES in text else []
    error = ExceptionInfo(type=header["type"], value=header["value"], frames=tuple(reversed(frames)))
    return (*(ExceptionInfo(type=each["type"], value=each["value"]) for each in reversed(causes)), error)


def _first_frame(text: str) -> int:
    first = _FRAME.search(text)
    return first.start() if first else 0


def _placed(text: str, raised: list[re.Match[str]]) -> list[ExceptionInfo]:
    """Read each header with the frames down to the next one: Ruby prints the newest exception first."""
    ends = [*(match.start() for match in raised[1:]), len(text)]
    found = []
    for match, end in zip(raised, ends, strict=True):
        start = 0 if len(raised) == 1 else match.end()
        calls = [placed_frame(each) for each in _FRAME.finditer(text, start, end)]
        if match.start() > 0 and len(raised) == 1 and text.lstrip().startswith("Traceback (most recent call last)"):
            calls.reverse()  # Ruby 2.5 to 2.7 on a terminal: the newest call last
        frames = (placed_frame(match), *calls)
        found.append(ExceptionInfo(type=match["type"], value=match["value"], frames=tuple(reversed(frames))))
    return found


def _with_late_type(text: str, header: re.Match[str]) -> tuple[ExceptionInfo, ...]:
    # A message of several lines has its type at the end of the first or of the last of them.
    first = _FRAME.search(text, header.end())
    end = first.start() if first else len(text)
    typed = _TYPE_AT_END.search(text, header.end(), end)
    frames = (placed_frame(header), *(placed_frame(each) for each in _FRAME.finditer(text, header.end())))
    if typed is None and len(frames) == 1:
        return ()
    return (ExceptionInfo(type=typed["type"] if typed else "", value=header["value"], frames=tuple(reversed(frames))),)
