"""All leaves of one field in; for an entry, the numbers of those that are true out.

The text leaves of a field are searched for together, and logs repeat themselves: what a text was found to hold is
remembered.
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
"""Characters of a text that patterns see; a longer one says what it has to say before."""
MAX_CAPTURE = 200
"""Characters of a captured value: enough for a name, too few for a whole payload."""
_REMEMBERED = 10_000
"""Texts whose hits, or captures, are kept."""
_MEMORABLE = 1_000
"""Characters of the longest of them; so the memory that they take is bounded as well."""


class FieldIndex:
    """Which leaves of one field are true."""

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
        """Return the numbers of the leaves that are true of an entry; one fitting value makes a leaf true."""
        values = self._read(entry)
        if len(values) == 1:
            # Asked of every entry: a text that was seen before is looked up here, without another call.
            hits = self._hits.get(values[0]) if values[0] is not None else self._present
            return self._of_value(values[0]) if hits is None else hits
        return frozenset[int]().union(*map(self._of_value, values)) if values else self._absent

    def captures(self, number: int, entry: LogEntry) -> dict[str, str]:
        """Return the named groups of a true leaf that took part in the match."""
        for value in self._read(entry):
            found = self._captured(number, value) if value is not None else None
            if found is not None:
                return found
        return {}

    def _captured(self, number: int, value: str) -> dict[str, str] | None:
        """Return the named groups in one value; None where the pattern is not found."""
        key = number, value
        if key in self._captures:
            return self._captures[key]
        regex = self._capturing.get(number)
        if regex is None:
            regex = self._capturing[number] = re2.compile(self._patterns[number])
        found = regex.search(_encode(value))
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
                    # Forgetting all at once costs one more look at each text that comes again; counting uses more.
                    self._hits.clear()
                self._hits[value] = hits
        return hits

    def _find(self, value: str) -> frozenset[int]:
        if self._search is None:
            self._search = PatternSet(tuple(self._patterns.values()))
        found = [self._numbers[i] for i in self._search.find(_encode(value))]
        for measure, comparisons in self._comparisons.items():
            measured = measure(value)
            found += [number for number, holds in comparisons if holds(measured)]
        return self._present.union(found) if found else self._present


def _encode(text: str) -> bytes:
    """Encode what patterns see; a lone surrogate, which JSON can hold and UTF-8 cannot, becomes `?`."""
    return text[:MAX_TEXT].encode("utf-8", "replace")


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")
