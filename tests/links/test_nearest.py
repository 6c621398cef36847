"""Which entry of a cause counts as the one beside a failure, and which of two links is the stronger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from support.builders import START, leaf, raw, request, rule, table

from forensics.clusters import find_lives, group
from forensics.links.control_groups import Event
from forensics.links.join import grade, strength
from forensics.links.nearest import _BITS, LATE, CauseEvents, SymptomColumns, _nearest
from forensics.model import DEFAULT_THRESHOLDS, ClusterId, JoinKey, Link, Nanoseconds, Role
from forensics.text.timestamps import format_time

SECOND = 1_000_000_000
WINDOW = Nanoseconds(2 * SECOND)
BASE = 1000


def nearest(*times: int, base: int = BASE, end: int = BASE, window: int = 100) -> int | None:
    """Return which of these times is nearest to a base."""
    found = _nearest([(time << _BITS) + number for number, time in enumerate(times)], base, end, window)
    return None if found is None else found >> _BITS


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ((990, 1005), 1005),
        ((995, 1010), 995),
        # As near before as behind: what comes first is the cause.
        ((995, 1005), 995),
        ((980, 990), 990),
        ((1005, 1010), 1005),
        ((999, 1000), 1000),
        ((1000, 1001), 1000),
        ((900,), 900),
        ((899,), None),
        ((899, 1010), 1010),
        ((), None),
    ],
)
def test_the_entry_of_a_cause_that_is_nearest_in_time_counts(times: tuple[int, ...], found: int | None) -> None:
    assert nearest(*times) == found


def test_an_entry_counts_until_a_quarter_of_a_second_behind_the_end() -> None:
    for end in (BASE, BASE + SECOND):
        latest = end + SECOND // 4
        assert nearest(latest, end=end) == latest
        assert nearest(latest + 1, end=end) is None


@given(
    times=st.lists(st.integers(0, 60), unique=True).map(sorted),
    base=st.integers(10, 40),
    lasts=st.integers(0, 10),
    window=st.integers(1, 20),
)
def test_no_entry_in_the_window_is_nearer_than_the_one_that_counts(
    times: list[int], base: int, lasts: int, window: int
) -> None:
    found = nearest(*times, base=base, end=base + lasts - LATE, window=window)
    allowed = [time for time in times if base - window <= time <= base or base < time <= base + lasts]
    assert found == min(allowed, key=lambda time: (abs(base - time), time), default=None)


# ── where it is looked for ───────────────────────────────────────────────────────────────────────────────────────────

RULES = (rule("gone", leaf(contains="gone")), rule("failed", leaf("httpRequest.status", at_least=500), Role.SYMPTOM))


def moments(*records: dict[str, Any]) -> tuple[CauseEvents, SymptomColumns]:
    entries = table(*records, rules=RULES)
    by_id = {one.id: one for one in RULES}
    clusters, members = group(entries, by_id, find_lives(entries))
    occurrences = dict(zip([one.signature for one in clusters], members, strict=True))
    symptom = next(one for one in clusters if one.signature == "failed")
    sought = SymptomColumns(symptom, occurrences["failed"], entries)
    return CauseEvents(occurrences["gone"].occurrences, [sought], entries), sought


def gone(nanoseconds: int, **fields: Any) -> dict[str, Any]:
    return raw("gone", severity="ERROR", timestamp=format_time(START + nanoseconds), **fields)


def failed(end: float, **fields: Any) -> dict[str, Any]:
    return request(500, at=end - 1, latency=1, **fields)


def test_a_lag_is_exact_and_names_the_occurrence() -> None:
    found, sought = moments(gone(9_900_000_001), gone(19_800_000_003), gone(29_700_000_005), failed(10), failed(30))
    assert list(found.nearest(sought, WINDOW)) == [
        (99_999_999, "instance", 0, False),
        (299_999_995, "instance", 2, False),
    ]


def test_the_trace_comes_before_what_is_nearer_in_the_instance() -> None:
    records = [failed(10, trace="a"), gone(9_000_000_000, trace="a"), gone(9_500_000_000), failed(30, trace="b")]
    found, sought = moments(*records, gone(29_500_000_000), failed(50, trace="c"))
    assert list(found.nearest(sought, WINDOW)) == [
        (SECOND, "trace", 0, False),
        (SECOND // 2, "instance", 1, False),
        None,
    ]


def test_an_entry_of_no_instance_may_explain_any_and_one_of_another_instance_none() -> None:
    records = [gone(9_500_000_000, instance=""), gone(19_500_000_000, instance="i2")]
    found, sought = moments(*records, failed(10), failed(20), failed(20.1, instance=""))
    assert list(found.nearest(sought, WINDOW)) == [
        (SECOND // 2, "revision", 0, False),
        None,
        (SECOND * 6 // 10, "revision", 1, False),
    ]


def test_occurrences_that_another_error_of_their_trace_explains_are_left_out() -> None:
    _, sought = moments(gone(1), failed(10, trace="a"), failed(20, trace="b"), failed(30))
    first, second, _ = sought.traces
    own, other = ClusterId("own"), ClusterId("other")
    given_ = {first: {own}, second: {other}}

    def kept(cause: str, given: dict[int, set[ClusterId]], *, declared: bool) -> list[int]:
        left = sought.left_to(ClusterId(cause), given, declared=declared)
        assert (left.total, len(left.bases), len(left.case.events)) == (3, len(left.numbers), len(left.numbers))
        return list(left.numbers)

    assert kept("own", given_, declared=False) == [0, 2]
    assert kept("own", given_, declared=True) == [0, 2]
    assert kept("elsewhere", given_, declared=False) == [2]
    # A database that is down stands in no trace, and may be what those errors come from.
    assert kept("elsewhere", given_, declared=True) == [0, 1, 2]
    assert kept("elsewhere", {}, declared=False) == [0, 1, 2]


def test_between_two_moments_means_behind_the_first_and_not_behind_the_second() -> None:
    found, _ = moments(gone(10), gone(20, instance="i2"), gone(30, instance=""), failed(40))
    at = START + 10
    for start, end, stands in (
        (at - 1, at, True),
        (at - 2, at + 5, True),
        (at - 3, at - 1, False),
        (at, at + 5, False),
    ):
        assert found.stands_between("i1", start, end) is stands
    # What names no instance counts for one that logged nothing; for a symptom of no instance all count.
    assert found.times_for("i3") == [START + 30]
    assert found.times_for("i1") == [START + 10]
    assert found.times_for("") == [START + 10, START + 20, START + 30]


def test_the_times_of_symptom_and_cause_stand_side_by_side_for_each_instance() -> None:
    records = [gone(9_500_000_000), gone(19_500_000_000, instance="i2"), gone(29_500_000_000, instance="")]
    found, sought = moments(*records, failed(30), failed(10), failed(20, instance="i2"), failed(40, instance="i3"))
    at = {name: START + int(seconds * SECOND) for name, seconds in (("i1", 9.5), ("i2", 19.5), ("", 29.5))}
    ends = [START + seconds * SECOND for seconds in (10, 20, 30, 40)]
    by_instance = found.beside(sought, JoinKey.INSTANCE)
    # What names no instance stands for an instance without entries of its own.
    assert sorted(zip(*by_instance, strict=True)) == [
        ([ends[0], ends[2]], [at["i1"]]),
        ([ends[1]], [at["i2"]]),
        ([ends[3]], [at[""]]),
    ]
    assert found.beside(sought, JoinKey.REVISION) == ([ends], [[at["i1"], at["i2"], at[""]]])


def test_a_symptom_of_no_instance_is_held_against_the_cause_on_all() -> None:
    found, sought = moments(gone(9_500_000_000), failed(10, instance=""), failed(30, instance=""))
    assert found.beside(sought, JoinKey.INSTANCE) == (
        [[START + 10 * SECOND, START + 30 * SECOND]],
        [[START + 9_500_000_000]],
    )


def test_the_distance_from_any_moment_is_that_to_the_nearest_entry_that_may_explain_it() -> None:
    found, _ = moments(gone(9_500_000_000), gone(29_500_000_000, instance=""), failed(10))
    distance = found.distance(WINDOW)

    def at(seconds: float, instance: str) -> int:
        time = START + round(seconds * SECOND)
        return distance(Event(time, time, instance))

    assert at(10, "i1") == at(10, "") == SECOND // 2
    assert at(9.4, "i1") == SECOND // 10
    assert at(10, "i2") == WINDOW
    assert at(30, "i1") == at(30, "i2") == at(30, "") == SECOND // 2
    assert at(20, "i1") == at(20, "") == WINDOW


# ── which is stronger ────────────────────────────────────────────────────────────────────────────────────────────────


def joined(**fields: Any) -> Link:
    rest: dict[str, Any] = {
        "symptom": ClusterId("s"),
        "cause": ClusterId("c"),
        "by": "instance",
        "declared": True,
        "explained": 9,
        "of": 10,
        "causes": 9,
        "within": 2.0,
        "lag": (0.1, 0.5),
        "coverage": 0.9,
        "lift": 50.0,
        "p_value": 0.01,
        "order_p": 0.004,
        "in_step": 0.9,
    }
    return Link(**(rest | fields))


def test_a_link_that_meets_the_thresholds_comes_before_one_that_may_be_and_one_that_is_chance() -> None:
    assert grade(joined()) == 0
    assert grade(joined(coverage=0.7)) == grade(joined(of=2)) == 1
    assert grade(joined(coverage=0.7, p_value=0.2)) == grade(joined(lift=1.5)) == 2


@pytest.mark.parametrize(
    ("fields", "meets"),
    [
        ({}, True),
        ({"order_p": 0.02, "in_step": 0.3}, True),
        ({"order_p": 0.021}, False),
        ({"in_step": 0.29}, False),
        ({"order_p": None, "in_step": None}, False),
        ({"by_clock": 0.02}, True),
        ({"by_clock": 0.021}, False),
        # One trace is order enough.
        ({"by": JoinKey.TRACE, "order_p": None, "in_step": None}, True),
        ({"by": JoinKey.TRACE, "p_value": None, "lift": None, "order_p": None}, True),
        ({"by": JoinKey.TRACE, "of": 2, "explained": 2, "coverage": 1.0}, False),
    ],
)
def test_a_link_supports_an_answer_where_its_symptom_keeps_one_lag_and_not_only_time(
    fields: dict[str, Any], *, meets: bool
) -> None:
    assert joined(**fields).meets(DEFAULT_THRESHOLDS) is meets


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (joined(lift=5.0, declared=False), joined(coverage=0.7, lift=500.0)),
        (joined(lift=100.0, declared=False), joined(lift=99.0)),
        (joined(), joined(lift=99.0, declared=False, by=JoinKey.TRACE)),
        (joined(by=JoinKey.TRACE, coverage=0.8), joined()),
        (joined(), joined(by=JoinKey.REVISION, coverage=1.0)),
        (joined(lag=(0.3, 0.5)), joined(coverage=0.88)),
        # Hundredths count, thousandths do not.
        (joined(coverage=0.901), joined(coverage=0.904, lag=(0.2, 0.5))),
        (joined(lag=(0.1, 9.0)), joined(lag=(0.2, 0.3))),
        (joined(lag=(-0.1, 9.0)), joined(lag=(0.2, 0.3))),
        (joined(lag=(90.0, 99.0)), joined(lag=None)),
        # What cannot be tested stands with a lift of one to ten: above what is rarer beside the failure than elsewhere.
        (joined(coverage=0.7, p_value=None, lift=None, declared=False), joined(p_value=None, coverage=0.7, lift=0.5)),
        (joined(p_value=None, lift=5.0), joined(p_value=None, lift=None, declared=False)),
    ],
)
def test_of_two_links_the_stronger_is_told_by_the_first_thing_in_which_they_differ(
    stronger: Link, weaker: Link
) -> None:
    assert strength(stronger) < strength(weaker)
