"""A condition in, the leaves that make it true of an entry out, or None; and the leaves that it cannot do without.

`bind` replaces each leaf by its number in its field's index; bound conditions say what makes them true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import AllOf, AnyOf, Leaf, LeafOp, NoneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forensics.classify.leaf_index import FieldIndex
    from forensics.model import Condition, LogEntry

_BROAD_ROOTS = frozenset({"level", "severity", "stream", "logName", "resource", "labels", "timestamp", "insertId"})
"""Fields that nearly every entry has, with few values: bad to begin with."""


class BoundLeaf:
    """A leaf with its place in the index of its field."""

    __slots__ = ("_alone", "captures", "field", "leaf", "number")

    def __init__(self, leaf: Leaf, field: FieldIndex, number: int) -> None:
        self.leaf = leaf
        self.field = field
        self.number = number
        self.captures = leaf.op is LeafOp.REGEX and "(?P<" in str(leaf.value)
        """True when its pattern names what it finds."""
        self._alone = (self,)

    def shown(self, facts: LeafFacts) -> Shown:
        """Show itself when it is true."""
        return self._alone if self.number in facts.hits(self.field) else None


class AllTrue:
    """True when all are."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def shown(self, facts: LeafFacts) -> Shown:
        """Show what all of them do."""
        collected: tuple[BoundLeaf, ...] = ()
        for condition in self._conditions:
            found = condition.shown(facts)
            if found is None:
                return None
            collected += found
        return collected


class AnyTrue:
    """True when one is."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def shown(self, facts: LeafFacts) -> Shown:
        """Show what those do that are true."""
        found = [tests for condition in self._conditions if (tests := condition.shown(facts)) is not None]
        return tuple(test for tests in found for test in tests) if found else None


class NoneTrue:
    """True when none is; it shows nothing."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self._conditions = conditions

    def shown(self, facts: LeafFacts) -> Shown:
        """Show that none is true, by no leaves."""
        return None if any(condition.shown(facts) is not None for condition in self._conditions) else ()


Bound = BoundLeaf | AllTrue | AnyTrue | NoneTrue
Shown = tuple[BoundLeaf, ...] | None
"""The leaves that make a condition true, in order; None when it is false."""


class LeafFacts:
    """What is true of one entry, field by field, found out when first asked."""

    __slots__ = ("_hits", "entry")

    def __init__(self, entry: LogEntry) -> None:
        self.entry = entry
        self._hits: dict[FieldIndex, frozenset[int]] = {}

    def hits(self, field: FieldIndex) -> frozenset[int]:
        """Return the leaves of a field that are true."""
        hits = self._hits.get(field)
        if hits is None:
            hits = self._hits[field] = field.hits(self.entry)
        return hits

    def find(self, field: FieldIndex) -> frozenset[int]:
        """Return `hits` of a field that was not asked for before."""
        hits = self._hits[field] = field.hits(self.entry)
        return hits


def bind(condition: Condition, place: Callable[[Leaf], BoundLeaf]) -> Bound:
    """Give every leaf of a condition its place."""
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
    """Choose leaves of which one must be true for the condition to be; None when there are no such leaves."""
    if isinstance(condition, Leaf):
        return None if condition.op is LeafOp.EXISTS and not condition.value else (condition,)
    if isinstance(condition, NoneOf):
        return None
    found = [anchor(part) for part in condition.conditions]
    usable = [chosen for chosen in found if chosen is not None]
    if isinstance(condition, AllOf):
        return min(usable, key=_cost, default=None)
    return None if len(usable) < len(found) else tuple(leaf for chosen in usable for leaf in chosen)


def _cost(chosen: tuple[Leaf, ...]) -> tuple[int, int]:
    """Prefer leaves that few entries satisfy and that cost nothing: the message is read anyway."""
    return max(map(_breadth, chosen), default=0), len(chosen)


def _breadth(leaf: Leaf) -> int:
    root = leaf.path.partition(".")[0]
    if root in _BROAD_ROOTS:
        return 3
    if leaf.op is LeafOp.EXISTS:
        return 2
    return 0 if root == "message" else 1
