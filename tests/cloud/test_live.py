"""`forensics analyze` that asks Cloud Logging itself, and `pull`'s words, against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cloud.faults import FaultPlan, Slow, permission_denied, service_disabled, unauthenticated, unknown_project
from cloud.server import CloudServer
from support.platforms import open_terminal, read_terminal, signals, terminals

from forensics.cases import Case, PullRecord
from forensics.cli.screens.pull_progress import PullProgress, describe
from forensics.model import PullPart
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from pathlib import Path

REVISION = "shop-api-00042-abc"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPAN = ("--from", "2026-05-01T12:00:00Z", "--to", "2026-05-01T13:00:00Z")


def entry(moment: datetime, text: str, severity: str = "ERROR", **fields: Any) -> dict[str, Any]:
    revision, service = fields.pop("revision", REVISION), fields.pop("service", "shop-api")
    labels = {"service_name": service, "revision_name": revision, "location": "us-central1", "project_id": "p"}
    return {
        "insertId": f"{moment.timestamp()}{text}",
        "logName": "projects/p/logs/run.googleapis.com%2Fstderr",
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
        "severity": severity,
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": "i1"},
        "textPayload": text,
        **fields,
    }


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


FAILING = [entry(after(1200 + 60 * number), f"ValueError: no such order {number}") for number in range(5)]


def command(server: CloudServer | None, *arguments: str) -> list[str]:
    more = ["--endpoint", server.rest_endpoint, "--requests-per-minute", "600"] if server else []
    return [sys.executable, "-m", "forensics", *arguments, *more]


def environment() -> dict[str, str]:
    """Neither credentials, nor a look for them in the network."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "LOGGING_"))}
    return keep | {"NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": "/nowhere"}


def run(server: CloudServer | None, folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(server, *arguments), capture_output=True, text=True, cwd=folder, check=False, env=environment()
    )
    return done.returncode, done.stdout, done.stderr


def analyzed(server: CloudServer, folder: Path, *more: str, revision: str = REVISION) -> Any:
    code, out, err = run(server, folder, "analyze", "--revision", revision, "--project", "p", "--json", *more)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_without_logs_the_cloud_is_asked_and_the_report_names_the_case(tmp_path: Path) -> None:
    with CloudServer(FAILING) as server:
        report = analyzed(server, tmp_path, "--to", "2026-05-01T13:00:00Z", revision="00042")
        assert server.breaches == []
    case = Case.look(tmp_path / "forensics-cases" / REVISION)
    assert report["case"] == {"folder": REVISION, "sha256": case.sha256}
    assert [cluster["entries"] for cluster in report["clusters"]] == [5]
    coverage = report["coverage"]
    # From the revision's first entry on, its deployment included, and no guess about a round number.
    assert coverage["asked"] == {"from": "2026-05-01T12:10:00Z", "to": "2026-05-01T13:00:00Z"}
    assert (coverage["truncated"], coverage["truncation"]) == (False, None)
    # So small a revision is pulled whole.
    assert coverage["whole_from"] is None
    assert not any("--everything pulls them" in warning for warning in coverage["warnings"])
    assert REVISION in (tmp_path / "forensics-reports" / REVISION / "index.md").read_text()


@pytest.mark.slow
def test_everything_brings_what_is_no_error(tmp_path: Path) -> None:
    entries = [*FAILING, entry(after(3000), "all well", "INFO")]
    with CloudServer(entries) as server:
        narrow = analyzed(server, tmp_path, *SPAN, "--live", "--case", "narrow", "--errors")
        whole = analyzed(server, tmp_path, *SPAN, "--live", "--case", "whole", "--everything")
    assert narrow["coverage"]["entries_selected"] == 5
    assert whole["coverage"]["entries_selected"] == 6
    assert not any("--everything" in warning for warning in whole["coverage"]["warnings"])


@pytest.mark.slow
def test_a_round_number_of_a_finished_case_is_no_sign_of_a_limit(tmp_path: Path) -> None:
    entries = [entry(after(600 + number), f"ValueError: {number}") for number in range(100)]
    with CloudServer(entries) as server:
        report = analyzed(server, tmp_path, *SPAN)
    assert report["coverage"]["entries_read"] == 100
    assert report["coverage"]["truncated"] is False


@pytest.mark.slow
def test_an_analysis_that_was_killed_goes_on_and_an_unfinished_case_is_cut(tmp_path: Path) -> None:
    entries = [entry(after(number / 10), f"ValueError: {number}") for number in range(20_000)]
    words = ("analyze", "--revision", REVISION, "--project", "p", *SPAN)
    with CloudServer(entries) as server:
        first = subprocess.Popen(
            command(server, *words),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            # A shell that runs the tests in the background has its children ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        while len(server.requests) < 6 and first.poll() is None:
            time.sleep(0.005)
        first.kill()
        first.communicate(timeout=60)
        case = f"forensics-cases/{REVISION}"
        had = Case.look(tmp_path / case).manifest.entries
        assert 0 < had < 20_000
        half = json.loads(run(None, tmp_path, "analyze", "--revision", REVISION, "--case", case, "--json")[1])
        assert half["coverage"]["truncated"] is True
        assert "was stopped before its end" in half["coverage"]["truncation"]
        code, out, err = run(server, tmp_path, *words[:3], "--json", *words[3:])
        assert (code, err) == (0, "forensics: going on with a pull that was stopped\n")
    report = json.loads(out)
    assert (report["coverage"]["entries_read"], report["coverage"]["truncated"]) == (20_000, False)


@pytest.mark.slow
def test_a_second_analysis_asks_only_for_what_is_new(tmp_path: Path) -> None:
    with CloudServer(FAILING) as server:
        analyzed(server, tmp_path, "--to", "2026-05-01T13:00:00Z")
        server.add([entry(after(4000), "ValueError: no such order 9")])
        report = analyzed(server, tmp_path, "--to", "2026-05-01T14:00:00Z")
    assert report["coverage"]["errors"] == 6
    pulls = Case.look(tmp_path / "forensics-cases" / REVISION).manifest.pulls
    assert [pull.from_time for pull in pulls if pull.part == "errors"][1:] == ["2026-05-01T12:55:00Z"]


@pytest.mark.slow
def test_errors_at_the_edge_widen_the_span_and_that_is_said(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=minutes) for minutes in (10, 29, 31, 50, 70, 200)]
    with CloudServer([entry(moment, f"ValueError: {moment}") for moment in moments]) as server:
        asked = ("analyze", "--revision", REVISION, "--project", "p", "--since", "30m", "--json")
        code, out, err = run(server, tmp_path, *asked)
    assert code == 0
    assert err.count("errors stand at the start of the span: looking further back") == 1
    report = json.loads(out)
    assert report["coverage"]["errors"] == 4
    span = report["coverage"]["asked"]
    assert parse_time(span["to"]) - parse_time(span["from"]) == pytest.approx(3600 * SECOND, abs=5 * SECOND)


@pytest.mark.slow
def test_a_start_that_was_given_is_kept_and_the_report_says_what_that_hides(tmp_path: Path) -> None:
    entries = [entry(after(number), f"ValueError: {number}") for number in (-60, 60, 120)]
    with CloudServer(entries) as server:
        report = analyzed(server, tmp_path, *SPAN)
    assert report["coverage"]["errors"] == 2
    assert any("it may have begun before" in warning for warning in report["coverage"]["warnings"])
    assert not any("WARNING or above" in warning for warning in report["coverage"]["warnings"])


@pytest.mark.slow
def test_a_case_says_what_was_never_pulled_into_it(tmp_path: Path) -> None:
    with CloudServer([*FAILING, entry(after(1300), "said", "INFO", revision="shop-api-00041-xyz")]) as server:
        assert run(server, tmp_path, "pull", "--revision", REVISION, "--project", "p", "--case", "c", *SPAN)[0] == 0
    read = ("analyze", "--revision", REVISION, "--case", "c", "--json")
    report = json.loads(run(None, tmp_path, *read, "--from", "2026-05-01T11:00:00Z")[1])
    assert report["coverage"]["truncated"] is True
    assert "nothing was pulled of 2026-05-01T11:00:00Z – 2026-05-01T12:00:00Z" in report["coverage"]["truncation"]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["analyze", "pull"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (unknown_project("p"), "gcloud projects list"),
        (permission_denied(), "roles/logging.viewer"),
        (service_disabled(), "gcloud services enable logging.googleapis.com --project p"),
        (unauthenticated(), "gcloud auth application-default login"),
    ],
)
@pytest.mark.parametrize("served", [0, 1], ids=["at once", "when the case is there"])
def test_a_refusal_is_one_line_and_leaves_nothing(
    tmp_path: Path, verb: str, fault: Any, words: str, served: int
) -> None:
    with CloudServer(FAILING, faults=FaultPlan([None] * served + [fault])) as server:
        code, out, err = run(server, tmp_path, verb, "--revision", REVISION, "--project", "p", *SPAN)
        assert server.faults_are_done
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--revision", "shop-api-00043"), "the nearest is 'shop-api-00042-abc'"),
        (("--revision", "zzz"), "there are 'shop-api-00042-abc'"),
        (("--revision", "shop-api-00042", "--service", "shopapi"), "no entry of service 'shopapi'"),
        (("--revision", "latest", "--service", "shopapi"), "the nearest is 'shop-api'"),
        (("--revision", "shop-api-00042", "--service", "cart"), "there are 'shop-api'"),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_names(
    tmp_path: Path, asked: tuple[str, ...], words: str
) -> None:
    with CloudServer(FAILING) as server:
        code, out, err = run(server, tmp_path, "analyze", *asked, "--project", "p", *SPAN)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--revision", "00042"), "fits 2 revisions"),
        (("--revision", "00042", "--service", "shop-api"), ""),
        (("--revision", "latest"), "'latest' of which service?"),
        (("--revision", "latest", "--service", "shop-api"), ""),
        (("--revision", REVISION), ""),
    ],
)
def test_a_name_that_two_services_share_is_refused_as_from_files(
    tmp_path: Path, asked: tuple[str, ...], words: str
) -> None:
    """The newest thousand entries are all of one of them."""
    other = {"revision": "cart-00042-xyz", "service": "cart"}
    busy = [entry(after(1000 + number), f"line {number}", "INFO") for number in range(1100)]
    entries = [entry(after(10), "ValueError: of the cart", **other), *busy]
    with CloudServer(entries) as server:
        code, _, err = run(server, tmp_path, "pull", *asked, "--project", "p", *SPAN)
        assert server.breaches == []
    (tmp_path / "log.ndjson").write_text("".join(json.dumps(one) + "\n" for one in entries))
    from_file = run(None, tmp_path, "analyze", *asked, "--logs", "log.ndjson")
    assert code == from_file[0] == (2 if words else 0)
    assert words in err
    assert words in from_file[2]


@pytest.mark.slow
def test_a_revision_that_never_started_is_found_by_its_audit_entries(tmp_path: Path) -> None:
    verdict = entry(
        after(600),
        "",
        logName="projects/p/logs/cloudaudit.googleapis.com%2Fsystem_event",
        revision="",
        protoPayload={
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "resourceName": f"namespaces/p/revisions/{REVISION}",
            "status": {"message": f"Ready condition status changed to False for Revision {REVISION} with message: no."},
        },
    )
    with CloudServer([verdict]) as server:
        report = analyzed(server, tmp_path, *SPAN, revision="00042")
    assert report["revision"]["name"] == REVISION


@pytest.mark.slow
def test_neither_logs_nor_credentials_names_both_ways(tmp_path: Path) -> None:
    code, out, err = run(None, tmp_path, "analyze", "--revision", REVISION, "--project", "p")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--logs PATH" in err
    assert "gcloud auth application-default login" in err
    live = run(None, tmp_path, "analyze", "--revision", REVISION, "--project", "p", "--live")[2]
    assert "--logs" not in live


@pytest.mark.slow
def test_a_project_that_is_missing_is_said_as_such(tmp_path: Path) -> None:
    with CloudServer(FAILING) as server:
        code, _, err = run(server, tmp_path, "analyze", "--revision", REVISION)
    assert (code, err) == (2, "forensics: no project: use --project, or set GOOGLE_CLOUD_PROJECT\n")


def test_live_and_logs_together_are_bad_usage(tmp_path: Path) -> None:
    code, _, err = run(None, tmp_path, "analyze", "--revision", "x", "--live", "--logs", "y")
    assert (code, err) == (2, "forensics: --live and --logs both say what to read: give one of them\n")


@pytest.mark.slow
def test_queries_are_shown_beside_the_report(tmp_path: Path) -> None:
    asked = ("analyze", "--revision", REVISION, "--project", "p", *SPAN, "--json", "--show-query")
    with CloudServer(FAILING) as server:
        code, out, err = run(server, tmp_path, *asked)
        assert code == 0
        assert all(request.filter in err for request in server.requests)
    json.loads(out)
    assert "# errors: 5 new entries in 1 pages" in err


@pytest.mark.slow
@signals
def test_who_stops_a_pull_is_told_that_it_goes_on(tmp_path: Path) -> None:
    entries = [entry(after(number / 10), f"ValueError: {number}") for number in range(20_000)]
    words = ("pull", "--revision", REVISION, "--project", "p", *SPAN)
    with CloudServer(entries) as server:
        pull = subprocess.Popen(
            command(server, *words),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            # A shell that runs the tests in the background has its children ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        while len(server.requests) < 6 and pull.poll() is None:
            time.sleep(0.005)
        pull.send_signal(signal.SIGINT)
        _, err = pull.communicate(timeout=60)
        assert pull.returncode == 130
        assert b"keeps what came so far" in err
        assert b"Traceback" not in err
        assert "20,000 entries of" in run(server, tmp_path, *words)[1]


# --- progress ---


def test_progress_tells_entries_pace_time_covered_and_time_left() -> None:
    record = PullRecord(filter="f", part=PullPart.ERRORS, started="2026-05-01T12:00:00Z")
    last = parse_time("2026-05-01T12:15:00.5Z")
    assert describe(record, 12_000, 10.0, 0.25, last) == (
        "pulling errors: 12,000 entries, 1,200/s, up to 2026-05-01T12:15:00Z, about 30 s left"
    )
    assert describe(record, 0, 0.0, None, None) == "pulling errors: 0 entries"


def test_without_a_terminal_only_long_waits_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    progress = PullProgress(lambda: 0.0, slept.append, None)
    progress.wait_for_quota(4.0)
    progress.wait_for_answer(9.0)
    assert capsys.readouterr().err == ""
    progress.wait_for_quota(42.0)
    progress.wait_for_answer(12.0)
    assert capsys.readouterr().err == (
        "forensics: waiting 42 s for the read quota\n"
        "forensics: no good answer from Cloud Logging, asking again in 12 s\n"
    )
    assert slept == [4.0, 9.0, 42.0, 12.0]


def test_in_a_pipe_a_line_every_ten_seconds_tells_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    progress = PullProgress(lambda: now[0], lambda _: None, None)
    record = PullRecord(filter="f", part=PullPart.ERRORS, started="2026-05-01T12:00:00Z")
    said = []
    for seconds in (0, 4, 9.9, 10, 15, 20.1, 24):
        now[0] = 100.0 + seconds
        if not seconds:
            progress.begins(record)
        progress.say_if_due()
        said.append(capsys.readouterr().err.strip())
    assert said == ["", "", "", "forensics: pulling errors", "", "forensics: pulling errors", ""]


@pytest.mark.slow
def test_a_pull_in_a_pipe_says_that_it_goes_on_while_a_single_answer_is_waited_for(tmp_path: Path) -> None:
    with CloudServer(FAILING, faults=FaultPlan([None, Slow(11.5)])) as server:
        code, _, err = run(server, tmp_path, "pull", "--revision", REVISION, "--project", "p", *SPAN)
    assert code == 0
    assert err == "forensics: pulling everything\n"


@pytest.mark.slow
@terminals
def test_a_terminal_sees_one_line_in_place(tmp_path: Path) -> None:
    entries = [entry(after(number), f"ValueError: {number}") for number in range(2_500)]
    ours, theirs = open_terminal()
    with CloudServer(entries) as server:
        asked = command(server, "pull", "--revision", REVISION, "--project", "p", *SPAN)
        pull = subprocess.Popen(asked, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment())
        os.close(theirs)
        seen = read_terminal(ours)
        out, _ = pull.communicate(timeout=60)
    assert pull.returncode == 0
    assert b"2,500 entries of" in out
    assert b"\n" not in seen
    assert b"pulling everything: 1,000 entries" in seen
    assert f"up to {format_time(parse_time('2026-05-01T12:33:19Z'))}".encode() in seen
    assert seen.endswith(b"\r\x1b[K")
