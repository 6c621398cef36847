"""`forensics watch` against a real server: what arrives, what breaks, and what the report says of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from cloud.faults import FaultPlan, Suppressed, permission_denied
from cloud.server import CloudServer
from cloud.test_live import environment
from cloud.watches import P0, REVISION, Watching, command, entry, errors, run, wait_until
from support.platforms import open_terminal, read_terminal, signals, terminals

from forensics.cases import verify

if TYPE_CHECKING:
    from pathlib import Path

LIVE = f"watching {REVISION} live"


def ids(*groups: list[dict[str, object]]) -> list[object]:
    return [one["insertId"] for group in groups for one in group]


@pytest.mark.slow
@signals
def test_what_stood_before_and_what_arrives_is_in_the_case_once_and_reported(tmp_path: Path) -> None:
    before, later = [entry("all well", "INFO"), *errors(2)], errors(3)
    with CloudServer(before) as server, Watching(server, tmp_path, "--for", "60s") as watch:
        watch.wait_for(LIVE)
        watch.wait_for("P2 unknown: ValueError: no such order <*>")
        server.add(later)
        wait_until(lambda: watch.had() == 6)
        assert watch.stop() == 0
        assert server.breaches == []
        assert sorted(watch.ids()) == ids(before, later)
        (record,) = watch.case.manifest.pulls
        assert (record.transport, record.watched, record.gaps, record.checkpoint.done) == ("grpc tail", True, (), True)
        verdict = next(line for line in watch.lines if line.startswith("watched"))
    assert verdict.endswith("6 entries, 5 of them errors, 1 failure; lost: nothing")
    assert watch.lines.index(verdict) < next(n for n, line in enumerate(watch.lines) if "us-central1" in line)
    assert watch.report()["coverage"]["truncated"] is False
    assert verify(tmp_path / "case") == []
    again = run(tmp_path, "analyze", "--revision", REVISION, "--case", "case", "--json", "--out", "x", "--project", "p")
    assert json.loads(again) == watch.report()


@pytest.mark.slow
def test_after_a_restart_of_the_server_nothing_is_missing_or_double(tmp_path: Path) -> None:
    first, meanwhile, last = errors(2), errors(30), errors(2)
    with CloudServer(first) as server, Watching(server, tmp_path, "--for", "30s") as watch:
        watch.wait_for("P2 unknown")
        server.stop()
        watch.wait_for("gap: broken off")
        server.add(meanwhile)
        server.start()
        watch.wait_for("reopened: nothing is missing, what was missed was listed (30 entries)")
        server.add(last)
        server.add([entry(P0)])
        assert watch.end() == 0
        assert len(watch.ids()) == 35
        assert set(ids(first, meanwhile, last)) < set(watch.ids())
        assert watch.report()["coverage"]["truncated"] is False
        assert server.breaches == []


@pytest.mark.slow
@signals
def test_a_gap_that_cannot_be_filled_stands_in_lines_verdict_and_report_until_a_pull_fills_it(tmp_path: Path) -> None:
    first, meanwhile = errors(2), errors(3)
    with CloudServer(first) as server, Watching(server, tmp_path, "--for", "60s") as watch:
        watch.wait_for("P2 unknown")
        server.stop()
        watch.wait_for("gap: broken off")
        server.add(meanwhile)
        assert watch.stop() == 0
        assert sum("  gap: " in line for line in watch.lines) == 2
        verdict = next(line for line in watch.lines if line.startswith("watched"))
        assert "could not be had (no whole answer from" in verdict
        coverage = watch.report()["coverage"]
        assert coverage["truncated"] is True
        assert any("what is not seen there may have happened" in warning for warning in coverage["warnings"])
        assert sorted(watch.ids()) == ids(first)
        server.start()
        subprocess.run(
            command("pull", server.rest_endpoint, "--case", "case", "--since", "1m"),
            check=True, cwd=tmp_path, capture_output=True, env=environment(),
        )  # fmt: skip
        assert sorted(watch.ids()) == ids(first, meanwhile)
        filled = json.loads(run(tmp_path, "analyze", "--revision", REVISION, "--case", "case", "--json"))
    assert filled["coverage"]["truncated"] is False


@pytest.mark.slow
@signals
def test_what_cloud_logging_leaves_out_is_counted_asked_for_and_told(tmp_path: Path) -> None:
    entries = errors(4)
    plan = FaultPlan([Suppressed(7, "NOT_CONSUMED", after=2)])
    with (
        CloudServer([entry("up", "INFO")], tail_faults=plan) as server,
        Watching(server, tmp_path, "--for", "60s") as watch,
    ):
        watch.wait_for(LIVE)
        wait_until(lambda: any(request.method == "tail" for request in server.requests))
        server.add(entries)
        watch.wait_for("suppressed: Cloud Logging left 7 entries out")
        listings = sum(request.method == "grpc" for request in server.requests)
        wait_until(lambda: sum(request.method == "grpc" for request in server.requests) > listings)
        assert watch.stop() == 0
        assert "lost: at most 7 entries" in watch.out
        assert watch.case.manifest.pulls[0].suppressed == {"NOT_CONSUMED": 7}
        assert any("left 7 entries out" in warning for warning in watch.report()["coverage"]["warnings"])


def test_the_first_p0_ends_it_and_fails_it(tmp_path: Path) -> None:
    asked = ("--for", "60s", "--linger", "0.5s", "--fail-on", "P0")
    with CloudServer([entry("up", "INFO")]) as server, Watching(server, tmp_path, *asked) as watch:
        watch.wait_for(LIVE)
        server.add([entry(P0)])
        watch.wait_for("P0 cause: websocket-1011-serialization")
        assert watch.end() == 1
    assert "(first P0 websocket-1011-serialization at " in watch.out


@pytest.mark.slow
@signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_gets_the_report(tmp_path: Path, number: signal.Signals) -> None:
    entries = errors(3)
    with CloudServer(entries) as server, Watching(server, tmp_path, "--for", "60s") as watch:
        watch.wait_for("P2 unknown")
        assert watch.stop(number) == 0
        assert "(stopped): 3 entries" in watch.out
        assert watch.err == ""
        assert watch.report()["coverage"]["errors"] == 3


@pytest.mark.slow
@signals
def test_after_a_kill_what_was_put_away_can_be_analysed_and_the_next_watch_brings_the_rest(tmp_path: Path) -> None:
    first, late = errors(5), errors(3)
    with CloudServer(first) as server:
        with Watching(server, tmp_path, "--for", "60s") as watch:
            wait_until(lambda: watch.had() == 5)
            watch.process.kill()
            watch.end()
        half = json.loads(run(tmp_path, "analyze", "--revision", REVISION, "--case", "case", "--json"))
        assert half["coverage"]["errors"] == 5
        assert "the watch into this case was stopped before its end" in half["coverage"]["truncation"]
        server.add(late)
        with Watching(server, tmp_path, "--for", "60s", "--since", "0.001s") as watch:
            wait_until(lambda: watch.had() == 8)
            assert watch.stop() == 0
        assert sorted(watch.ids()) == ids(first, late)
        assert [record.checkpoint.done for record in watch.case.manifest.pulls] == [True, True]
        assert watch.report()["coverage"]["truncated"] is False
    assert verify(tmp_path / "case") == []


@pytest.mark.slow
def test_a_revision_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with (
        CloudServer([entry("up", "INFO", "shop-api-00041-xyz")]) as server,
        Watching(server, tmp_path, "--for", "60s", "--linger", "0s") as watch,
    ):
        watch.wait_for("waiting for its first entry: no entry of revision 'shop-api-00042-abc'")
        assert "the nearest is 'shop-api-00041-xyz'" in watch.out
        server.add([entry(P0)])
        assert watch.end() == 0
        assert len(watch.ids()) == 1


def test_a_revision_that_never_comes_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with CloudServer(errors(1)) as server:
        asked = command("watch", server.grpc_endpoint, "--for", "0.1s", "--service", "cart")
        done = subprocess.run(asked, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no entry of service 'cart'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_may_not_read_is_told_in_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    with CloudServer(errors(1), faults=FaultPlan([permission_denied()])) as server:
        asked = command("watch", server.grpc_endpoint, "--for", "60s")
        done = subprocess.run(asked, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "roles/logging.viewer" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_who_may_read_but_not_follow_asks_every_few_seconds(tmp_path: Path) -> None:
    plan = FaultPlan([permission_denied("logging.logEntries.tail")])
    with (
        CloudServer([entry("up", "INFO")], tail_faults=plan) as server,
        Watching(server, tmp_path, "--for", "60s", "--linger", "0s") as watch,
    ):
        watch.wait_for("asking every few seconds instead of following: no permission")
        server.add([entry(P0)])
        assert watch.end() == 0
        assert len(watch.ids()) == 2
        assert sum("asking every few seconds" in line for line in watch.lines) == 1
        assert sum(request.method == "tail" for request in server.requests) == 1


@pytest.mark.slow
def test_over_rest_it_asks_every_few_seconds(tmp_path: Path) -> None:
    with (
        CloudServer([entry("up", "INFO")]) as server,
        Watching(server, tmp_path, "--for", "60s", "--linger", "0s", transport="rest") as watch,
    ):
        watch.wait_for("instead of following: REST cannot be followed live")
        server.add([entry(P0)])
        assert watch.end() == 0
        assert server.busiest_minute() < 20
        assert watch.case.manifest.pulls[0].transport == "rest"


@pytest.mark.slow
@signals
def test_what_a_saved_report_has_is_known_and_the_rest_is_new(tmp_path: Path) -> None:
    with CloudServer(errors(2)) as server:
        with Watching(server, tmp_path, "--for", "1s", "--out", "saved") as watch:
            assert watch.end() == 0
        with Watching(server, tmp_path, "--for", "60s", "--case", "other", "--baseline", "saved/report.json") as watch:
            watch.wait_for("ValueError: no such order <*> (known)")
            server.add([entry("KeyError: 'cart'")])
            watch.wait_for("KeyError: 'cart' (new)")
            assert watch.stop() == 0


@pytest.mark.slow
def test_a_report_on_standard_output_has_nothing_beside_it(tmp_path: Path) -> None:
    with CloudServer(errors(2)) as server, Watching(server, tmp_path, "--for", "1s", "--json") as watch:
        assert watch.end() == 0
        assert json.loads(watch.out)["revision"]["name"] == REVISION
        assert "watched shop-api" in watch.err


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["--for", "--since", "--linger"])
def test_a_length_that_is_none_is_bad_usage(tmp_path: Path, flag: str) -> None:
    asked = command("watch", "127.0.0.1:1", flag, "soon")
    done = subprocess.run(asked, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment())
    assert (done.returncode, done.stderr) == (
        2, f"forensics: {flag} 'soon' is no duration: write 30s, 10m or 2h\n",
    )  # fmt: skip


@pytest.mark.slow
@terminals
def test_a_terminal_sees_a_table_that_goes_away(tmp_path: Path) -> None:
    ours, theirs = open_terminal()
    with CloudServer([*errors(2), entry(P0)]) as server:
        asked = command("watch", server.grpc_endpoint, "--linger", "1s", "--case", "case")
        watch = subprocess.Popen(asked, cwd=tmp_path, stdout=theirs, stderr=theirs, env=environment())
        os.close(theirs)
        seen = read_terminal(ours)
        assert watch.wait(timeout=60) == 0
    assert b"per min" in seen
    assert b"websocket-1011-serialization" in seen
    assert b"Ctrl-C ends and reports" in seen
    assert seen.rfind(b"per min") < seen.find(b"watched shop-api") < seen.find(b"index.md")
