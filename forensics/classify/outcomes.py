"""Cache of the rules that match, as a decision tree over the fields of an entry.

Which field is evaluated next depends only on the results before it. So the evaluations form a tree, and entries with
the same true leaves reach the same node: their rules are found without evaluating a condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.classify.conditions import LeafFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.classify.conditions import BoundLeaf
    from forensics.classify.leaf_index import FieldIndex

    Claim = tuple[str, tuple[BoundLeaf, ...]]
    """A rule's id and the leaves that make it true."""
    Claims = tuple[Claim, ...]
    """The claims of all rules that match an entry, the primary one first."""
    Judge = Callable[[frozenset[int], LeafFacts], Claims]

_REMEMBERED = 10_000
"""Paths through the tree that are cached."""


class Outcomes:
    """Caches which of the candidate rules match; the judge that decides must look at nothing but the facts."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._first: dict[frozenset[int], _FieldNode | Claims] = {}
        self._paths = 0

    def of(self, rules: frozenset[int], facts: LeafFacts) -> Claims:
        """Return which of these rules match an entry; entries with the same true leaves get the same tuple."""
        node = self._first.get(rules)
        while isinstance(node, _FieldNode):
            node = node.next_by_hits.get(facts.hits(node.field))
        return self._learn(rules, facts) if node is None else node

    def _learn(self, rules: frozenset[int], facts: LeafFacts) -> Claims:
        if self._paths >= _REMEMBERED:
            self._first.clear()
            self._paths = 0
        self._paths += 1
        recorder = _RecordingFacts(facts)
        claims = self._judge(rules, recorder)
        branches: dict[frozenset[int], _FieldNode | Claims] = self._first
        key = rules
        for field, hits in recorder.evaluated.items():
            node = branches.get(key)
            if not isinstance(node, _FieldNode):
                node = branches[key] = _FieldNode(field)
            branches, key = node.next_by_hits, hits
        branches[key] = claims
        return claims


class _FieldNode:
    """A node of the tree: the field to evaluate, and by its true leaves the next node or the claims."""

    __slots__ = ("field", "next_by_hits")

    def __init__(self, field: FieldIndex) -> None:
        self.field = field
        self.next_by_hits: dict[frozenset[int], _FieldNode | Claims] = {}


class _RecordingFacts(LeafFacts):
    """Facts that record in which order fields are evaluated."""

    __slots__ = ("_facts", "evaluated")

    def __init__(self, facts: LeafFacts) -> None:
        super().__init__(facts.entry)
        self._facts = facts
        self.evaluated: dict[FieldIndex, frozenset[int]] = {}

    def hits(self, field: FieldIndex) -> frozenset[int]:
        """Return the numbers of the true leaves of a field, and record the evaluation."""
        hits = self.evaluated[field] = self._facts.hits(field)
        return hits
