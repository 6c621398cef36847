"""A live pull tells the same as a file of the same entries, and finds no change where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cloud.revisions import POOL, SMALL, Plan, as_json, fill, invent, report_of, report_of_case
from cloud.server import CloudServer
from incidents.runner import SCENARIOS, mostly_slow

from forensics.model import ChangeState

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import Report

TWELVE = (
    *("crash-loop", "database-refused", "serialization", "by-arrival", "healthy", "out-of-memory"),
    *("two-causes", "equal-rivals", "no-instance", "chain-of-three", "split-traceback", "setting-missing"),
)
DAY = 86_400_000_000_000
FIGURES = ("headline", "clusters", "links", "findings", "incidents", "root_causes", "exposure", "lives", "timeline")
BEFORE, AFTER = "orders-api-00016-abc", "orders-api-00017-xyz"


def figures(report: Report) -> dict[str, Any]:
    plain = as_json(report)
    return {name: plain[name] for name in FIGURES}


@pytest.mark.parametrize("name", mostly_slow(TWELVE))
def test_an_incident_is_the_same_live_and_from_a_file(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    with CloudServer(scenario.records) as server:
        case = fill(server, tmp_path / "case", revision=scenario.revision, until=DAY)
    report = report_of_case(case, scenario.revision)
    assert report.coverage.whole_from is None
    assert figures(report) == figures(report_of(scenario.records, revision=scenario.revision))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("small", "state"), [(SMALL, ChangeState.NO_CHANGE), (0, ChangeState.NOT_COMPARABLE)], ids=["whole", "windows"]
)
def test_forty_warnings_and_forty_again_are_no_change(small: int, state: ChangeState, tmp_path: Path) -> None:
    """Where failures alone bring their neighbours, a revision with more of them seems to warn more often."""
    plans = {BEFORE: Plan(requests=500, failures=5, warnings=40), AFTER: Plan(requests=500, warnings=40)}
    report = None
    for seed, (revision, plan) in enumerate(plans.items()):
        with CloudServer(invent(seed, plan, revision)) as server:
            case = fill(server, tmp_path / revision, revision=revision, small=small)
        report = report_of_case(case, revision, report)
    assert report is not None
    assert report.comparison is not None
    found = {change.signature: change for change in report.comparison.changes}
    assert found[POOL].state is state
    if small:
        assert (found[POOL].before, found[POOL].after) == (40, 40)
    else:
        assert "below ERROR is here only around failures" in found[POOL].statement
