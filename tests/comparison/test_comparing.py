"""Words follow numbers: which state two revisions allow, and the sentence that says so."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from msgspec.structs import replace
from support.builders import query, raws, request
from support.comparisons import cluster, coverage, runs, scattered, side

from forensics.comparison import compare
from forensics.comparison.test_changes import compare_tests
from forensics.model import (
    Change,
    ChangeState,
    CutBy,
    EntryRef,
    Exposure,
    ExposureKind,
    FailureClass,
    Level,
    OccurrenceUnit,
    Role,
    RulebookInfo,
    Sampled,
    Spread,
)
from forensics.model.spread import write_places
from forensics.pipeline import analyze
from forensics.rendering import render_report

INFO = RulebookInfo(count=0, folders=(), overridden=())

NEW, GONE, WORSE, BETTER = ChangeState.NEW, ChangeState.GONE, ChangeState.WORSE, ChangeState.BETTER
SAME, UNCLEAR, NOT_COMPARABLE = ChangeState.NO_CHANGE, ChangeState.UNCLEAR, ChangeState.NOT_COMPARABLE
ALONE = " against 00000 alone; how much revisions differ by themselves is not known; --baseline previous:5 asks"


def change(before: int, after: int, requests: tuple[int, int] = (1000, 1000), **fields: Any) -> Change:
    """Compare one signature with these numbers of requests."""
    sides = [
        side(f"shop-0000{at}", {"x": n}, exposure=Exposure(requests=of, sessions=100, starts=10, lives=12), **fields)
        for at, (n, of) in enumerate(zip((before, after), requests, strict=True))
    ]
    (found,) = compare(*sides).changes
    return found


@pytest.mark.parametrize(
    ("before", "after", "requests", "state", "statement"),
    [
        (300, 310, (1000, 1000), SAME, "no detectable change"),
        (40, 4, (1000, 1000), BETTER, f"better{ALONE}"),
        (4, 40, (1000, 2000), WORSE, f"worse{ALONE}"),
        (46, 0, (1000, 1000), GONE, "gone, resolved: the old rate would have shown 46"),
        (
            46,
            0,
            (1000, 50),
            UNCLEAR,
            (
                "unclear; not seen now, not enough traffic to say it is gone (the old rate would have shown 2.3, "
                "3 are needed)"
            ),
        ),
        (5, 0, (1000, 1000), UNCLEAR, "unclear; 4 episodes cannot tell (6 are needed)"),
        (0, 33, (1000, 1000), NEW, "new, since the rate of now would have shown 33 before"),
        (
            0,
            33,
            (60, 1000),
            UNCLEAR,
            (
                "unclear; not seen before, not enough traffic to say it is new (the rate of now would have shown 2, "
                "3 are needed)"
            ),
        ),
    ],
)
def test_states_and_sentences(
    before: int, after: int, requests: tuple[int, int], state: ChangeState, statement: str
) -> None:
    found = change(before, after, requests)
    assert (found.state, found.statement.partition("): ")[2]) == (state, statement)
    assert found.statement.startswith(f"{before} ")


def test_the_numbers_stand_before_the_word() -> None:
    assert re.fullmatch(
        r"12( failures in \d+ episodes)? → 4 \(ratio 0\.33, 0\.\d\d–\d\.\d\d\): unclear", change(12, 4).statement
    )


def burst(before: int, after: int, each: int) -> Change:
    """Compare failures that come so many at a time in a thousand requests each."""
    bare = [cluster("x", n, OccurrenceUnit.REQUEST) for n in (before, after)]
    sides = [
        side(
            f"shop-0000{at}",
            {"x": one.occurrences},
            clusters=(replace(one, spread=scattered(one, each)),) if one.occurrences else (),
        )
        for at, one in enumerate(bare)
    ]
    (found,) = compare(*sides).changes
    return found


def test_one_outage_is_one_episode_and_tells_nothing() -> None:
    found = burst(22, 0, 22)
    assert found.state is UNCLEAR
    assert found.statement == (
        "22 failures in 1 episode → 0 (ratio 0.00, 0.00–5.81): unclear; one episode cannot tell (6 are needed)"
    )
    assert (found.episodes_before, found.episodes_after, found.episodes_needed) == (1, 0, 6)
    assert change(22, 0).state is GONE
    assert burst(88, 0, 11).state is GONE


def test_failures_in_bursts_are_fewer_than_they_look() -> None:
    assert burst(40, 100, 10).state is UNCLEAR
    assert change(40, 100).state is WORSE


def test_only_what_is_gone_is_called_resolved() -> None:
    dice = random.Random(5)  # noqa: S311 - the same cases every time
    states = set()
    for _ in range(120):
        before, after = dice.choice((0, dice.randint(0, 60))), dice.choice((0, dice.randint(0, 60)))
        if before + after:
            found = change(before, after, (dice.randint(1, 3000), dice.randint(1, 3000)))
            assert ("resolved" in found.statement) == (found.state is GONE)
            states.add(found.state)
    assert states == set(ChangeState) - {NOT_COMPARABLE}


def test_three_are_needed_and_more_when_chance_would_do() -> None:
    assert "not enough traffic" in change(2999, 0, (1_000_000, 1000)).statement
    assert "episodes cannot tell (3691 are needed)" in change(3000, 0, (1_000_000, 1000)).statement
    assert change(5000, 0, (1_000_000, 1000)).state is GONE


def test_clusters_of_one_signature_are_added_up_and_unknown_ones_go_by_fingerprint() -> None:
    unit = OccurrenceUnit.REQUEST
    before = side("r0", {"x": 3}, clusters=(cluster("x", 2, unit, group=("a",)), cluster("x", 1, unit, group=("b",))))
    unknown = [cluster(None, n, unit, fingerprint=name, title=name) for n, name in ((5, "f1"), (1, "f2"))]
    after = side("r1", {"x": 1}, clusters=(cluster("x", 1, unit, group=("c",)), *unknown))
    found = {
        (c.signature, c.fingerprint): (c.before, c.after, c.entries_before) for c in compare(before, after).changes
    }
    assert found == {("x", None): (3, 1, 6), (None, "f1"): (0, 5, 0), (None, "f2"): (0, 1, 0)}


def test_p_values_are_corrected_over_all_signatures() -> None:
    alone = change(3, 16)
    many = compare(
        side("r0", {"x": 3} | {f"n{i}": 5 for i in range(19)}), side("r1", {"x": 16} | {f"n{i}": 5 for i in range(19)})
    )
    among = next(c for c in many.changes if c.signature == "x")
    assert (alone.state, among.state) == (WORSE, UNCLEAR)
    assert among.p_value == alone.p_value == alone.p_corrected
    assert among.p_corrected == pytest.approx(20 * (alone.p_value or 0))


@pytest.mark.parametrize(
    ("unit", "failure_class", "measure"),
    [
        (OccurrenceUnit.REQUEST, FailureClass.HTTP_ERROR, ExposureKind.REQUESTS),
        (OccurrenceUnit.SESSION, FailureClass.WEBSOCKET_CLOSE, ExposureKind.SESSIONS),
        (OccurrenceUnit.LIFE, FailureClass.OOM, ExposureKind.STARTS),
        (OccurrenceUnit.BURST, FailureClass.IMPORT_ERROR, ExposureKind.STARTS),
        (OccurrenceUnit.BURST, FailureClass.TIMEOUT, ExposureKind.REQUESTS),
    ],
)
def test_the_exposure_is_chosen_by_what_an_occurrence_is(
    unit: OccurrenceUnit, failure_class: FailureClass, measure: ExposureKind
) -> None:
    clusters = (cluster("x", 5, unit, failure_class=failure_class),)
    (found,) = compare(side("r0", {"x": 5}, clusters=clusters), side("r1", {"x": 5}, clusters=clusters)).changes
    assert found.measure is measure
    assert found.measure_reason


def each_start_fails(number: int) -> Spread:
    """Every start of so many fails, one after the other."""
    places = write_places((at, 1, None) for at in range(number))
    return Spread(measure=ExposureKind.STARTS, of=number, failures=places, count=number)


def exposed(before: Exposure, after: Exposure, counts: tuple[int, int], unit: OccurrenceUnit) -> Change:
    sides = [
        side(f"r{at}", {"x": n}, exposure=exposure, unit=unit)
        for at, (n, exposure) in enumerate(zip(counts, (before, after), strict=True))
    ]
    (found,) = compare(*sides).changes
    return found


def test_another_exposure_stands_in_where_none_was_counted_and_says_so() -> None:
    bare = Exposure(requests=100, lives=4)
    found = exposed(bare, bare, (5, 5), OccurrenceUnit.SESSION)
    assert (found.measure, found.state) == (ExposureKind.REQUESTS, UNCLEAR)
    assert "WebSocket sessions could not be counted, so requests stand in" in found.measure_reason
    assert exposed(bare, bare, (2, 2), OccurrenceUnit.LIFE).measure is ExposureKind.LIVES


def test_no_traffic_is_no_cure() -> None:
    busy, idle = Exposure(requests=100, sessions=50), Exposure(requests=100, sessions=0)
    found = exposed(busy, idle, (40, 0), OccurrenceUnit.SESSION)
    assert found.state is NOT_COMPARABLE
    assert found.statement == "40 → 0: not comparable, no WebSocket sessions now, so nothing could have shown it"
    # Sessions failed though none was counted: all handshakes were refused, and requests tell how many were tried.
    assert exposed(busy, idle, (0, 40), OccurrenceUnit.SESSION).measure is ExposureKind.REQUESTS


def test_a_missing_request_log_is_not_comparable() -> None:
    found = exposed(Exposure(requests=100), Exposure(lives=3), (5, 0), OccurrenceUnit.REQUEST)
    assert found.state is NOT_COMPARABLE
    assert found.statement == "5 → 0: not comparable, the log that counts requests is absent now"


def test_all_of_twelve_starts_against_none_of_five_is_new() -> None:
    now = Exposure(starts=12, lives=12)
    crashed = (cluster("x", 12, OccurrenceUnit.LIFE, spread=each_start_fails(12)),)
    after = side("r1", {"x": 16}, clusters=crashed, exposure=now)
    (found,) = compare(side("r0", {"x": 0}, exposure=Exposure(starts=5, lives=5)), after).changes
    assert found.state is NEW
    assert found.p_value == pytest.approx(1 / 6188)
    assert exposed(Exposure(starts=2), now, (0, 12), OccurrenceUnit.LIFE).state is UNCLEAR


def cut(**fields: Any) -> dict[str, Any]:
    return {"coverage": coverage(truncated=None, truncation="exactly 50 entries each of ERROR, INFO", **fields)}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (cut(cut=CutBy.SEVERITY), "exactly 50 entries each"),
        (cut(cut=CutBy.LIMIT), "exactly 50 entries each"),
        (cut(), "exactly 50 entries each"),
        ({"signature_method": "2020-01"}, "grouped in two ways (2020-01 and"),
        ({"exposure": None}, "counted no exposure"),
        ({"revision": "all"}, "all revisions together"),
    ],
)
def test_what_keeps_two_sides_from_being_compared_is_said(fields: dict[str, Any], said: str) -> None:
    name = fields.pop("revision", "r0")
    found = compare(side(name, {"x": 46}, **fields), side("r1", {"x": 0}))
    assert said in (found.reason or "")
    assert [(c.state, said in c.statement, c.ratio) for c in found.changes] == [(NOT_COMPARABLE, True, None)]


def test_what_is_cut_in_time_is_compared_by_rates_and_said() -> None:
    found = compare(side("r0", {"x": 46}, **cut(cut=CutBy.TIME)), side("r1", {"x": 0}))
    assert (found.reason, found.changes[0].state) == (None, GONE)
    assert "rates are compared, totals are not" in found.caveats[0]


@pytest.mark.parametrize(
    ("versions", "said"),
    [({"x": 2}, "its rule is of version 1 in r0 and 2 in r1"), ({}, "it was not looked for in r1")],
)
def test_another_version_of_the_rule_is_not_comparable(versions: dict[str, int], said: str) -> None:
    found = compare(side("r0", {"x": 46}), side("r1", {}, versions=versions))
    assert found.changes[0].state is NOT_COMPARABLE
    assert said in found.changes[0].statement


def test_unknown_entries_that_were_analysed_from_other_levels_are_not_comparable() -> None:
    unknown = (cluster(None, 5, OccurrenceUnit.REQUEST),)
    found = compare(side("r0", {}, level=Level.WARNING, clusters=unknown), side("r1", {}))
    assert found.changes[0].state is NOT_COMPARABLE


def test_occurrences_of_two_kinds_are_not_comparable() -> None:
    found = compare(side("r0", {"x": 5}, unit=OccurrenceUnit.LIFE), side("r1", {"x": 5}))
    assert found.changes[0].statement == "5 → 5: not comparable, counted by instance starts before and by requests now"


def test_the_worst_comes_first_and_noise_last() -> None:
    unit = OccurrenceUnit.REQUEST
    before = side("r0", {"gone": 50, "worse": 5, "same": 9, "noise": 0, "fresh": 0})
    routine = cluster("noise", 99, unit, role=Role.NOISE)
    counts = {"worse": 60, "same": 9, "fresh": 40}
    after = side("r1", counts, clusters=(routine, *(cluster(name, n, unit) for name, n in counts.items())))
    after = side("r1", counts | {"noise": 0, "gone": 0}, clusters=after.clusters)
    comparison = compare(before, after)
    assert [c.signature for c in comparison.changes] == ["fresh", "worse", "same", "gone", "noise"]
    assert comparison.counts() == {NEW: 2, WORSE: 1, UNCLEAR: 1, GONE: 1}


def poisson(dice: random.Random, mean: float) -> int:
    arrivals, time = 0, dice.expovariate(1.0)
    while time < mean:
        arrivals, time = arrivals + 1, time + dice.expovariate(1.0)
    return arrivals


def test_a_real_change_is_found() -> None:
    dice = random.Random(12)  # noqa: S311 - the same cases every time
    found = sum(change(poisson(dice, 40), poisson(dice, 4)).state is BETTER for _ in range(60))
    assert found > 54


def test_tests_are_compared_by_fisher() -> None:
    assert compare_tests(runs({"m": (1, 2)}), runs({"m": (3, 0)})).total.statement == (
        "1/3 → 3/3 passed (p = 0.40): no detectable change"
    )
    one, two = ({f"m{i}": (2, int(i >= n)) for i in range(16)} for n in (6, 9))
    assert compare_tests(runs(one), runs(two)).modules_passed.statement == (
        "6/16 → 9/16 passed (p = 0.48): no detectable change"
    )
    clear = compare_tests(runs({"m": (0, 20), "n": (5, 0)}), runs({"m": (20, 0), "n": (5, 0)}))
    assert [(row.name, row.state) for row in clear.modules] == [("m", BETTER), ("n", SAME)]
    assert compare_tests(runs({"m": (20, 0)}), runs({"m": (0, 20)})).total.state is WORSE


def test_tests_that_came_went_or_did_not_run_are_named() -> None:
    before = runs({"m": (2, 0)}, {"m::a": "passed", "m::b": "passed", "m::gone": "failed"})
    after = runs({"m": (1, 0)}, {"m::a": "passed", "m::b": "not_run", "m::new": "skipped"}, not_run=1)
    found = compare_tests(before, after)
    assert (found.appeared, found.vanished, found.not_run) == (("m::new",), ("m::gone",), ("m::b", "m::new"))
    assert (found.total.passed_after, found.total.ran_after) == (1, 1)


def test_a_module_that_did_not_run_is_not_comparable() -> None:
    (row,) = compare_tests(runs({"m": (4, 0)}), runs({"m": (0, 0)})).modules
    assert (row.state, row.p_value) == (NOT_COMPARABLE, None)
    assert row.statement == "4/4 → 0/0 passed: not comparable, no test ran now"


def test_words_from_logs_are_no_markup_in_the_document() -> None:
    unknown = cluster(None, 40, OccurrenceUnit.REQUEST, title="<b>x</b> | [a](http://evil.example)")
    comparison = compare(side("r0", {}), side("r1", {}, clusters=(unknown,)))
    first = analyze(raws(request(200, at=0, latency=0.1)), [], query(), rulebook=INFO, tool_version="t").report
    documents = dict(render_report(replace(first, comparison=comparison)))
    for name in ("comparison.md", "index.md"):
        assert "**new**" in documents["index.md"]
        assert "<b>" not in documents[name]
        assert "](http://evil" not in documents[name]


def sampled(
    before: int, after: int, margin: int, unit: OccurrenceUnit = OccurrenceUnit.REQUEST, **fields: Any
) -> Change:
    """Compare one signature in 100,000 requests on each side; the later number has a margin."""
    exposure = Exposure(requests=100_000, sessions=100, starts=10, lives=12)
    later = replace(exposure, requests_margin=margin, sessions=None if margin else 100)
    at = Sampled(from_time="2026-05-01T12:00:00Z", to_time="2026-05-01T13:00:00Z", one_in=10, listed=9_000)
    seen = (
        coverage(truncated=True, cut=CutBy.SAMPLE, truncation="of the requests …", sampled=(at,))
        if margin
        else coverage()
    )
    first = side(
        "shop-00001", {}, clusters=(cluster("x", before, unit, **fields),), versions={"x": 1}, exposure=exposure
    )
    now = (cluster("x", after, unit, **fields),) if after else ()
    second = side("shop-00002", {}, clusters=now, versions={"x": 1}, exposure=later, coverage=seen)
    comparison = compare(first, second)
    assert comparison.reason is None
    assert any("give or take" in caveat for caveat in comparison.caveats) == bool(margin)
    return comparison.changes[0]


def test_what_a_sample_cannot_tell_apart_is_no_change() -> None:
    """A hundredth more of very many failures is far from chance, and may be the margin of the sample alone."""
    assert sampled(40_000, 41_000, 0).state is WORSE
    assert sampled(40_000, 41_000, 3_000).state is SAME
    clear = sampled(400, 1_200, 3_000)
    assert (clear.state, clear.ratio) == (WORSE, 3.0)
    exact = sampled(400, 1_200, 0)
    assert clear.ci_low is not None
    assert exact.ci_low is not None
    assert clear.ci_low < exact.ci_low
    assert sampled(400, 0, 3_000).state is GONE


def test_sessions_are_held_against_requests_where_these_were_sampled() -> None:
    assert sampled(40, 41, 0, OccurrenceUnit.SESSION).measure is ExposureKind.SESSIONS
    for after in (41, 0):
        assert sampled(40, after, 3_000, OccurrenceUnit.SESSION).measure is ExposureKind.REQUESTS


def test_a_failure_that_is_seen_in_requests_that_went_well_cannot_be_counted_in_a_sample() -> None:
    request_log = "projects/p/logs/run.googleapis.com%2Frequests"
    entry = EntryRef(
        insert_id="i",
        timestamp="t",
        log_name=request_log,
        level=Level.INFO,
        severity="INFO",
        message="GET /slow",
        url="",
    )
    found = sampled(40, 80, 3_000, level=Level.INFO, exemplars=(entry,))
    assert (found.state, "only a sample of the requests of shop-00002" in found.statement) == (NOT_COMPARABLE, True)
    assert sampled(40, 80, 3_000, level=Level.WARNING, exemplars=(entry,)).state is WORSE
    assert sampled(40, 80, 0, level=Level.INFO, exemplars=(entry,)).state is WORSE
