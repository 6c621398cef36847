"""Parse Go's panics, fatal errors and stacks into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.stack_frame import go_frame
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

# panic: runtime error: index out of range [5] with length 3
# http: panic serving 10.0.0.1:5000: runtime error: invalid memory address or nil pointer dereference
# fatal error: all goroutines are asleep - deadlock!
_PANIC = late(
    r"""^[ \t]*+(?:[^\n]*?http:\ panic\ serving\ [^\n ]+:\ |(?P<type>panic|fatal\ error|SIG[A-Z]+):\ )
    (?P<value>[^\n]*?)(?:\ \[recovered(?:,\ repanicked)?\])?$""",
    re.MULTILINE | re.VERBOSE,
)
# main.(*Shop).Pay(0xc000012345, {0x1, 0x2})
# 	/app/shop.go:12 +0x1d
_FRAME = late(
    r"^[ \t]*+(?:created by )?(?P<function>[^\s(][^\n]*?)(?:\([^()\n]*\))?(?: in goroutine \d+)?\n"
    r"[ \t]++(?P<file>[^\n]+?\.(?:go|s)):(?P<line>\d+)(?: \+0x[0-9a-f]+)?(?: (?:fp|sp|pc)=0x[^\n]*)?[ \t]*$",
    re.MULTILINE,
)


def may_be(text: str) -> bool:
    """Tell whether a text may contain a panic or a Go stack."""
    return "panic" in text or "goroutine " in text or ".go:" in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the panics in a text, printed in the order they were raised; the last one has the stack."""
    panics = list(_PANIC.finditer(text))
    frames = _frames(text)
    if not panics:
        return (ExceptionInfo(type="", value="", frames=frames),) if len(frames) > 1 else ()
    if not frames and "goroutine " not in text and not text.lstrip().startswith(("panic:", "fatal error:")):
        return ()  # prose about a panic
    return tuple(
        ExceptionInfo(
            type=panic["type"] or "panic", value=panic["value"].strip(), frames=frames if panic is panics[-1] else ()
        )
        for panic in panics
    )


def _frames(text: str) -> tuple[Frame, ...]:
    # Other goroutines show what else was running, not where the failure is.
    first = text.find("goroutine ")
    second = text.find("\ngoroutine ", first + 1) if first >= 0 else -1
    found = _FRAME.finditer(text, 0, second if second >= 0 else len(text))
    frames = [go_frame(frame["file"], int(frame["line"][:9]), frame["function"]) for frame in found]
    return tuple(reversed(frames))
