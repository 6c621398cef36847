"""When failures came in too few episodes for the gate to tell whether they are new: the figures of the border."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from forensics.comparison.gating import _is_burst
from forensics.model import Change, ChangeState, ExposureKind, OccurrenceUnit, Priority, Role

BURST = Change(
    signature="failed",
    fingerprint=None,
    title="failed",
    role=Role.CAUSE,
    priority=Priority.P1,
    unit=OccurrenceUnit.REQUEST,
    state=ChangeState.UNCLEAR,
    before=0,
    after=22,
    entries_before=0,
    entries_after=22,
    measure=ExposureKind.REQUESTS,
    measure_reason="",
    exposure_before=1000,
    exposure_after=1000,
    episodes_after=1,
    episodes_needed=5,
    statement="22 failures in 1 episode",
    clusters=(),
)
"""Twenty-two failures in one outage, where five episodes would tell."""


@pytest.mark.parametrize(
    ("change", "is_burst"),
    [
        ({}, True),
        ({"episodes_after": None}, True),
        ({"episodes_after": 4}, True),
        ({"episodes_after": 5}, False),
        ({"episodes_needed": None}, False),
        # As many failures as episodes are needed could have been as many episodes.
        ({"after": 3, "episodes_needed": 3}, True),
        ({"after": 3, "episodes_needed": 4}, False),
        ({"after": 2, "episodes_needed": 2}, False),
        # What would have shown with the traffic before counts: three failures.
        ({"exposure_before": 150}, True),
        ({"exposure_before": 130}, False),
        ({"exposure_before": None, "exposure_after": 1}, False),
        ({"exposure_before": 500, "after": 6}, True),
        ({"exposure_before": 499, "after": 6}, False),
        ({"exposure_before": 1, "exposure_after": None, "after": 3, "episodes_needed": 2}, True),
    ],
)
def test_a_burst_has_many_failures_and_too_few_episodes(change: dict[str, int | None], *, is_burst: bool) -> None:
    assert _is_burst(replace(BURST, **change)) is is_burst
