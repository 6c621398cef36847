"""Index of the leaves of one field: which of them are true of an entry.

The text leaves of a field are searched for together. Logs repeat themselves, so the result is cached by text.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import re2

from forensics.classify.leaves import compares, measured_comparison, pattern
from forensics.classify.pattern_set import PatternSet
from forensics.log.field_paths import field_reader
from forensics.model import LeafOp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forensics.classify.leaves import Compare, Measure
    from forensics.model import Leaf, LogEntry

MAX_TEXT = 64 * 1024
"""Characters of a text that patterns see; what matters stands before that."""
MAX_CAPTURE = 200
"""Characters of a captured value: enough for a name, too few for a whole payload."""
_REMEMBERED = 10_000
"""Texts for which hits, or captures, are cached."""
_MEMORABLE = 1_000
"""Characters of the longest cached text, which bounds the memory of the cache."""


class FieldIndex:
    """The leaves of one field, prepared to be tested together."""

    def __init__(self, path: str, leaves: Mapping[int, Leaf]) -> None:
        self._read = field_reader(path)
        self._absent = frozenset(n for n, leaf in leaves.items() if leaf.op is LeafOp.EXISTS and not leaf.value)
        self._present = frozenset(n for n, leaf in leaves.items() if leaf.op is LeafOp.EXISTS and leaf.value)
        ordered = {n: leaf for n, leaf in leaves.items() if compares(leaf) and leaf.op is not LeafOp.EXISTS}
        self._comparisons: dict[Measure, list[tuple[int, Compare]]] = defaultdict(list)
        for n, leaf in ordered.items():
            measure, holds = measured_comparison(leaf)
            self._comparisons[measure].append((n, holds))
        self._patterns = {n: text for n, leaf in leaves.items() if (text := pattern(leaf)) is not None}
        self._numbers = tuple(self._patterns)
        self._search: PatternSet | None = None
        self._capturing: dict[int, Any] = {}
        self._captures: dict[tuple[int, str], dict[str, str] | None] = {}
        self._hits: dict[str, frozenset[int]] = {}

    def hits(self, entry: LogEntry) -> frozenset[int]:
        """Return the numbers of the leaves that are true of an entry; a leaf is true when one value satisfies it."""
        values = self._read(entry)
        if len(values) == 1:
            # Runs for every entry: a text that was seen before is looked up here, without another call.
            hits = self._hits.get(values[0]) if values[0] is not None else self._present
            return self._of_value(values[0]) if hits is None else hits
        return frozenset[int]().union(*map(self._of_value, values)) if values else self._absent

    def captures(self, number: int, entry: LogEntry) -> dict[str, str]:
        """Return the named groups of a true leaf that took part in the match."""
        for value in self._read(entry):
            groups = self._captured(number, value) if value is not None else None
            if groups is not None:
                return groups
        return {}

    def _captured(self, number: int, value: str) -> dict[str, str] | None:
        """Return the named groups in one value; None where the pattern is not found."""
        key = number, value
        if key in self._captures:
            return self._captures[key]
        regex = self._capturing.get(number)
        if regex is None:
            regex = self._capturing[number] = re2.compile(self._patterns[number])
        found = regex.search(encode_text(value))
        groups = found.groupdict().items() if found else ()
        captured = {name: _decode(text)[:MAX_CAPTURE] for name, text in groups if text is not None} if found else None
        if len(value) <= _MEMORABLE:
            if len(self._captures) >= _REMEMBERED:
                self._captures.clear()
            self._captures[key] = captured
        return captured

    def _of_value(self, value: str | None) -> frozenset[int]:
        if value is None:
            return self._present
        hits = self._hits.get(value)
        if hits is None:
            hits = self._find(value)
            if len(value) <= _MEMORABLE:
                if len(self._hits) >= _REMEMBERED:
                    # Clearing all at once costs one more search of each text that recurs; counting uses costs more.
                    self._hits.clear()
                self._hits[value] = hits
        return hits

    def _find(self, value: str) -> frozenset[int]:
        if self._search is None:
            self._search = PatternSet(tuple(self._patterns.values()))
        found = [self._numbers[i] for i in self._search.find(encode_text(value))]
        for measure, comparisons in self._comparisons.items():
            measured = measure(value)
            found += [number for number, holds in comparisons if holds(measured)]
        return self._present.union(found) if found else self._present


def encode_text(text: str) -> bytes:
    """Encode the part of a text that patterns see; a lone surrogate, valid in JSON but not in UTF-8, becomes `?`."""
    return text[:MAX_TEXT].encode("utf-8", "replace")


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")
