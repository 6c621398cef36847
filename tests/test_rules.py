"""Every shipped rule file keeps its own promises."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, strategies as st

from forensics.classify import Classifier
from forensics.entries import decode_entry
from forensics.model import Condition, Leaf, LogEntry, Place, RawEntry, Rule
from forensics.rulebook import load_rules
from forensics.rulebook.folders import shipped_files
from forensics.rulebook.load import read_file
from forensics.schema.match_conditions import positive_leaves
from forensics.whys.evidence import EVIDENCE

READINGS = {rule_file.source: read_file(rule_file) for rule_file in shipped_files()}
RULES = {source: reading.rule for source, reading in READINGS.items() if reading.rule is not None}
TEXT_OPS = {"regex", "contains", "word", "equals", "in"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "status", "code", "error", "serviceName"]), inner, max_size=3)
    ),
    max_leaves=8,
)

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@cache
def classifier() -> Classifier:
    return Classifier(RULES.values())


def examples(rule: Rule, kind: str) -> list[LogEntry]:
    records = rule.tests.match if kind == "match" else rule.tests.no_match
    numbered = enumerate(records, start=1)
    return [decode_entry(RawEntry(record=r, place=Place(source=rule.source, record=n))) for n, r in numbered]


def claims(entry: LogEntry) -> list[str]:
    found = classifier().classify(entry)
    return [match.rule for match in (found.primary, *found.also) if match is not None]


def text_leaves(condition: Condition) -> list[Leaf]:
    """All of them, those under `not` too."""
    if isinstance(condition, Leaf):
        return [condition] if condition.op in TEXT_OPS else []
    return [leaf for part in condition.conditions for leaf in text_leaves(part)]


def test_all_files_together_are_a_rulebook() -> None:
    rules, info = load_rules()
    assert [rule.id for rule in rules] == sorted(rule.id for rule in rules)
    assert info.count == len(rules) > 0
    assert info.overridden == ()


@pytest.mark.parametrize("source", READINGS)
def test_file_is_a_rule(source: str) -> None:
    assert READINGS[source].diagnostics.messages() == []


@every_rule
def test_id_is_the_file_name(rule: Rule) -> None:
    assert rule.source.endswith(f"/{rule.id}.yaml")


@every_rule
def test_match_examples_are_claimed_by_the_rule_first(rule: Rule) -> None:
    for number, entry in enumerate(examples(rule, "match"), start=1):
        claimed = claims(entry)
        assert claimed[:1] == [rule.id], (
            f"match {number} is claimed by {claimed or 'nobody'}: {entry.level} {entry.message!r}"
        )


@every_rule
def test_near_misses_are_left_alone(rule: Rule) -> None:
    for number, entry in enumerate(examples(rule, "no_match"), start=1):
        assert rule.id not in claims(entry), f"no_match {number} is claimed: {entry.level} {entry.message!r}"


@every_rule
def test_every_text_is_hit_by_an_example(rule: Rule) -> None:
    matching, all_ = examples(rule, "match"), examples(rule, "match") + examples(rule, "no_match")
    positive = list(positive_leaves(rule.condition))
    for leaf in text_leaves(rule.condition):
        tried = matching if leaf in positive else all_
        kind = "match" if leaf in positive else "match or no_match"
        hit = any(classifier().holds(leaf, entry) for entry in tried)
        assert hit, f"no {kind} example has: {leaf.path} {leaf.op} {leaf.value!r}"


@every_rule
def test_every_why_says_how_it_is_shown(rule: Rule) -> None:
    assert all(why.evidence_kind in EVIDENCE for why in rule.whys)


@given(
    st.dictionaries(st.sampled_from(["textPayload", "jsonPayload", "protoPayload", "httpRequest", "severity"]), JSON)
)
def test_any_record_is_classified(record: dict[str, Any]) -> None:
    claims(decode_entry(RawEntry(record=record, place=Place(source="-", record=1))))
