"""Parse PHP's stacks into exceptions: bare, and as Laravel, Symfony and Monolog log them."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.exception_types import TYPE
from forensics.entries.tracebacks.stack_frame import placed_frame
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

# PHP Fatal error:  Uncaught RuntimeException: no such order in /app/shop.php:12
_HEADER = late(rf"(?<![\w$.:\\])(?P<type>{TYPE}):\ ")
# PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted in /app/shop.php on line 9
_FATAL = late(r"(?P<type>(?:Fatal|Parse) error):\s+")
_PLACE = late(r" in (?P<file>[^\s:]+\.php)(?::| on line )(?P<line>\d+)")
# [object] (App\\Errors\\NoStock(code: 0): none left at /app/Shop.php:12)
_LOGGED = late(r"\[object\] \((?P<type>[\w\\]+)\(code: ?[^()\n]{0,40}\): ")
_LOGGED_PLACE = late(r" at (?P<file>[^\s:]+\.php):(?P<line>\d+)\)")
# Uncaught PHP Exception App\Errors\NoStock: "none left" at /app/Shop.php line 12
_SYMFONY = late(r"Uncaught PHP Exception (?P<type>[\w\\]+): ")
_SYMFONY_PLACE = late(r""" at (?P<file>[^\s:]+\.php)(?: line |:)(?P<line>\d+)""")
_LONGEST_VALUE = 2_000
_LONGEST_TYPE = 300
# #0 /app/index.php(3): Shop->pay()
_FRAME = late(r"^[ \t]*+\#\d+ (?P<file>[^\s(]+\.php)\((?P<line>\d+)\): (?P<function>[^\n(]+)", re.MULTILINE)

_Header = tuple[re.Match[str], re.Match[str]]


def may_be(text: str) -> bool:
    """Tell whether a text may contain a PHP stack."""
    return ".php" in text or "[object] (" in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, in the order they were raised."""
    if "\\n#" in text:
        text = text.replace("\\n", "\n")
    logged = _headers(_LOGGED, _LOGGED_PLACE, text)
    if logged:
        return tuple(reversed(_exceptions(text, logged)))  # the newest first, then `[previous exception]`
    torn = _LOGGED.search(text)
    if torn:
        kind = torn["type"].replace("\\\\", "\\")
        return (ExceptionInfo(type=kind, value=text[torn.end() :].partition("\n")[0]),)
    found = (
        _headers(_SYMFONY, _SYMFONY_PLACE, text) or _headers(_HEADER, _PLACE, text) or _headers(_FATAL, _PLACE, text)
    )
    # `Next X: …` is what was thrown while the one above was handled.
    chain = found[:1] + [header for header in found[1:] if text.endswith("Next ", 0, header[0].start())]
    return tuple(_exceptions(text, chain))


def _headers(pattern: re.Pattern[str], places: re.Pattern[str], text: str) -> list[_Header]:
    """Find the headers that a place follows in their line, looked for from the places: each text is read once."""
    found: list[_Header] = []
    done = 0
    for place in places.finditer(text):
        end = place.start()
        for header in pattern.finditer(text, max(done, end - _LONGEST_VALUE - _LONGEST_TYPE), end):
            if end - header.end() <= _LONGEST_VALUE and text.find("\n#", header.end(), end) < 0:
                found.append((header, place))
                break
        done = end
    return found


def _exceptions(text: str, headers: list[_Header]) -> list[ExceptionInfo]:
    if not headers:
        return []
    starts = [header.start() for header, _ in headers[1:]]
    return [
        _exception(text, header, place, end) for (header, place), end in zip(headers, [*starts, len(text)], strict=True)
    ]


def _exception(text: str, header: re.Match[str], place: re.Match[str], end: int) -> ExceptionInfo:
    calls = list(_FRAME.finditer(text, place.end(), end))
    # PHP names the place of each call; the function that a place lies in is the one called from the next line.
    functions = [call["function"] for call in calls]
    frames: list[Frame] = [placed_frame(place, functions[0] if functions else "")]
    frames += [placed_frame(call, (*functions[i + 1 :], "{main}")[0]) for i, call in enumerate(calls)]
    value = text[header.end() : place.start()].strip()
    if value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
        value = value[1:-1]
    return ExceptionInfo(type=header["type"].replace("\\\\", "\\"), value=value, frames=tuple(reversed(frames)))
