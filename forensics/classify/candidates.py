"""The anchors of all rules in; for an entry, the few rules that can be true of it out.

An anchor is leaves of which one must be true for the rule to be; a rule without one is tried on every entry. Only
fields with anchors are looked at, and only when the entry has anything of the kind: most entries have no exception and
no close.
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
"""Combinations of true leaves whose rules are kept."""
_EVERYWHERE = ("message", "level", "stream")
"""Derived fields that nearly every entry has."""
_GATES: dict[str, Gate] = {
    "exception": lambda entry: entry.exceptions,
    "frame": lambda entry: entry.exceptions,
    "close": lambda entry: entry.close,
    "http": lambda entry: entry.http,
}
"""What an entry must have for the derived fields of a root to be there; every other root is a key of the record."""


class Candidates:
    """The way from the leaves that are true to the rules that may be."""

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
        """Tell which rules are worth evaluating, by number."""
        found = self._with(self._always, self._everywhere, facts)
        entry = facts.entry
        for is_open, fields in self._derived:
            if is_open(entry):
                found = self._with(found, fields, facts)
        if not self._roots.isdisjoint(entry.raw):
            for root in self._roots.intersection(entry.raw):
                found = self._with(found, self._recorded[root], facts)
        return found

    def _with(self, found: frozenset[int], fields: tuple[FieldIndex, ...], facts: LeafFacts) -> frozenset[int]:
        """Add the rules of the leaves of fields that are true."""
        for field in fields:
            hits = facts.find(field)
            if hits:
                rules = self._by_hits.get(hits)
                if rules is None:
                    rules = self._look_up(hits)
                found = found | rules if found else rules  # as it is, a set remembers its hash
        return found

    def _look_up(self, hits: frozenset[int]) -> frozenset[int]:
        """Collect the rules of leaves that are true together; few combinations ever occur."""
        if len(self._by_hits) >= _REMEMBERED:
            self._by_hits.clear()
        rules = frozenset[int]().union(*(self._by_leaf.get(number, ()) for number in hits))
        self._by_hits[hits] = rules
        return rules
