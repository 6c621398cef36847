"""An explanation names the rules that match, what made them match, and which leaves keep others from matching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, strategies as st
from msgspec.structs import replace
from support.builders import entry, leaf, request, rule

from forensics.classify import Classifier, Explainer
from forensics.classify.leaves import describe
from forensics.entries import decode_record
from forensics.model import AllOf, AnyOf, NoneOf, Role
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Condition, LogEntry, Rule

RULES, _ = load_rules()
LOST = leaf("message", contains="ledger lost")
LOCKED = leaf("message", contains="row locked")
ERROR = leaf("level", at_least="ERROR")
TENANT = leaf("jsonPayload.tenant", equals="acme")


def explained(*rules: Rule, of: LogEntry) -> Any:
    return Explainer(rules).explain(of)


def near(condition: Condition, of: LogEntry) -> list[tuple[str, bool, tuple[str, ...]]] | None:
    """Return the failing leaves of a rule with this condition; None when it does not nearly match."""
    found = explained(rule("r", condition), of=of).near
    return [(one.leaf, one.must_be_false, one.seen) for one in found[0].failing] if found else None


def test_a_match_names_its_leaves_and_the_words_they_matched() -> None:
    condition = AllOf(
        conditions=(ERROR, leaf("message", regex=r"no module (?P<module>\w+)"), NoneOf(conditions=(LOST,)))
    )
    found = explained(rule("r", condition), of=entry("start: no module billing, exit", severity="CRITICAL"))
    (match,) = found.matches
    assert [(one.leaf, one.words) for one in match.matched_on] == [
        ("level is at least ERROR", "CRITICAL"),
        (r"message matches 'no module (?P<module>\w+)'", "no module billing"),
    ]
    assert (match.captures, match.reason) == ({"module": "billing"}, "the only rule that matches")
    assert found.near == ()


def test_of_alternatives_those_that_are_true_are_named() -> None:
    found = explained(rule("r", AnyOf(conditions=(LOST, LOCKED))), of=entry("row locked"))
    assert [one.words for one in found.matches[0].matched_on] == ["row locked"]


def test_a_missing_field_matches_without_words() -> None:
    condition = AllOf(conditions=(LOST, leaf("trace", exists=False)))
    found = explained(rule("r", condition), of=entry("ledger lost"))
    assert [(one.leaf, one.words) for one in found.matches[0].matched_on][1] == ("trace is missing", "")


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({}, {"role": Role.SYMPTOM}, "the role cause comes before symptom"),
        ({"supersedes": ("b",)}, {}, "a supersedes b"),
        ({}, {}, "both have the role cause and neither supersedes the other, so the id decides"),
    ],
)
def test_the_reason_for_the_primary_rule_is_given(first: Any, second: Any, reason: str) -> None:
    rules = (
        replace(rule("a", LOST), role=Role.CAUSE, **first),
        replace(rule("b", LOST), **{"role": Role.CAUSE} | second),
    )
    found = explained(*rules, of=entry("ledger lost"))
    assert [(match.rule, match.reason) for match in found.matches] == [
        ("a", f"before b: {reason}"),
        ("b", f"after a: {reason}"),
    ]


def test_a_third_rule_may_be_what_puts_the_second_behind_the_first() -> None:
    rules = rule("a", LOST), rule("b", LOST), replace(rule("c", LOST), supersedes=("b",))
    found = explained(*rules, of=entry("ledger lost"))
    assert [match.rule for match in found.matches] == ["a", "c", "b"]
    assert found.matches[2].reason == "after a: b is superseded by c"


def test_the_leaf_that_fails_is_given_with_the_value_that_it_saw() -> None:
    found = near(AllOf(conditions=(LOST, ERROR)), entry("ledger lost", severity="INFO"))
    assert found == [("level is at least ERROR", False, ("INFO",))]


def test_a_field_that_is_missing_has_no_value() -> None:
    found = near(AllOf(conditions=(LOST, TENANT)), entry("ledger lost"))
    assert found == [("jsonPayload.tenant is 'acme'", False, ())]


def test_what_must_not_be_true_is_marked() -> None:
    found = near(AllOf(conditions=(LOST, NoneOf(conditions=(LOCKED,)))), entry("ledger lost, row locked"))
    assert found == [("message contains 'row locked'", True, ("ledger lost, row locked",))]


def test_of_alternatives_the_nearest_counts() -> None:
    far = AllOf(conditions=(LOCKED, TENANT, leaf("trace", exists=True)))
    found = near(AllOf(conditions=(LOST, AnyOf(conditions=(far, TENANT)))), entry("ledger lost"))
    assert found == [("jsonPayload.tenant is 'acme'", False, ())]


def test_all_of_what_is_negated_must_be_broken_once_only() -> None:
    both = AllOf(conditions=(LOST, leaf("stream", equals="stderr")))
    found = near(AllOf(conditions=(leaf("message", word="ledger"), NoneOf(conditions=(both,)))), entry("ledger lost"))
    assert found == [("message contains 'ledger lost'", True, ("ledger lost",))]


@pytest.mark.parametrize(
    "condition",
    [
        AllOf(conditions=(ERROR, LOCKED)),  # that it is an error makes it resemble no rule
        AllOf(conditions=(leaf("message", regex=r"(?P<rest>[^\n]+)"), LOCKED)),  # nor that it has a text
        AllOf(conditions=(leaf("textPayload", exists=True), LOCKED)),
        LOCKED,
        AllOf(conditions=(LOST, LOCKED, TENANT, leaf("trace", exists=True))),  # three leaves fail
    ],
)
def test_what_is_far_is_not_near(condition: Condition) -> None:
    assert near(condition, entry("ledger lost", severity="ERROR")) is None


def test_the_nearest_rules_come_first_and_five_are_kept() -> None:
    one_off = [rule(f"z{n}", AllOf(conditions=(LOST, TENANT))) for n in range(4)]
    two_off = [rule(f"a{n}", AllOf(conditions=(LOST, TENANT, LOCKED))) for n in range(4)]
    found = explained(*two_off, *one_off, of=entry("ledger lost"))
    assert [one.rule for one in found.near] == ["z0", "z1", "z2", "z3", "a0"]


def test_a_secret_is_redacted_though_its_context_is_not_matched() -> None:
    condition = AllOf(conditions=(leaf("message", regex=r"password=(?P<word>\w+)"), TENANT))
    payload = {"message": "login refused, password=hunter22", "token": "abc123def", "tenant": "other"}
    record = entry(jsonPayload=payload)
    seen = AllOf(conditions=(leaf("message", contains="login"), leaf("jsonPayload.token", equals="zzz")))
    whole = explained(rule("a", condition), rule("b", seen), of=record)
    matching = explained(rule("c", condition.conditions[0]), rule("d", leaf("message", regex="hunter2+")), of=record)
    assert len(whole.near) == 2
    assert len(matching.matches) == 2
    assert "hunter" not in str((whole, matching.matches[0].captures, matching.matches[0].matched_on[0].words))
    assert matching.matches[1].matched_on[0].words == "[redacted]"
    assert "abc123def" not in str(whole)


def test_control_characters_do_not_pass() -> None:
    found = explained(
        rule("r", leaf("jsonPayload.x", contains="lost")), of=entry(jsonPayload={"x": "lost\x1b[2J\u202e"})
    )
    assert found.matches[0].matched_on[0].words == "lost"
    assert not {"\x1b", "\u202e"} & set(str(found))


@pytest.mark.parametrize("shipped", RULES, ids=lambda one: one.id)
def test_every_shipped_rule_is_explained_on_its_own_example(shipped: Rule, explainer: Explainer) -> None:
    found = explainer.explain(decode_record(shipped.tests.match[0]))
    assert found.matches[0].rule == shipped.id
    for match in found.matches:
        for one in match.matched_on:
            assert one.words or one.leaf.endswith((" is missing", " exists")), one


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(RULES)


LEAVES = (LOST, LOCKED, ERROR, TENANT, leaf("httpRequest.status", at_least=500), leaf("message", regex="(?P<a>.)"))
BY_WORDS = {describe(one): one for one in LEAVES}
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(
        lambda kind, parts: kind(conditions=tuple(parts)),
        st.sampled_from([AllOf, AnyOf, NoneOf]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
ENTRIES = st.sampled_from(
    [
        entry("ledger lost", severity="ERROR"),
        entry("ledger lost, row locked", severity="INFO"),
        entry(jsonPayload={"tenant": "acme", "message": "row locked"}),
        decode_record(request(503, at=1, latency=0.1)),
        entry(),
    ]
)


@given(st.lists(CONDITIONS, min_size=1, max_size=4), ENTRIES)
def test_matches_are_those_of_the_classifier_and_no_near_rule_is_one(conditions: list[Condition], of: LogEntry) -> None:
    rules = [rule(f"r{n}", condition) for n, condition in enumerate(conditions)]
    found, claims = Explainer(rules).explain(of), Classifier(rules).claims(of)
    assert [match.rule for match in found.matches] == [name for name, _ in claims]
    assert not {match.rule for match in found.matches} & {one.rule for one in found.near}


def turned(condition: Condition, failing: set[Condition]) -> Condition:
    """Replace failing leaves by their negation."""
    if isinstance(condition, AllOf | AnyOf | NoneOf):
        return replace(condition, conditions=tuple(turned(part, failing) for part in condition.conditions))
    return NoneOf(conditions=(condition,)) if condition in failing else condition


@given(CONDITIONS, ENTRIES)
def test_with_its_failing_leaves_turned_a_near_rule_matches(condition: Condition, of: LogEntry) -> None:
    whole = AllOf(conditions=(leaf("trace", equals="t1"), condition))
    failing: set[Condition] = {
        BY_WORDS[words] for words, *_ in near(whole, replace(of, raw=of.raw | {"trace": "t1"})) or ()
    }
    # A leaf that occurs twice may be needed in one place and not in the other: turning both proves nothing.
    assume(failing and all(str(condition).count(str(one)) == 1 for one in failing))
    assert Classifier([rule("r", turned(condition, failing))]).claims(of)
