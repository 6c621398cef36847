"""Search a text for many RE2 patterns at once.

Nearly every pattern needs some fixed words. One pass looks for the words of all patterns at once, and only patterns
whose words are present are compiled and tried: a log touches a few dozen of many hundred patterns.

RE2 has two ways of its own to do this, and both were tried. Its filter must compile all patterns first, and looks for
every fixed part of each, blanks too; on varied texts, as in real logs, the states of its automaton multiply. So do
those of a single automaton for all patterns.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import re2

from forensics.classify.needed_words import needed_words
from forensics.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SET_MEMORY = 32 << 20
"""Bytes for the states of an automaton; it starts over when they are used up."""
_REMEMBERED = 2_000
"""Combinations of words for which the patterns are cached."""
_OFTEN = 100
"""Texts with the same words after which their patterns are compiled into one automaton."""
_WORTH_JOINING = 3
_MOST_JOINED = 16
"""Automata of joined patterns; each may use `_SET_MEMORY` bytes."""
# Beyond ASCII two characters are, for RE2, letters in another case: ſ is s, and the sign for kelvin is k.
_LONG_S, _KELVIN = "\u017f".encode(), "\u212a".encode()


class PatternSet:
    """Patterns that are searched for together."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._tests: dict[int, Any] = {}
        self._by_hits: dict[tuple[int, ...], _Candidates] = {}
        self._joined = 0
        by_word: dict[str, list[int]] = defaultdict(list)
        loose = []
        for number, pattern in enumerate(patterns):
            needed = needed_words(pattern)
            if needed is None:
                loose.append(number)
            for word in needed or ():
                by_word[word].append(number)
        self._by_word = tuple(by_word.values())
        self._words = pattern_set(by_word, literal=True) if by_word else None
        self._loose = loose
        self._loose_set = self._compiled(loose) if loose else None

    def find(self, text: bytes) -> list[int]:
        """Return the numbers of the patterns that are found in a text."""
        hits = self._words.Match(lowered(text)) if self._words is not None else None
        numbers = self._candidates(tuple(hits)).find(text) if hits else []
        if self._loose_set is not None:
            numbers += [self._loose[i] for i in self._loose_set.Match(text) or ()]
        return numbers

    def _candidates(self, hits: tuple[int, ...]) -> _Candidates:
        """Return the patterns that may match a text containing these words."""
        candidates = self._by_hits.get(hits)
        if candidates is None:
            if len(self._by_hits) >= _REMEMBERED:
                self._by_hits.clear()
            numbers = sorted({number for i in hits for number in self._by_word[i]})
            candidates = self._by_hits[hits] = _Candidates([(number, self._test(number)) for number in numbers])
        candidates.uses += 1
        if candidates.uses == _OFTEN and len(candidates.tests) >= _WORTH_JOINING and self._joined < _MOST_JOINED:
            self._joined += 1
            candidates.together = self._compiled([number for number, _ in candidates.tests])
        return candidates

    def _test(self, number: int) -> Any:
        test = self._tests.get(number)
        if test is None:
            test = self._tests[number] = self._compiled([number])
        return test

    def _compiled(self, numbers: Sequence[int]) -> Any:
        """Compile patterns; a set of one is faster than a search, which also computes the position."""
        try:
            return pattern_set(self._patterns[number] for number in numbers)
        except re2.error as error:
            message = f"{len(self._patterns)} patterns do not fit together: {error}; split the largest"
            raise RuleError(message) from error


class _Candidates:
    """Patterns that are tried one by one, until they were used often enough to deserve an automaton of their own."""

    def __init__(self, tests: list[tuple[int, Any]]) -> None:
        self.tests = tests
        self.uses = 0
        self.together: Any = None

    def find(self, text: bytes) -> list[int]:
        if self.together is None:
            return [number for number, test in self.tests if test.Match(text) is not None]
        return [self.tests[i][0] for i in self.together.Match(text) or ()]


def lowered(text: bytes) -> bytes:
    """Lower-case a text as `needed_words` are lower-cased."""
    return (text if text.isascii() else text.replace(_LONG_S, b"s").replace(_KELVIN, b"k")).lower()


def pattern_set(patterns: Iterable[str], *, literal: bool = False) -> Any:
    """Compile patterns, or literal words, into one automaton."""
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr, which is the reader's
    options.max_mem = _SET_MEMORY
    options.never_capture = True
    options.literal = literal
    built = re2.Set.SearchSet(options)
    for text in patterns:
        built.Add(text)
    built.Compile()
    return built
