"""Check what rules say of each other: signatures must exist, and `supersedes` must not run in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.rulebook.why_fields import linked_ids
from forensics.schema.diagnostics import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from forensics.model import Rule
    from forensics.schema.diagnostics import Diagnostics, Location


def check_references(rule: Rule, known: Collection[str], diagnostics: Diagnostics) -> None:
    """Note each signature that a rule names although no file defines it, or although it is the rule itself."""
    for location, name in _references(rule):
        if name not in known:
            diagnostics.add(location, f"no rule {name!r} exists{nearest(name, known)}")
        elif name == rule.id:
            diagnostics.add(location, f"{location[0]!r} names the rule itself")


def check_circle(rule: Rule, rules: Mapping[str, Rule], diagnostics: Diagnostics) -> None:
    """Note a rule that supersedes itself by way of others: none of them would come first."""
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


def _references(rule: Rule) -> Iterator[tuple[Location, str]]:
    yield from ((("supersedes", i), name) for i, name in enumerate(rule.supersedes))
    yield from ((("explains", i, "signature"), explained.signature) for i, explained in enumerate(rule.explains))
    yield from ((("rivals", i), name) for i, name in enumerate(rule.rivals))
    for i, why in enumerate(rule.whys):
        for name in linked_ids(why):
            yield ("whys", i, "evidence", why.evidence_kind), name
