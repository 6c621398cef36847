"""A pull over REST and over gRPC loses nothing and doubles nothing; FORENSICS_PULL_ENTRIES=100000 is the long form."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("google.auth.transport.requests")
pytest.importorskip("google.cloud.logging_v2")

from cloud.cutting import CuttingWire
from cloud.faults import (
    Cut,
    EmptyPage,
    ExhaustedFor,
    ExpiredToken,
    Fault,
    FaultPlan,
    RepeatedEntries,
    ShortPage,
    aborted,
    deadline_exceeded,
    internal,
    quota_used_up,
    unavailable,
)
from cloud.pulls import START, Clock, HurriedClock, entries_of, ids_of, make_entry, over_both, pull
from cloud.server import CloudServer

from forensics.cases import Case, verify
from forensics.cloud.access_errors import AccessError
from forensics.cloud.filters import TimeSpan
from forensics.model import Nanoseconds
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRIES = int(os.environ.get("FORENSICS_PULL_ENTRIES", "4000"))
PAGES = ENTRIES // 1000
WANTED = [make_entry(number)["insertId"] for number in range(ENTRIES)]
KILLS = 10


@pytest.fixture(scope="module")
def full() -> Iterator[CloudServer]:
    """A server of all entries, for tests that leave them as they are."""
    with CloudServer(make_entry(number) for number in range(ENTRIES)) as server:
        server.encode_for_grpc()
        yield server


def striking(*faults: Fault) -> list[Fault | None]:
    """Faults in turn, one between two good answers, over a whole pull; the first good answer names the revision."""
    return [None, *(fault for number in range(PAGES // 2) for fault in (None, faults[number % len(faults)]))]


@pytest.mark.slow
@over_both
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([unavailable()], id="unavailable"),
        pytest.param([internal()], id="internal"),
        pytest.param([deadline_exceeded()], id="deadline exceeded"),
        pytest.param([aborted()], id="aborted"),
        pytest.param([quota_used_up(retry_after=17)], id="quota with a moment to come back"),
        pytest.param([Cut()], id="cut"),
        pytest.param([EmptyPage()], id="empty pages"),
        pytest.param([ShortPage(7), ShortPage(1), ShortPage(999)], id="short pages"),
        pytest.param([RepeatedEntries(1), RepeatedEntries(400)], id="duplicates over pages"),
        pytest.param([ExpiredToken()], id="expired tokens"),
        pytest.param([unavailable(), Cut(), ExpiredToken(), EmptyPage(), RepeatedEntries(5)], id="all of it"),
    ],
)
def test_every_entry_once_and_in_order_whatever_goes_wrong(
    full: CloudServer, transport: str, faults: list[Fault], tmp_path: Path
) -> None:
    clock = Clock()
    full.begin_anew(FaultPlan(striking(*faults)), clock)
    pull(full.endpoint(transport), tmp_path / "case", clock)
    assert full.faults_are_done
    assert full.breaches == []
    assert {request.method for request in full.requests} == {transport}
    assert ids_of(tmp_path / "case") == WANTED
    assert verify(tmp_path / "case") == []


@pytest.mark.slow
@over_both
@pytest.mark.parametrize("retry_after", [None, 30])
def test_a_quota_used_up_for_90_seconds_is_waited_for(
    full: CloudServer, transport: str, retry_after: float | None, tmp_path: Path
) -> None:
    clock = Clock()
    full.begin_anew(FaultPlan([None, None, ExhaustedFor(90, retry_after)]), clock)
    pull(full.endpoint(transport), tmp_path / "case", clock)
    refused = [request.at for request in full.requests if request.status == "RESOURCE_EXHAUSTED"]
    assert 1 < len(refused) < 12
    # Who was told when to come back is not there earlier.
    assert retry_after is None or all(late - early >= retry_after for early, late in pairwise(refused))
    assert ids_of(tmp_path / "case") == WANTED


@pytest.mark.slow
@over_both
def test_at_the_default_pace_the_request_log_keeps_to_the_quota(
    full: CloudServer, transport: str, tmp_path: Path
) -> None:
    clock = Clock()
    # As many short pages as three minutes hold.
    full.begin_anew(FaultPlan([None, *([ShortPage(10)] * 150), unavailable()]), clock)
    pull(full.endpoint(transport), tmp_path / "case", clock)
    assert clock.now - 1000 > 120
    assert 40 < full.busiest_minute() <= 60
    assert full.breaches == []  # bounds on both sides in every request
    for request in full.requests:
        assert request.page_size == 1000
        assert 'timestamp>="2026-05-01T00:00:00Z"' in request.filter
        assert 'timestamp<"2026-05-02T00:00:00Z"' in request.filter
    assert ids_of(tmp_path / "case") == WANTED


@pytest.mark.slow
@over_both
def test_wires_that_break_in_the_middle_of_a_page(full: CloudServer, transport: str, tmp_path: Path) -> None:
    full.begin_anew(FaultPlan(), Clock())
    cuts = [90_000, 150_000, 1, 100_000]  # each shorter than a page
    with CuttingWire(full.endpoint(transport), cuts) as wire:
        pull(wire.endpoint, tmp_path / "case", HurriedClock())
        assert wire.cuts == []
    assert len(full.requests) >= 1 + PAGES + 3  # one cut comes before a request over gRPC
    assert ids_of(tmp_path / "case") == WANTED
    assert verify(tmp_path / "case") == []


def _minutes(count: int) -> TimeSpan:
    return TimeSpan(START, Nanoseconds(START + 60 * count * SECOND))


@pytest.mark.slow
@over_both
def test_late_entries_are_had_ahead_of_the_page_and_by_the_next_pull(transport: str, tmp_path: Path) -> None:
    case = tmp_path / "case"
    with CloudServer(make_entry(number) for number in range(2500)) as server:
        pages = 0

        def told(_: object) -> None:
            nonlocal pages
            pages += 1
            if pages == 1:
                server.add([make_entry(2000, insertId="ahead"), make_entry(30, insertId="behind")])

        pull(server.endpoint(transport), case, told=told, span=_minutes(1))
        first = ids_of(case)
        assert (len(first), first.count("ahead"), first.count("behind")) == (2501, 1, 0)
        pull(server.endpoint(transport), case, span=_minutes(2))
    assert "behind" in ids_of(case)[2501:]
    assert verify(case) == []


@pytest.mark.slow
@over_both
def test_a_flipped_byte_is_found(full: CloudServer, transport: str, tmp_path: Path) -> None:
    full.begin_anew(FaultPlan(), Clock())
    pull(full.endpoint(transport), tmp_path / "case")
    assert verify(tmp_path / "case") == []
    for file in ("manifest.json", Case.look(tmp_path / "case").manifest.segments[0].file):
        path = tmp_path / "case" / file
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        (problem,) = verify(tmp_path / "case")
        assert file in problem
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert verify(tmp_path / "case") == []


@pytest.mark.slow
@over_both
def test_a_process_killed_at_ten_moments_loses_and_doubles_nothing(
    full: CloudServer, transport: str, tmp_path: Path
) -> None:
    full.begin_anew(FaultPlan([ShortPage(ENTRIES // 50)] * 1000), time.time)
    random = Random(f"kill {transport}")  # noqa: S311 - the same moments every time
    case, killed = tmp_path / "case", 0
    while killed < KILLS:
        process = start_pull(full.endpoint(transport), case)
        until = len(full.requests) + random.randint(1, 4)
        while len(full.requests) < until and process.is_alive():
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.02))
        process.kill()
        process.join()
        assert process.exitcode == -9, "it was at its end before it could be killed"
        killed += 1
        if (case / "manifest.json").exists():
            assert verify(case) == []
    full.begin_anew(FaultPlan(), time.time)
    finish_pull(start_pull(full.endpoint(transport), case))
    assert ids_of(case) == WANTED
    assert verify(case) == []
    assert len(Case.look(case).manifest.pulls) == 1


def start_pull(endpoint: str, case: Path) -> Any:
    """`forensics pull` in a process of its own, made from one that has its modules loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["forensics.cli.verbs.pull", "forensics.pulling", "forensics.cloud.grpc_transport"])
    process = context.Process(target=run_pull, args=(endpoint, str(case)))
    process.start()
    return process


def run_pull(endpoint: str, case: str) -> None:
    from forensics.cli import main  # noqa: PLC0415 - in the new process

    command = ["forensics", "pull", "--revision", "backend-00042", "--project", "p", "--endpoint", endpoint]
    command += ["--case", case, "--from", "2026-05-01T00:00:00Z", "--to", "2026-05-02T00:00:00Z"]
    sys.argv = [*command, "--requests-per-minute", "600"]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - the name of no file
        sys.stdout = sys.stderr = nowhere
        main()


def finish_pull(process: Any) -> None:
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.slow
@over_both
def test_a_server_that_goes_and_comes_back(transport: str, tmp_path: Path) -> None:
    with CloudServer(make_entry(number) for number in range(2500)) as server:
        endpoint = server.endpoint(transport)

        class Restarting(HurriedClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                with suppress(OSError):  # on the second call it runs already
                    server.start()

        def told(_: object) -> None:
            if len(server.requests) == 2:
                server.stop()

        pull(endpoint, tmp_path / "case", Restarting(), told)
        assert ids_of(tmp_path / "case") == [make_entry(number)["insertId"] for number in range(2500)]


def test_a_pull_begun_over_rest_goes_on_over_grpc(full: CloudServer, tmp_path: Path) -> None:
    full.begin_anew(FaultPlan(), Clock())

    def stop(_: object) -> None:
        raise AccessError("stopped")

    with pytest.raises(AccessError, match="stopped"):
        pull(full.rest_endpoint, tmp_path / "case", told=stop)
    pull(full.grpc_endpoint, tmp_path / "case")
    assert ids_of(tmp_path / "case") == WANTED


@pytest.mark.slow
@over_both
def test_entries_come_as_the_server_has_them(full: CloudServer, transport: str, tmp_path: Path) -> None:
    full.begin_anew(FaultPlan(), Clock())
    pull(full.endpoint(transport), tmp_path / "case")
    # All those whose times need nine digits: the others come over gRPC with no more digits than they need.
    assert entries_of(tmp_path / "case")[3:600] == [make_entry(number) for number in range(3, 600)]
    (record,) = Case.look(tmp_path / "case").manifest.pulls
    assert record.transport == transport
