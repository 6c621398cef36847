"""Parse stacks of Ruby, PHP and Rust into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.exception_types import TYPE
from forensics.entries.tracebacks.stack_frame import python_frame
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

# app/shop.rb:12:in `pay': undefined method `total' for nil (NoMethodError)
_RUBY = late(
    rf"""^(?P<file>[^\s:]+):(?P<line>\d+):in\ [`'](?P<function>[^'\n]+)':\ (?P<value>[^\n]*)\ \((?P<type>{TYPE})\)""",
    re.VERBOSE | re.MULTILINE,
)
# NoMethodError (undefined method `total' for nil):
_RAILS = late(rf"^(?P<type>{TYPE}) \((?P<value>[^\n]*)\):?\s*$", re.MULTILINE)
# 	from app/shop.rb:3:in `<main>'      app/shop.rb:3:in `pay'
_RUBY_FRAME = late(
    r"^[^\S\n]*+(?:from )?(?P<file>[^\s:]+\.\w+):(?P<line>\d+):in [`'](?P<function>[^'\n]+)'[^\S\n]*$", re.MULTILINE
)

# PHP Fatal error:  Uncaught RuntimeException: no such order in /app/shop.php:12
_PHP = late(rf"(?<![\w$.:\\])(?P<type>{TYPE}):\ ")
# PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted in /app/shop.php on line 9
_PHP_FATAL = late(r"PHP (?P<type>(?:Fatal|Parse) error):\s+")
_PHP_PLACE = late(r" in (?P<file>[^\s:]+\.php)(?::| on line )(?P<line>\d+)")
_LONGEST_VALUE = 2_000
_LONGEST_TYPE = 300
# #0 /app/index.php(3): Shop->pay()
_PHP_FRAME = late(r"^\#\d+ (?P<file>[^\s(]+\.php)\((?P<line>\d+)\): (?P<function>[^\n(]+)", re.MULTILINE)

# thread 'main' panicked at src/main.rs:4:5:\nno such order      thread 'main' panicked at 'no order', src/main.rs:4:5
_RUST = late(
    r"""thread\ '[^'\n]*'(?:\ \(\d+\))?\ panicked\ at\ (?:'(?P<old>(?:(?!\ panicked\ at\ ')[^\n])*?)',\ )?
    (?P<file>[^\s:]+\.rs):(?P<line>\d+):\d+:?(?:\n(?P<value>[^\n]*))?""",
    re.VERBOSE,
)


def may_be(text: str) -> bool:
    """Tell whether a text may contain one of these stacks."""
    return ":in `" in text or ":in '" in text or ".php" in text or "panicked at " in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exception in a text; empty without one."""
    for read in (_ruby, _php, _rust):
        found = read(text)
        if found is not None:
            return (found,)
    return ()


def _ruby(text: str) -> ExceptionInfo | None:
    placed = _RUBY.search(text)
    header = placed or (_RAILS.search(text) if ":in " in text else None)
    if header is None:
        return None
    frames = [_frame(match) for match in _RUBY_FRAME.finditer(text)]
    if placed is not None:
        frames.insert(0, _frame(placed))
    return ExceptionInfo(type=header["type"], value=header["value"], frames=tuple(reversed(frames)))


def _php(text: str) -> ExceptionInfo | None:
    found = _php_header(_PHP, text) or _php_header(_PHP_FATAL, text)
    if found is None:
        return None
    header, place = found
    calls = list(_PHP_FRAME.finditer(text))
    # PHP names the place of each call; the function that a place lies in is the one called from the next line.
    functions = [call["function"] for call in calls]
    frames = [_frame(place, functions[0] if functions else "")]
    frames += [_frame(call, (*functions[i + 1 :], "{main}")[0]) for i, call in enumerate(calls)]
    value = text[header.end() : place.start()]
    return ExceptionInfo(type=header["type"], value=value, frames=tuple(reversed(frames)))


def _php_header(pattern: re.Pattern[str], text: str) -> tuple[re.Match[str], re.Match[str]] | None:
    """Find the first header that a place follows in its line, and the place: looked for from there, each text once."""
    done = 0
    for place in _PHP_PLACE.finditer(text):
        end = place.start()
        for header in pattern.finditer(text, max(done, end - _LONGEST_VALUE - _LONGEST_TYPE), end):
            if end - header.end() <= _LONGEST_VALUE and text.find("\n", header.end(), end) < 0:
                return header, place
        done = end
    return None


def _rust(text: str) -> ExceptionInfo | None:
    panic = _RUST.search(text)
    if panic is None:
        return None
    value = panic["old"] if panic["old"] is not None else panic["value"] or ""
    return ExceptionInfo(type="panic", value=value, frames=(_frame(panic, ""),))


def _frame(match: re.Match[str], function: str | None = None) -> Frame:
    name = match["function"] if function is None else function
    return python_frame(match["file"], int(match["line"][:9]), name)
