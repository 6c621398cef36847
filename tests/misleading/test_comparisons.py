"""Logs that invite a wrong word: filtered exports, health checks, scanners, requests sent again, outages."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.program import run

from forensics.model import Change, ChangeState, GateResult, Report
from forensics.rendering import decode_report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Entry = dict[str, Any]

OLD, NOW = "shop-api-00041-abc", "shop-api-00042-abc"
START = {OLD: datetime(2026, 5, 1, tzinfo=UTC), NOW: datetime(2026, 5, 2, tzinfo=UTC)}
HEALTH = "GoogleHC/1.0"
BROWSER = "Mozilla/5.0"


def entry(revision: str, number: int, at: float, severity: str, log: str, **payload: Any) -> Entry:
    labels = {"service_name": "shop-api", "revision_name": revision, "location": "us-central1", "project_id": "p"}
    return {
        "insertId": f"{revision}-{log}-{number:06}",
        "labels": {"instanceId": f"i{number % 3}-{revision}"},
        "logName": f"projects/p/logs/run.googleapis.com%2F{log}",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "severity": severity,
        "timestamp": (START[revision] + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        **payload,
    }


def request(revision: str, number: int, at: float, status: int, *, path: str = "/orders", **http: Any) -> Entry:
    severity = "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO"
    asked = {
        "latency": "0.05s",
        "remoteIp": f"203.0.113.{number % 250}",
        "requestMethod": "GET",
        "requestUrl": f"https://shop.example{path}",
        "status": status,
        "userAgent": BROWSER,
    }
    return entry(revision, number, at, severity, "requests", httpRequest=asked | http)


def revision(name: str, requests: int, failing: int, *, seed: int = 0) -> list[Entry]:
    """Write a whole log: starts of instances, requests of an hour, some of which fail here and there."""
    failed = set(random.Random(f"{name} {seed}").sample(range(requests), failing))  # noqa: S311 - the same every time
    starts = [
        entry(name, n, n, "INFO", "varlog%2Fsystem", textPayload="Starting new instance. Reason: DEPLOYMENT_ROLLOUT")
        for n in range(3)
    ]
    served = [request(name, n, 5 + 3600 * n / requests, 500 if n in failed else 200) for n in range(requests)]
    return [*starts, *served]


def write(folder: Path, *sides: Sequence[Entry]) -> Path:
    file = folder / "logs.ndjson"
    file.write_text("".join(f"{json.dumps(one)}\n" for entries in sides for one in entries))
    return file


def compared(folder: Path, old: Sequence[Entry], new: Sequence[Entry]) -> tuple[Change, GateResult, int]:
    """Return what became of failing requests, what the gate says, and its exit code."""
    logs = str(write(folder, old, new))
    done = run("compare", OLD, NOW, "--logs", logs, "--out", str(folder / "out"))
    assert done.returncode == 0, done.stderr
    comparison = decode_report((folder / "out" / "report.json").read_bytes(), "report.json").comparison
    assert comparison is not None
    gated = run("gate", "--revision", NOW, "--baseline", OLD, "--logs", logs, "--json")
    change = next(change for change in comparison.changes if change.signature == "http-5xx")
    return change, msgspec.json.decode(gated.stdout.encode(), type=GateResult), gated.returncode


def whole(entries: Sequence[Entry]) -> list[Entry]:
    return list(entries)


def only(*severities: str) -> Callable[[Sequence[Entry]], list[Entry]]:
    return lambda entries: [one for one in entries if one["severity"] in severities]


def only_failed_requests(entries: Sequence[Entry]) -> list[Entry]:
    """What a filter of `httpRequest.status >= 500 OR` a word that stdout says brings."""
    said = [
        entry(
            str(entries[0]["resource"]["labels"]["revision_name"]),
            9_000 + n,
            7 * n,
            "INFO",
            "stdout",
            textPayload="listening",
        )
        for n in range(5)
    ]
    return [*said, *(one for one in entries if one.get("httpRequest", {}).get("status") == 500)]


def only_requests_from_400(entries: Sequence[Entry]) -> list[Entry]:
    """What a filter of `httpRequest.status >= 400` and the application's log bring, a scanner's requests among it."""
    name = str(entries[0]["resource"]["labels"]["revision_name"])
    scans = [request(name, 60_000 + n, 11 * n, 404, path=f"/wp-{n}.php") for n in range(20)]
    return [*only_failed_requests(entries), *scans]


FILTERS = [only("ERROR"), only("ERROR", "WARNING"), only_failed_requests, only_requests_from_400]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("kept", FILTERS)
def test_a_filtered_log_beside_a_whole_one_is_not_comparable(
    kept: Callable[[Sequence[Entry]], list[Entry]], side: int, tmp_path: Path
) -> None:
    entries = [revision(OLD, 1000, 40), revision(NOW, 1000, 40)]
    entries[side] = kept(entries[side])
    change, result, code = compared(tmp_path, *entries)
    assert change.state is ChangeState.NOT_COMPARABLE, change.statement
    assert "a filter left out the rest" in change.statement
    assert (code, result.outcome) == (3, "not enough traffic")


@pytest.mark.parametrize("side", [0, 1])
def test_nor_is_one_in_which_only_a_few_failures_are_left(side: int, tmp_path: Path) -> None:
    entries = [revision(OLD, 1000, 6), revision(NOW, 1000, 6)]
    entries[side] = only("ERROR")(entries[side])
    change, _, code = compared(tmp_path, *entries)
    assert (change.state, code) == (ChangeState.NOT_COMPARABLE, 3), change.statement


def test_a_log_that_was_cut_by_a_limit_is_not_comparable(tmp_path: Path) -> None:
    """Exactly a thousand entries in one file: a limit, and nobody knows what it left out."""
    (tmp_path / "old").mkdir()
    old = write(tmp_path / "old", revision(OLD, 1000, 40))
    new = write(tmp_path, revision(NOW, 997, 90))
    done = run("gate", "--revision", NOW, "--baseline", OLD, "--logs", str(new), "--baseline-logs", str(old))
    assert done.returncode == 3, done.stdout
    assert "exactly 1,000 entries" in done.stdout


def test_two_logs_that_were_filtered_alike_are_not_comparable_either(tmp_path: Path) -> None:
    change, _, code = compared(tmp_path, only("ERROR")(revision(OLD, 1000, 40)), only("ERROR")(revision(NOW, 1000, 40)))
    assert (change.state, code) == (ChangeState.NOT_COMPARABLE, 3)


def test_a_revision_of_which_every_request_fails_is_no_filter(tmp_path: Path) -> None:
    change, _, code = compared(tmp_path, revision(OLD, 1000, 10), revision(NOW, 600, 600))
    assert change.state is ChangeState.WORSE, change.statement
    assert code == 1


def test_health_checks_do_not_thin_failures_out(tmp_path: Path) -> None:
    """The same failures in the same traffic; only the new revision is asked for its health ten times a second."""
    checks = [request(NOW, 50_000 + n, 5 + 0.7 * n, 200, path="/healthz", userAgent=HEALTH) for n in range(5000)]
    change, _, code = compared(tmp_path, revision(OLD, 1000, 40), [*revision(NOW, 1000, 43), *checks])
    assert change.state in {ChangeState.UNCLEAR, ChangeState.NO_CHANGE}, change.statement
    assert (change.exposure_before, change.exposure_after, code) == (1000, 1000, 0)
    more, _, code = compared(tmp_path, revision(OLD, 1000, 20), [*revision(NOW, 1000, 100), *checks])
    assert (more.state, code) == (ChangeState.WORSE, 1)


def test_health_checks_are_no_traffic_that_lets_a_revision_pass(tmp_path: Path) -> None:
    checks = [request(NOW, 50_000 + n, 5 + n, 200, path="/healthz", userAgent="kube-probe/1.29") for n in range(900)]
    _, result, code = compared(tmp_path, revision(OLD, 1000, 40), [*revision(NOW, 100, 4), *checks])
    assert code == 3
    assert "100 requests so far, 500 are needed" in result.reasons[0].statement


def test_a_route_that_the_platform_says_it_probes_is_no_traffic(tmp_path: Path) -> None:
    """Whoever asks it has no user agent that tells, and asks the new revision only."""
    told = entry(
        NOW,
        70_000,
        2,
        "INFO",
        "varlog%2Fsystem",
        textPayload='STARTUP HTTP probe succeeded after 1 attempt for container "api-1" on port 8080 path "/readyz".',
    )
    checks = [request(NOW, 50_000 + n, 5 + n, 200, path="/readyz") for n in range(3000)]
    change, result, code = compared(tmp_path, revision(OLD, 1000, 40), [told, *revision(NOW, 1000, 43), *checks])
    assert (change.exposure_before, change.exposure_after, code) == (1000, 1000, 0), change.statement
    assert result.exposure.after.probes == 3000
    _, result, code = compared(tmp_path, revision(OLD, 1000, 40), [told, *revision(NOW, 100, 4), *checks])
    assert (result.exposure.after.traffic, code) == (100, 3)


def test_failed_health_checks_are_held_against_health_checks(tmp_path: Path) -> None:
    """They fail as often as before, beside ten times the traffic: all of it would make them look better."""

    def checks(name: str) -> list[Entry]:
        return [
            request(name, 50_000 + n, 5 + 6 * n, 503 if n % 10 == 3 else 200, path="/healthz", userAgent=HEALTH)
            for n in range(600)
        ]

    change, _, _ = compared(tmp_path, [*revision(OLD, 300, 0), *checks(OLD)], [*revision(NOW, 3000, 0), *checks(NOW)])
    assert (change.before, change.exposure_before, change.exposure_after) == (60, 600, 600)
    assert change.state is ChangeState.NO_CHANGE, change.statement


def test_scanners_do_not_thin_failures_out(tmp_path: Path) -> None:
    scans = [request(NOW, 50_000 + n, 5 + n, 404, path=f"/wp-{n}/login.php") for n in range(3000)]
    change, _, code = compared(tmp_path, revision(OLD, 1000, 20), [*revision(NOW, 1000, 100), *scans])
    assert (change.state, change.exposure_after, code) == (ChangeState.WORSE, 1000, 1)
    same, _, code = compared(tmp_path, revision(OLD, 1000, 40), [*revision(NOW, 1000, 42), *scans])
    assert same.state in {ChangeState.UNCLEAR, ChangeState.NO_CHANGE}
    assert (same.exposure_after, code) == (1000, 0)


@pytest.mark.parametrize("by_trace", [True, False])
def test_a_request_that_was_sent_again_counts_once(by_trace: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    """A client of the new revision tries four times what the old one's tried once."""
    once = revision(NOW, 1000, 30)
    again = [
        one | {"insertId": f"{one['insertId']}-{n}", "timestamp": moved(one["timestamp"], 0.4 * n)}
        for one in once
        if one.get("httpRequest", {}).get("status") == 500
        for n in (1, 2, 3)
    ]
    entries = [*once, *again]
    if by_trace:
        for one in entries:
            one["trace"] = f"projects/p/traces/{one['insertId'][:34]}"
            one.get("httpRequest", {}).pop("remoteIp", None)
    change, _, code = compared(tmp_path, revision(OLD, 1000, 30), entries)
    assert (change.before, change.after) == (30, 30)
    assert (change.exposure_before, change.exposure_after) == (1000, 1000)
    assert change.state in {ChangeState.UNCLEAR, ChangeState.NO_CHANGE}
    assert code == 0


def delivered(failing: Sequence[Entry], tries: int, **named: Any) -> list[Entry]:
    """Send each failed request again a minute later and later, each time in a trace in which a line names its message.

    `{}` in a field of the line is the id of the message.
    """
    found = []
    for at, one in enumerate(failing):
        for n in range(tries):
            number = f"{at}-{n}"
            trace = f"projects/p/traces/{at:016}{n:016}"
            again = one | {"insertId": f"{one['insertId']}-{n}", "timestamp": moved(one["timestamp"], 60.0 * n)}
            again["trace"] = trace
            again["httpRequest"] = one["httpRequest"] | {"remoteIp": f"35.187.{n}.{at}"}
            line = json.loads(json.dumps(named).replace("{}", f"20704436{at:08}"))
            said = entry(NOW, 0, 0, "INFO", "stdout", **line)
            found += [again, said | {"insertId": f"said-{number}", "timestamp": again["timestamp"], "trace": trace}]
    return found


@pytest.mark.parametrize(
    "named",
    [
        {"textPayload": "handling message_id=20704436{}"},
        {"jsonPayload": {"message": "push", "envelope": {"message": {"messageId": "20704436{}"}}}},
        {"jsonPayload": {"message": "task", "headers": {"X-CloudTasks-TaskName": "20704436{}", "try": 3}}},
    ],
)
def test_a_message_that_is_delivered_again_counts_once(named: Entry, tmp_path: Path) -> None:
    """Pub/Sub and Cloud Tasks try again a minute later, from another address, in a trace of its own."""
    entries = revision(NOW, 1000, 30)
    failing = [one for one in entries if one.get("httpRequest", {}).get("status") == 500]
    rest = [one for one in entries if one not in failing]
    change, _, code = compared(tmp_path, revision(OLD, 1000, 30), [*rest, *delivered(failing, 4, **named)])
    assert (change.before, change.after, change.exposure_after) == (30, 30, 1000)
    assert (change.state in {ChangeState.UNCLEAR, ChangeState.NO_CHANGE}, code) == (True, 0), change.statement


def test_a_code_of_messages_is_no_message(tmp_path: Path) -> None:
    entries = revision(NOW, 1000, 60)
    failing = [one for one in entries if one.get("httpRequest", {}).get("status") == 500]
    rest = [one for one in entries if one not in failing]
    named = {"jsonPayload": {"message": "failed", "messageId": "ERR_1001"}}
    change, _, _ = compared(tmp_path, revision(OLD, 1000, 10), [*rest, *delivered(failing, 1, **named)])
    assert (change.after, change.state) == (60, ChangeState.WORSE)


def test_another_request_of_the_same_client_is_no_retry(tmp_path: Path) -> None:
    """Of one client, each ten seconds; and of two clients within a second."""
    once = revision(NOW, 1000, 0)
    own = [request(NOW, 80_000 + n, 5 + 10 * n, 500, remoteIp="198.51.100.7") for n in range(40)]
    other = [request(NOW, 90_000 + n, 5.5 + 10 * n, 500, remoteIp="198.51.100.8") for n in range(40)]
    change, _, _ = compared(tmp_path, revision(OLD, 1000, 30), [*once, *own, *other])
    assert (change.after, change.exposure_after) == (80, 1080)


def moved(timestamp: str, seconds: float) -> str:
    moment = datetime.fromisoformat(timestamp) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_one_outage_is_neither_worse_nor_gone(tmp_path: Path) -> None:
    quiet = revision(NOW, 1000, 0)
    broken = revision(OLD, 1000, 0)
    for one in broken[400:440]:
        one["httpRequest"]["status"], one["severity"] = 500, "ERROR"
    change, _, code = compared(tmp_path, broken, quiet)
    assert (change.state, code) == (ChangeState.UNCLEAR, 0)
    assert change.statement.startswith("40 failures in 1 episode → 0 ")
    assert change.statement.endswith("one episode cannot tell (6 are needed)")


def test_one_bad_instance_of_three_is_no_change(tmp_path: Path) -> None:
    bad = revision(NOW, 1000, 0)
    for one in bad[3::9]:
        one["httpRequest"]["status"], one["severity"] = 500, "ERROR"
    change, _, _ = compared(tmp_path, revision(OLD, 1000, 8), bad)
    assert change.state is ChangeState.UNCLEAR
    assert "all on one instance of 3" in change.statement


def test_several_baselines_show_how_much_revisions_differ_by_themselves(tmp_path: Path) -> None:
    counts = {36: 12, 37: 70, 38: 25, 39: 90, 40: 40}
    olds = []
    for number, failing in counts.items():
        name = f"shop-api-000{number}-abc"
        START[name] = datetime(2026, 4, number - 30, tzinfo=UTC)
        olds.append(revision(name, 1000, failing))
    logs = str(write(tmp_path, *olds, revision(OLD, 1000, 20), revision(NOW, 1000, 80)))

    def change(*baselines: str) -> Change:
        words = [word for name in baselines for word in ("--baseline", name)]
        done = run("analyze", "--revision", NOW, *words, "--logs", logs, "--out", str(tmp_path / "out"))
        assert done.returncode == 0, done.stderr
        report: Report = decode_report((tmp_path / "out" / "report.json").read_bytes(), "report.json")
        assert report.comparison is not None
        (found,) = report.comparison.changes
        return found

    alone = change("previous")
    assert alone.state is ChangeState.WORSE
    assert alone.statement.endswith(
        "against 00041 alone; how much revisions differ by themselves is not known; --baseline previous:5 asks"
    )
    among = change("previous:5")
    assert among.state not in {ChangeState.WORSE, ChangeState.NEW}
    assert (among.before, among.exposure_before) == (20 + 40 + 90 + 25 + 70, 5000)
    assert change(*(f"shop-api-000{number}" for number in (41, 40, 39, 38, 37))).statement == among.statement
