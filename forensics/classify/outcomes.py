"""What is true of an entry in, the rules that claim it out; what was once decided is not decided again.

Which field is asked next depends only on what was found out before. So the questions make a tree, and entries of which
the same is true come to the same leaf: their rules are found without evaluating a condition.
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
    """Of all rules that claim an entry, the primary one first."""
    Judge = Callable[[frozenset[int], LeafFacts], Claims]

_REMEMBERED = 10_000
"""Ways through the questions that are kept."""


class Outcomes:
    """Remembers what a judge, who looks at facts alone, said of candidates."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._first: dict[frozenset[int], _Question | Claims] = {}
        self._ways = 0

    def of(self, rules: frozenset[int], facts: LeafFacts) -> Claims:
        """Return which of these rules claim an entry; the same tuple for entries of which the same is true."""
        next_ = self._first.get(rules)
        while isinstance(next_, _Question):
            next_ = next_.answers.get(facts.hits(next_.field))
        return self._learn(rules, facts) if next_ is None else next_

    def _learn(self, rules: frozenset[int], facts: LeafFacts) -> Claims:
        if self._ways >= _REMEMBERED:
            self._first.clear()
            self._ways = 0
        self._ways += 1
        asking = _Asking(facts)
        claims = self._judge(rules, asking)
        place: dict[frozenset[int], _Question | Claims] = self._first
        answer = rules
        for field, hits in asking.asked.items():
            question = place.get(answer)
            if not isinstance(question, _Question):
                question = place[answer] = _Question(field)
            place, answer = question.answers, hits
        place[answer] = claims
        return claims


class _Question:
    """A field, and by its leaves that are true what comes next."""

    __slots__ = ("answers", "field")

    def __init__(self, field: FieldIndex) -> None:
        self.field = field
        self.answers: dict[frozenset[int], _Question | Claims] = {}


class _Asking(LeafFacts):
    """Facts that note in which order they are asked for."""

    __slots__ = ("_facts", "asked")

    def __init__(self, facts: LeafFacts) -> None:
        super().__init__(facts.entry)
        self._facts = facts
        self.asked: dict[FieldIndex, frozenset[int]] = {}

    def hits(self, field: FieldIndex) -> frozenset[int]:
        """Return the leaves of a field that are true, and note that they were asked for."""
        hits = self.asked[field] = self._facts.hits(field)
        return hits
