"""Entries that Cloud Logging received after a pull of their time: the next pull finds them by when they arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cloud.pulls import ids_of
from cloud.revisions import Plan, fill, invent, report_of_case
from cloud.server import CloudServer
from incidents.scenario import MINUTE, REVISION, World, iso

from forensics.cases import verify
from forensics.model import PullPart

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.cases import Case

PLAN = Plan(requests=120, failures=6, warnings=0, instances=1)
HOUR = 60 * MINUTE
FIRST, SECOND_PULL, THIRD = iso(HOUR), iso(HOUR + 30 * MINUTE), iso(2 * HOUR)
"""When pulls begin: the first at the end of what it asks for."""


def late(name: str, at: int, received: int, severity: str = "ERROR") -> dict[str, Any]:
    """An entry of the revision that arrives long after its time."""
    world = World(name, REVISION)
    world.line("late-instance", at, "ValueError: arrived late", severity)
    return world.records[0] | {"receiveTimestamp": iso(received)}


def number_of(case: Case, name: str) -> int:
    return len([one for one in ids_of(case.folder) if one == name])


@pytest.mark.parametrize("small", [100_000, 0], ids=["whole", "windows"])
@pytest.mark.parametrize("until", [HOUR, 2 * HOUR], ids=["the same span", "a longer span"])
def test_an_entry_that_arrives_half_an_hour_late_is_found(small: int, until: int, tmp_path: Path) -> None:
    entry = late("one", 20 * MINUTE, HOUR + 10 * MINUTE)
    beside = late("beside", 20 * MINUTE - 1000, 20 * MINUTE, "INFO")
    with CloudServer([*invent(1, PLAN), beside]) as server:
        case = fill(server, tmp_path / "case", small=small, now=FIRST)
        had = number_of(case, beside["insertId"])
        server.add([entry])
        case = fill(server, tmp_path / "case", small=small, until=until, now=SECOND_PULL)
        assert (number_of(case, entry["insertId"]), number_of(case, beside["insertId"])) == (1, 1)
        assert had == (1 if small else 0)  # what stands around it came with it
        asked = len(server.requests)
        case = fill(server, tmp_path / "case", small=small, until=until, now=THIRD)
        assert number_of(case, entry["insertId"]) == 1
        assert len(server.requests) - asked < 8
        assert server.breaches == []
    assert verify(tmp_path / "case") == []
    report = report_of_case(case)
    assert report.coverage.truncated is False
    assert any(cluster.exception and cluster.exception.type == "ValueError" for cluster in report.clusters)


def test_only_what_arrived_since_the_last_look_is_asked_for(tmp_path: Path) -> None:
    with CloudServer(invent(2, PLAN)) as server:
        for now in (FIRST, SECOND_PULL, THIRD):
            case = fill(server, tmp_path / "case", now=now)
    filters = [one.filter for one in case.manifest.pulls if one.part is PullPart.LATE_ENTRIES]
    since = [text.rpartition("receiveTimestamp>=")[2] for text in filters]
    # A minute earlier, since clocks differ.
    assert since == [
        '"2026-02-03T09:59:00Z")',
        '"2026-02-03T10:29:00Z")',
    ]


def test_a_first_pull_does_not_look_for_late_entries(tmp_path: Path) -> None:
    with CloudServer(invent(3, PLAN)) as server:
        case = fill(server, tmp_path / "case", now=FIRST)
        assert not any("receiveTimestamp" in request.filter for request in server.requests)
    assert PullPart.LATE_ENTRIES not in {one.part for one in case.manifest.pulls}
