"""`forensics pull` against a real server: complete, in order, each once, whatever happens on the way."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from cloud import samples
from cloud.faults import Cut, FaultPlan, permission_denied, unavailable
from cloud.pulls import over_both
from cloud.server import CloudServer

from forensics.cases import Case

if TYPE_CHECKING:
    from pathlib import Path

SPAN = ("--from", "2026-05-01T00:00:00Z", "--to", "2026-05-02T00:00:00Z")


def make_entry(number: int, **fields: Any) -> dict[str, Any]:
    entry = samples.make_entry(number, **fields)
    entry["resource"]["labels"]["project_id"] = "p"
    return entry


def start(
    server: CloudServer, folder: Path, transport: str = "rest", *, revision: str = "backend-00042"
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "forensics", "pull", "--revision", revision, "--project", "p", *SPAN]
    command += [
        "--endpoint",
        server.endpoint(transport),
        "--case",
        str(folder / "case"),
        "--requests-per-minute",
        "600",
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def finish(pull: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = pull.communicate(timeout=60)
    return pull.returncode, out, err


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "forensics", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout


def ids(folder: Path) -> list[str]:
    return [json.loads(line)["insertId"] for line in Case.look(folder / "case").lines()]


def wanted(count: int) -> list[str]:
    return [make_entry(number)["insertId"] for number in range(count)]


@pytest.mark.slow
@over_both
def test_all_is_pulled_in_order_and_once_in_spite_of_faults(transport: str, tmp_path: Path) -> None:
    faults = FaultPlan([None, unavailable(), Cut(), None, unavailable()])
    with CloudServer([make_entry(number) for number in range(3_500)], faults=faults) as server:
        code, out, err = finish(start(server, tmp_path, transport))
        assert (code, err) == (0, "")
        assert "3,500 entries of backend-00042" in out
        assert server.breaches == []
        assert {request.page_size for request in server.requests} == {1000}
    assert ids(tmp_path) == wanted(3_500)
    assert "case is sound: 3,500 entries" in run(tmp_path, "verify", "case")


@pytest.mark.slow
@over_both
def test_what_json_can_hold_goes_from_the_server_to_the_report(transport: str, tmp_path: Path) -> None:
    number, time, proto = 9007199254740993, "2026-05-01T00:00:01.123456789Z", {"@type": "type.example.com/un.Known"}
    slow_path: dict[str, Any] = make_entry(
        1, timestamp=time, severity="ERROR", jsonPayload={"n": number, "why": "differs"}
    )
    unknown = make_entry(2, severity="ERROR", protoPayload=proto | {"n": number})
    del slow_path["textPayload"], unknown["textPayload"]
    with CloudServer([slow_path, unknown]) as server:
        assert finish(start(server, tmp_path, transport))[0] == 0
    second, first = (json.loads(line) for line in Case.look(tmp_path / "case").lines())
    if transport == "grpc":  # its payloads know no integers, and what it cannot name it keeps as bytes
        number = 9007199254740992
        # A google.protobuf.Struct, which is how the server of the tests packs what it does not know.
        assert base64.b64decode(second["protoPayload"].pop("value")).startswith(b"\n\x0e\n\x01n\x12\t\x11")
        assert second["protoPayload"] == proto
    else:
        assert second["protoPayload"] == proto | {"n": number}
    assert (first["timestamp"], first["jsonPayload"]) == (time, {"n": number, "why": "differs"})
    (record,) = Case.look(tmp_path / "case").manifest.pulls
    assert record.transport == transport
    report = run(tmp_path, "analyze", "--revision", "latest", "--case", "case", "--json")
    assert time in report
    assert json.dumps(f'{{"n": {number}, "why": "differs"}}') in report
    assert unknown["insertId"] in report


@pytest.mark.slow
@over_both
def test_a_case_and_the_same_entries_as_a_file_give_the_same_report(transport: str, tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        make_entry(number, textPayload=f"ValueError: bad order {number}") for number in range(41)
    ]
    for number, entry in enumerate(entries[20:]):
        del entry["textPayload"]
        entry["jsonPayload"] = {"why": "stock differs", "logger": "a", "n": number, "ratio": number + 0.5, "b": [None]}
    (tmp_path / "log.ndjson").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with CloudServer(entries) as server:
        assert finish(start(server, tmp_path, transport))[0] == 0
    reports = []
    for option, value in (("--case", "case"), ("--logs", "log.ndjson")):
        text = run(tmp_path, "analyze", "--revision", "backend-00042", option, value, "--out", option[2:], "--json")
        report = json.loads(text.replace(f"{option} {value}", "--logs HERE"))
        report["query"] |= {"logs": None, "case": None}
        report["case"] = None
        report["coverage"] |= {"asked": None, "warnings": None}  # a case knows what was asked for, a file does not
        reports.append(report)
    assert reports[0] == reports[1]
    assert len(reports[0]["clusters"]) > 1


def test_a_later_pull_adds_what_came_since(tmp_path: Path) -> None:
    with CloudServer([make_entry(number) for number in range(20)]) as server:
        assert finish(start(server, tmp_path))[0] == 0
        server.add([make_entry(2 * 86_400_000 + number) for number in range(3)])
        command = [sys.executable, "-m", "forensics", "pull", "--revision", "backend-00042", "--project", "p"]
        # More than the usual seven days later: nothing in between may be missing.
        command += ["--endpoint", server.rest_endpoint, "--case", "case", "--show-query"]
        command += ["--to", "2026-05-10T00:00:00Z"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert "3 entries of backend-00042" in done.stdout
    assert 'timestamp>="2026-05-01T23:55:00Z"' in done.stdout
    assert Case.look(tmp_path / "case").manifest.pulls[1].filter in done.stdout
    assert len(ids(tmp_path)) == 23


@pytest.mark.slow
@over_both
@pytest.mark.parametrize(
    ("faults", "revision", "words"),
    [
        ([permission_denied()], "backend-00042", "roles/logging.viewer"),
        ([], "backend-00077", "no entry of revision 'backend-00077'"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_leaves_nothing(
    tmp_path: Path, transport: str, faults: list[Any], revision: str, words: str
) -> None:
    with CloudServer([make_entry(number) for number in range(9)], faults=FaultPlan(faults)) as server:
        code, out, err = finish(start(server, tmp_path, transport, revision=revision))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_pull_that_goes_on_over_the_other_transport_notes_it(tmp_path: Path) -> None:
    with CloudServer([make_entry(number) for number in range(20_000)]) as server:
        pull = start(server, tmp_path, "rest")
        while len(server.requests) < 5 and pull.poll() is None:
            time.sleep(0.005)
        pull.kill()
        finish(pull)
        assert finish(start(server, tmp_path, "grpc"))[0] == 0
    manifest = Case.look(tmp_path / "case").manifest
    assert manifest.notes == (
        "pull 1 began over rest and went on over grpc: numbers of payloads that came over grpc are doubles",
    )
    assert ids(tmp_path) == wanted(20_000)
