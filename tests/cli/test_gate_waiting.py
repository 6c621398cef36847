"""`forensics gate --live --wait`: it looks again until the outcome is clear, or the time is over."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cli.gates import run
from cloud.server import CloudServer

from forensics.model import GateResult

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

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
    every = count // failing if failing else count + 1  # in bursts they would be one event
    return [
        served(n, 200 if (n + 1) % every else 500, start + timedelta(milliseconds=100 * n), revision)
        for n in range(count)
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


@pytest.mark.slow
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
    """Requests of twenty minutes, those that fail spread over the last third."""
    start, step = datetime.now(UTC) - SPAN, timedelta(minutes=19) / count
    failed = {count - 1 - count // 3 // failing * number for number in range(failing)}
    return [served(n, 500 if n in failed else 200, start + n * step, revision) for n in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize(("failing", "code", "word"), [(0, 0, "✓ pass"), (900, 1, "✗ fail")])
def test_a_service_with_more_requests_than_a_pull_takes_is_judged_by_a_sample(
    tmp_path: Path, failing: int, code: int, word: str
) -> None:
    count = 40_000 if failing else 24_000  # around failures everything is pulled, and the sample is of the rest
    with CloudServer([*requests(OLD, 400), *many(NOW, count, failing)]) as server:
        # Else so many are pulled whole: it takes half a minute of the quota.
        done = waited(server, tmp_path, "--json", "--errors")
        shown = waited(server, tmp_path, "--errors")  # the case has it all by now
    assert (done.returncode, shown.returncode) == (code, code), done.stderr
    result = msgspec.json.decode(done.stdout.encode(), type=GateResult)
    assert (result.exposure.before.requests, result.exposure.before.requests_margin) == (400, 0)
    after = result.exposure.after
    assert after.requests is not None
    assert after.requests_margin > 0
    assert abs(after.requests - count) <= 2 * after.requests_margin
    assert shown.stdout.startswith(word)
    assert " ± " in next(line for line in shown.stdout.splitlines() if line.startswith("  requests"))
    if not failing:
        assert re.search(
            r"in about [\d,]+ requests \(give or take [\d,]+: from .* on a sample of one in \d+ was", shown.stdout
        )


@pytest.mark.slow
def test_when_the_time_is_over_the_last_outcome_counts(tmp_path: Path) -> None:
    with CloudServer([*requests(OLD, 400), *requests(NOW, 5)]) as server:
        done = waited(server, tmp_path, "--wait", "1s")
    assert (done.returncode, done.stdout[:20]) == (3, "? not enough traffic")
    assert "looking again" in done.stderr


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_revision_that_is_silent_is_waited_for_before_its_previous_one_is_looked_for(tmp_path: Path) -> None:
    with CloudServer(requests(OLD, 400)) as server:
        feeding = more_when_asked(server, requests(NOW, 400, back=timedelta(minutes=2)), 3)
        done = waited(server, tmp_path, "--wait", "60s", baseline="previous")
        feeding.join()
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"✓ pass: {NOW} against {OLD}"), done.stderr
    assert "no entry of revision" in done.stderr
