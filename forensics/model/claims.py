"""Claims of earlier cycles ("1011 is gone") that are checked again on every later revision."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from forensics.model.clusters import EntryRef
from forensics.model.comparison import ExposureKind


class ClaimKind(StrEnum):
    """What a claim says about a signature."""

    GONE = "gone"
    BETTER = "better"
    FIXED = "fixed by"
    """Gone because of a named change. Entries can only show that it is gone."""


class ClaimState(StrEnum):
    """The current state of a claim; the worst first."""

    REFUTED = "refuted"
    """A later revision shows the contrary. This is final: a refuted claim is kept and not checked again."""
    ASSERTED = "asserted, not shown"
    """Made by hand, not shown by the numbers of its cycle, and not checked on a later revision yet."""
    NOT_ENOUGH_TRAFFIC = "not enough traffic"
    NOT_COMPARABLE = "not comparable"
    SHOWN = "shown"
    """Shown by the numbers of its cycle, and not checked on a later revision yet."""
    HOLDS = "holds"

    @property
    def rank(self) -> int:
        """0 for refuted up to 5 for holds."""
        return _RANK[self]


_RANK = {state: i for i, state in enumerate(ClaimState)}


class ClaimQuery(Struct, frozen=True, kw_only=True):
    """What a check counts, and the old rate that it compares with."""

    signature: str | None
    fingerprint: str | None
    """None when the claim is about a signature."""
    rule_version: int | None
    """The version of the signature's rule; another version may count something else."""
    measure: ExposureKind
    cycle: int
    """The cycle that gives the old rate: the last one before the claim in which the failure was seen."""
    revision: str
    occurrences: int
    exposure: int | None
    needed: int | None
    """The exposure without any occurrence that is needed to call it gone; None when the old rate is unknown."""


class ClaimCheck(Struct, frozen=True, kw_only=True):
    """The result of checking a claim on one revision."""

    cycle: int | None
    """None when the check belongs to no cycle."""
    revision: str
    occurrences: int
    exposure: int | None
    statement: str
    """The old and the new numbers, and the conclusion."""
    evidence: tuple[EntryRef, ...]
    """Entries that refute the claim; empty when it is not refuted."""


class Claim(Struct, frozen=True, kw_only=True):
    """One claim and its current state."""

    statement: str
    """The claim as one line: `websocket-1011-serialization gone`."""
    name: str
    """The signature; without a rule, the fingerprint."""
    title: str
    kind: ClaimKind
    by: str = ""
    """The change that is said to be the reason."""
    made_in: int
    """The number of the cycle that made the claim."""
    made_of: str
    """The revision of that cycle."""
    made_at: str
    by_hand: bool
    made_shown: bool
    """True when the numbers of that cycle showed it."""
    made_reason: str
    """The numbers of that cycle, as a sentence."""
    query: ClaimQuery
    state: ClaimState
    check: ClaimCheck | None = None
    """The latest check, or the one that refuted the claim."""
