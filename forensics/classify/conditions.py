"""Evaluate conditions: which leaves make a condition true of an entry, and which leaves must be true for it.

`bind` replaces each leaf of a condition by its number in the index of its field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import AllOf, AnyOf, Leaf, LeafOp, NoneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forensics.classify.leaf_index import FieldIndex
    from forensics.model import Condition, LogEntry

BROAD_ROOTS = frozenset({"level", "severity", "stream", "logName", "resource", "labels", "timestamp", "insertId"})
"""Fields that nearly every entry has, with few values: bad anchors."""


class BoundLeaf:
    """A leaf with its place in the index of its field."""

    __slots__ = ("_alone", "captures", "field", "leaf", "number")

    def __init__(self, leaf: Leaf, field: FieldIndex, number: int) -> None:
        self.leaf = leaf
        self.field = field
        self.number = number
        self.captures = leaf.op is LeafOp.REGEX and "(?P<" in str(leaf.value)
        """True when its pattern has named groups."""
        self._alone = (self,)

    def true_leaves(self, facts: LeafFacts) -> TrueLeaves:
        """Return this leaf alone when it is true."""
        return self._alone if self.number in facts.hits(self.field) else None


class AllTrue:
    """True when all conditions are."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def true_leaves(self, facts: LeafFacts) -> TrueLeaves:
        """Return the true leaves of all conditions."""
        collected: tuple[BoundLeaf, ...] = ()
        for condition in self._conditions:
            tests = condition.true_leaves(facts)
            if tests is None:
                return None
            collected += tests
        return collected


class AnyTrue:
    """True when at least one condition is."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def true_leaves(self, facts: LeafFacts) -> TrueLeaves:
        """Return the true leaves of the conditions that are true."""
        by_condition = [tests for condition in self._conditions if (tests := condition.true_leaves(facts)) is not None]
        return tuple(test for tests in by_condition for test in tests) if by_condition else None


class NoneTrue:
    """True when no condition is."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def true_leaves(self, facts: LeafFacts) -> TrueLeaves:
        """Return an empty tuple when it is true: no leaf made it so."""
        return None if any(condition.true_leaves(facts) is not None for condition in self._conditions) else ()


Bound = BoundLeaf | AllTrue | AnyTrue | NoneTrue
TrueLeaves = tuple[BoundLeaf, ...] | None
"""The leaves that make a condition true, in order; None when it is false."""


class LeafFacts:
    """The true leaves of one entry, evaluated field by field when first needed."""

    __slots__ = ("_hits", "entry")

    def __init__(self, entry: LogEntry) -> None:
        self.entry = entry
        self._hits: dict[FieldIndex, frozenset[int]] = {}

    def hits(self, field: FieldIndex) -> frozenset[int]:
        """Return the numbers of the true leaves of a field."""
        hits = self._hits.get(field)
        if hits is None:
            hits = self._hits[field] = field.hits(self.entry)
        return hits

    def find(self, field: FieldIndex) -> frozenset[int]:
        """Return `hits` of a field that was not evaluated before."""
        hits = self._hits[field] = field.hits(self.entry)
        return hits


def bind(condition: Condition, place: Callable[[Leaf], BoundLeaf]) -> Bound:
    """Replace every leaf of a condition by its bound leaf."""
    if isinstance(condition, Leaf):
        return place(condition)
    parts = tuple(bind(part, place) for part in condition.conditions)
    if isinstance(condition, AllOf):
        return AllTrue(parts)
    return AnyTrue(parts) if isinstance(condition, AnyOf) else NoneTrue(parts)


def leaves(condition: Condition) -> tuple[Leaf, ...]:
    """List the leaves of a condition, those under `not` too."""
    if isinstance(condition, Leaf):
        return (condition,)
    return tuple(leaf for part in condition.conditions for leaf in leaves(part))


def anchor(condition: Condition) -> tuple[Leaf, ...] | None:
    """Choose leaves such that the condition is false unless one of them is true; None when there are none."""
    if isinstance(condition, Leaf):
        return None if condition.op is LeafOp.EXISTS and not condition.value else (condition,)
    if isinstance(condition, NoneOf):
        return None
    anchors = [anchor(part) for part in condition.conditions]
    usable = [chosen for chosen in anchors if chosen is not None]
    if isinstance(condition, AllOf):
        return min(usable, key=_cost, default=None)
    return None if len(usable) < len(anchors) else tuple(leaf for chosen in usable for leaf in chosen)


def _cost(chosen: tuple[Leaf, ...]) -> tuple[int, int]:
    """Sort key: leaves that few entries satisfy come first, and the message, which is read anyway."""
    return max(map(_breadth, chosen), default=0), len(chosen)


def _breadth(leaf: Leaf) -> int:
    root = leaf.path.partition(".")[0]
    if root in BROAD_ROOTS:
        return 3
    if leaf.op is LeafOp.EXISTS:
        return 2
    return 0 if root == "message" else 1
