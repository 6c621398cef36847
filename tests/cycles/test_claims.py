"""A claim is a hypothesis: it is checked in every later revision, with the words that the numbers allow."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, strategies as st
from msgspec.structs import replace
from support.comparisons import coverage
from support.cycles import RULES, recorded, report

from forensics.cycles import ClaimStatement, check_claims, parse_claim
from forensics.errors import UsageError
from forensics.model import Claim, ClaimKind, ClaimState, CutBy, Cycle, RulebookInfo, Span


def only(cycle: Cycle, statement: str) -> Claim:
    (claim,) = [c for c in cycle.claims if c.statement == statement]
    return claim


def checked(before: int, claim: str, now: int, requests: int) -> Claim:
    """Claim something in the first cycle, and check it in the second."""
    first = recorded(report(1, {"oom": before}), (), claim)
    (found,) = check_claims([first], report(2, {"oom": now}, requests), 2)
    return found


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("oom gone", ClaimStatement("oom", ClaimKind.GONE)),
        ("  oom   better ", ClaimStatement("oom", ClaimKind.BETTER)),
        ("oom fixed by 4f2a9c1", ClaimStatement("oom", ClaimKind.FIXED, "4f2a9c1")),
        ("oom fixed  by the new limit", ClaimStatement("oom", ClaimKind.FIXED, "the new limit")),
    ],
)
def test_three_sentences_are_claims(text: str, claim: ClaimStatement) -> None:
    assert parse_claim(text) == claim


@pytest.mark.parametrize(
    "text", ["", "oom", "oom fixed", "oom fixed by", "oom Gone", "oom is gone", "gone", "oom gone!"]
)
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(UsageError, match="SIGNATURE gone"):
        parse_claim(text)


def test_a_secret_in_a_claim_is_redacted() -> None:
    assert "hunter2" not in parse_claim("oom fixed by password=hunter2").by


def test_a_slip_in_a_signature_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'oom'"):
        recorded(report(1, {"oom": 3}), (), "oon gone")


def test_what_no_cycle_has_seen_cannot_be_gone() -> None:
    with pytest.raises(UsageError, match="seen are oom"):
        recorded(report(1, {"oom": 3}), (), "close gone")


def test_what_was_seen_in_an_earlier_cycle_can_be_claimed_now() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    second = recorded(report(2, {"close": 2}), (first,))
    third = recorded(report(3, {"close": 2}), (first, second), "oom fixed by 4f2a9c1")
    claim = only(third, "oom fixed by 4f2a9c1")
    assert (claim.query.cycle, claim.query.occurrences) == (1, 30)
    assert not claim.made_shown
    assert "nor in the cycle before" in claim.made_reason


def test_what_the_numbers_show_is_claimed_by_itself() -> None:
    first = recorded(report(1, {"oom": 30, "close": 40}), ())
    second = recorded(report(2, {"close": 5}), (first,))
    assert {c.statement: (c.state, c.by_hand) for c in second.claims} == {
        "oom gone": (ClaimState.SHOWN, False),
        "close better": (ClaimState.SHOWN, False),
    }


def test_what_the_numbers_do_not_show_is_asserted() -> None:
    first = recorded(report(1, {"oom": 12}), ())
    second = recorded(report(2, {"oom": 4}), (first,), "oom better", "oom gone")
    assert {c.state for c in second.claims} == {ClaimState.ASSERTED}
    assert only(second, "oom better").made_reason.endswith(": unclear")


def test_a_claim_that_holds_is_not_made_again() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    second = recorded(report(2, {}), (first,))
    third = recorded(report(3, {}), (first, second))
    assert [c.state for c in third.claims] == [ClaimState.HOLDS]


def test_a_claim_by_hand_that_the_numbers_bear_out_is_one_claim() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    second = recorded(report(2, {}), (first,), "oom gone", "oom gone")
    (claim,) = second.claims
    assert claim.by_hand
    assert claim.state is ClaimState.SHOWN


def test_one_occurrence_refutes_gone_and_is_cited() -> None:
    claim = checked(30, "oom gone", 1, 1_000_000)
    assert claim.state is ClaimState.REFUTED
    assert claim.check is not None
    assert claim.check.revision == "r-00002"
    assert [ref.insert_id for ref in claim.check.evidence] == ["oom-2"]


def test_little_traffic_refutes_nothing_and_shows_nothing() -> None:
    # Three would have been seen in 100 requests.
    claim = checked(30, "oom gone", 0, 99)
    assert claim.state is ClaimState.NOT_ENOUGH_TRAFFIC
    assert claim.check is not None
    assert not claim.check.evidence
    assert checked(30, "oom gone", 0, 200).state is ClaimState.HOLDS


def test_a_refuted_claim_stays_refuted_by_the_revision_that_did_it() -> None:
    first = recorded(report(1, {"oom": 30}), (), "oom gone")
    second = recorded(report(2, {"oom": 2}), (first,))
    third = recorded(report(3, {}), (first, second))
    claim = only(second, "oom gone")
    assert claim.state is ClaimState.REFUTED
    assert only(replace(third, claims=tuple(c for c in third.claims if c.made_in == 1)), "oom gone") == claim


def test_after_a_refutation_it_can_be_claimed_again() -> None:
    first = recorded(report(1, {"oom": 60}), (), "oom gone")
    second = recorded(report(2, {"oom": 50}), (first,))
    third = recorded(report(3, {}), (first, second))
    assert {(c.made_in, c.state) for c in third.claims} == {(1, ClaimState.REFUTED), (3, ClaimState.SHOWN)}


def test_a_cut_log_cannot_bear_a_claim_out() -> None:
    first = recorded(report(1, {"oom": 30}), (), "oom gone")
    cut = coverage(
        covered=Span(from_time="2026-03-02T10:00:00Z"), truncated=True, cut=CutBy.LIMIT, truncation="cut at 1000"
    )
    (claim,) = check_claims([first], report(2, {}, coverage=cut), 2)
    assert claim.state is ClaimState.NOT_COMPARABLE
    # But what it shows has happened.
    (claim,) = check_claims([first], report(2, {"oom": 1}, coverage=cut), 2)
    assert claim.state is ClaimState.REFUTED


def test_another_version_of_a_rule_counts_something_else() -> None:
    first = recorded(report(1, {"oom": 30}), (), "oom gone")
    rules = RulebookInfo(count=3, folders=(), overridden=(), versions=RULES | {"oom": 2})
    (claim,) = check_claims([first], report(2, {}, rules=rules), 2)
    assert claim.state is ClaimState.NOT_COMPARABLE


def test_a_log_without_requests_is_not_comparable() -> None:
    first = recorded(report(1, {"oom": 30}), (), "oom gone")
    (claim,) = check_claims([first], report(2, {}, exposure=None), 2)
    assert claim.state is ClaimState.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("now", "requests", "state"),
    [
        (10, 1000, ClaimState.HOLDS),
        (0, 1000, ClaimState.HOLDS),
        (48, 1000, ClaimState.REFUTED),
        (90, 1000, ClaimState.REFUTED),
        (1, 10, ClaimState.NOT_ENOUGH_TRAFFIC),
    ],
)
def test_better_is_held_against_the_old_rate_and_the_one_that_was_called_better(
    now: int, requests: int, state: ClaimState
) -> None:
    first = recorded(report(1, {"oom": 50}), ())
    second = recorded(report(2, {"oom": 12}), (first,))
    assert only(second, "oom better").state is ClaimState.SHOWN
    (claim,) = check_claims([first, second], report(3, {"oom": now}, requests), 3)
    assert claim.state is state


def test_an_older_revision_says_nothing_about_a_later_claim() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    fourth = recorded(report(4, {}), (first,), "oom gone")
    again = recorded(report(2, {"oom": 25}), (first, fourth))
    assert "oom gone" not in {c.statement for c in again.claims}


@given(st.integers(1, 80), st.integers(0, 5), st.integers(1, 5000))
def test_gone_never_holds_where_it_is_seen_or_too_little_was_looked_at(before: int, now: int, requests: int) -> None:
    claim = checked(before, "oom gone", now, requests)
    assert (claim.state is ClaimState.REFUTED) == (now > 0)
    if claim.state is ClaimState.HOLDS:
        assert before * requests / 1000 >= 3


@given(st.integers(1, 200), st.integers(1, 5000))
def test_the_traffic_that_a_claim_asks_for_is_just_enough(before: int, requests: int) -> None:
    first = recorded(report(1, {"oom": before}, requests), (), "oom gone")
    needed = first.claims[0].query.needed
    assert needed is not None
    assume(needed > 1)
    for looked_at, state in ((needed, ClaimState.HOLDS), (needed - 1, ClaimState.NOT_ENOUGH_TRAFFIC)):
        (claim,) = check_claims([first], report(2, {}, looked_at), 2)
        assert claim.state is state
