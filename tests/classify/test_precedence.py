"""Of several rules that match an entry, one is primary: by role, by what it supersedes, by id."""

from __future__ import annotations

from support.builders import entry, leaf, rule

from forensics.classify import Classifier
from forensics.model import Role, Rule

ANY = leaf(contains="m")


def order(*rules: Rule) -> list[str]:
    found = Classifier(rules).classify(entry("m"))
    return [match.rule for match in (found.primary, *found.also) if match is not None]


def test_roles_decide_first_then_supersedes_then_the_id() -> None:
    assert order(
        rule("a", ANY, Role.NOISE),
        rule("b", ANY, Role.SYMPTOM),
        rule("c", ANY, Role.MECHANISM),
        rule("e", ANY),
        rule("d", ANY),
        rule("f", ANY, supersedes=("e",)),
    ) == ["d", "f", "e", "c", "b", "a"]


def test_supersedes_goes_on_by_way_of_rules_that_do_not_match() -> None:
    missing = rule("b", leaf(contains="absent"), supersedes=("a",))
    assert order(rule("a", ANY), missing, rule("c", ANY, supersedes=("b",))) == ["c", "a"]


def test_a_chain_of_supersedes_keeps_its_order() -> None:
    rules = (rule("a", ANY), rule("b", ANY, supersedes=("a",)), rule("c", ANY, supersedes=("b",)))
    assert order(*rules) == ["c", "b", "a"]


def test_supersedes_cannot_turn_roles_round() -> None:
    assert order(rule("a", ANY), rule("b", ANY, Role.SYMPTOM, supersedes=("a",))) == ["a", "b"]


def test_a_circle_ends_in_the_order_of_ids() -> None:
    assert order(rule("a", ANY, supersedes=("b",)), rule("b", ANY, supersedes=("a",))) == ["a", "b"]
