"""Parse stacks of `at …` lines (Node, JVM languages, .NET) with their headers into exceptions.

All three print the newest exception first and its cause below it, as `Caused by:`, `[cause]:` or ` ---> `.
"""

from __future__ import annotations

import re

from forensics.entries.tracebacks.at_frames import frame_of
from forensics.entries.tracebacks.exception_types import TYPE, UNCAUGHT, told_type
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

_CAUSE = (
    r"(?P<cause>Caused\ by|Suppressed|--->|\[?(?:cause|errors|driverError|originalError|original|parent)\]?)"
    r"(?::|(?<=>))\s*(?:\(Inner\ Exception\ \#\d+\)\s)?"
)
# java.lang.IllegalStateException: boom    Error [ERR_X]: boom    [cause]: TypeError: boom    Caused by: a.b.C: boom
_HEADER = late(
    rf"""\s*(?:{_CAUSE})?(?i:{UNCAUGHT})?(?:Exception\ in\ thread\ "[^"\n]*"\ )?
    (?P<type>{TYPE}|(?<=Uncaught\ )[A-Z]\w+|(?<=\(in\ promise\)\ )[A-Z]\w+|(?P<any>[\w$]+(?:\.[\w$]+)+|error))
    (?:\ \[as\ \w+\]|\ \[(?P<tag>\w{{1,100}})\]|\ \(0x[0-9A-Fa-f]+\))?
    (?::\s?(?P<value>[^\n]*)|\s*)$""",
    re.VERBOSE,
)
# Error fetching orders Error: timeout      Rendering failed: Error [ShopClientError]:
_INNER_HEADER = late(rf"[^\n]*?\s(?P<type>{TYPE})(?: \[(?P<tag>\w{{1,100}})\])?:(?:\s(?P<value>[^\n]*))?$")
_TORN = 2
"""Lines of a stack that was cut off in its first frame: at least the words and a part of that frame."""
_END_OF_INNER = "--- End of inner exception stack trace ---"
_MORE = late(r"\s*(?:\.\.\. \d+ |… \d+ |--- End of )")
# Marks under a line of code:     ^      ~~~^~~
_MARKS = late(r"\s*[\^~]+\s*")


def may_be(text: str) -> bool:
    """Tell whether a text may contain such a stack."""
    return "\n" in text and (" at " in text or "\tat " in text or "\nat " in text)


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, the innermost cause first."""
    reader = _Reader()
    for line in text.split("\n"):
        reader.take(line.rstrip())
    return reader.finish()


class _Block:
    """One exception while its lines are read."""

    def __init__(self, kind: str, value: str) -> None:
        self.type = kind
        self.value = [value]
        self.frames: list[Frame] = []

    def exception(self) -> ExceptionInfo:
        # Deno prints the line of code, and marks under it, between the words and the stack.
        marked = next((at for at, line in enumerate(self.value) if at > 1 and _MARKS.fullmatch(line)), None)
        value = "\n".join(self.value if marked is None else self.value[: marked - 1]).strip()
        return ExceptionInfo(type=self.type, value=value, frames=tuple(reversed(self.frames)))


class _Reader:
    """The chains read so far, and the lines since the last frame, where a header may be."""

    def __init__(self) -> None:
        self.chains: list[list[_Block]] = []
        self.open: list[_Block] = []
        """Exceptions whose frames are still to come, the innermost last."""
        self.waiting: list[str] = []

    def take(self, line: str) -> None:
        frame = frame_of(line)
        if frame is not None:
            self._read_headers()
            self.open[-1].frames.append(frame)
        elif _END_OF_INNER in line:
            self.open = self.open[:-1] or self.open
        elif not _MORE.match(line):
            self.waiting.append(line)
        elif self._causes_wait():
            self._read_headers()  # all frames of this cause are those of the exception above

    def _causes_wait(self) -> bool:
        return bool(self.open) and any(
            (header := _HEADER.match(line)) and header["cause"] not in {None, "Suppressed"} for line in self.waiting
        )

    def _read_headers(self) -> None:
        """Open the exceptions whose headers are above the next frame."""
        lines, self.waiting = _one_header_each(self.waiting), []
        current: _Block | None = None
        for line in lines:
            header = _HEADER.match(line)
            if header and (header["cause"] or (header["any"] is None and current is None)):
                current = self._begin(header)
            elif current is not None:
                current.value.append(line)
        if not self.open:
            self._begin_without_header(lines)

    def _begin(self, header: re.Match[str]) -> _Block:
        block = _Block(told_type(header["type"], header["tag"]), header["value"] or "")
        cause = header["cause"]
        if cause == "Suppressed":
            self.open = [block]  # raised on the way out: no part of the chain
            return block
        # Further down, a header at the margin begins another chain; an indented one belongs to the one above.
        if self.chains and (cause or header[0][0].isspace()):
            self.chains[-1].append(block)
        else:
            self.chains.append([block])
        self.open = [*self.open, block] if cause == "--->" else [block]
        return block

    def _begin_without_header(self, lines: list[str]) -> None:
        headers = [(_HEADER.match(line), n) for n, line in enumerate(lines)]
        inner = ((_INNER_HEADER.match(line), n) for n, line in enumerate(lines))
        found, at = next((pair for pair in reversed(headers) if pair[0]), None) or next(
            (pair for pair in inner if pair[0]), (None, 0)
        )
        block = _Block(told_type(found["type"], found["tag"]), found["value"] or "") if found else _Block("", "")
        if found and at < len(lines) - 1:
            block.value += lines[at + 1 :]
        self.open = [block]
        self.chains.append(list(self.open))

    def _ends_in_torn_frame(self) -> bool:
        if self.chains or len(self.waiting) < _TORN or not self.waiting[-1].lstrip().startswith("at "):
            return False
        return any((header := _HEADER.match(line)) and header["any"] is None for line in self.waiting)

    def finish(self) -> tuple[ExceptionInfo, ...]:
        if self._ends_in_torn_frame():
            self.waiting.pop()
            self._read_headers()
        if self._causes_wait():
            self._read_headers()  # a stack that was cut off below the words of its cause
        # A single frame without a header may be a line that was torn from its stack.
        chains = [[block for block in chain if block.type or len(block.frames) > 1] for chain in self.chains]
        return tuple(block.exception() for chain in chains for block in reversed(chain))


def _one_header_each(lines: list[str]) -> list[str]:
    """Part lines on which .NET prints an exception and those within it: `A: words ---> B: words`."""
    if not any(" ---> " in line for line in lines):
        return lines
    parted: list[str] = []
    for line in lines:
        first, *inner = line.split(" ---> ")
        parted += [first] if first.strip() or not inner else []
        parted += [f" ---> {each.removesuffix('<---')}" for each in inner]
    return parted
