"""The gate's judgement on a deployment: thresholds, reasons, and one of three outcomes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from forensics.model.comparison import ChangeState, Exposures
from forensics.model.coverage import Span
from forensics.model.enums import Priority

GATE_SCHEMA = "forensics.gate/1"


class Outcome(StrEnum):
    """The outcome of a gate; the worst first."""

    FAIL = "fail"
    NOT_ENOUGH = "not enough traffic"
    """Undecided: too little was seen, or it cannot be compared."""
    PASS = "pass"  # noqa: S105 - an outcome, no password

    @property
    def exit_code(self) -> int:
        """The exit code of the command line; 2 is reserved for errors."""
        return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.NOT_ENOUGH: 3}[self]


class GateThresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The thresholds of the gate; `[tool.forensics.gate]` in the settings."""

    max_new: Priority = Priority.P1
    """A new signature of this priority, or of a higher one, fails."""
    max_ratio: Annotated[float, Meta(ge=1)] = 1.5
    """A signature that is worse by a ratio above this fails."""
    min_requests: Annotated[int, Meta(ge=0)] = 500
    """Requests the revision must have answered to pass; with 0 no request log is needed."""


class GateReason(Struct, frozen=True, kw_only=True):
    """One reason for an outcome."""

    outcome: Outcome
    signature: str | None
    """None for a reason about all signatures, or about one without a rule."""
    fingerprint: str | None
    title: str
    """The signature's title, or the subject of a reason without one."""
    state: ChangeState | None
    priority: Priority | None
    statement: str
    evidence: tuple[str, ...] = ()
    """The insertIds of cited entries of the revision."""


class GateResult(Struct, frozen=True, kw_only=True):
    """The result that `forensics gate --json` prints."""

    schema: str = GATE_SCHEMA
    tool_version: str
    outcome: Outcome
    revision: str
    baseline: str
    thresholds: GateThresholds
    exposure: Exposures
    covered_before: Span
    covered_after: Span
    counts: dict[ChangeState, int]
    """Number of signatures in each state, noise included."""
    reasons: tuple[GateReason, ...]
    """The worst first; findings that do not decide come last, as reasons to pass."""
    caveats: tuple[str, ...]

    def deciding(self) -> tuple[GateReason, ...]:
        """Return the reasons for the outcome."""
        return tuple(reason for reason in self.reasons if reason.outcome is self.outcome)
