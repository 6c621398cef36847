"""Pre-select the rules that can match an entry, so that only their conditions are evaluated.

The anchor of a rule is a set of leaves; unless one of them is true, the rule cannot match. A rule without an anchor is
tried on every entry. Only fields with anchors are read, and only when the entry has anything of the kind: most entries
have no exception and no close.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forensics.classify.conditions import BoundLeaf, LeafFacts
    from forensics.classify.leaf_index import FieldIndex
    from forensics.model import LogEntry

    Gate = Callable[[LogEntry], object]

_REMEMBERED = 10_000
"""Combinations of true leaves for which the rules are cached."""
_EVERYWHERE = ("message", "level", "stream")
"""Derived fields that nearly every entry has."""
_GATES: dict[str, Gate] = {
    "exception": lambda entry: entry.exceptions,
    "frame": lambda entry: entry.exceptions,
    "close": lambda entry: entry.close,
    "http": lambda entry: entry.http,
}
"""Root of a derived field → what an entry must have for the field to exist; every other root is a key of the record."""


class Candidates:
    """Index from the true leaves of an entry to the rules that may match it."""

    def __init__(self, anchors: Sequence[Sequence[BoundLeaf] | None]) -> None:
        by_leaf: dict[int, list[int]] = defaultdict(list)
        by_root: dict[str, dict[FieldIndex, None]] = defaultdict(dict)
        for rule, tests in enumerate(anchors):
            for test in tests or ():
                by_leaf[test.number].append(rule)
                by_root[test.leaf.path.partition(".")[0]][test.field] = None
        self._always = frozenset(rule for rule, tests in enumerate(anchors) if tests is None)
        self._by_leaf = {number: frozenset(rules) for number, rules in by_leaf.items()}
        self._by_hits: dict[frozenset[int], frozenset[int]] = {}
        self._everywhere = tuple(field for root in _EVERYWHERE for field in by_root.get(root, ()))
        self._derived = tuple((gate, tuple(by_root[root])) for root, gate in _GATES.items() if root in by_root)
        self._recorded = {
            root: tuple(fields) for root, fields in by_root.items() if root not in _GATES and root not in _EVERYWHERE
        }
        self._roots = frozenset(self._recorded)

    def of(self, facts: LeafFacts) -> frozenset[int]:
        """Return the numbers of the rules that are worth evaluating."""
        candidates = self._with(self._always, self._everywhere, facts)
        entry = facts.entry
        for is_open, fields in self._derived:
            if is_open(entry):
                candidates = self._with(candidates, fields, facts)
        if not self._roots.isdisjoint(entry.raw):
            for root in self._roots.intersection(entry.raw):
                candidates = self._with(candidates, self._recorded[root], facts)
        return candidates

    def _with(self, candidates: frozenset[int], fields: tuple[FieldIndex, ...], facts: LeafFacts) -> frozenset[int]:
        """Add the rules whose anchors are true in these fields."""
        for field in fields:
            hits = facts.find(field)
            if hits:
                rules = self._by_hits.get(hits)
                if rules is None:
                    rules = self._look_up(hits)
                candidates = candidates | rules if candidates else rules  # unchanged, a set keeps its cached hash
        return candidates

    def _look_up(self, hits: frozenset[int]) -> frozenset[int]:
        """Collect the rules of a combination of true leaves; few combinations ever occur."""
        if len(self._by_hits) >= _REMEMBERED:
            self._by_hits.clear()
        rules = frozenset[int]().union(*(self._by_leaf.get(number, ()) for number in hits))
        self._by_hits[hits] = rules
        return rules
