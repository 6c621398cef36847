"""Test results, as a report contains them."""

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
    """A failed test, tied to the cluster that its message is about."""

    name: str
    message: str
    close_code: int | None
    cluster: ClusterId | None
    close_reason: str | None = None
    module: str = ""
    started: str | None = None
    """The start, computed from the suite's start and earlier tests' durations; None when the suite gives no time."""
    seconds: float | None = None
    joined_by: FailureTie | None = None
    """None for a failure that is tied to no cluster."""
    in_time: bool | None = None
    """True when an occurrence of the cluster lies within the time of the test; None without a time or a cluster."""


class TestName(Struct, frozen=True, kw_only=True):
    """A test and its outcome."""

    name: str
    module: str
    outcome: RunOutcome


class TestRun(Struct, frozen=True, kw_only=True):
    """The results of test runs, read from JUnit files."""

    suites: tuple[TestSuite, ...]
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    not_run: int
    """Number of tests counted as passed by their writer, with a duration of 0.000 s."""
    failures: tuple[TestFailure, ...]
    outcomes: dict[str, RunOutcome] = {}
    """Outcome by test; the worst for a test that ran more than once."""
    durations: dict[str, float] = {}
    """Seconds by test, all its runs together; tests without a duration are left out."""
    started: str | None = None
    """The start of the earliest suite with a time."""
    ended: str | None = None
    zone_assumed: str | None = None
    """The zone assumed for times without one; None when all times name their zone."""
    names: tuple[TestName, ...] = ()
    """Every test; left out of `report.json`, where the evidence names the tests that matter."""
