"""`--baseline previous` without logs: what served before is found by asking, and pulled beside the other."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cloud.server import CloudServer

from forensics.cases import Case

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
OLDER, DEPLOYED, OLD, NOW = "shop-00039-aaa", "shop-00040-bbb", "shop-00041-ccc", "shop-00042-ddd"


def entry(revision: str, second: float, log: str = "requests", service: str = "shop", **fields: Any) -> dict[str, Any]:
    moment = START + timedelta(seconds=second)
    labels = {"service_name": service, "revision_name": revision, "location": "us-central1", "project_id": "p"}
    status = fields.pop("status", 200)
    http = {"requestMethod": "GET", "requestUrl": "https://s.example/o", "status": status, "latency": "0.01s"}
    return {
        "insertId": f"{revision}{log}{second}",
        "logName": f"projects/p/logs/run.googleapis.com%2F{log}",
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "severity": "ERROR" if status >= 500 else "INFO",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": f"i-{revision}"},
        **({"httpRequest": http} if log == "requests" else {}),
        **fields,
    }


def serving(revision: str, first: float, count: int, failing: int = 0, service: str = "shop") -> list[dict[str, Any]]:
    return [
        entry(
            revision,
            first + number,
            status=500 if failing and number % (count // failing) == 0 else 200,
            service=service,
        )
        for number in range(count)
    ]


HISTORY = [
    *serving(OLDER, 0, 300),
    # Deployed later than the one that served before, and never served.
    entry(DEPLOYED, 400, "stdout", textPayload="started, and was replaced"),
    *serving(OLD, 500, 700),
    *serving(OLDER, 900, 5),  # a rollback for a moment: it was there first all the same
    *serving("other-00001-eee", 1290, 5, service="other"),
    *serving(NOW, 1300, 600, failing=60),
]


def run(server: CloudServer, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [*arguments, "--project", "p", "--to", "2026-05-01T13:00:00Z"]
    pace = ["--endpoint", server.rest_endpoint, "--requests-per-minute", "600"]
    return subprocess.run(
        [sys.executable, "-m", "forensics", *words, *pace], capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.mark.slow
def test_the_revision_that_served_before_is_found_and_comes_into_the_same_case(tmp_path: Path) -> None:
    with CloudServer(HISTORY) as server:
        done = run(server, tmp_path, "analyze", "--revision", "00042", "--baseline", "previous", "--json")
        assert server.breaches == []
    assert (done.returncode, done.stderr) == (0, "")
    comparison = json.loads(done.stdout)["comparison"]
    assert (comparison["baseline"], comparison["reason"]) == (OLD, None)
    assert [comparison["exposure"][side]["requests"] for side in ("before", "after")] == [700, 600]
    assert [case.name for case in (tmp_path / "forensics-cases").iterdir()] == [NOW]
    case = Case.look(tmp_path / "forensics-cases" / NOW)
    assert {pull.revision for pull in case.manifest.pulls} == {OLD, NOW}


@pytest.mark.slow
def test_what_was_pulled_can_be_compared_again_without_asking(tmp_path: Path) -> None:
    words = ("analyze", "--revision", NOW, "--baseline", "previous", "--json")
    with CloudServer(HISTORY) as server:
        live = run(server, tmp_path, *words)
        asked = len(server.requests)
        again = run(server, tmp_path, *words, "--case", f"forensics-cases/{NOW}")
        assert len(server.requests) == asked
    changes = [json.loads(done.stdout)["comparison"]["changes"] for done in (live, again)]
    assert changes[0] == changes[1] != []


@pytest.mark.slow
def test_bounds_of_the_revision_do_not_hide_what_served_before_them(tmp_path: Path) -> None:
    bounds = ("--from", "2026-05-01T12:25:00Z")
    with CloudServer(HISTORY) as server:
        done = run(server, tmp_path, "analyze", "--revision", NOW, "--baseline", "previous", "--json", *bounds)
    assert done.stderr == ""
    assert json.loads(done.stdout)["comparison"]["baseline"] == OLD


@pytest.mark.slow
def test_compare_and_gate_take_it_too(tmp_path: Path) -> None:
    with CloudServer(HISTORY) as server:
        compared = run(server, tmp_path, "compare", "previous", "00042", "--json")
        gate = run(server, tmp_path, "gate", "--revision", "00042", "--baseline", "previous")
    assert json.loads(compared.stdout)["comparison"]["baseline"] == OLD
    assert gate.stdout.startswith(f"✗ fail: {NOW} against {OLD}"), gate.stderr
    assert gate.returncode == 1


@pytest.mark.slow
def test_where_none_answered_requests_the_one_that_ran_counts(tmp_path: Path) -> None:
    ran = [entry(DEPLOYED, number, "stdout", textPayload=f"working {number}") for number in range(30)]
    now = [entry(NOW, 100 + number, "stderr", severity="ERROR", textPayload="ValueError: no") for number in range(9)]
    with CloudServer([*ran, *now]) as server:
        done = run(server, tmp_path, "analyze", "--revision", NOW, "--baseline", "previous", "--json")
    assert json.loads(done.stdout)["comparison"]["baseline"] == DEPLOYED


def test_the_first_revision_of_a_service_is_told_in_one_line(tmp_path: Path) -> None:
    with CloudServer([*serving(NOW, 1300, 20), *serving("other-00001-eee", 100, 20, service="other")]) as server:
        done = run(server, tmp_path, "analyze", "--revision", NOW, "--baseline", "previous")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"no revision of 'shop' before '{NOW}' between " in done.stderr
    assert "name one with --baseline" in done.stderr
    assert not (tmp_path / "forensics-cases").exists()
