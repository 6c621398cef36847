"""Results of tests, as a report tells them."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.words import ClusterId


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
    outcomes: dict[str, str] = {}
    """Test → passed, failed, errors, skipped or not_run; of a test that ran more than once the worst."""
    seconds: dict[str, float] = {}
    """Test → how long it took, all its runs together; tests whose writer says no duration are left out."""
