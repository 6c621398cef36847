"""Statements of earlier cycles that later revisions re-check: "1011 is gone"."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from forensics.model.clusters import EntryRef
from forensics.model.comparison import ExposureKind


class ClaimKind(StrEnum):
    """What is claimed of a signature."""

    GONE = "gone"
    BETTER = "better"
    FIXED = "fixed by"
    """Gone, and by this change. Entries can show the first half only."""


class ClaimState(StrEnum):
    """What became of a claim; the worst news first."""

    REFUTED = "refuted"
    """A later revision shows the contrary. This is final: what was refuted once is carried, not checked again."""
    ASSERTED = "asserted, not shown"
    """Made by hand, and the numbers of its own cycle do not say so; no later revision has been checked yet."""
    NOT_ENOUGH_TRAFFIC = "not enough traffic"
    NOT_COMPARABLE = "not comparable"
    SHOWN = "shown"
    """The numbers of its own cycle say so; no later revision has been checked yet."""
    HOLDS = "holds"

    @property
    def rank(self) -> int:
        """0 for refuted up to 5 for holds."""
        return _RANK[self]


_RANK = {state: i for i, state in enumerate(ClaimState)}


class ClaimQuery(Struct, frozen=True, kw_only=True):
    """What is counted again, and what it is held against."""

    signature: str | None
    fingerprint: str | None
    """None where a signature names it."""
    rule_version: int | None
    """Of the rule that found it; another version counts something else."""
    measure: ExposureKind
    cycle: int
    """The cycle that gives the old rate: the last one before the claim in which it was seen."""
    revision: str
    occurrences: int
    exposure: int | None
    needed: int | None
    """Exposure in which none at all means that it is gone; with less it says nothing. None: unknown rate."""


class ClaimCheck(Struct, frozen=True, kw_only=True):
    """A claim held against a revision."""

    cycle: int | None
    """None outside of a cycle."""
    revision: str
    occurrences: int
    exposure: int | None
    statement: str
    """Old numbers → numbers now, and what they say."""
    evidence: tuple[EntryRef, ...]
    """Entries that refute it; none where nothing does."""


class Claim(Struct, frozen=True, kw_only=True):
    """One statement, and how it stands."""

    statement: str
    """`websocket-1011-serialization gone`."""
    name: str
    """The signature, or without a rule the fingerprint."""
    title: str
    kind: ClaimKind
    by: str = ""
    """The change that is said to have done it."""
    made_in: int
    """The number of the cycle."""
    made_of: str
    """Its revision."""
    made_at: str
    by_hand: bool
    made_shown: bool
    """The numbers of its own cycle said so."""
    made_reason: str
    """Those numbers."""
    query: ClaimQuery
    state: ClaimState
    check: ClaimCheck | None = None
    """The last one, or the one that refuted it."""
