"""Order the rules that match one entry: the first is the primary one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from forensics.model import Rule


class Precedence:
    """Order by role (cause, mechanism, symptom, noise), then by `supersedes`, then by id."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        peers = {rule.id: [i for i in rule.supersedes if self._is_peer(rule, i)] for rule in rules}
        self._above: dict[str, set[str]] = defaultdict(set)
        for rule in rules:
            for below in _reachable(rule.id, peers):
                self._above[below].add(rule.id)

    def order(self, ids: Iterable[str]) -> list[str]:
        """Sort the ids of matching rules, the primary one first."""
        matching = frozenset(ids)
        return sorted(matching, key=lambda i: (self._rules[i].role.rank, len(self._above[i] & matching), i))

    def reason(self, first: str, second: str, ids: Iterable[str]) -> str:
        """Say why one of the matching rules stands before another one in their order."""
        first_role, second_role = self._rules[first].role, self._rules[second].role
        if first_role is not second_role:
            return f"the role {first_role} comes before {second_role}"
        if first in self._above[second]:
            return f"{first} supersedes {second}"
        matching = frozenset(ids)
        above = sorted(self._above[second] & matching)
        if len(above) > len(self._above[first] & matching):
            return f"{second} is superseded by {', '.join(above)}"
        return f"both have the role {first_role} and neither supersedes the other, so the id decides"

    def _is_peer(self, rule: Rule, other: str) -> bool:
        """Tell whether two rules have the same role: `supersedes` counts only there, since roles decide before it."""
        return other in self._rules and self._rules[other].role is rule.role


def _reachable(start: str, edges: Mapping[str, Collection[str]]) -> set[str]:
    """Collect all rules that a rule supersedes, directly or through others, without itself even in a circle."""
    seen: set[str] = set()
    left = list(edges[start])
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            left += edges[here]
    return seen - {start}
