"""A condition in, the leaves that make it true of an entry out, or None; and the leaves that it cannot do without.

`bind` replaces each leaf by its number in its field's index. Evaluation and anchors work on bound conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.model import AllOf, AnyOf, Leaf, NoneOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.classify.index import FieldIndex
    from forensics.model import LogEntry

_BROAD_ROOTS = frozenset({"level", "severity", "stream", "logName", "resource", "labels", "timestamp", "insertId"})
"""Fields that nearly every entry has, with few values: bad to begin with."""


class BoundLeaf(NamedTuple):
    """A leaf with its place in the index of its field."""

    leaf: Leaf
    words: str
    field: FieldIndex
    number: int


class Every(NamedTuple):
    """True when all are."""

    conditions: tuple[Bound, ...]


class Some(NamedTuple):
    """True when one is."""

    conditions: tuple[Bound, ...]


class Nothing(NamedTuple):
    """True when none is."""

    conditions: tuple[Bound, ...]


Bound = BoundLeaf | Every | Some | Nothing


class Facts:
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


def bind(condition: AllOf | AnyOf | NoneOf | Leaf, place: Callable[[Leaf], BoundLeaf]) -> Bound:
    """Give every leaf of a condition its place."""
    if isinstance(condition, Leaf):
        return place(condition)
    parts = tuple(bind(part, place) for part in condition.conditions)
    kind = Every if isinstance(condition, AllOf) else Some if isinstance(condition, AnyOf) else Nothing
    return kind(parts)


def leaves(condition: AllOf | AnyOf | NoneOf | Leaf) -> tuple[Leaf, ...]:
    """List the leaves of a condition, those under `not` too."""
    if isinstance(condition, Leaf):
        return (condition,)
    return tuple(leaf for part in condition.conditions for leaf in leaves(part))


def shown(condition: Bound, facts: Facts) -> list[BoundLeaf] | None:
    """List the leaves that make a condition true, in order; None when it is false. `not` shows nothing."""
    if isinstance(condition, BoundLeaf):
        return [condition] if condition.number in facts.hits(condition.field) else None
    if isinstance(condition, Every):
        return _all_shown(condition, facts)
    found = [tests for part in condition.conditions if (tests := shown(part, facts)) is not None]
    if isinstance(condition, Nothing):
        return None if found else []
    return [test for tests in found for test in tests] if found else None


def _all_shown(condition: Every, facts: Facts) -> list[BoundLeaf] | None:
    collected: list[BoundLeaf] = []
    for part in condition.conditions:
        tests = shown(part, facts)
        if tests is None:
            return None
        collected += tests
    return collected


def anchor(condition: Bound) -> tuple[BoundLeaf, ...] | None:
    """Choose leaves of which one must be true for the condition to be; None when there are no such leaves."""
    if isinstance(condition, BoundLeaf):
        return None if condition.leaf.op == "exists" and not condition.leaf.value else (condition,)
    if isinstance(condition, Nothing):
        return None
    found = [anchor(part) for part in condition.conditions]
    usable = [tests for tests in found if tests is not None]
    if isinstance(condition, Every):
        return min(usable, key=_cost, default=None)
    return None if len(usable) < len(found) else tuple(test for tests in usable for test in tests)


def _cost(tests: tuple[BoundLeaf, ...]) -> tuple[int, int]:
    """Prefer leaves that few entries satisfy and that cost nothing: the message is read anyway."""
    return max((_breadth(test.leaf) for test in tests), default=0), len(tests)


def _breadth(leaf: Leaf) -> int:
    root = leaf.path.partition(".")[0]
    if root in _BROAD_ROOTS:
        return 3
    if leaf.op == "exists":
        return 2
    return 0 if root == "message" else 1
