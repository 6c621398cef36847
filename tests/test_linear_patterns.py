"""No pattern takes more than linear time: logs hold dots, blanks and brackets by the thousand, also without malice.

Each pattern of the package is asked as the package asks it, about texts that go on and on with what it repeats. Short
texts come first; where one takes suspiciously long, a longer one follows. `FORENSICS_PUMPED=full` asks about all texts,
and about longer ones at once.
"""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.patterns_in_use import Pattern, patterns_in_use
from support.pumped import Pumped, pumped_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL = os.environ.get("FORENSICS_PUMPED") == "full"
MOST = 120
"""Texts of a pattern's own that are tried, about, unless all are."""
LENGTHS = ((4_000, 0.000_4), (40_000, 0.02), (200_000, 0.2))
"""Characters, and CPU seconds within which the matter is settled."""
HOPELESS = 0.7
"""CPU seconds after which a text is given up."""
LINEAR = 3.0
"""Of twice the text, less than this many times the time: a slow machine is no fault of the pattern."""
SLOW = 0.5
"""CPU seconds that are too long however they grow."""
SHORTER = {
    "forensics.clusters.mask._VALUE": 64,
    "forensics.text.phrases._VARIES": 2_000,
}
"""Patterns that may take the square of the time, and the longest text that is ever given to them."""

# What stands in logs again and again, for patterns that begin anywhere; texts of a pattern's own come beside.
FRAGMENTS = (
    *("a", "1", "A", "é", "日", "🙂", " ", "\t", "\n", "\r\n", ".", "-", "_", "/", "=", ":", ",", ";", "'", '"', "\\"),
    *("(", "[", "{", "<", ")", "]", "}", ">", "()", "[a]", "<a>", "{}", "a ", "a.", "a/", "a-", "a:", "::a", "a=1 "),
    *('a="b" ', '\\"', "\\n", "\x1b[", "\x1b[31m", "0x1f ", "a@", "a@b.c ", "http://", "http://a/", "10.0.0.1:1 "),
    *("eyJa.", "Bearer ", "password=", "token: ", "a1b2c3d4-", "2026-03-02T00:41:13 ", "00:41:13 ", "…", "F, [a"),
    *("Error: ", "a.BError: ", "at a(b) in c ", "\tat a.b(C.java:1)\n", '  File "a.py", line 1, in f\n', "panic: "),
    *(
        "main.f(0x1)\n\t/a.go:1 +0x1\n",
        "#0 /a.php(1): f\n",
        " in a.php:1",
        "thread 'a' panicked at 'b",
        "code = 1011 (a",
    ),
    *(
        "received 1011 (",
        "closed ",
        "Caused by: ",
        "goroutine 1 [",
        '{"a":',
        '{"a":1},',
        "ERROR ",
        "INFO:a:",
        "```",
        "- ",
    ),
)
FRAMES = (("", "\x00"), ("ERROR ", "\n"))

PATTERNS = patterns_in_use()
ASKED: dict[str, Callable[[re.Pattern[Any], Any], object]] = {
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "search": lambda pattern, text: pattern.search(text),
    "finditer": lambda pattern, text: sum(1 for _ in pattern.finditer(text)),
    "findall": lambda pattern, text: pattern.findall(text),
    "split": lambda pattern, text: pattern.split(text),
    "sub": lambda pattern, text: pattern.sub(text[:0], text),
    "subn": lambda pattern, text: pattern.subn(text[:0], text),
}


class _TooLongError(Exception):
    """A text was given up."""


@contextmanager
def _given_up() -> Iterator[None]:
    """Interrupt what takes too long; `re` looks for signals while it matches."""

    def end(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, HOPELESS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _seconds(ask: Callable[[], object]) -> float:
    begun = time.process_time()
    try:
        with _given_up():
            ask()
    except _TooLongError:
        return float("inf")
    return time.process_time() - begun


def _taken(pattern: re.Pattern[Any], method: str, pumped: Pumped, length: int, bound: float) -> float:
    """Return the CPU seconds that a text takes, the better of two when they are many."""
    text: Any = pumped.text(length)
    if isinstance(pattern.pattern, bytes):
        text = text.encode("latin-1", "replace")

    def ask() -> object:
        return ASKED[method](pattern, text)

    first = _seconds(ask)
    return min(first, _seconds(ask)) if bound < first < 4 * bound else first


def fault(pattern: re.Pattern[Any], method: str, pumped: Pumped) -> str | None:
    """Say what is wrong with a pattern on a text; None when it is linear."""
    for length, bound in LENGTHS[1:] if FULL else LENGTHS:
        taken = _taken(pattern, method, pumped, length, bound)
        if taken <= bound:
            return None
        if taken == float("inf"):
            return f"{method} of {length:,} characters does not end: {pumped}"
    half = _taken(pattern, method, pumped, length // 2, 0.0)
    if taken < SLOW and taken < LINEAR * half:
        return None
    return f"{method} of {length:,} characters takes {taken:.2f} s, of half of them {half:.2f} s: {pumped}"


def texts_for(pattern: Pattern) -> list[Pumped]:
    """List the texts that a pattern is asked about; of very many of its own, only some where time is short."""
    own = pumped_for(pattern.compiled)
    general = [Pumped(begin, body, end) for body in FRAGMENTS for begin, end in FRAMES]
    return [*(own if FULL else own[:: max(1, len(own) // MOST)]), *general]


def first_fault(pattern: Pattern) -> str | None:
    tried = ((method, pumped) for method in sorted(pattern.methods) for pumped in texts_for(pattern))
    return next((found for method, pumped in tried if (found := fault(pattern.compiled, method, pumped))), None)


def _name(pattern: Pattern) -> str:
    return f"{pattern.name}-{PATTERNS.index(pattern)}"


def test_the_patterns_of_the_package_are_found() -> None:
    names = {pattern.name for pattern in PATTERNS}
    assert len(PATTERNS) >= 200
    # At the top of a module, compiled late, in an object, in a table, and where it is asked
    assert {
        "forensics.text.timestamps._DURATION_PART",
        "forensics.entries.stitch.line_shapes._STACK_TAIL",
        "forensics.entries.decode.decoration._AT_DIGIT",
        "forensics.text.redact._PATTERNS",
    } <= names
    assert any(name.startswith("forensics.rendering.escape:") for name in names)
    assert set(SHORTER) <= names


@pytest.mark.parametrize("pattern", [each for each in PATTERNS if each.name not in SHORTER], ids=_name)
def test_a_pattern_takes_linear_time(pattern: Pattern) -> None:
    assert first_fault(pattern) is None


@pytest.mark.parametrize("pattern", [each for each in PATTERNS if each.name in SHORTER], ids=_name)
def test_a_pattern_for_short_texts_is_fast_on_those(pattern: Pattern) -> None:
    length = SHORTER[pattern.name]
    texts = texts_for(pattern)
    slowest = max(
        _taken(pattern.compiled, method, pumped, length, 0.1) for method in pattern.methods for pumped in texts
    )
    assert slowest < 0.2


@pytest.mark.parametrize(
    ("method", "source"),
    [
        ("match", r"(?:[\w.]+\.)+\w+\([^()]*\)$"),  # exponential
        ("search", r"\s+$"),
        ("search", r"\w+@"),
        ("finditer", r"a[^\n]*b"),
        ("sub", r"[^/]*\d[^/]*"),
        ("match", r"x\s*,?\s*\S*\s*:"),
        ("fullmatch", r"at .+?\)(?: in .+?:line \d+)?"),
        ("search", r"^\s*from"),
    ],
)
def test_a_pattern_that_is_not_linear_is_found_out(method: str, source: str) -> None:
    flags = re.MULTILINE if "^" in source[:1] else 0
    assert first_fault(Pattern("made up", re.compile(source, flags), frozenset({method}))) is not None
