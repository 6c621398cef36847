"""Rules as records: conditions, whys, actions, and the match of a rule with an entry."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from forensics.model.clusters import DEFAULT_THRESHOLDS, Thresholds
from forensics.model.entry import LogEntry
from forensics.model.enums import ActionKind, FailureClass, LeafOp, Nanoseconds, OccurrenceUnit, Priority, Role

Scalar = str | bool | int | float
"""The type of a value in a condition."""


class Leaf(Struct, frozen=True, kw_only=True, tag="leaf"):
    """`field: {op: value}`. False when the field is missing."""

    path: str
    op: LeafOp
    value: Scalar | tuple[Scalar, ...]
    cased: bool = False


class AllOf(Struct, frozen=True, kw_only=True, tag="all"):
    """True when all conditions are true."""

    conditions: tuple[Condition, ...]


class AnyOf(Struct, frozen=True, kw_only=True, tag="any"):
    """True when at least one condition is true."""

    conditions: tuple[Condition, ...]


class NoneOf(Struct, frozen=True, kw_only=True, tag="not"):
    """True when no condition is true; a missing field makes a leaf false, so its negation is true."""

    conditions: tuple[Condition, ...]


Condition = Leaf | AllOf | AnyOf | NoneOf


class Explains(Struct, frozen=True, kw_only=True):
    """A symptom that a rule's signature can cause."""

    signature: str
    within: Nanoseconds
    """The longest time from the cause to the symptom's end."""


class WhyRule(Struct, frozen=True, kw_only=True):
    """One why of a rule's chain."""

    ask: str
    evidence_kind: str
    """The kind of evidence: the name of a module in `whys/evidence/`."""
    evidence: str | tuple[str, ...] | dict[str, Any]
    """The argument of the kind, checked when the rule is loaded."""
    condition: Condition | None = None
    """The `match` in evidence of the kind `entries`, read with the rule."""
    answer: str | None = None
    absent: str | None = None
    """What to say where the thing would have been recorded and was not; printed only there."""
    otherwise: str | None = None
    """What to look at while the question is open; it denies nothing."""
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    """The thresholds that the evidence must reach to support the answer."""


class ActionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action to take for a signature."""

    kind: ActionKind
    text: str
    verify: dict[str, Any] | None = None
    """How to verify the action, e.g. `{count: 0}`."""
    rests_on: str | None = None
    """The rival that the action presumes; it is left out where that is refuted."""
    priority: Priority | None = None


class RuleTests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example entries, in Cloud Logging's format, that a rule must match or must not match."""

    match: tuple[dict[str, Any], ...]
    no_match: tuple[dict[str, Any], ...]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule: the content of a rule file."""

    id: str
    version: int
    title: str
    failure_class: FailureClass
    role: Role
    priority: Priority
    condition: Condition
    tests: RuleTests
    headline: str | None = None
    """Template of the one-line finding; None for the title."""
    group_by: tuple[str, ...] = ()
    """Captures and fields by whose values the signature is split into clusters."""
    occurs_per: OccurrenceUnit | None = None
    """What one occurrence is; None to derive it from the entries."""
    supersedes: tuple[str, ...] = ()
    explains: tuple[Explains, ...] = ()
    rivals: tuple[str, ...] = ()
    whys: tuple[WhyRule, ...] = ()
    actions: tuple[ActionRule, ...] = ()
    references: tuple[str, ...] = ()
    source: str = ""
    """The path of the rule file, for messages."""


class Match(Struct, frozen=True, kw_only=True):
    """The match of an entry with a rule."""

    rule: str
    captures: dict[str, str]
    """Values of the named groups in the patterns that matched."""
    matched_on: tuple[str, ...]
    """The conditions that were true, e.g. `message contains 'exit('`."""


class Classified(Struct, frozen=True, kw_only=True):
    """An entry and the rules that match it."""

    entry: LogEntry
    primary: Match | None
    also: tuple[Match, ...] = ()
