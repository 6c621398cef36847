"""A deployment judged: what may not happen, what happened, and which of three outcomes that gives."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from forensics.model.comparison import ChangeState, Exposures
from forensics.model.coverage import Span
from forensics.model.enums import Priority

GATE_SCHEMA = "forensics.gate/1"


class Outcome(StrEnum):
    """What a gate says; the worst first."""

    FAIL = "fail"
    NOT_ENOUGH = "not enough traffic"
    """Neither may be said: too little was seen, or what was seen cannot be compared."""
    PASS = "pass"  # noqa: S105 - an outcome, no password

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command line; 2 is left to what could not be analysed."""
        return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.NOT_ENOUGH: 3}[self]


class GateThresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a deployment is held against; `[tool.forensics.gate]` in the settings."""

    max_new: Priority = Priority.P1
    """A new signature of this priority, or of a higher one, fails."""
    max_ratio: Annotated[float, Meta(ge=1)] = 1.5
    """A signature that is worse by a ratio above this fails."""
    min_requests: Annotated[int, Meta(ge=0)] = 500
    """Requests that the revision must have answered before it can pass; 0: no request log is needed."""


class GateReason(Struct, frozen=True, kw_only=True):
    """One thing that speaks for an outcome."""

    outcome: Outcome
    signature: str | None
    """None where it speaks of all signatures, or of one without a rule."""
    fingerprint: str | None
    title: str
    """Of the signature; what is spoken of where there is none."""
    state: ChangeState | None
    priority: Priority | None
    statement: str
    evidence: tuple[str, ...] = ()
    """insertIds of the revision's entries."""


class GateResult(Struct, frozen=True, kw_only=True):
    """What `forensics gate` prints with `--json`."""

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
    """Signatures in each state, noise included."""
    reasons: tuple[GateReason, ...]
    """The worst first; what was seen and does not decide comes last, as reasons to pass."""
    caveats: tuple[str, ...]

    def deciding(self) -> tuple[GateReason, ...]:
        """Return the reasons for the outcome."""
        return tuple(reason for reason in self.reasons if reason.outcome is self.outcome)
