"""Parse tracebacks and exceptions in a text into the chain of exceptions, in the order they were raised.

One module for each format; each is tried only when a plain search says that it may find something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from forensics.entries.tracebacks import at_lines, golang, others, python
from forensics.entries.tracebacks.exception_types import is_exception_type, reports_crash, typed_start
from forensics.text.word_search import WordSearch

if TYPE_CHECKING:
    from forensics.model import ExceptionInfo

__all__ = [
    "fails_without_exception",
    "is_exception_type",
    "may_name_exception",
    "parse_exceptions",
    "tells_failure",
    "unescaped",
]


class _Printer(Protocol):
    def may_be(self, text: str) -> bool: ...
    def parse(self, text: str) -> tuple[ExceptionInfo, ...]: ...


_PRINTED = WordSearch('File "', "Traceback", "panic", ":in ", ".php", ".go:", "goroutine ")
_PRINTERS: tuple[_Printer, ...] = (python, at_lines, golang, others)


def parse_exceptions(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, in the order they were raised; empty when it has none."""
    if _may_be_printed(text):
        for printer in _PRINTERS:
            if printer.may_be(text):
                found = printer.parse(text)
                if found:
                    return found
    start = typed_start(text)
    return () if start is None else (start,)


def _may_be_printed(text: str) -> bool:
    """Tell whether any parser may find something; one expression, because most texts contain nothing of the kind."""
    return ("\n" in text and "at " in text) or _PRINTED.is_in(text)


def may_name_exception(text: str) -> bool:
    """Tell whether a text, or any that differs from it only in digits, may contain an exception."""
    return _may_be_printed(text) or "Http" in text or typed_start(text) is not None


def tells_failure(text: str) -> bool:
    """Tell whether a text shows a failure by itself: a traceback, an exception at its start, or a crash report."""
    if "Traceback (most recent call last)" in text or typed_start(text) is not None or reports_crash(text):
        return True
    return any(printer.may_be(text) and printer.parse(text) for printer in _PRINTERS[1:])


def fails_without_exception(text: str) -> bool:
    """`tells_failure` for a text in which `parse_exceptions` found nothing."""
    return python.HEADER in text or reports_crash(text)


def unescaped(text: str) -> str:
    r"""Restore the line breaks of a traceback that was written as a quoted string with `\n`."""
    if "\\n" not in text or not any(
        mark in text for mark in ('\\n  File "', '\\n  File \\"', "\\n    at ", "\\n\\tat ")
    ):
        return text
    return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
