"""When "looked for and not found" proves absence: each condition by itself, with figures to check by hand."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from support.builders import REVISION, START, leaf, raw, rule, table
from support.comparisons import cluster, coverage

from forensics.clusters.occurrences import find_occurrences
from forensics.log.entry_table import ClusterEntries
from forensics.log.pulled_whole import EVERYTHING, PulledWhole
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Certificate,
    ClusterId,
    Gap,
    Level,
    Life,
    Nanoseconds,
    OccurrenceUnit,
    Pulled,
    PulledWindow,
    PullPart,
    Rule,
    RuleTests,
    Thresholds,
)
from forensics.text.timestamps import format_time
from forensics.whys.certificate import certify_absence, streams_of
from forensics.whys.contexts import NearbyEntries, RunContext, recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.log.entry_table import EntryTable

SECOND = 1_000_000_000
SYMPTOM = cluster("failed", 1, OccurrenceUnit.BURST)
HERE = {"stderr": 40}
LATER = (100, 200, 300)
"""Seconds after the first entry: with a window of ten seconds all three are recorded."""


def cause(*examples: dict[str, Any]) -> Rule:
    return replace(rule("cause", leaf(contains="gone")), tests=RuleTests(match=examples, no_match=()))


def run_of(
    ats: Sequence[float],
    lives: tuple[Life, ...] = (),
    whole: PulledWhole = EVERYTHING,
    *,
    seen: Any = None,
    severity: str | None = None,
    causes: Sequence[float] = (),
    on: str = "i1",
) -> RunContext:
    """A run with failures at these seconds; `causes` are those at which the cause was logged on the instance `on`."""
    loud = {"severity": severity} if severity else {}
    failures = [raw("it fails", at=at, number=n, **loud) for n, at in enumerate(ats)]
    entries = table(*failures, *(raw("gone", at=at, number=100 + n, instance=on) for n, at in enumerate(causes)))
    said = [entries.entry(row).message for row in entries.rows()]
    found, before = (
        find_occurrences([row for row in entries.rows() if said[row] == text], entries, {})
        for text in ("it fails", "gone")
    )
    gone = replace(SYMPTOM, id=ClusterId("gone"), signature="cause")
    return RunContext(
        clusters={SYMPTOM.id: SYMPTOM} | ({gone.id: gone} if causes else {}),
        members={
            about.id: ClusterEntries(cluster=about.id, representative=0, rows=rows, occurrences=those)
            for about, those, text in ((SYMPTOM, found, "it fails"), (gone, before, "gone"))
            if (rows := array("I", (row for row in entries.rows() if said[row] == text)))
        },
        rules={},
        links=(),
        parents={},
        lives=lives,
        table=entries,
        neighbours=NearbyEntries(entries),
        asked=lambda _condition, _table: None,
        coverage=coverage(**({"logs": HERE} | (seen or {}))),
        needed={},
        covered_from=START,
        whole=whole,
        deploys=(),
    )


def certified(
    *ats: float,
    by: Rule | None = None,
    lives: tuple[Life, ...] = (),
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    whole: PulledWhole = EVERYTHING,
    severity: str | None = None,
    causes: Sequence[float] = (),
    on: str = "i1",
    **seen: Any,
) -> Certificate:
    """Look for a cause in the ten seconds before failures at these seconds; `seen` is what the coverage says."""
    run = run_of(ats, lives, whole, seen=seen, severity=severity, causes=causes, on=on)
    return certify_absence(by or cause(), SYMPTOM, Nanoseconds(10 * SECOND), thresholds, run)


def gap(first: float, last: float) -> Gap:
    times = [format_time(START + round(at * SECOND)) for at in (first, last)]
    return Gap(from_time=times[0], to_time=times[1], seconds=last - first)


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_window_counts_when_it_begins_with_the_entries_or_behind_their_begin() -> None:
    assert certified(9.999999).windows == 0
    assert certified(10).windows == 1
    found = certified(2, 5, 300, 400)
    assert found.windows == 2
    assert "the 10 s before 2 of 4 occurrences were recorded" in found.facts


def test_a_window_before_the_entries_counts_where_the_start_of_the_instance_was_logged() -> None:
    life = Life(
        instance="i1",
        number=1,
        revision=REVISION,
        start=Nanoseconds(START),
        end=Nanoseconds(START + 60 * SECOND),
        ended=False,
        started=True,
    )
    assert certified(5, lives=(life,)).windows == 1
    assert certified(5, lives=(replace(life, started=False),)).windows == 0
    assert certified(5, lives=(replace(life, instance="i2"),)).windows == 0


def test_without_a_window_nothing_was_recorded() -> None:
    assert "the 10 s before 0 of 1 occurrence were recorded" in certified(5).lacks


def pulled_before(*seconds: float) -> PulledWhole:
    """A pull of errors with the ten seconds before these moments."""
    span = {"from_time": format_time(START), "to_time": format_time(START + 1000 * SECOND)}
    bounds = [[Nanoseconds(START + round((at - before) * SECOND)) for before in (10, 0)] for at in seconds]
    windows = tuple(PulledWindow("i1", start, end) for start, end in bounds)
    usual: dict[str, Any] = {"revision": REVISION, "done": True} | span
    errors = Pulled(part=PullPart.ERRORS, level="ERROR", **usual)
    return PulledWhole([errors, Pulled(part=PullPart.NEIGHBOURHOOD, windows=windows, **usual)], REVISION)


def test_where_windows_were_pulled_only_those_that_are_whole_count() -> None:
    whole = pulled_before(*LATER[:2], LATER[2] - 1)
    found = certified(*LATER, whole=whole, whole_from=Level.ERROR)
    assert found.windows == 2
    assert "the 10 s before 2 of 3 occurrences were recorded" in found.facts
    assert "of what was logged below ERROR only windows were pulled, each of them whole" in found.facts
    assert certified(*LATER, whole=pulled_before(*LATER)).windows == 3


@pytest.mark.parametrize(("before", "kept"), [(10, [100.0, 200.0]), (11, []), (9, [100.0, 200.0])])
def test_what_stands_near_is_told_of_windows_that_are_whole(before: int, kept: list[float]) -> None:
    run = run_of(LATER, whole=pulled_before(*LATER[:2]))
    found, at = recorded(run.members[SYMPTOM.id].occurrences, Nanoseconds(before * SECOND), run)
    assert [(one.start - START) / SECOND for one in found] == kept
    assert at == len(LATER)


def test_what_follows_is_told_where_it_was_pulled() -> None:
    occurrences = run_of(LATER).members[SYMPTOM.id].occurrences
    for whole, count in ((EVERYTHING, 3), (pulled_before(*(at + 10 for at in LATER)), 3), (pulled_before(*LATER), 0)):
        run = run_of(LATER, whole=whole)
        found, at = recorded(occurrences, Nanoseconds(10 * SECOND), run, before=False)
        assert len(found) + len(occurrences) - at == count


@pytest.mark.parametrize(
    ("first", "last", "is_cut"),
    [
        (20, 90, False),
        (20, 90.000001, True),
        (92, 95, True),
        (99.999999, 150, True),
        (100, 150, False),
        (20, 150, True),
        (310, 400, False),
    ],
)
def test_a_silence_cuts_a_window_that_it_overlaps_and_no_other(first: float, last: float, *, is_cut: bool) -> None:
    found = certified(*LATER, gaps=(gap(first, last),))
    assert found.windows == (2 if is_cut else 3)
    assert ("a gap in the entries falls into the time looked at" in found.lacks) == is_cut


def test_of_more_than_a_thousand_occurrences_some_are_looked_at() -> None:
    assert certified(*range(100, 2100, 2)).windows == 1000
    # One in two from here on.
    assert certified(*range(100, 2102, 2)).windows == 501


# ── enough of them ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_windows_are_too_few_and_three_are_enough() -> None:
    """A cause of four in five is missed twice in a row in 4 of 100 cases: few enough, and still two are too few."""
    assert certified(100, 200).lacks == ("2 occurrences could have shown it, too few to tell",)
    found = certified(*LATER)
    assert found.holds
    assert found.facts[-1] == ("a cause that stands before 80% of them would be missed in all 3 with a chance of 0.008")


def test_a_cause_of_every_other_failure_needs_five_windows() -> None:
    """A half is missed four times in a row in 6 of 100 cases, five times in 3."""
    half = Thresholds(coverage=0.5)
    assert not certified(*LATER, 400, thresholds=half).holds
    assert certified(*LATER, 400, 500, thresholds=half).holds


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def log(name: str) -> str:
    return f"projects/p/logs/{name}"


@pytest.mark.parametrize(
    ("examples", "streams"),
    [
        ((), ("application",)),
        (({"textPayload": "x"},), ("application",)),
        (({"logName": log("run.googleapis.com%2Fstderr")},), ("application",)),
        (({"logName": log("run.googleapis.com%2Fvarlog%2Fsystem")},), ("system",)),
        (({"logName": log("cloudaudit.googleapis.com%2Factivity")},), ("audit",)),
        (({"protoPayload": {}},), ("audit",)),
        (({"logName": log("run.googleapis.com%2Frequests")},), ("requests",)),
        (({"httpRequest": {}},), ("requests",)),
        # What an application says of a request of its own stands in its own log.
        (({"httpRequest": {}, "logName": log("run.googleapis.com%2Fstdout")},), ("application",)),
        (({"httpRequest": {}}, {"protoPayload": {}}, {"httpRequest": {}}), ("audit", "requests")),
    ],
)
def test_where_a_cause_is_logged_is_told_by_the_examples_of_its_rule(
    examples: tuple[dict[str, Any], ...], streams: tuple[str, ...]
) -> None:
    assert streams_of(cause(*examples)) == streams


def test_both_streams_of_an_application_are_its_log() -> None:
    assert "the application's log is here (7 entries)" in certified(*LATER, logs={"stdout": 3, "stderr": 4}).facts
    assert "the application's log is here (1 entry)" in certified(*LATER, logs={"stdout": 1}).facts
    assert "the application's log is absent" in certified(*LATER, logs={"system": 9}).lacks


def test_every_log_is_needed_in_which_the_cause_may_stand() -> None:
    found = certified(*LATER, by=cause({"protoPayload": {}}, {"httpRequest": {}}), logs={"audit": 2, "requests": 0})
    assert "the audit log is here (2 entries)" in found.facts
    assert found.lacks == ("the requests log is absent",)


# ── nothing cut, lost or left out ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seen", "lack"),
    [
        ({"truncated": None, "truncation": "exactly 500"}, "the entries look cut (exactly 500)"),
        ({"truncated": True, "truncation": "a limit"}, "the entries look cut (a limit)"),
        ({"unreadable": 1}, "1 record could not be read"),
        ({"no_payload": 2}, "2 entries have no payload"),
        ({"no_payload": 1, "passed_over": 8}, "1 entry has no payload"),
    ],
)
def test_what_was_cut_lost_or_empty_may_have_been_the_cause(seen: dict[str, Any], lack: str) -> None:
    found = certified(*LATER, **seen)
    assert found.lacks == (lack,)
    assert not any(fact.startswith("nothing looks cut") for fact in found.facts)


def test_whether_lines_that_were_passed_over_could_be_read_is_not_claimed() -> None:
    assert "nothing looks cut, and nothing was unreadable" in certified(*LATER).facts
    (said,) = (fact for fact in certified(*LATER, passed_over=8).facts if fact.startswith("nothing looks cut"))
    assert said == "nothing looks cut, and nothing that names the revision was unreadable (8 lines do not name it)"


SAID = "only entries of severity WARNING or above are here, and it may be logged with less"
SYSTEM = {"logName": "projects/shop/logs/run.googleapis.com%2Fvarlog%2Fsystem"}


@pytest.mark.parametrize(
    ("pulled", "severity", "is_left_out"),
    [
        ("WARNING", "INFO", True),
        ("ERROR", "INFO", True),
        # What is logged as a warning is not in a pull of errors either.
        ("ERROR", "WARNING", True),
        # Without a severity, or with none that is known, an entry is of the lowest.
        ("ERROR", None, True),
        ("ERROR", "strange", True),
        ("WARNING", "WARNING", False),
        ("ERROR", "ERROR", False),
        ("INFO", "INFO", False),
        ("NOTICE", None, False),
    ],
)
def test_a_pull_of_loud_entries_alone_cannot_show_what_the_platform_logs_quietly(
    pulled: str, severity: str | None, *, is_left_out: bool
) -> None:
    by = cause({"textPayload": "x"} | SYSTEM | ({"severity": severity} if severity else {}))
    found = certified(*LATER, by=by, severity=pulled, logs={"system": 3, "stderr": 3})
    assert found.lacks == ((SAID,) if is_left_out else ())


def test_an_application_need_not_give_a_line_its_severity() -> None:
    loud = cause({"textPayload": "x", "severity": "ERROR"})
    assert certified(*LATER, by=loud, severity="ERROR").lacks == (SAID,)
    assert certified(*LATER, by=loud, severity="WARNING").lacks == (SAID,)
    assert certified(*LATER, by=loud, severity="INFO").holds
    assert certified(*LATER, by=loud, severity=None).holds


@pytest.mark.parametrize(
    ("lags", "lacks"),
    [
        # Ten seconds are looked at: eleven every time are no proof that it is not the cause.
        ((11, 11, 11), ("it stands just outside of the time looked at in 3 of 3 occurrences",)),
        ((30, 29, 11), ("it stands just outside of the time looked at in 3 of 3 occurrences",)),
        # It may also be logged too late.
        ((-3, -3, 50), ("it stands just outside of the time looked at in 2 of 3 occurrences",)),
        ((11, 50, 50), ()),
        ((35, 35, 35), ()),
    ],
)
def test_a_cause_that_keeps_standing_just_outside_is_not_refuted(
    lags: tuple[float, ...], lacks: tuple[str, ...]
) -> None:
    causes = tuple(at - lag for at, lag in zip(LATER, lags, strict=True))
    assert certified(*LATER, causes=causes).lacks == lacks
    assert certified(*LATER, causes=causes, on="i2").holds


def test_a_cause_in_the_same_trace_may_be_logged_by_another_instance() -> None:
    failures = [raw("it fails", at=at, number=n, trace=f"t{n}") for n, at in enumerate(LATER)]
    for trace, holds in (("t", False), ("other", True)):
        causes = [
            raw("gone", at=at - 13, number=100 + n, instance="i2", trace=f"{trace}{n}") for n, at in enumerate(LATER)
        ]
        entries = table(*failures, *causes)
        run = _with(run_of(LATER, causes=[at - 13.0 for at in LATER], on="i2"), entries)
        rows = array("I", [row for row in entries.rows() if entries.entry(row).message == "gone"])
        gone = ClusterEntries(
            cluster=ClusterId("gone"),
            representative=rows[0],
            rows=rows,
            occurrences=find_occurrences(rows, entries, {}),
        )
        run = replace(run, members={**run.members, gone.cluster: gone})
        assert certify_absence(cause(), SYMPTOM, Nanoseconds(10 * SECOND), DEFAULT_THRESHOLDS, run).holds is holds


def test_where_part_of_the_time_holds_loud_entries_alone_nothing_is_certified() -> None:
    """An export of errors joined with a whole one of its second half."""
    failures = [raw("it fails", at=float(at), number=at, severity="ERROR") for at in range(100, 1000, 100)]
    quiet = [raw("went well", at=float(at), number=5_000 + at, severity="INFO") for at in range(500, 1000, 20)]
    run = run_of([float(at) for at in range(100, 1000, 100)], severity="ERROR")
    mixed = table(*failures, *quiet)
    assert not certify_absence(cause(), SYMPTOM, Nanoseconds(10 * SECOND), DEFAULT_THRESHOLDS, _with(run, mixed)).holds
    whole = table(*failures, *quiet, *(raw("went well", at=float(at), number=9_000 + at) for at in range(0, 500, 20)))
    assert certify_absence(cause(), SYMPTOM, Nanoseconds(10 * SECOND), DEFAULT_THRESHOLDS, _with(run, whole)).holds


def _with(run: RunContext, entries: EntryTable) -> RunContext:
    rows = array("I", [row for row in entries.rows() if entries.entry(row).message == "it fails"])
    found = ClusterEntries(
        cluster=SYMPTOM.id, representative=rows[0], rows=rows, occurrences=find_occurrences(rows, entries, {})
    )
    return replace(run, table=entries, neighbours=NearbyEntries(entries), members={SYMPTOM.id: found})
