"""Many RE2 patterns in; for a text, the numbers of those that are found in it out.

Nearly every pattern needs some fixed words. One pass looks for the words of all patterns at once, and only patterns
whose words are there are tried. RE2 could also make one automaton of all patterns, which on texts that resemble each
other is three times as fast (1,200,000 a second against 400,000); but its states multiply on texts that do not, as
those of real logs: 4,000 a second against 40,000, and 100 MB more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import re2

from forensics.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SET_MEMORY = 32 << 20
"""Ceiling for the states of an automaton; it begins anew when it is reached."""
_PATIENCE = 2_000
"""Texts after which loose patterns are set apart: 50 ms of work that saves 2 µs a text."""


class PatternSet:
    """Patterns that are looked for together."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._looks = 0
        self._loose: Sequence[int] = ()
        self._tight: Sequence[int] = range(len(patterns))
        try:
            self._filter = _filter(patterns)
        except re2.error as error:
            raise RuleError(f"{len(patterns)} patterns do not fit together: {error}; split the largest") from error

    def find(self, text: bytes) -> list[int]:
        """Return the numbers of the patterns that are found in a text."""
        self._looks += 1
        if self._looks == _PATIENCE:
            self._set_loose_apart()
        found = [self._tight[i] for i in self._filter.Match(text) or ()] if self._tight else []
        if self._loose:
            found += [self._loose[i] for i in self._set.Match(text) or ()]
        return found

    def _set_loose_apart(self) -> None:
        """Give the patterns that need no fixed words, and are tried on every text, an automaton of their own."""
        loose = self._filter.Match(b"", potential=True) if self._patterns else None
        if loose:
            self._loose = loose
            self._tight = [number for number in self._tight if number not in loose]
            self._filter = _filter([self._patterns[number] for number in self._tight])
            self._set = _set([self._patterns[number] for number in loose])


def _filter(patterns: Sequence[str]) -> Any:
    built = re2.Filter()
    for text in patterns:
        built.Add(text, _options())
    if patterns:
        built.Compile()
    return built


def _set(patterns: Sequence[str]) -> Any:
    options = _options()
    options.max_mem = _SET_MEMORY
    built = re2.Set.SearchSet(options)
    for text in patterns:
        built.Add(text)
    built.Compile()
    return built


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr, which is the reader's
    return options
