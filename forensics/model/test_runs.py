"""Results of tests, as a report tells them."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.enums import ClusterId, FailureTie, RunOutcome


class TestSuite(Struct, frozen=True, kw_only=True):
    """One test module."""

    name: str
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    not_run: int
    seconds: float


class TestFailure(Struct, frozen=True, kw_only=True):
    """A test that failed, tied to the cluster whose words it repeats."""

    name: str
    message: str
    close_code: int | None
    cluster: ClusterId | None
    close_reason: str | None = None
    module: str = ""
    started: str | None = None
    """When, if the writer tells when its suite began: reckoned from the durations of the tests before it."""
    seconds: float | None = None
    joined_by: FailureTie | None = None
    """None for a failure that is tied to no cluster."""
    in_time: bool | None = None
    """Does an occurrence of the cluster lie within the time of the test? None where there is no time or no cluster."""


class TestName(Struct, frozen=True, kw_only=True):
    """A test that a file of results names, and what became of it."""

    name: str
    module: str
    outcome: RunOutcome


class TestRun(Struct, frozen=True, kw_only=True):
    """Results of test runs, as JUnit files hold them."""

    suites: tuple[TestSuite, ...]
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    not_run: int
    """Counted as passed by their writer, with a duration of 0.000 s."""
    failures: tuple[TestFailure, ...]
    outcomes: dict[str, RunOutcome] = {}
    """By test; of a test that ran more than once the worst."""
    durations: dict[str, float] = {}
    """Test → seconds, all its runs together; tests whose writer gives no duration are left out."""
    started: str | None = None
    """When the earliest suite that gives a time began."""
    ended: str | None = None
    zone_assumed: str | None = None
    """The zone that times without one were taken to be in; None when all named theirs."""
    names: tuple[TestName, ...] = ()
    """Every test; left out of `report.json`, whose evidence names those that matter."""
