"""Rules match entries, say by which leaves, and stand in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from support.builders import bare, leaf, rule

from forensics.classify import Classifier, classify, outcomes
from forensics.classify.leaf_index import MAX_CAPTURE, MAX_TEXT
from forensics.errors import RuleError
from forensics.model import (
    AllOf,
    AnyOf,
    Condition,
    ExceptionInfo,
    HttpRequest,
    Leaf,
    Level,
    LogEntry,
    Nanoseconds,
    NoneOf,
    Role,
    Rule,
    WhyRule,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["500", "lost"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "status"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def claims(condition: Condition, claimed: LogEntry) -> bool:
    found = Classifier([rule("r", condition)]).classify(claimed).primary
    return found is not None


# ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("condition", "message", "expected"),
    [
        (leaf(contains="Exit("), "called exit(1)", True),
        (leaf(contains="Exit(", cased=True), "called exit(1)", False),
        (leaf(contains="a.c"), "abc", False),
        (leaf(word="oom"), "OOM killed", True),
        (leaf(word="oom"), "room", False),
        (leaf(word="exit("), "call exit(3)", True),
        (leaf(equals="done"), "DONE", True),
        (leaf(equals="done"), "all done", False),
        (leaf(equals="done"), "done\n", False),
        (leaf(is_in=("a|b", "c")), "C", True),
        (leaf(is_in=("a|b", "c")), "a", False),
        (leaf(regex="a|b"), "xbx", True),
        (leaf(regex="^a.*z$"), "a\nz", False),
        (leaf(regex="(?s)^a.*z$"), "a\nz", True),
        (leaf(regex="größe"), "Größe", True),
        (leaf(regex=r"\AÄ"), "ä", True),
        (leaf(exists=True), "x", True),
        (leaf(exists=True), "", False),
        (leaf(contains="x"), "", False),
    ],
)
def test_text_operations(condition: Leaf, message: str, *, expected: bool) -> None:
    assert claims(condition, bare(message)) is expected


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ({"at_least": 500}, 503, True),
        ({"at_least": 500}, "503", True),
        ({"at_least": 500}, 503.0, True),
        ({"at_least": 500}, "503.5", True),
        ({"at_least": 500}, "1e3", True),
        ({"at_least": 500}, 499, False),
        ({"at_least": 500}, True, False),
        ({"at_least": 500}, "many", False),
        ({"at_least": 500}, "９９９", False),
        ({"at_least": 500}, {"code": 503}, False),
        ({"at_least": 500}, [200, 503], True),
        ({"at_most": 0.5}, "0.5", True),
        ({"at_most": 0.5}, "0.51", False),
        ({"equals": 503}, "503", True),
        ({"equals": 503}, "5033", False),
        ({"equals": "503"}, 503.0, True),
        ({"equals": 1}, True, False),
        ({"equals": True}, True, True),
        ({"equals": True}, "TRUE", True),
        ({"in": (500, 503)}, "503", True),
        ({"in": (500, 503)}, 504, False),
        ({"in": ("500", "503")}, 503, True),
        ({"contains": "50"}, 503, True),
        ({"at_least": "59s"}, "59.000000001s", True),
        ({"at_least": "59s"}, "1m", True),
        ({"at_least": "59s"}, "58.9s", False),
        ({"at_least": "59s"}, 60, False),
        ({"at_least": "59s"}, "9" * 100_000 + "s", False),
        ({"at_least": "WARNING"}, "error", True),
        ({"at_least": "WARNING"}, "notice", False),
        ({"at_least": "WARNING"}, 500, True),
        ({"at_least": "WARNING"}, "loud", False),
        ({"at_most": "INFO"}, "DEBUG", True),
        ({"exists": True}, 0, True),
        ({"exists": True}, {}, True),
        ({"exists": True}, [], False),
        ({"exists": True}, None, False),
        ({"exists": False}, None, True),
    ],
)
def test_values_compare_whatever_their_json_type(op: dict[str, Any], value: Any, *, expected: bool) -> None:
    condition = AllOf(conditions=(leaf(contains="m"), leaf("jsonPayload.x", **op)))
    assert claims(condition, bare("m", {"jsonPayload": {"x": value}})) is expected


def test_the_level_of_an_entry_compares_by_rank() -> None:
    condition = leaf("level", at_least="ERROR")
    assert [level for level in Level if claims(condition, bare("m", level=level))] == list(Level)[5:]


def test_one_exception_of_a_chain_must_fit() -> None:
    chain = (ExceptionInfo(type="KeyError", value="x"), ExceptionInfo(type="ShopError", value="y"))
    assert claims(leaf("exception.type", equals="ShopError"), bare(exceptions=chain))
    assert not claims(leaf("exception.type", equals="Error"), bare(exceptions=chain))


def test_latency_is_a_duration() -> None:
    http = HttpRequest(method="GET", url="", path="/", status=504, latency=Nanoseconds(300_000_000_000))
    assert claims(leaf("http.latency", at_least="299s"), bare(http=http))
    assert not claims(leaf("http.latency", at_least="301s"), bare(http=http))


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_not_is_plain_negation_and_a_missing_field_is_false() -> None:
    routine = AllOf(conditions=(leaf(contains="m"), NoneOf(conditions=(leaf("jsonPayload.x", contains="a"),))))
    assert claims(routine, bare("m"))
    assert claims(routine, bare("m", {"jsonPayload": {"x": "b"}}))
    assert not claims(routine, bare("m", {"jsonPayload": {"x": "a"}}))


def test_an_anchor_in_a_branch_of_any_does_not_hide_the_others() -> None:
    either = AnyOf(
        conditions=(leaf(contains="m"), leaf("httpRequest.status", at_least=500), leaf("stream", equals="x"))
    )
    assert claims(either, bare("m"))
    assert claims(either, bare("", {"httpRequest": {"status": 500}}))
    assert claims(either, bare("", stream="x"))
    assert not claims(either, bare("", {"httpRequest": {"status": 200}}))


def test_a_rule_without_an_anchor_is_tried_on_every_entry() -> None:
    lacks = AnyOf(conditions=(leaf("labels.x", exists=False), leaf(contains="m")))
    assert claims(lacks, bare())
    assert not claims(lacks, bare(raw={"labels": {"x": "1"}}))


def test_a_match_says_what_it_matched_on() -> None:
    condition = AllOf(
        conditions=(
            leaf("level", at_least="WARNING"),
            AnyOf(conditions=(leaf(contains="exit("), leaf(contains="killed"), leaf(regex="^Con"))),
            leaf("httpRequest.status", is_in=(500, 503)),
            leaf("labels.x", exists=False),
            NoneOf(conditions=(leaf(contains="drill"),)),
        )
    )
    found = Classifier([rule("r", condition)]).classify(bare("Container exit(1)", {"httpRequest": {"status": 503}}))
    assert found.primary is not None
    assert found.primary.matched_on == (
        "level is at least WARNING",
        "message contains 'exit('",
        "message matches '^Con'",
        "httpRequest.status is one of 500, 503",
        "labels.x is missing",
    )


# ── captures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def captures(condition: Condition, message: str) -> dict[str, str]:
    found = Classifier([rule("r", condition)]).classify(bare(message)).primary
    assert found is not None
    return found.captures


def test_named_groups_that_took_part_are_captured() -> None:
    condition = leaf(regex=r"lock (?P<lock>\w+)(?: of (?P<owner>\w+))?")
    assert captures(condition, "lost lock alpha") == {"lock": "alpha"}
    assert captures(condition, "LOST LOCK Alpha of Bob") == {"lock": "Alpha", "owner": "Bob"}


def test_the_first_of_two_patterns_names_the_value() -> None:
    both = AllOf(conditions=(leaf(regex=r"a=(?P<x>\w)"), leaf(regex=r"b=(?P<x>\w) (?P<y>\w)")))
    assert captures(both, "b=2 3 a=1") == {"x": "1", "y": "3"}


def test_nothing_is_captured_under_not_or_in_a_branch_that_fails() -> None:
    failing = AllOf(conditions=(leaf(regex="(?P<no>lost)"), leaf(contains="absent")))
    condition = AllOf(
        conditions=(
            AnyOf(conditions=(failing, leaf(regex="(?P<yes>lock)"))),
            NoneOf(conditions=(AllOf(conditions=(leaf(regex="(?P<never>lost)"), leaf(contains="absent"))),)),
        )
    )
    assert captures(condition, "lost lock") == {"yes": "lock"}


def test_captures_are_capped() -> None:
    assert len(captures(leaf(regex="(?P<x>é+)"), "é" * 5000)["x"]) == MAX_CAPTURE


# ── hostile text ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lone_surrogates_are_matched_around() -> None:
    assert captures(leaf(regex=r"lost (?P<x>\S+) lock"), "\ud800 lost \udfff lock") == {"x": "?"}


def test_only_the_beginning_of_a_giant_text_is_looked_at() -> None:
    assert claims(leaf(contains="lost"), bare("x" * (MAX_TEXT - 4) + "lost"))
    assert not claims(leaf(contains="lost"), bare("x" * MAX_TEXT + "lost"))


def test_a_pattern_that_backtracks_elsewhere_does_not_here() -> None:
    assert not claims(leaf(regex="(a+)+$"), bare("a" * 60_000 + "b"))


def test_patterns_that_do_not_fit_together_are_an_error_of_the_rules() -> None:
    with pytest.raises(RuleError, match="do not fit together"):
        Classifier([rule("r", leaf(regex="a("))]).classify(bare("a"))


# ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_that_no_rule_knows_stays_without_one() -> None:
    (found,) = classify([bare("all is well")], [rule("r", leaf(contains="lost"))])
    assert found.primary is None
    assert found.also == ()


def test_no_rules_claim_nothing() -> None:
    assert classify([bare("m")], []) == (Classifier([]).classify(bare("m")),)


def test_conditions_of_whys_can_be_asked() -> None:
    renewed = AnyOf(conditions=(leaf(regex="renew(?:ed|al)"), leaf("jsonPayload.renewed", equals=True)))
    why = WhyRule(ask="?", evidence_kind="entries", evidence={}, condition=renewed)
    classifier = Classifier([rule("r", leaf(contains="lost"), whys=(why,))])
    assert classifier.holds(renewed, bare("lock renewed"))
    assert classifier.holds(renewed, bare("", {"jsonPayload": {"renewed": True}}))
    assert not classifier.holds(renewed, bare("lost"))
    assert classifier.classify(bare("lock renewed")).primary is None


CONDITIONS: tuple[Condition, ...] = (
    leaf(contains="lost"),
    leaf(regex=r"(?P<what>\w+) lost"),
    leaf("jsonPayload.a", contains="lost"),
    leaf("jsonPayload.a.b", at_least=3),
    leaf("jsonPayload.status", equals=500),
    leaf("jsonPayload.a", exists=True),
    leaf("httpRequest.status", at_least=500),
    leaf("labels.a.b", is_in=("lost", "500")),
    leaf("resource.labels.status", at_least="1s"),
    leaf("severity", at_least="ERROR"),
    AllOf(conditions=(leaf("level", at_least="ERROR"), NoneOf(conditions=(leaf("textPayload", word="lost"),)))),
)
RULES = tuple(
    rule(f"r{i}", condition, list(Role)[i % 4], supersedes=(f"r{(i * 7 + 4) % len(CONDITIONS)}",))
    for i, condition in enumerate(CONDITIONS)
)
RAW = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["jsonPayload", "httpRequest", "labels", "resource", "severity", "textPayload", "protoPayload"], JSON
    ),
)


@given(RAW, st.text(max_size=20) | st.just("key lost"), st.permutations(RULES))
def test_any_json_anywhere_is_classified_the_same_whatever_the_order_of_rules(
    raw: dict[str, Any], message: str, rules: list[Rule]
) -> None:
    one = bare(message, raw)
    assert Classifier(rules).classify(one) == FIXED.classify(one)


FIXED = Classifier(RULES)


@given(RAW, st.text(max_size=20) | st.just("key lost"))
def test_anchors_never_hide_a_rule(raw: dict[str, Any], message: str) -> None:
    one = bare(message, raw)
    found = FIXED.classify(one)
    claimed = {match.rule for match in (found.primary, *found.also) if match is not None}
    assert claimed == {each.id for each in RULES if FIXED.holds(each.condition, one)}


@given(st.lists(st.tuples(RAW, st.text(max_size=20) | st.just("key lost")), max_size=8))
def test_forgetting_what_was_decided_changes_nothing(drawn: list[tuple[dict[str, Any], str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcomes, "_REMEMBERED", 2)
        forgetful = Classifier(RULES)
        for raw, message in drawn:
            one = bare(message, raw)
            assert forgetful.classify(one) == FIXED.classify(one)


def test_entries_of_which_the_same_is_true_have_the_same_claims() -> None:
    first, second, other = (FIXED.claims(bare(text)) for text in ("key lost 1", "key lost 2", "nothing"))
    assert first is second
    assert first != other
