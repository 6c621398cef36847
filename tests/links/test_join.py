from __future__ import annotations

from hypothesis import given, strategies as st
from support.builders import raw, request, table

from forensics.clusters import find_lives, group
from forensics.links import link, parents
from forensics.links.join import _found
from forensics.model import (
    Cluster,
    Explains,
    FailureClass,
    JoinKey,
    Leaf,
    LeafOp,
    Link,
    Nanoseconds,
    Priority,
    Role,
    Rule,
    RuleTests,
)

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


@given(
    near=st.lists(st.none() | st.just((0, JoinKey.INSTANCE, 1)), min_size=1),
    least=st.sampled_from((0.0, 0.3, 0.5, 0.8)),
)
def test_to_stop_where_too_few_are_left_changes_no_coverage(
    near: list[tuple[int, JoinKey, int] | None], least: float
) -> None:
    found = [one for one in near if one is not None]
    assert _found(iter(near), least, len(near)) == (found if len(found) / len(near) >= least else [])
