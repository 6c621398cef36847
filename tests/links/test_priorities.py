"""A rule's priority is the default; a share of the revision may move it by one step, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from support.comparisons import cluster, coverage

from forensics.links import adjust_priorities, extent_of
from forensics.links.priorities import Extent
from forensics.model import (
    Cluster,
    ClusterId,
    CutBy,
    Exposure,
    JoinKey,
    Life,
    Link,
    Nanoseconds,
    OccurrenceUnit,
    Priority,
    Role,
)

P0, P1, P2, P3 = Priority
REQUEST, SESSION, LIFE, BURST = (
    OccurrenceUnit.REQUEST,
    OccurrenceUnit.SESSION,
    OccurrenceUnit.LIFE,
    OccurrenceUnit.BURST,
)


def extent(requests: int | None = None, *, lives: int = 0, ended: int = 0, sessions: int | None = None) -> Extent:
    return Extent(exposure=Exposure(requests=requests, sessions=sessions), lives=lives, ended=ended)


def one(name: str, count: int, unit: OccurrenceUnit, priority: Priority = P1, **fields: Any) -> Cluster:
    return cluster(name, count, unit, priority=priority, priority_reason=f"set by rule {name}", **fields)


def linked(symptom: Cluster, cause: Cluster, explained: int, of: int) -> Link:
    return Link(
        symptom=symptom.id,
        cause=cause.id,
        by=JoinKey.TRACE,
        declared=True,
        explained=explained,
        of=of,
        causes=1,
        within=5.0,
        lag=(0.0, 0.0),
        coverage=explained / of,
    )


def weighed(found: Cluster, seen: Extent | None) -> tuple[Priority, str]:
    (result,) = adjust_priorities([found], [], {}, seen)
    return result.priority, result.priority_reason


@pytest.mark.parametrize(
    ("found", "seen", "priority", "reason"),
    [
        (
            one("x", 12, LIFE, P0),
            extent(lives=13, ended=12),
            P0,
            "set by rule x; all 12 instance lives that ended show it",
        ),
        (
            one("x", 12, LIFE),
            extent(lives=13, ended=12),
            P0,
            "raised from P1 to P0: all 12 instance lives that ended show it (set by rule x)",
        ),
        (one("x", 11, LIFE), extent(lives=13, ended=12), P1, "set by rule x"),
        # One life that ended is no pattern, nor are five among a hundred that live on.
        (one("x", 1, LIFE), extent(lives=1, ended=1), P1, "set by rule x"),
        (one("x", 5, LIFE), extent(lives=100, ended=5), P1, "set by rule x"),
        # What every request logs says nothing of those that were answered.
        (one("x", 18, REQUEST, P2), extent(18), P2, "set by rule x"),
        (one("x", 9, REQUEST), extent(9), P1, "set by rule x"),
        (one("x", 17, REQUEST), extent(18), P1, "set by rule x"),
        (one("x", 1, REQUEST), extent(4000), P2, "lowered from P1 to P2: 1 of 4,000 requests (set by rule x)"),
        (one("x", 1, REQUEST, P0), extent(4000), P1, "lowered from P0 to P1: 1 of 4,000 requests (set by rule x)"),
        # A failure does not become noise, and a small exposure has no small share.
        (one("x", 1, REQUEST, P2), extent(4000), P2, "set by rule x"),
        (one("x", 1, REQUEST), extent(999), P1, "set by rule x"),
        (one("x", 5, REQUEST), extent(4000), P1, "set by rule x"),
        # A burst is no part of the requests.
        (one("x", 1, BURST), extent(4000), P1, "set by rule x"),
        (one("x", 1, REQUEST), None, P1, "set by rule x"),
        (one("x", 50, REQUEST, P3, role=Role.NOISE), extent(50), P3, "set by rule x"),
    ],
)
def test_shares(found: Cluster, seen: Extent | None, priority: Priority, reason: str) -> None:
    assert weighed(found, seen) == (priority, reason)


def test_values_that_split_a_signature_do_not_make_each_of_them_small() -> None:
    split = [one("x", 3, REQUEST, id=ClusterId(f"x-{n}")) for n in range(4)]
    assert {c.priority for c in adjust_priorities(split[:1], [], {}, extent(4000))} == {P2}
    assert {c.priority for c in adjust_priorities(split, [], {}, extent(4000))} == {P1}


def test_a_single_cause_of_many_failures_is_not_small() -> None:
    cause, symptom = one("cause", 1, SESSION), one("http", 400, REQUEST, role=Role.SYMPTOM)
    link = linked(symptom, cause, 300, 400)
    seen = extent(4000, sessions=2000)
    assert [c.priority for c in adjust_priorities([cause, symptom], [link], {symptom.id: link}, seen)] == [P1, P1]
    assert [c.priority for c in adjust_priorities([cause, symptom], [], {}, seen)] == [P2, P1]


def test_a_symptom_is_no_more_urgent_than_the_root_that_explains_it() -> None:
    cause, symptom = one("cause", 20, REQUEST, P2), one("http", 20, REQUEST, P1, role=Role.SYMPTOM)
    link = linked(symptom, cause, 20, 20)
    found = adjust_priorities([cause, symptom], [link], {symptom.id: link}, None)[1]
    assert found.priority is P2
    assert found.priority_reason == (
        "lowered from P1 to P2: no more urgent than cause, which explains it (set by rule http)"
    )
    half = linked(symptom, cause, 10, 20)
    assert adjust_priorities([cause, symptom], [half], {symptom.id: half}, None)[1].priority is P1


def test_what_has_a_root_is_not_raised() -> None:
    cause, symptom = one("cause", 12, LIFE), one("exit", 12, LIFE, role=Role.SYMPTOM)
    link = linked(symptom, cause, 12, 12)
    found = adjust_priorities([cause, symptom], [link], {symptom.id: link}, extent(lives=12, ended=12))
    assert [c.priority for c in found] == [P0, P1]


@pytest.mark.parametrize(
    ("revision", "fields", "known"),
    [
        ("r", {}, True),
        ("r", {"truncated": None, "cut": CutBy.SEVERITY}, False),
        ("r", {"truncated": None, "cut": CutBy.TIME}, True),
        ("r", {"truncated": None, "cut": CutBy.LIMIT}, True),
        ("r", {"truncated": True, "cut": CutBy.LIMIT}, False),
        ("r", {"truncated": True}, False),
        ("r", {"levels": {"ERROR": 9, "WARNING": 2}}, False),
        ("all", {}, False),
    ],
)
def test_shares_are_known_of_one_revision_that_was_read_whole(
    revision: str, fields: dict[str, Any], *, known: bool
) -> None:
    seen = coverage(**({"levels": {"INFO": 5, "ERROR": 1}} | fields))
    time = Nanoseconds(0)
    life = Life(instance="i", number=1, revision="r", start=time, end=time, ended=True, started=True)
    found = extent_of(revision, seen, Exposure(requests=5), [life])
    assert (found is not None) is known
    if found is not None:
        assert (found.lives, found.ended) == (1, 1)
        # What a limit has left does not show that something is rare.
        assert found.is_whole is (fields.get("cut") is not CutBy.LIMIT)
        assert weighed(one("x", 1, REQUEST), replace(found, exposure=Exposure(requests=4000)))[0] is (
            P2 if found.is_whole else P1
        )


@given(
    count=st.integers(1, 5000),
    of=st.integers(1, 5000),
    unit=st.sampled_from(OccurrenceUnit),
    priority=st.sampled_from(Priority),
    role=st.sampled_from(Role),
)
def test_no_share_moves_a_priority_by_more_than_one_step_or_into_noise(
    count: int, of: int, unit: OccurrenceUnit, priority: Priority, role: Role
) -> None:
    found, reason = weighed(one("x", count, unit, priority, role=role), extent(of, lives=of, ended=of, sessions=of))
    moved = list(Priority).index(found) - list(Priority).index(priority)
    assert moved in {-1, 0, 1}
    if role is Role.NOISE:
        assert not moved
    if moved > 0:
        assert found <= P2
    assert (f"from {priority} to {found}" in reason) == bool(moved)
