"""A pull of errors: what stands around them comes too, each entry once, and nothing that was not asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cloud.server import CloudServer
from hypothesis import given, strategies as st
from msgspec.structs import replace

from forensics.cases import Case, Checkpoint, Manifest, PullRecord
from forensics.cloud.filters import Target, TimeSpan, TimeWindow
from forensics.model import Level, Nanoseconds
from forensics.pulling.neighbourhoods import look_around, neighbours_of
from forensics.pulling.plan import first_listing, rest, widened
from forensics.pulling.pull_groups import PullRequest, groups, missing, pulled_of
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REVISION = "backend-00042-abc"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPAN = ("--from", "2026-05-01T12:00:00Z", "--to", "2026-05-01T13:00:00Z")
TARGET = Target(revision=REVISION, service="backend", location="us-central1", project="p")


def entry(seconds: float, text: str = "", **fields: Any) -> dict[str, Any]:
    when = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    revision, instance = fields.pop("revision", REVISION), fields.pop("instance", "i1")
    log = fields.pop("log", "run.googleapis.com%2Fstderr")
    labels = {"service_name": "backend", "revision_name": revision, "location": "us-central1", "project_id": "p"}
    made = {
        "insertId": f"{log[-6:]}{seconds}{instance}{revision}",
        "logName": f"projects/p/logs/{log}",
        "timestamp": when,
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": instance},
        **fields,
    }
    return made | ({"textPayload": text} if text else {})


def request(seconds: float, status: int = 200, **fields: Any) -> dict[str, Any]:
    http = {"status": status, "requestUrl": "https://x/y", "requestMethod": "GET", "latency": "0.2s"}
    return entry(seconds, log="run.googleapis.com%2Frequests", httpRequest=http, severity="INFO", **fields)


def pull(server: CloudServer, folder: Path, *more: str, revision: str = REVISION) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "forensics", "pull", "--revision", revision, "--project", "p", *more]
    command += ["--endpoint", server.rest_endpoint, "--case", "case", "--requests-per-minute", "600"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    return done.returncode, done.stdout, done.stderr


def texts(folder: Path) -> list[str]:
    lines = [json.loads(line) for line in Case.look(folder / "case").lines()]
    return [line.get("textPayload") or f"{line['httpRequest']['status']}" for line in lines]


def test_errors_bring_their_neighbours_the_requests_and_the_platform(tmp_path: Path) -> None:
    entries = [
        entry(600, "opening the pool"),
        entry(620, "ValueError: no such table", severity="ERROR"),
        entry(625, "closing the pool", severity="DEBUG"),
        entry(620, "far from it", instance="i2"),
        entry(530, "too early"),
        entry(700, "too late"),
        request(610, instance="i1"),
        request(1800, instance="i2"),
        entry(300, "Starting new instance", log="run.googleapis.com%2Fvarlog%2Fsystem", instance="i2"),
        entry(200, "Ready", log="cloudaudit.googleapis.com%2Fsystem_event", revision="", severity="INFO"),
        entry(620, "ValueError of another revision", severity="ERROR", revision="backend-00041-xyz"),
        entry(4000, "ValueError after the span", severity="ERROR"),
    ]
    with CloudServer(entries) as server:
        code, out, err = pull(server, tmp_path, *SPAN, "--errors", "--show-query")
        assert (code, err) == (0, "")
        assert server.breaches == []
        filters = {asked.filter for asked in server.requests}
    wanted = ["200", "200", "Ready", "Starting new instance", "ValueError: no such table"]
    assert sorted(texts(tmp_path)) == sorted([*wanted, "opening the pool", "closing the pool"])
    pulls = Case.look(tmp_path / "case").manifest.pulls
    assert [record.part for record in pulls] == ["errors", "neighbourhood", "controls", "platform", "requests"]
    # One request stood beside the error already; the other was drawn, as one that went well.
    assert [record.entries for record in pulls] == [1, 3, 1, 2, 0]
    assert {record.filter for record in pulls} < filters
    assert all(text in out for text in filters)
    assert "7 entries of" in out


def test_a_revision_without_errors_is_there_all_the_same(tmp_path: Path) -> None:
    with CloudServer([entry(number, f"line {number}", severity="INFO") for number in range(60, 80)]) as server:
        assert pull(server, tmp_path, *SPAN, "--errors")[0] == 0
    assert len(texts(tmp_path)) == 20


@pytest.mark.slow
def test_requests_are_left_at_a_limit_and_the_report_says_so(tmp_path: Path) -> None:
    entries = [request(60 + number / 10, instance=f"i{number % 7}") for number in range(20_500)]
    entries.append(entry(3000, "ValueError: late", severity="ERROR", instance="i9"))
    with CloudServer(entries) as server:
        assert pull(server, tmp_path, *SPAN, "--errors")[0] == 0
    record = next(one for one in Case.look(tmp_path / "case").manifest.pulls if one.part == "requests")
    assert (record.listed, record.checkpoint.done, record.checkpoint.capped) == (20_000, True, True)
    coverage = analyzed(tmp_path)["coverage"]
    assert (coverage["truncated"], coverage["cut"]) == (True, "sample")
    assert "of the requests only 20,000 were pulled, up to 2026-05-01T12:34:19" in coverage["truncation"]
    assert "counted in a sample of one in 2" in coverage["truncation"]


def counted(folder: Path) -> tuple[int, int]:
    exposure = analyzed(folder)["exposure"]
    return exposure["requests"], exposure["requests_margin"]


@pytest.mark.skipif("FORENSICS_PULL_ENTRIES" not in os.environ, reason="130,000 requests: make pull-test")
def test_what_came_after_the_limit_is_counted_in_a_sample_and_all_that_failed_is_there(tmp_path: Path) -> None:
    # Sparse at first, so that what the first requests let expect is far too few.
    often = [request(1500 + number / 100, 404 if number % 500 == 0 else 200) for number in range(110_000)]
    entries = [*(request(60 + number / 15, instance="i0") for number in range(20_000)), *often]
    with CloudServer(entries) as server:
        assert pull(server, tmp_path, *SPAN, "--errors")[0] == 0
        assert server.breaches == []
    pulls = Case.look(tmp_path / "case").manifest.pulls
    samples = [one for one in pulls if one.part == "sampled requests"]
    assert [one.checkpoint.capped for one in samples] == [True, False]
    assert samples[1].one_in >= 10 * samples[0].one_in
    requests, margin = counted(tmp_path)
    assert 0 < margin < 3_000
    assert abs(requests - 130_000) < 2 * margin
    assert texts(tmp_path).count("404") == 220


@pytest.mark.slow
def test_a_later_pull_counts_again_from_where_the_sample_began(tmp_path: Path) -> None:
    entries = [request(60 + number / 20, instance=f"i{number % 7}") for number in range(36_000)]
    with CloudServer(entries) as server:
        for minute in ("20", "22", "29"):
            bounds = ("--from", "2026-05-01T12:00:00Z", "--to", f"2026-05-01T12:{minute}:00Z")
            assert pull(server, tmp_path, *bounds, "--errors")[0] == 0
    requests, margin = counted(tmp_path)
    assert abs(requests - 20 * 60 * 28) < 2 * margin


@pytest.mark.slow
def test_a_sample_that_bounds_cut_through_tells_nothing(tmp_path: Path) -> None:
    entries = [request(60 + number / 10, instance="i1") for number in range(30_000)]
    with CloudServer(entries) as server:
        assert pull(server, tmp_path, *SPAN, "--errors")[0] == 0
    whole, until = analyzed(tmp_path), analyzed(tmp_path, "--to", "2026-05-01T12:45:00Z")
    assert (whole["coverage"]["cut"], until["coverage"]["cut"]) == ("sample", "limit")
    assert until["exposure"]["requests_margin"] == 0
    before = analyzed(tmp_path, "--to", "2026-05-01T12:30:00Z")
    assert before["coverage"]["cut"] == "limit"


def analyzed(folder: Path, *more: str, revision: str = REVISION) -> Any:
    command = [sys.executable, "-m", "forensics", "analyze", "--revision", revision, "--case", "case", "--json", *more]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout)


@pytest.mark.slow
def test_two_revisions_share_a_case_and_no_entry_stands_in_it_twice(tmp_path: Path) -> None:
    other = "backend-00041-xyz"
    entries = [
        entry(600, "ValueError: new", severity="ERROR"),
        entry(700, "ValueError: old", severity="ERROR", revision=other),
        entry(300, "said of both", log="run.googleapis.com%2Fvarlog%2Fsystem", revision=other),
    ]
    with CloudServer(entries) as server:
        assert "2 entries of backend-00042-abc" in pull(server, tmp_path, *SPAN, "--errors")[1]
        assert "1 entries of backend-00041-xyz" in pull(server, tmp_path, *SPAN, revision=other)[1]
    assert sorted(texts(tmp_path)) == ["ValueError: new", "ValueError: old", "said of both"]
    counts = {name: analyzed(tmp_path, revision=name)["coverage"]["errors"] for name in (REVISION, other, "all")}
    assert counts == {REVISION: 1, other: 1, "all": 2}


@pytest.mark.slow
def test_a_later_pull_leaves_out_what_the_overlap_brought(tmp_path: Path) -> None:
    with CloudServer([entry(3500, "ValueError: one", severity="ERROR")]) as server:
        assert pull(server, tmp_path, *SPAN)[0] == 0
        server.add([entry(3550, "ValueError: arrived late", severity="ERROR"), entry(3700, "ValueError: two")])
        assert "2 entries of" in pull(server, tmp_path, "--to", "2026-05-01T14:00:00Z")[1]
    assert texts(tmp_path) == ["ValueError: one", "ValueError: arrived late", "ValueError: two"]
    assert (
        "case is sound"
        in subprocess.run(
            [sys.executable, "-m", "forensics", "verify", "case"],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        ).stdout
    )


def test_a_level_alone_asks_for_what_is_as_loud(tmp_path: Path) -> None:
    entries = [entry(600, "low disk", severity="WARNING"), entry(2000, "fine", severity="INFO")]
    with CloudServer(entries) as server:
        assert pull(server, tmp_path, *SPAN, "--level", "WARNING")[0] == 0
    assert texts(tmp_path) == ["low disk"]
    assert Case.look(tmp_path / "case").manifest.pulls[0].level == "WARNING"


# --- the plan ---


def manifest(*records: PullRecord) -> Manifest:
    return Manifest(tool_version="t", created="2026-05-01T00:00:00Z", pulls=records)


def order(start: int, end: int, **fields: Any) -> PullRequest:
    return PullRequest(target=TARGET, span=TimeSpan(Nanoseconds(start * SECOND), Nanoseconds(end * SECOND)), **fields)


def done(record: PullRecord) -> PullRecord:
    return PullRecord(**{name: getattr(record, name) for name in record.__struct_fields__} | {"checkpoint": DONE})


DONE = Checkpoint(done=True)
moments = st.integers(0, 5_000)
spans = st.tuples(moments, moments).map(sorted).filter(lambda pair: pair[0] < pair[1])


@given(st.lists(spans, max_size=6), spans)
def test_what_a_case_has_and_what_it_lacks_are_all_that_is_asked_for(had: list[list[int]], asked: list[int]) -> None:
    records = [
        done(first_listing(wanted, wanted.span, "2030-01-01T00:00:00Z")) for wanted in (order(*span) for span in had)
    ]
    wanted = order(*asked)
    lacks = missing(manifest(*records), wanted)
    for second in range(asked[0], asked[1], 7):
        moment = Nanoseconds(second * SECOND)
        is_had = any(start <= second < end for start, end in had)
        assert is_had or any(span.start <= moment < span.end for span in lacks)
    assert all(wanted.span.start <= span.start < span.end <= wanted.span.end for span in lacks)


def test_a_finished_span_is_not_asked_for_again_but_the_minutes_before_its_present_are() -> None:
    wanted = order(1_000, 2_000)
    long_ago = done(first_listing(wanted, wanted.span, "2030-01-01T00:00:00Z"))
    just_now = done(first_listing(wanted, wanted.span, format_time(2_000 * SECOND)))
    assert missing(manifest(long_ago), wanted) == ()
    assert missing(manifest(just_now), wanted) == (order(1_700, 2_000).span,)
    assert missing(manifest(long_ago), order(1_000, 2_000, level=Level.ERROR)) == ()


def test_errors_do_not_stand_for_everything_nor_for_lower_levels() -> None:
    wanted = order(1_000, 2_000, level=Level.ERROR)
    first = replace(first_listing(wanted, wanted.span, "2030-01-01T00:00:00Z"), group=1)
    (group,) = groups(manifest(first))
    records = [done(record) for record in (first, *rest(group, look_around([], REVISION, wanted.span), TARGET))]
    assert missing(manifest(*records), wanted) == ()
    assert missing(manifest(*records), order(1_000, 2_000, level=Level.WARNING)) == (wanted.span,)
    assert missing(manifest(*records), order(1_000, 2_000)) == (wanted.span,)
    assert missing(manifest(done(first)), wanted) == (wanted.span,)  # killed before the rest was planned
    assert [one.done for one in pulled_of(manifest(done(first)))] == [False]


def lines(*seconds: int) -> list[bytes]:
    return [
        json.dumps(
            {"timestamp": format_time(at * SECOND), "resource": {"labels": {"revision_name": REVISION}}, "labels": {}}
        ).encode()
        for at in seconds
    ]


@pytest.mark.parametrize(
    ("errors", "floor", "start"),
    [([2_050], 0, 1_000), ([2_050], 1_800, 1_800), ([2_500], 0, None), ([2_050], None, None), ([], 0, None)],
)
def test_a_span_is_widened_to_the_floor_when_errors_stand_at_its_edge(
    errors: Sequence[int], floor: int | None, start: int | None
) -> None:
    lowest = None if floor is None else Nanoseconds(floor * SECOND)
    wanted = order(2_000, 3_000, level=Level.ERROR, floor=lowest)
    (group,) = groups(manifest(first_listing(wanted, wanted.span, "2030-01-01T00:00:00Z")))
    before = widened(group, look_around(lines(*errors), REVISION, wanted.span), TARGET)
    assert (None if before is None else parse_time(str(before.from_time)) // SECOND) == start


def test_a_window_reaches_over_the_request_that_failed() -> None:
    line = lines(2_000)[0].replace(b'"labels": {}', b'"labels": {"instanceId": "i"}, "httpRequest": {"latency": "60s"}')
    around = look_around([line, b"{}", b"["], REVISION, order(1_000, 3_000).span)
    assert around.windows == (TimeWindow(order(1_932, 2_070).span, "i"),)


def test_too_many_stretches_are_thinned_over_the_whole_span() -> None:
    windows = [
        TimeWindow(TimeSpan(Nanoseconds(at * 100 * SECOND), Nanoseconds((at * 100 + 40) * SECOND)), f"{at:0200x}")
        for at in range(5_000)
    ]
    filters, left_out = neighbours_of(TARGET, windows)
    assert len(filters) <= 12
    assert 3_000 < left_out < 4_999
    assert windows[0].instance in filters[0]
    assert any(windows[-1].instance in text for text in filters)
