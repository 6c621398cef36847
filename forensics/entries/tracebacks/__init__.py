"""Parse tracebacks and exceptions in a text into the chain of exceptions, in the order they were raised.

One module for each format; each is tried only when a plain search says that it may find something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from forensics.entries.tracebacks import at_lines, beam, dart, golang, native, php, python, ruby, rust
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


_PRINTED = WordSearch(
    *('File "', "Traceback", "panic", ":in ", ".php", ".go:", "goroutine ", "** (", ".dart", "(dart:", ".swift"),
    *(
        "Caused by:\n",
        "Caused by:\r\n",
        "[object] (",
        "Swift runtime failure",
        "eason for termination",
        "exception e",
        '{file,"',
        "rogram crashed: ",
        "terminate called ",
        "libc++abi",
    ),
    *("' failed", "Sanitizer: ", "double free", "corrupted size", "(): ", "stack smashing", "Check failed"),
    *("libswift", "found nil while", "\nBun v", "flutter/"),
)
# In the order in which they are asked: what is unlike all others first.
_PRINTERS: tuple[_Printer, ...] = (
    python,
    dart,
    beam,
    rust,
    at_lines,  # Node, Deno, Bun; Java, Kotlin, Scala; .NET
    golang,
    ruby,
    php,
    native,  # Swift, C++, and the runtimes that are written in it
)


def parse_exceptions(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, in the order they were raised; empty when it has none."""
    if _may_be_printed(text):
        text = text.replace("\r\n", "\n")
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


_ESCAPED = WordSearch(
    *("\\npanic", "\\n** "),
    *(
        '\\n  File "',
        '\\n  File \\"',
        "\\n    at ",
        "\\n   at ",
        "\\n\\tat ",
        "\\n#0 ",
        "\\ngoroutine ",
        "\\n\\tfrom ",
        "\\n\\t/",
    ),
    *(
        "\\r\\n   at ",
        "\\r\\n    at ",
        "\\n    (",
        "\\n    lib/",
        "\\nstack backtrace:",
        "\\nnote: ",
        "\\n  what():",
        "\\n      at ",
    ),
    *("\\nCaused by: ", "\\n        from ", "\\n#1 "),
)
"""What the lines of a stack begin with, after a line break that was written as two characters."""


def unescaped(text: str) -> str:
    r"""Restore the line breaks of a traceback that was written as a quoted string with `\n`."""
    if "\\n" not in text or not _ESCAPED.is_in(text):
        return text
    return text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
