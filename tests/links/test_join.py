from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from support.builders import START, raw, request, table
from support.comparisons import cluster

from forensics.clusters import find_lives, group
from forensics.links import link, parents
from forensics.links.join import _found, _window
from forensics.links.nearest import Near
from forensics.model import (
    Cluster,
    Explains,
    FailureClass,
    JoinKey,
    Leaf,
    LeafOp,
    Link,
    Nanoseconds,
    OccurrenceUnit,
    Priority,
    Role,
    Rule,
    RuleTests,
)
from forensics.text.timestamps import format_time

SECOND = 1_000_000_000


def rule(name: str, role: Role, condition: Leaf, *explains: tuple[str, float]) -> Rule:
    return Rule(
        id=name,
        version=1,
        title=name,
        failure_class=FailureClass.OTHER,
        role=role,
        priority=Priority.P1,
        condition=condition,
        tests=RuleTests(match=(), no_match=()),
        explains=tuple(Explains(signature=s, within=Nanoseconds(round(w * SECOND))) for s, w in explains),
    )


def says(text: str) -> Leaf:
    return Leaf(path="message", op=LeafOp.CONTAINS, value=text)


BROKEN = Leaf(path="httpRequest.status", op=LeafOp.AT_LEAST, value=500)
RULES = (
    rule("db-gone", Role.CAUSE, says("database gone"), ("http-error", 2), ("pool-empty", 30)),
    rule("pool-empty", Role.MECHANISM, says("pool empty"), ("http-error", 5)),
    rule("http-error", Role.SYMPTOM, BROKEN),
    rule("chatter", Role.NOISE, says("chatter")),
)


def joined(*records: dict[str, object], rules: tuple[Rule, ...] = RULES) -> tuple[dict[str, Cluster], tuple[Link, ...]]:
    entries = table(*records, rules=rules)
    by_id = {r.id: r for r in rules}
    lives = find_lives(entries)
    clusters, members = group(entries, by_id, lives)
    return {c.signature or c.title: c for c in clusters}, link(clusters, members, by_id, entries, lives)


def test_a_request_is_judged_at_its_end() -> None:
    records = [request(500, at=0, latency=40.0), raw("database gone", at=39.5, severity="ERROR")]
    _, (found,) = joined(*records)
    assert (found.by, found.explained, found.of, found.lag) == ("instance", 1, 1, (0.5, 0.5))


def test_a_cause_at_the_start_of_a_slow_request_is_too_early() -> None:
    _, links = joined(request(500, at=0, latency=40.0), raw("database gone", at=0.1, severity="ERROR"))
    assert links == ()


def test_a_cause_logged_a_few_milliseconds_late_still_counts() -> None:
    _, (found,) = joined(request(500, at=0, latency=0.008), raw("database gone", at=0.014, severity="ERROR"))
    assert found.lag == (-0.006, -0.006)


def test_a_cause_logged_half_a_second_late_does_not() -> None:
    _, links = joined(request(500, at=0, latency=0.008), raw("database gone", at=0.5, severity="ERROR"))
    assert links == ()


def test_another_instance_explains_nothing() -> None:
    _, links = joined(request(500, at=0, latency=1), raw("database gone", at=0.9, severity="ERROR", instance="i2"))
    assert links == ()


def test_a_trace_joins_across_what_else_differs() -> None:
    records = [request(500, at=0, latency=1, trace="t1"), raw("database gone", at=0.9, severity="ERROR", trace="t1")]
    _, (found,) = joined(*records)
    assert found.by == "trace"


def test_without_an_instance_the_revision_joins() -> None:
    _, (found,) = joined(
        request(500, at=0, latency=1, instance=""), raw("database gone", at=0.9, severity="ERROR", instance="i2")
    )
    assert found.by == "revision"


def test_noise_explains_nothing_however_loud() -> None:
    noise = [raw("chatter", at=i / 10, severity="ERROR", number=i) for i in range(50)]
    _, links = joined(request(500, at=0, latency=3), *noise)
    assert links == ()


def test_a_chain_keeps_its_order() -> None:
    records = [
        raw("database gone", at=0, severity="ERROR"),
        raw("pool empty", at=20, severity="ERROR"),
        request(500, at=18, latency=4),
    ]
    clusters, links = joined(*records)
    chosen = parents(tuple(clusters.values()), links)
    assert chosen[clusters["http-error"].id].cause == clusters["pool-empty"].id
    assert chosen[clusters["pool-empty"].id].cause == clusters["db-gone"].id
    assert clusters["db-gone"].id not in chosen


def test_two_rules_that_explain_each_other_make_no_circle() -> None:
    rules = (
        rule("a", Role.CAUSE, says("first"), ("b", 5)),
        rule("b", Role.CAUSE, says("second"), ("a", 5)),
    )
    records = [raw(text, at=i, severity="ERROR") for i, text in enumerate(["first", "second", "first", "second"])]
    clusters, links = joined(*records, rules=rules)
    assert len(parents(tuple(clusters.values()), links)) == 1


def test_an_unknown_exception_is_linked_by_place_and_order_alone() -> None:
    _, (found,) = joined(request(500, at=0, latency=1), raw("KeyError: 'price'", at=0.9, severity="ERROR"))
    assert (found.declared, found.coverage) == (False, 1.0)


def gone(at: float, number: int = 0, **fields: object) -> dict[str, object]:
    return raw("database gone", at=at, severity="ERROR", number=number, **fields)


def test_a_rule_may_speak_of_one_failure_in_three_and_without_its_word_every_other_is_needed() -> None:
    failures = [request(500, at=at, latency=1) for at in (0, 100, 200)]
    _, (found,) = joined(*failures, gone(0.9))
    assert (found.explained, found.of, found.coverage, found.declared) == (1, 3, 0.3333, True)
    unknown = raw("KeyError: 'price'", at=0.9, severity="ERROR")
    assert joined(*failures, unknown)[1] == ()
    _, (found,) = joined(*failures[:2], unknown)
    assert (found.explained, found.of, found.coverage, found.declared) == (1, 2, 0.5, False)


@pytest.mark.parametrize(("at", "is_linked"), [(4, True), (3.999999, False)])
def test_without_a_rule_a_cause_lies_five_seconds_before_at_most(at: float, *, is_linked: bool) -> None:
    _, links = joined(request(500, at=0, latency=9), raw("KeyError: 'price'", at=at, severity="ERROR"))
    assert [found.within for found in links] == ([5.0] if is_linked else [])


def test_lags_and_windows_are_written_to_the_microsecond() -> None:
    """Two seconds before the end of the request: 123,456,789 ns and 1,999,999,999 ns of them are rounded."""
    late = raw("database gone", severity="ERROR", timestamp=format_time(START + 10 * SECOND - 123_456_789))
    early = raw("database gone", severity="ERROR", timestamp=format_time(START + 100 * SECOND - 1_876_543_211))
    _, (found,) = joined(request(500, at=0, latency=10), late, request(500, at=90, latency=10), early)
    assert (found.lag, found.within) == ((0.123457, 1.876543), 2.0)


def test_each_occurrence_of_a_cause_that_explains_something_is_counted_once() -> None:
    """Three bursts: the first explains two failures by two of its lines, the others one each."""
    odd = raw("database gone", severity="ERROR", timestamp=format_time(START + 10_900_000_001), number=1)
    failures = [request(500, at=at - 1, latency=1, number=n) for n, at in enumerate((10.6, 11.5, 20.6, 30.6))]
    _, (found,) = joined(gone(10), odd, gone(20), gone(30), *failures)
    assert (found.explained, found.causes) == (4, 3)


def traced(status: int, at: float, trace: str) -> dict[str, object]:
    return request(status, at=at, latency=1, trace=trace)


def test_what_stands_in_the_traces_of_all_failures_and_in_no_other_is_weighed_by_traces() -> None:
    """Three of 23 traces hold the cause, and these are the three that failed: one draw of 1,771."""
    records = [traced(200, n * 10, f"ok{n}") for n in range(20)]
    for n in range(3):
        records += [traced(500, 300 + n * 10, f"t{n}"), gone(300.9 + n * 10, trace=f"t{n}")]
    _, (found,) = joined(*records)
    assert (found.by, found.lift, found.p_value) == ("trace", 21.0, 0.000565)
    # A failure of which no trace is known makes the cause of the others no weaker.
    _, (among,) = joined(*records, request(500, at=900, latency=1))
    assert (among.by, among.of) == ("trace", 4)
    assert among.lift is not None
    assert among.lift >= 21.0


def named(name: str, role: Role, *, revision: str = "r", title: str = "f") -> Cluster:
    return cluster(name, 3, OccurrenceUnit.REQUEST, role=role, revision=revision, fingerprint=title)


CAUSE, MECHANISM, SYMPTOM, NOISE = (named(role.value, role) for role in Role)
NO_RULES = {role.value: rule(role.value, role, says("x")) for role in Role}
ALL_EXPLAINED = {
    role.value: rule(role.value, role, says("x"), *((other.value, 2.0) for other in Role)) for role in Role
}


def test_without_a_rule_causes_and_mechanisms_may_explain_symptoms_and_nothing_else() -> None:
    clusters = (CAUSE, MECHANISM, SYMPTOM, NOISE)
    found = [(c.role, s.role) for c in clusters for s in clusters if _window(c, s, NO_RULES) is not None]
    assert found == [(Role.CAUSE, Role.SYMPTOM), (Role.MECHANISM, Role.SYMPTOM)]
    assert _window(CAUSE, named("unknown", Role.CAUSE), NO_RULES) is None
    assert _window(named("symptom", Role.SYMPTOM, title="g"), SYMPTOM, NO_RULES) is None


def test_whatever_rules_say_nothing_explains_itself_noise_or_another_revision() -> None:
    clusters = (CAUSE, MECHANISM, SYMPTOM, NOISE)
    found = [(c.role, s.role) for c in clusters for s in clusters if _window(c, s, ALL_EXPLAINED) is not None]
    notable = [Role.CAUSE, Role.MECHANISM, Role.SYMPTOM]
    assert found == [(c, s) for c in notable for s in notable if c is not s]
    assert _window(CAUSE, named("symptom", Role.SYMPTOM, revision="r2", title="g"), ALL_EXPLAINED) is None


@given(
    near=st.lists(st.none() | st.just(Near(0, JoinKey.INSTANCE, 1, False)), min_size=1),
    least=st.sampled_from((0.0, 0.3, 0.5, 0.8)),
)
def test_to_stop_where_too_few_are_left_changes_no_coverage(near: list[Near | None], least: float) -> None:
    found = {at: one for at, one in enumerate(near) if one is not None}
    assert _found(iter(near), least, len(near)) == (found if len(found) / len(near) >= least else {})
