"""What is said of warnings that stand near failures by chance, and of those that stand before each of them.

A revision is invented, served, pulled and analysed, whole or in windows. `FORENSICS_LIVE_REVISIONS=200` does so with as
many revisions (`make live-simulation`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cloud.faults import FaultPlan, ShortPage
from cloud.pulls import Clock
from cloud.revisions import FAILED, POOL, SMALL, Plan, as_json, fill, invent, live, report_of_case
from cloud.server import CloudServer

from forensics.cases import verify
from forensics.model import DEFAULT_THRESHOLDS, Link, PullPart
from forensics.pulling import pulled_of

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import Report

REVISIONS = int(os.environ.get("FORENSICS_LIVE_REVISIONS", "2"))
FEW = Plan(requests=600, failures=12, warnings=150, instances=2)
"""Quick to serve."""


def links(report: Report) -> list[Link]:
    signatures = {cluster.id: cluster.signature for cluster in report.clusters}
    return [one for one in report.links if (signatures[one.cause], signatures[one.symptom]) == (POOL, FAILED)]


def is_supported(report: Report) -> bool:
    return any(link.meets(DEFAULT_THRESHOLDS) for link in links(report))


@pytest.mark.parametrize("small", [SMALL, 0], ids=["whole", "windows"])
def test_an_innocent_warning_is_not_supported(small: int, tmp_path: Path) -> None:
    supported = 0
    for seed in range(REVISIONS):
        plan = Plan(warnings=100 + seed * 37 % 601, instances=1 + seed % 4)
        if REVISIONS < 10:  # the short form, in every test run
            plan = plan._replace(requests=800)
        supported += is_supported(live(seed, plan, tmp_path / f"{seed}", small=small))
    assert supported <= REVISIONS / 50


@pytest.mark.slow
@pytest.mark.parametrize("small", [SMALL, 0], ids=["whole", "windows"])
def test_a_true_cause_among_as_many_others_is_supported(small: int, tmp_path: Path) -> None:
    report = live(1, Plan(requests=1_000, warnings=300, is_true=True), tmp_path / "case", small=small)
    assert is_supported(report)
    (link,) = links(report)
    assert (link.explained, link.of) == (40, 40)
    assert (link.controls is None) == (small > 0)


@pytest.mark.slow
def test_requests_are_drawn_by_a_seed_that_the_case_keeps(tmp_path: Path) -> None:
    records = invent(1, FEW)
    drawn = []
    for name, now in (("a", "2026-05-02T00:00:00Z"), ("b", "2026-05-02T00:00:00Z"), ("c", "2026-05-03T00:00:00Z")):
        with CloudServer(records) as server:
            case = fill(server, tmp_path / name, small=0, now=now)
        assert verify(tmp_path / name) == []
        controls = [one for one in case.manifest.pulls if one.part is PullPart.CONTROLS]
        assert len({one.seed for one in controls}) == 1
        drawn.append([time for one in controls for time in one.drawn])
        assert all(one.windows for one in pulled_of(case.manifest) if one.part is PullPart.CONTROLS)
    assert len(set(drawn[0])) == 100
    assert drawn[0] == drawn[1] != drawn[2]
    went_well = {one["timestamp"] for one in records if one.get("httpRequest", {}).get("status") == 200}
    assert set(drawn[0]) <= went_well


@pytest.mark.slow
def test_what_is_asked_stays_within_the_quota(tmp_path: Path) -> None:
    """Pages are short, so that a minute does not suffice."""
    clock = Clock()
    with CloudServer(invent(3, FEW), clock=clock, faults=FaultPlan([ShortPage(10)] * 70)) as server:
        case = fill(server, tmp_path / "case", small=0, clock=clock)
        assert server.faults_are_done
        assert 50 <= server.busiest_minute() <= 60
        # Besides 70 short pages: the name, how much there is, requests to draw from, and a page for each listing.
        assert len(server.requests) <= 70 + 10 + len(case.manifest.pulls)
        assert server.breaches == []


def test_with_too_few_requests_nothing_is_measured_and_that_is_said(tmp_path: Path) -> None:
    report = live(4, Plan(requests=30, failures=15, warnings=400, instances=1), tmp_path / "case", small=0)
    assert all((link.lift, link.p_value) == (None, None) for link in links(report))
    assert [link.controls for link in links(report)] == [15]
    assert not is_supported(report)
    assert any("Only 15 requests could be drawn" in warning for warning in report.coverage.warnings)


def test_what_only_windows_show_has_no_cadence(tmp_path: Path) -> None:
    records = invent(5, FEW)
    with CloudServer(records) as server:
        case = fill(server, tmp_path / "case", small=0)
    clusters = {cluster.signature: cluster for cluster in report_of_case(case).clusters}
    assert clusters[POOL].cadence is None
    assert clusters[FAILED].cadence is not None
    assert as_json(report_of_case(case))["coverage"]["whole_from"] == "ERROR"
