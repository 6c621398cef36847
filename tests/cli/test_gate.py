"""`forensics gate` as CI runs it: exit codes, the screen, the three files, waiting, and what docs/gate.md shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from builders import query, raw, raws, request
from cloud.server import CloudServer
from sides import cluster, side

from forensics.compare import compare
from forensics.gating import judge
from forensics.model import (
    ClusterId,
    EntryRef,
    Exposure,
    FrameRef,
    GateReason,
    GateResult,
    GateThresholds,
    Level,
    OccurrenceUnit,
    Outcome,
    Priority,
    Report,
    RulebookInfo,
)
from forensics.pipeline import analyze
from forensics.render.documents import render_gate
from forensics.render.junit import encode_junit
from forensics.render.sarif import encode_sarif
from forensics.testruns import read_test_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "gate.md"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
HOSTILE = "<b>x</b> | [a](http://evil.example) {0} \x1b[31m &amp; ]]> \ufffe \x00 ```\n# head"


def run(*arguments: str, cwd: Path = ROOT, summary: str = "") -> subprocess.CompletedProcess[str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "GOOGLE_", "LOGGING_"))}
    return subprocess.run(
        [sys.executable, "-m", "forensics", *arguments],
        cwd=cwd,
        env=keep | {"NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": "/nowhere", "GITHUB_STEP_SUMMARY": summary},
        capture_output=True,
        text=True,
        check=False,
    )


def gate(*arguments: str, summary: str = "") -> subprocess.CompletedProcess[str]:
    return run("gate", *arguments, summary=summary)


def blocks(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield each example: its opening mark, the flags that it shows, and what stands between the marks."""
    for found in re.finditer(r"(<!-- gate (.*?) -->\n)(.*?)<!-- /gate -->", text, re.DOTALL):
        yield found[1], shlex.split(found[2]), found[3]


def test_the_outputs_in_the_docs_are_what_the_program_prints(pytestconfig: pytest.Config) -> None:
    text = DOCS.read_text()
    codes = []
    for mark, flags, _ in list(blocks(text)):
        words = ["gate", "--revision", flags[0], "--baseline", "previous", *flags[1:]]
        done = run(*words)
        codes.append(done.returncode)
        shown = f"```\n$ forensics {' '.join(words)}\n{done.stdout}$ echo $?\n{done.returncode}\n```\n"
        if pytestconfig.getoption("--accept"):
            before, _, rest = text.partition(mark)
            text = before + mark + shown + rest[rest.index("<!-- /gate -->") :]
            DOCS.write_text(text)
        assert shown in DOCS.read_text()
    assert codes == [1, 3, 0]


def test_the_workflow_of_the_docs_runs_on_the_sample(tmp_path: Path) -> None:
    found = re.search(r"<!-- workflow -->\n```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    workflow = yaml.safe_load(found[1])
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("forensics ")]
    logs = ROOT / "samples" / "netra-backend-staging" / "logs"
    entries = [json.loads(line) for file in sorted(logs.iterdir()) for line in file.read_text().splitlines()]
    span = ("--from", "2025-09-08T12:00:00Z", "--to", "2025-09-08T18:00:00Z", "--project", "netra-staging")
    with CloudServer(entries) as server:
        for number in ("00179", "00180"):
            where = ("--case", "cases/netra-backend-staging", "--endpoint", server.rest_endpoint)
            pulled = run("pull", "--revision", f"netra-backend-staging-{number}", *span, *where, cwd=tmp_path)
            assert pulled.returncode == 0, pulled.stderr
    summary = tmp_path / "summary.md"
    done = [run(*shlex.split(c)[1:], cwd=tmp_path, summary=str(summary)) for c in commands]
    assert [one.returncode for one in done] == [0, 1], [one.stderr for one in done]
    assert done[1].stdout.startswith("✗ fail: netra-backend-staging-00180-jkl")
    assert "## ✗ fail" in summary.read_text()
    check_sarif(json.loads((tmp_path / "gate.sarif").read_bytes()))
    assert (tmp_path / "gate.xml").is_file()


def test_the_result_as_json_is_the_record(tmp_path: Path) -> None:
    done = gate("--revision", "00180", "--baseline", "00179", "--json", "--out", str(tmp_path / "out"))
    result = msgspec.json.decode(done.stdout, type=GateResult)
    assert (done.returncode, result.outcome, result.baseline) == (1, Outcome.FAIL, "netra-backend-staging-00179-gdb")
    text = DOCS.read_text()
    for record in (GateResult, GateReason, GateThresholds):
        for field in msgspec.structs.fields(record):
            assert re.search(rf"\b{field.encode_name}\b", text), field.encode_name
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    known = {ref["insert_id"] for c in report["clusters"] for ref in c["exemplars"]}
    assert {one for reason in result.reasons for one in reason.evidence} <= known
    assert all(reason.evidence for reason in result.deciding())


def test_limits_come_from_the_settings_and_flags_beat_them(tmp_path: Path) -> None:
    logs = ROOT / "samples" / "netra-backend-staging" / "logs"
    settings = tmp_path / "forensics.toml"
    asked = ("gate", "--revision", "00179", "--baseline", "00178", "--logs", str(logs))
    settings.write_text("[gate]\nmin_requests = 100\n")
    assert run(*asked, cwd=tmp_path).returncode == 0
    assert run(*asked, "--min-requests", "200", cwd=tmp_path).returncode == 3
    for text, said in (("max_new = 'P9'", "P9"), ("min_request = 1", "min_request"), ("max_ratio = 0.5", "max_ratio")):
        settings.write_text(f"[gate]\n{text}\n")
        done = run(*asked, cwd=tmp_path)
        assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name it with --baseline"),
        (("--baseline", "00180"), "would be compared with itself"),
        (("--baseline", "00999"), "no revision '00999'"),
        (("--baseline", "00179", "--wait", "1m"), "add --live"),
        (("--baseline", "00179", "--sarif", "/nowhere/x.sarif"), "name another file with --sarif"),
        (("--baseline", "00179", "--live", "--wait", "soon"), "write 30s, 10m or 1h"),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    done = gate("--revision", "00180", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_the_summary_is_appended(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Build\n\n")
    asked = ("--revision", "00179", "--baseline", "00178")
    assert gate(*asked, "--summary", str(summary)).returncode == 3
    assert gate(*asked, summary=str(summary)).returncode == 3
    text = summary.read_text()
    assert text.startswith("# Build\n\n## ? not enough traffic: ")
    assert text.count("## ? not enough traffic") == 2


# What logs say, in files


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


def check_sarif(log: Any) -> list[dict[str, Any]]:
    """Hold a log against what the schema of SARIF 2.1.0 requires; return its results."""
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run_,) = log["runs"]
    driver = run_["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
    for invocation in run_["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
    messages = [n["message"]["text"] for i in run_["invocations"] for n in i["toolExecutionNotifications"]]
    for result in run_["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["kind"] in {"pass", "open", "informational", "notApplicable", "review", "fail"}
        # §3.27.9, §3.27.10: a level other than none is of the kind `fail` alone.
        assert (result["kind"] == "fail") == (result["level"] != "none")
        messages.append(result["message"]["text"])
        for location in result["locations"]:
            check_location(location)
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    for text in messages:
        assert text
        # §3.11.5, §3.11.6: braces are doubled and brackets escaped, where they are no placeholder and no link.
        assert not re.search(r"(?<!\\)[\[\]]", text)
        assert not re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", text))
        assert not CONTROL.search(text)
    results: list[dict[str, Any]] = run_["results"]
    return results


def check_location(location: dict[str, Any]) -> None:
    for logical in location["logicalLocations"]:
        assert logical["name"]
        assert set(logical) <= {"name", "fullyQualifiedName", "kind"}
    if "physicalLocation" in location:
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w.~%/-]+", uri, re.ASCII)
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
        assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1


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
    from forensics.cli.gate_screen import lines  # noqa: PLC0415 - the one test of it

    shown = list(lines(*hostile))
    assert not CONTROL.search("".join(shown))
    assert len(shown) < 25


# Waiting

SPAN = timedelta(minutes=20)


def served(number: int, status: int, moment: datetime, revision: str) -> dict[str, Any]:
    labels = {"service_name": "shop-api", "revision_name": revision, "location": "us-central1", "project_id": "p"}
    http = {"requestMethod": "GET", "requestUrl": "https://s.example/o", "status": status, "latency": "0.01s"}
    return {
        "insertId": f"{revision}{number}",
        "logName": "projects/p/logs/run.googleapis.com%2Frequests",
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "severity": "ERROR" if status >= 500 else "INFO",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": f"i-{revision}"},
        "httpRequest": http,
    }


def requests(revision: str, count: int, *, failing: int = 0, back: timedelta = SPAN) -> list[dict[str, Any]]:
    start = datetime.now(UTC) - back
    return [
        served(n, 500 if n < failing else 200, start + timedelta(milliseconds=100 * n), revision) for n in range(count)
    ]


def waited(
    server: CloudServer, folder: Path, *more: str, baseline: str = "shop-api-00041-xyz"
) -> subprocess.CompletedProcess[str]:
    words = ("--revision", "shop-api-00042-abc", "--baseline", baseline, "--live", "--project", "p")
    pace = ("--endpoint", server.rest_endpoint, "--requests-per-minute", "600", "--interval", "0.2s")
    return run("gate", *words, *pace, "--min-requests", "300", *more, cwd=folder)


def more_when_asked(server: CloudServer, entries: list[dict[str, Any]], after: int) -> threading.Thread:
    """Let entries arrive once the server has answered that many requests."""

    def feed() -> None:
        end = time.monotonic() + 60
        while len(server.requests) < after and time.monotonic() < end:
            time.sleep(0.01)
        server.add(entries)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    return thread


def requests_of_a_look(server: CloudServer, folder: Path, code: int) -> int:
    """Count what one look asks, the baseline included, with cases of its own."""
    (folder / "look").mkdir()
    once = waited(server, folder / "look")
    assert once.returncode == code, once.stderr
    assert "looking again" not in once.stderr
    return len(server.requests)


OLD = "shop-api-00041-xyz"
NOW = "shop-api-00042-abc"


@pytest.mark.parametrize(("failing", "code", "word"), [(0, 0, "✓ pass"), (60, 1, "✗ fail")])
def test_it_waits_until_the_outcome_is_clear(tmp_path: Path, failing: int, code: int, word: str) -> None:
    later = requests(NOW, 400, failing=failing, back=timedelta(minutes=2))
    first = requests(NOW, 5, back=timedelta(minutes=3))
    for entry in first:
        entry["insertId"] += "first"
    with CloudServer([*requests(OLD, 400), *first]) as server:
        feeding = more_when_asked(server, later, 2 * requests_of_a_look(server, tmp_path, 3) + 1)
        done = waited(server, tmp_path, "--wait", "60s")
        feeding.join()
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith(word)
    assert "5 requests so far, 300 are needed (--min-requests); looking again in 0 s" in done.stderr
    # One case of the revision, to which the later looks have added.
    assert sorted(case.name for case in (tmp_path / "forensics-cases").iterdir()) == [OLD, NOW]
    assert run("verify", f"forensics-cases/{NOW}", cwd=tmp_path).returncode == 0


def many(revision: str, count: int, failing: int = 0) -> list[dict[str, Any]]:
    """Requests of twenty minutes, those that fail spread over the last of them."""
    start, step = datetime.now(UTC) - SPAN, timedelta(minutes=19) / count
    failed = {count - 1 - 7 * number for number in range(failing)}
    return [served(n, 500 if n in failed else 200, start + n * step, revision) for n in range(count)]


@pytest.mark.parametrize(("failing", "code", "word"), [(0, 0, "✓ pass"), (400, 1, "✗ fail")])
def test_a_service_with_more_requests_than_a_pull_takes_is_judged_by_a_sample(
    tmp_path: Path, failing: int, code: int, word: str
) -> None:
    with CloudServer([*many(OLD, 25_000), *many(NOW, 45_000, failing)]) as server:
        done = waited(server, tmp_path, "--json")
        shown = waited(server, tmp_path)
    assert (done.returncode, shown.returncode) == (code, code), done.stderr
    result = msgspec.json.decode(done.stdout.encode(), type=GateResult)
    for exposure, truth in ((result.exposure.before, 25_000), (result.exposure.after, 45_000)):
        assert exposure.requests is not None
        assert exposure.requests_margin > 0
        assert abs(exposure.requests - truth) <= 2 * exposure.requests_margin
    assert shown.stdout.startswith(word)
    assert " ± " in next(line for line in shown.stdout.splitlines() if line.startswith("  requests"))
    if not failing:
        assert re.search(
            r"in about [\d,]+ requests \(give or take [\d,]+: from .* on a sample of one in \d+ was", shown.stdout
        )


def test_when_the_time_is_over_the_last_outcome_counts(tmp_path: Path) -> None:
    with CloudServer([*requests(OLD, 400), *requests(NOW, 5)]) as server:
        done = waited(server, tmp_path, "--wait", "1s")
    assert (done.returncode, done.stdout[:20]) == (3, "? not enough traffic")
    assert "looking again" in done.stderr


def test_a_revision_that_is_silent_is_waited_for(tmp_path: Path) -> None:
    with CloudServer(requests(OLD, 400)) as server:
        look = requests_of_a_look(server, tmp_path, 2)
        feeding = more_when_asked(server, requests(NOW, 400, back=timedelta(minutes=2)), 2 * look + 1)
        done = waited(server, tmp_path, "--wait", "60s")
        feeding.join()
        assert done.returncode == 0, done.stderr
        assert "looking again" in done.stderr
    with CloudServer(requests(OLD, 400)) as server:
        never = waited(server, tmp_path / "look", "--wait", "0.5s")
    assert never.returncode == 2
    assert never.stderr.splitlines()[-1].startswith("forensics: no ")


def test_a_revision_that_is_silent_is_waited_for_before_its_previous_one_is_looked_for(tmp_path: Path) -> None:
    with CloudServer(requests(OLD, 400)) as server:
        feeding = more_when_asked(server, requests(NOW, 400, back=timedelta(minutes=2)), 3)
        done = waited(server, tmp_path, "--wait", "60s", baseline="previous")
        feeding.join()
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"✓ pass: {NOW} against {OLD}"), done.stderr
    assert "no entry of revision" in done.stderr


def test_every_priority_is_a_choice() -> None:
    done = gate("--help")
    assert "|".join(Priority).lower() in done.stdout.replace("\n", "").lower()
    assert "3  not enough traffic" in done.stdout
