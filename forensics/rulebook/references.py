"""All rules in; faults where one names a signature that does not exist, or supersedes itself in a circle, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.rulebook.diagnostics import nearest
from forensics.rulebook.why_fields import linked_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from forensics.model import Rule
    from forensics.rulebook.diagnostics import Diagnostics, Spot


def check_references(rule: Rule, known: Collection[str], diagnostics: Diagnostics) -> None:
    """Note every signature that a rule names and no file defines, and every one that is the rule itself."""
    for location, name in _references(rule):
        if name not in known:
            diagnostics.add(location, f"no rule {name!r} exists{nearest(name, known)}")
        elif name == rule.id:
            diagnostics.add(location, f"{location[0]!r} names the rule itself")


def check_circle(rule: Rule, rules: Mapping[str, Rule], diagnostics: Diagnostics) -> None:
    """Note that a rule steps back behind itself by way of others, so that none of them would come first."""
    left: list[tuple[str, tuple[str, ...]]] = [(name, (rule.id, name)) for name in rule.supersedes]
    seen = set()
    while left:
        name, way = left.pop()
        if name == rule.id and len(way) > len((rule.id, rule.id)):
            diagnostics.add(("supersedes",), f"'supersedes' runs in a circle: {' → '.join(way)}")
            return
        if name in rules and name not in seen:
            seen.add(name)
            left += [(below, (*way, below)) for below in rules[name].supersedes]


def _references(rule: Rule) -> Iterator[tuple[Spot, str]]:
    yield from ((("supersedes", i), name) for i, name in enumerate(rule.supersedes))
    yield from ((("explains", i, "signature"), explained.signature) for i, explained in enumerate(rule.explains))
    yield from ((("rivals", i), name) for i, name in enumerate(rule.rivals))
    for i, why in enumerate(rule.whys):
        for name in linked_ids(why):
            yield ("whys", i, "evidence", "linked"), name
