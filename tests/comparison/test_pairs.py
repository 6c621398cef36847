"""The whole command on pairs of revisions: the samples against their truth, real logs, flags and documents."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.program import ROOT, run

from forensics.model import ChangeState, Report
from forensics.rendering import decode_report, encode_report, render_report

if TYPE_CHECKING:
    from pathlib import Path

NO_WORD = {ChangeState.NO_CHANGE, ChangeState.UNCLEAR}
SAMPLE = ROOT / "samples" / "netra-backend-staging"
REAL = ROOT.parent / "shared" / "data" / "netra"
R178, R179, R180 = (f"netra-backend-staging-00{n}" for n in ("178-w4k", "179-gdb", "180-jkl"))


def compared(out: Path, *arguments: str) -> Report:
    done = run(*arguments, "--out", str(out))
    assert done.returncode == 0, done.stderr
    return decode_report((out / "report.json").read_bytes(), "report.json")


def states(report: Report) -> dict[str | None, ChangeState]:
    assert report.comparison is not None
    return {c.signature: c.state for c in report.comparison.changes}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (R178, R179, {}),
        (
            R179,
            R180,
            {"factory-validation": ChangeState.NEW, "websocket-1011-serialization": ChangeState.BETTER},
        ),
        (
            R178,
            R180,
            {"factory-validation": ChangeState.NEW, "websocket-1011-serialization": ChangeState.BETTER},
        ),
    ],
)
def test_revisions_of_the_sample_change_as_their_truth_says(
    before: str, after: str, changed: dict[str, ChangeState], tmp_path: Path
) -> None:
    report = compared(tmp_path, "compare", before, after)
    truth = json.loads((SAMPLE / "truth.json").read_text())["revisions"]
    assert report.comparison is not None
    for change in report.comparison.changes:
        for revision, occurrences, entries in (
            (before, change.before, change.entries_before),
            (after, change.after, change.entries_after),
        ):
            expected = truth[revision].get(change.signature, {"occurrences": 0, "entries": 0})
            assert (occurrences, entries) == (expected["occurrences"], expected["entries"]), change.signature
    assert {c.signature for c in report.comparison.changes} == truth[before].keys() | truth[after].keys()
    assert {name: state for name, state in states(report).items() if state not in NO_WORD} == changed


@pytest.mark.slow
def test_exposure_is_what_the_logs_of_the_sample_hold(tmp_path: Path) -> None:
    report = compared(tmp_path, "analyze", "--revision", R180, "--baseline", R179)
    entries = [json.loads(line) for line in (SAMPLE / "logs" / "requests.ndjson").read_text().splitlines()]
    assert report.comparison is not None
    for revision, exposure in ((R179, report.comparison.exposure.before), (R180, report.comparison.exposure.after)):
        own = [e["httpRequest"] for e in entries if e["resource"]["labels"]["revision_name"] == revision]
        assert exposure.requests == len(own)
        assert exposure.sessions == sum("/ws" in request["requestUrl"] for request in own)
        system = [json.loads(line) for line in (SAMPLE / "logs" / "system.ndjson").read_text().splitlines()]
        starts = [
            e
            for e in system
            if e["resource"]["labels"]["revision_name"] == revision
            and "Starting new instance" in e.get("textPayload", "")
        ]
        assert exposure.starts == len(starts)


@pytest.mark.slow
def test_whys_ask_the_comparison_whether_it_is_new(tmp_path: Path) -> None:
    report = compared(tmp_path, "analyze", "--revision", R180, "--baseline", "previous")
    found = {
        cluster.signature: why
        for cluster, finding in zip(report.clusters, report.findings, strict=True)
        for why in finding.whys
        if why.ask == "Is it new in this revision?"
    }
    factory, serialization = found["factory-validation"], found["websocket-1011-serialization"]
    assert (factory.verdict, serialization.verdict) == ("supported", "refuted")
    assert factory.evidence[0].statement.startswith(f"against {R179}: 0 → 33")
    assert found["deterministic-startup-failure"].verdict == "no evidence"
    alone = compared(tmp_path, "analyze", "--revision", R180)
    whys = [why for finding in alone.findings for why in finding.whys if why.ask == "Is it new in this revision?"]
    assert {why.verdict for why in whys} == {"not observable"}
    assert all("--baseline" in str(why.next_step) for why in whys)


@pytest.mark.slow
def test_every_way_to_name_a_baseline_says_the_same(tmp_path: Path) -> None:
    saved = tmp_path / "first"
    compared(saved, "analyze", "--revision", R179, "--tests", "samples/netra-backend-staging/tests/cycle2.xml")
    tests = ("--tests", "samples/netra-backend-staging/tests/cycle3.xml")
    old = ("--baseline-tests", "samples/netra-backend-staging/tests/cycle2.xml")
    logs = ("--baseline-logs", "samples/netra-backend-staging/logs")
    ways = [
        ("analyze", "--revision", "00180", "--baseline", "previous", *tests, *old),
        ("analyze", "--revision", "00180", "--baseline", "00179", *tests, *old),
        ("analyze", "--revision", "00180", "--baseline", "00179", *logs, *tests, *old),
        ("analyze", "--revision", "00180", "--baseline", str(saved / "report.json"), *tests),
        ("compare", "00179", "00180", *tests, *old),
        ("compare", str(saved / "report.json"), "latest", *tests),
    ]
    found = [msgspec.json.encode(compared(tmp_path / str(n), *way).comparison) for n, way in enumerate(ways)]
    assert set(found) == {found[0]}


@pytest.mark.slow
def test_bounds_are_those_of_the_revision_that_is_looked_at(tmp_path: Path) -> None:
    report = compared(tmp_path, "analyze", "--revision", R180, "--baseline", R179, "--from", "2025-09-08T15:50:00Z")
    assert report.comparison is not None
    assert str(report.comparison.covered_before.from_time) < "2025-09-08T15:00"
    assert str(report.comparison.covered_after.from_time) > "2025-09-08T15:50"


@pytest.mark.slow
def test_a_comparison_outlives_json_and_is_rendered_again(tmp_path: Path) -> None:
    cycle = "samples/netra-backend-staging/tests/cycle{}.xml"
    report = compared(tmp_path, "compare", R179, R180, "--tests", cycle.format(3), "--baseline-tests", cycle.format(2))
    assert decode_report(encode_report(report), "again") == report
    documents = dict(render_report(report))
    assert documents["comparison.md"] == (tmp_path / "comparison.md").read_text()
    assert "| new | factory-validation | 0 → 33 " in documents["comparison.md"]
    assert "5/15 → 9/16 passed" in documents["comparison.md"]
    assert "(comparison.md)" in documents["index.md"]
    assert not re.search("resolved:", documents["comparison.md"])


@pytest.mark.slow
def test_the_comparison_is_printed_first_by_compare_and_in_two_lines_by_analyze(tmp_path: Path) -> None:
    first = run("compare", R179, R180, "--out", str(tmp_path)).stdout
    assert first.startswith(f"{R179} → {R180}\n\n  factory-validation  ")
    lines = run("analyze", "--revision", R180, "--baseline", R179, "--out", str(tmp_path)).stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if "→ against" in line)
    assert lines[at] == f"  → against {R179}: 1 new, 14 unclear, 1 better"
    assert lines[at + 1].startswith("    factory-validation: 0 → 33 in 55 → 73 WebSocket sessions")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--revision", "00178", "--baseline", "previous"), "no revision before 'netra-backend-staging-00178-w4k'"),
        (("--revision", "00180", "--baseline", "00180"), "would be compared with itself"),
        (("--revision", "00180", "--baseline", "00999"), "no revision '00999' in these entries"),
        (("--revision", "00180", "--baseline", "absent.json"), "give the report.json of an earlier run"),
        (("--revision", "00180", "--baseline", "samples/netra-backend-staging/truth.json"), "its schema is None"),
        (("--revision", "00180", "--baseline-tests", "x.xml"), "name the revision"),
        (("--revision", "all", "--baseline", "00179"), "is compared with one revision"),
        (("--revision", "00180", "--logs", "-", "--baseline", "00179"), "standard input can be read once"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run("analyze", *arguments, "--out", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.startswith("forensics: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real logs are not beside this checkout")
def test_two_real_revisions_of_a_pull_with_a_limit_per_severity_are_not_comparable(tmp_path: Path) -> None:
    (logs,) = REAL.glob("*_143747.ndjson")
    report = compared(tmp_path, "compare", "00709-bg5", "00711-d6z", "--logs", str(logs))
    assert report.comparison is not None
    assert "exactly 50 entries each of ERROR, INFO, WARNING" in str(report.comparison.reason)
    assert set(states(report).values()) == {ChangeState.NOT_COMPARABLE}
    assert all("limit per severity" in change.statement for change in report.comparison.changes)


@pytest.mark.slow
def test_an_old_comparison_does_not_stay_beside_a_report_without_one(tmp_path: Path) -> None:
    compared(tmp_path, "compare", R179, R180, "--format", "md,json,csv")
    assert {file.name for file in tmp_path.glob("comparison.*")} == {"comparison.md", "comparison.csv"}
    compared(tmp_path, "analyze", "--revision", R180)
    assert not list(tmp_path.glob("comparison.*"))
