"""Which outcome a comparison allows, corner by corner."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from support.builders import query, raw, raws, request
from support.comparisons import cluster, coverage, side

from forensics.comparison import compare
from forensics.comparison.gating import judge
from forensics.errors import BaselineError
from forensics.model import (
    CutBy,
    EntryRef,
    Exposure,
    GateResult,
    GateThresholds,
    Level,
    OccurrenceUnit,
    Outcome,
    Priority,
    Report,
    Role,
    RulebookInfo,
    Sampled,
)
from forensics.pipeline import analyze

INFO = RulebookInfo(count=0, folders=(), overridden=())
PASS, FAIL, NOT_ENOUGH = Outcome.PASS, Outcome.FAIL, Outcome.NOT_ENOUGH
ENOUGH = Exposure(requests=1000, sessions=100, starts=10, lives=12)
Counts = dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def report() -> Report:
    records = raws(request(200, at=0, latency=0.1), raw("ok", at=5))
    return analyze(records, [], query(), rulebook=INFO, tool_version="t").report


def compared(
    report: Report,
    counts: Counts,
    *,
    exposures: tuple[Exposure | None, Exposure | None] = (ENOUGH, ENOUGH),
    priority: Priority = Priority.P1,
    role: Role = Role.CAUSE,
    unit: OccurrenceUnit = OccurrenceUnit.REQUEST,
    cut: int | None = None,
    **fields: Any,
) -> Report:
    """Compare signatures with occurrences (before, after); `cut` is the side that a limit has cut."""
    sides = []
    for at in (0, 1):
        clusters = tuple(
            cluster(name, n[at], unit, priority=priority, role=role) for name, n in counts.items() if n[at]
        )
        seen = (
            coverage(truncated=None, cut=CutBy.LIMIT, truncation="exactly 1,000 entries") if cut == at else coverage()
        )
        sides.append(side(f"r{at}", dict.fromkeys(counts, 0), clusters=clusters, coverage=seen, exposure=exposures[at]))
    return replace(report, comparison=compare(*sides), clusters=sides[1].clusters, **fields)


def gate(report: Report, counts: Counts, *, thresholds: GateThresholds | None = None, **fields: Any) -> GateResult:
    """Judge what was compared."""
    return judge(compared(report, counts, **fields), thresholds or GateThresholds())


@pytest.mark.parametrize(
    ("before", "after", "priority", "outcome", "said"),
    [
        (0, 40, Priority.P1, FAIL, "a new P1 fails (--max-new P1)"),
        (0, 40, Priority.P2, PASS, "a new P2 does not fail (--max-new P1)"),
        (0, 1, Priority.P0, FAIL, "a P0 that the baseline does not show fails at first sight"),
        (0, 1, Priority.P1, PASS, "what is not shown to be new does not fail below P0"),
        (5, 60, Priority.P2, FAIL, "above the limit of 1.5 (--max-ratio)"),
        (200, 300, Priority.P0, PASS, "within the limit of 1.5 (--max-ratio)"),
        (40, 45, Priority.P0, PASS, "no signature of P1 or above is new"),
        (40, 2, Priority.P0, PASS, "no signature of P1 or above is new"),
        (40, 0, Priority.P0, PASS, "no signature of P1 or above is new"),
    ],
)
def test_what_a_change_means(
    *, report: Report, before: int, after: int, priority: Priority, outcome: Outcome, said: str
) -> None:
    result = gate(report, {"x": (before, after)}, priority=priority)
    assert result.outcome is outcome
    assert any(said in reason.statement for reason in result.reasons)


def test_no_failures_and_enough_traffic_pass(report: Report) -> None:
    assert gate(report, {}).outcome is PASS
    few = replace(ENOUGH, requests=499)
    for exposure in (few, replace(ENOUGH, requests=1)):
        result = gate(report, {}, exposures=(ENOUGH, exposure))
        assert result.outcome is NOT_ENOUGH
        assert [reason.title for reason in result.deciding()] == ["traffic"]
    assert gate(report, {}, exposures=(ENOUGH, replace(ENOUGH, requests=500))).outcome is PASS


def test_without_a_request_log_silence_does_not_pass_unless_none_is_asked_for(report: Report) -> None:
    none = replace(ENOUGH, requests=None)
    result = gate(report, {}, exposures=(ENOUGH, none))
    assert (result.outcome, "nothing tells its traffic" in result.reasons[0].statement) == (NOT_ENOUGH, True)
    assert gate(report, {}, exposures=(none, none), thresholds=GateThresholds(min_requests=0)).outcome is PASS


def test_what_is_bad_fails_with_little_traffic_too(report: Report) -> None:
    few = replace(ENOUGH, requests=30)
    assert gate(report, {"x": (0, 1)}, priority=Priority.P0, exposures=(ENOUGH, few)).outcome is FAIL
    assert gate(report, {"x": (3, 25)}, exposures=(ENOUGH, few)).outcome is FAIL


@pytest.mark.parametrize("cut", [0, 1])
def test_a_side_that_was_cut_never_passes(report: Report, cut: int) -> None:
    result = gate(report, {"x": (5, 5)}, cut=cut)
    assert result.outcome is NOT_ENOUGH
    assert [reason.title for reason in result.deciding()] == ["comparison"]
    assert "exactly 1,000 entries" in result.deciding()[0].statement
    assert gate(report, {}, cut=cut).outcome is NOT_ENOUGH
    assert gate(report, {"x": (0, 2)}, cut=cut, priority=Priority.P0).outcome is FAIL


def test_a_baseline_without_exposure_leaves_what_fails_now_open(report: Report) -> None:
    absent = replace(ENOUGH, requests=None)
    result = gate(report, {"x": (0, 9)}, exposures=(absent, ENOUGH))
    assert (result.outcome, result.deciding()[0].signature) == (NOT_ENOUGH, "x")
    assert gate(report, {}, exposures=(absent, ENOUGH)).outcome is PASS
    assert gate(report, {"x": (4, 4)}, exposures=(None, ENOUGH)).outcome is NOT_ENOUGH


def test_a_baseline_with_little_traffic_does_not_tell_what_is_new(report: Report) -> None:
    few = replace(ENOUGH, requests=40)
    result = gate(report, {"x": (0, 20)}, exposures=(few, ENOUGH))
    assert result.outcome is NOT_ENOUGH
    assert "r0 had too little traffic" in result.deciding()[0].statement
    assert gate(report, {"x": (0, 20)}, exposures=(few, ENOUGH), priority=Priority.P2).outcome is PASS


def sampled(requests: int, margin: int) -> Exposure:
    return replace(ENOUGH, requests=requests, requests_margin=margin)


def test_of_a_sample_the_least_that_it_may_stand_for_counts_as_traffic(report: Report) -> None:
    """Of 520 requests give or take 30 there may have been 490 only, and 500 are needed."""
    at = Sampled(from_time="2026-03-01T10:00:00Z", to_time="2026-03-01T11:00:00Z", one_in=10, listed=52)
    seen = replace(report.coverage, sampled=(at,))
    result = gate(report, {}, exposures=(ENOUGH, sampled(520, 30)), coverage=seen)
    assert result.outcome is NOT_ENOUGH
    (reason,) = result.deciding()
    assert reason.statement == (
        "about 520 requests (give or take 30: from 2026-03-01T10:00:00Z on a sample of one in 10 was counted) so far, "
        "500 are needed (--min-requests)"
    )
    assert gate(report, {}, exposures=(ENOUGH, sampled(530, 30)), coverage=seen).outcome is PASS
    assert gate(report, {}, exposures=(ENOUGH, sampled(529, 30)), coverage=seen).outcome is NOT_ENOUGH


def test_a_sampled_baseline_tells_what_is_new_by_the_least_that_it_may_stand_for(report: Report) -> None:
    for before, outcome in ((sampled(520, 30), NOT_ENOUGH), (sampled(529, 30), NOT_ENOUGH), (sampled(530, 30), PASS)):
        result = gate(report, {"x": (0, 1)}, exposures=(before, ENOUGH))
        assert (result.outcome, result.reasons[-1].signature) == (outcome, "x")


def test_a_baseline_without_a_request_does_not_tell_what_is_new_even_where_one_is_asked_for(report: Report) -> None:
    starts_alone, one = Exposure(starts=10, lives=12), GateThresholds(min_requests=1)
    result = gate(report, {"x": (0, 1)}, exposures=(starts_alone, ENOUGH), unit=OccurrenceUnit.LIFE, thresholds=one)
    assert result.outcome is NOT_ENOUGH
    assert "r0 had too little traffic" in result.deciding()[0].statement


@pytest.mark.parametrize(("number", "said"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests")])
def test_how_much_traffic_there_was_is_said_in_numbers(report: Report, number: int, said: str) -> None:
    result = gate(report, {}, exposures=(ENOUGH, replace(ENOUGH, requests=number)))
    assert result.deciding()[0].statement == f"{said} so far, 500 are needed (--min-requests)"


def test_a_pass_says_first_that_nothing_speaks_against_it_and_in_how_much_traffic(report: Report) -> None:
    result = gate(report, {"x": (0, 40)}, priority=Priority.P2)
    assert [reason.title for reason in result.reasons] == ["all signatures", "title of x"]
    said = "no signature of P1 or above is new, and none is worse by more than 1.5"
    assert result.reasons[0].statement == f"{said} in 1,000 requests"
    none = replace(ENOUGH, requests=None)
    silent = gate(report, {}, exposures=(none, none), thresholds=GateThresholds(min_requests=0))
    assert silent.reasons[0].statement == said


def test_a_reason_cites_five_entries_at_most(report: Report) -> None:
    refs = tuple(
        EntryRef(insert_id=f"id{n}", timestamp="", log_name="", level=Level.ERROR, severity=None, message="", url="")
        for n in range(7)
    )
    found = compared(report, {"x": (0, 40)})
    cited = replace(found, clusters=(replace(found.clusters[0], exemplars=refs),))
    assert judge(cited, GateThresholds()).reasons[0].evidence == ("id0", "id1", "id2", "id3", "id4")


def test_entries_without_payload_cannot_show_a_failure(report: Report) -> None:
    bare = replace(report.coverage, entries_selected=100, no_payload=51)
    assert gate(report, {}, coverage=bare).outcome is NOT_ENOUGH
    assert gate(report, {}, coverage=replace(bare, no_payload=50)).outcome is PASS


def test_unreadable_records_are_said(report: Report) -> None:
    result = gate(report, {}, coverage=replace(report.coverage, unreadable=3))
    assert result.caveats == ("3 records could not be read; what they say is not judged",)


def test_fails_come_first_and_cite_entries(report: Report) -> None:
    result = gate(report, {"a": (5, 5), "b": (0, 40), "c": (5, 60)}, exposures=(ENOUGH, replace(ENOUGH, requests=400)))
    assert [(r.outcome, r.signature) for r in result.reasons] == [(FAIL, "b"), (FAIL, "c"), (NOT_ENOUGH, None)]
    assert [r.signature for r in result.deciding()] == ["b", "c"]


def test_without_a_comparison_there_is_nothing_to_judge(report: Report) -> None:
    with pytest.raises(BaselineError, match="name a --baseline"):
        judge(report, GateThresholds())


NUMBERS = st.integers(0, 300)
TRAFFIC = st.one_of(st.none(), st.integers(1, 3000))
LIMITS = st.builds(
    GateThresholds,
    max_new=st.sampled_from(Priority),
    max_ratio=st.floats(1, 5),
    min_requests=st.integers(0, 2000),
)


@given(before=NUMBERS, after=NUMBERS, limits=LIMITS)
def test_noise_never_decides(report: Report, before: int, after: int, limits: GateThresholds) -> None:
    counts = {"x": (before, after)} if before + after else {}
    result = gate(report, counts, role=Role.NOISE, priority=Priority.P3, thresholds=limits)
    assert result.outcome is (PASS if limits.min_requests <= 1000 else NOT_ENOUGH)


@given(before=NUMBERS, after=NUMBERS, old=TRAFFIC, now=TRAFFIC, limits=LIMITS, priority=st.sampled_from(Priority))
def test_what_holds_of_every_result(
    *,
    report: Report,
    before: int,
    after: int,
    old: int | None,
    now: int | None,
    limits: GateThresholds,
    priority: Priority,
) -> None:
    counts = {"x": (before, after)} if before + after else {}
    exposures = (replace(ENOUGH, requests=old), replace(ENOUGH, requests=now))
    result = gate(report, counts, exposures=exposures, thresholds=limits, priority=priority)
    assert result.deciding()
    if result.outcome is PASS:
        assert (now or 0) >= limits.min_requests
    if not after:
        assert result.outcome is not FAIL
    looser = replace(limits, max_ratio=limits.max_ratio * 2, min_requests=0, max_new=Priority.P0)
    relaxed = gate(report, counts, exposures=exposures, thresholds=looser, priority=priority)
    # Looser limits never make a result worse.
    assert list(Outcome).index(relaxed.outcome) >= list(Outcome).index(result.outcome)
