"""What logs say, in the files and on the screen of `forensics gate`: SARIF, JUnit XML, the summary, and no markup."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from cli.gates import CONTROL, check_sarif, gate
from support.builders import query, raw, raws, request
from support.comparisons import cluster, side

from forensics.cli.screens.gate_screen import lines
from forensics.comparison import compare
from forensics.comparison.gating import judge
from forensics.model import (
    ClusterId,
    EntryRef,
    Exposure,
    FrameRef,
    GateResult,
    GateThresholds,
    Level,
    OccurrenceUnit,
    Report,
    RulebookInfo,
)
from forensics.pipeline import analyze
from forensics.rendering.documents import render_gate
from forensics.rendering.junit import encode_junit
from forensics.rendering.sarif import encode_sarif
from forensics.sources.junit import read_test_runs

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<b>x</b> | [a](http://evil.example) {0} \x1b[31m &amp; ]]> \ufffe \x00 ```\n# head"


@pytest.fixture(scope="module")
def hostile() -> tuple[Report, GateResult]:
    """A report in which everything that comes from a log is hostile."""
    unit = OccurrenceUnit.REQUEST
    ref = EntryRef(insert_id=HOSTILE, timestamp="", log_name="", level=Level.ERROR, severity=None, message="", url="")
    frames = {
        "own": FrameRef(file="/app/shop/my orders.py", line=12, function="pay<T>", in_app=True),
        "library": FrameRef(file="/usr/lib/python3/json.py", line=3, function="dumps", in_app=False),
        "outside": FrameRef(file="../../etc/passwd", line=3, function=HOSTILE, in_app=True),
        "odd": FrameRef(file="C:\\shop\\a.cs", line=None, function="", in_app=True),
    }
    now = tuple(
        cluster(
            None,
            40,
            unit,
            id=ClusterId(f"unmatched-{name}"),
            fingerprint=name,
            title=HOSTILE,
            frame=frame,
            exemplars=(ref,),
        )
        for name, frame in frames.items()
    )
    then = (*(cluster(None, 40, unit, fingerprint="old", title=HOSTILE),),)
    comparison = compare(side("r0", {}, clusters=then), side("r1", {}, clusters=now, exposure=Exposure(requests=1000)))
    records = raws(request(200, at=0, latency=0.1), raw("ok", at=5))
    info = RulebookInfo(count=0, folders=(), overridden=())
    report = analyze(records, [], query(), rulebook=info, tool_version="1.0").report
    report = msgspec.structs.replace(report, comparison=comparison, clusters=now)
    return report, judge(report, GateThresholds())


def test_sarif_is_as_the_schema_wants_it_whatever_logs_say(hostile: tuple[Report, GateResult]) -> None:
    results = check_sarif(json.loads(encode_sarif(*hostile)))
    places = {
        result["ruleId"]: location["physicalLocation"]
        for result in results
        for location in result["locations"]
        if "physicalLocation" in location
    }
    # Only the application's own file, within the repository, is a place.
    assert places == {
        "unmatched-own": {"artifactLocation": {"uri": "shop/my%20orders.py"}, "region": {"startLine": 12}}
    }
    levels = {result["ruleId"]: (result["kind"], result["level"]) for result in results}
    assert levels["unmatched-own"] == ("fail", "error")
    assert levels["unmatched-old"] == ("pass", "none")


@pytest.mark.slow
def test_junit_is_read_by_our_own_reader(hostile: tuple[Report, GateResult], tmp_path: Path) -> None:
    file = tmp_path / "gate.xml"
    file.write_bytes(encode_junit(*hostile))
    read = read_test_runs([file])
    assert (read.total, read.passed, read.failed, read.skipped) == (6, 2, 4, 0)
    assert all("fails (--max-new P1)" in failure.message for failure in read.failures)
    gate("--revision", "00179", "--baseline", "00178", "--junit", str(file))
    read = read_test_runs([file])
    assert (read.total, read.passed, read.failed, read.skipped) == (12, 11, 0, 1)
    gate("--revision", "00180", "--baseline", "00179", "--junit", str(file))
    failed = {failure.name for failure in read_test_runs([file]).failures}
    assert failed == {
        "forensics.gate.cause::factory-validation",
        "forensics.gate.mechanism::deterministic-startup-failure",
    }


def test_nothing_from_logs_is_markup_in_the_summary(hostile: tuple[Report, GateResult]) -> None:
    text = render_gate(*hostile)
    assert "evil.example" in text
    outside = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)<b|(?<!\\)\]\(|\x1b|\n# head|http://", outside)
    assert text.count("\n## ") == 0


def test_nothing_from_logs_steers_the_screen(hostile: tuple[Report, GateResult]) -> None:
    shown = list(lines(*hostile))
    assert not CONTROL.search("".join(shown))
    assert len(shown) < 25
