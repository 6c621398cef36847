"""Rule files as records: conditions, whys, actions; and the match of a rule with an entry."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from forensics.model.clusters import DEFAULT_THRESHOLDS, Thresholds
from forensics.model.entry import LogEntry
from forensics.model.enums import ActionKind, FailureClass, LeafOp, Nanoseconds, OccurrenceUnit, Priority, Role

Scalar = str | bool | int | float
"""What a rule may compare a field with."""


class Leaf(Struct, frozen=True, kw_only=True, tag="leaf"):
    """`field: {op: value}`. False when the field is missing."""

    path: str
    op: LeafOp
    value: Scalar | tuple[Scalar, ...]
    cased: bool = False


class AllOf(Struct, frozen=True, kw_only=True, tag="all"):
    """True when every condition is."""

    conditions: tuple[Condition, ...]


class AnyOf(Struct, frozen=True, kw_only=True, tag="any"):
    """True when one condition is."""

    conditions: tuple[Condition, ...]


class NoneOf(Struct, frozen=True, kw_only=True, tag="not"):
    """True when no condition is; plain negation, a missing field included."""

    conditions: tuple[Condition, ...]


Condition = Leaf | AllOf | AnyOf | NoneOf


class Explains(Struct, frozen=True, kw_only=True):
    """A symptom that a rule's signature can bring about."""

    signature: str
    within: Nanoseconds
    """How long before the symptom's end the cause may lie."""


class WhyRule(Struct, frozen=True, kw_only=True):
    """One question of a rule's chain."""

    ask: str
    evidence_kind: str
    """The name of a module in `whys/evidence/`."""
    evidence: str | tuple[str, ...] | dict[str, Any]
    """Its argument, checked when the rule is loaded."""
    condition: Condition | None = None
    """The `match` inside `entries` evidence, compiled with the rule."""
    answer: str | None = None
    otherwise: str | None = None
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    """What its evidence must reach to support the answer."""


class ActionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do about a signature."""

    kind: ActionKind
    text: str
    verify: dict[str, Any] | None = None
    """What shows that it worked, e.g. `{count: 0}`."""
    priority: Priority | None = None


class RuleTests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries in Cloud Logging's own shape that a rule claims, and near misses that it does not."""

    match: tuple[dict[str, Any], ...]
    no_match: tuple[dict[str, Any], ...]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule file: a whole cause."""

    id: str
    version: int
    title: str
    failure_class: FailureClass
    role: Role
    priority: Priority
    condition: Condition
    tests: RuleTests
    headline: str | None = None
    """Template of the one-line finding; the title where absent."""
    group_by: tuple[str, ...] = ()
    """Captures and fields whose values split the signature into clusters."""
    occurs_per: OccurrenceUnit | None = None
    """What one occurrence is; found from the entries where absent."""
    supersedes: tuple[str, ...] = ()
    explains: tuple[Explains, ...] = ()
    rivals: tuple[str, ...] = ()
    whys: tuple[WhyRule, ...] = ()
    actions: tuple[ActionRule, ...] = ()
    references: tuple[str, ...] = ()
    source: str = ""
    """Where the file lies, for messages."""


class Match(Struct, frozen=True, kw_only=True):
    """A rule that an entry satisfied, and by what."""

    rule: str
    captures: dict[str, str]
    """Named groups of the patterns that matched."""
    matched_on: tuple[str, ...]
    """The leaves that were true, e.g. `message contains 'exit('`."""


class Classified(Struct, frozen=True, kw_only=True):
    """An entry and the rules that claim it."""

    entry: LogEntry
    primary: Match | None
    also: tuple[Match, ...] = ()
