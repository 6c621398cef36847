"""Findings: the whys of each cluster with their evidence, and the incidents they belong to."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.clusters import EntryRef, Thresholds
from forensics.model.enums import (
    ActionKind,
    ClusterId,
    JoinKey,
    OccurrenceUnit,
    Priority,
    StatementKind,
    Verdict,
)


class Measure(Struct, frozen=True, kw_only=True):
    """The numbers behind a verdict and their thresholds, so that a reader can check it."""

    coverage: float
    """Share of occurrences with the evidence."""
    thresholds: Thresholds
    by: JoinKey | None = None
    """What joins a link; None where there is no link."""
    declared: bool | None = None
    """For a link: True when a rule declares it."""
    lift: float | None = None
    p_value: float | None = None


class Certificate(Struct, frozen=True, kw_only=True):
    """Whether the absence of something is meaningful: the facts for it, and what is missing."""

    windows: int
    """Number of time windows that were searched."""
    facts: tuple[str, ...]
    """Requirements that are met: logs that had to be recorded and are."""
    lacks: tuple[str, ...] = ()
    """Requirements that are not met; with any of these, "not found" proves nothing."""

    @property
    def holds(self) -> bool:
        """True when the absence is proved."""
        return not self.lacks


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence of a why: a statement with counts and citations."""

    kind: str
    statement: str
    count: int | None = None
    of: int | None = None
    refs: tuple[EntryRef, ...] = ()
    values: dict[str, str] = {}
    measure: Measure | None = None
    certificate: Certificate | None = None
    """Present when the statement says that something is absent."""


class Why(Struct, frozen=True, kw_only=True):
    """One step of the five whys."""

    ask: str
    answer: str | None
    kind: StatementKind
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    next_step: str | None = None


class Root(Struct, frozen=True, kw_only=True):
    """The root of a chain: its last why that is at least plausible."""

    why: int
    """The number of the why, from 1."""
    statement: str
    verdict: Verdict


class Rival(Struct, frozen=True, kw_only=True):
    """An alternative explanation that was checked."""

    signature: str
    title: str
    entries: int
    statement: str
    verdict: Verdict = Verdict.NO_EVIDENCE
    """contested: explains equally well; plausible: less well; refuted: it would have shown; no evidence: undecided."""
    measure: Measure | None = None
    certificate: Certificate | None = None


class Action(Struct, frozen=True, kw_only=True):
    """An action, and how to verify that it is done."""

    kind: ActionKind
    priority: Priority
    text: str
    owner: str
    done_when: str
    rollback: bool = False
    """Whether it moves traffic to an earlier revision, or finds one; a report has one such action at most."""


class Step(Struct, frozen=True, kw_only=True):
    """One step of a causal chain: a cause, its effect, and how often it was seen."""

    cause: ClusterId
    symptom: ClusterId
    explained: int
    of: int
    lag: tuple[float, float] | None
    statement: str
    refs: tuple[EntryRef, ...]
    """The entries of one occurrence: the cause's, then the symptom's."""


class Finding(Struct, frozen=True, kw_only=True):
    """The explanation of a cluster."""

    cluster: ClusterId
    headline: str
    whys: tuple[Why, ...]
    root: Root | None
    confidence: Verdict
    """The verdict of the weakest why in the chain."""
    chain: tuple[str, ...]
    """The causal chain, cause first, in a few words each."""
    rivals: tuple[Rival, ...]
    actions: tuple[Action, ...]
    references: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    """The steps of `chain`, in order."""
    query: str = ""
    """A query that finds the cluster's entries in Cloud Logging, to verify an action."""
    proposed_rule: str = ""
    """For a cluster without a rule: a proposed rule file that would match it."""


class Effect(Struct, frozen=True, kw_only=True):
    """What the root of an incident led to, and how far that is shown."""

    verdict: Verdict
    statement: str
    """In words, the verdict included; without an effect, what is not known."""
    cluster: ClusterId | None = None
    """The cluster that is the effect."""


class IncidentRevision(Struct, frozen=True, kw_only=True):
    """One revision on which a failure was seen."""

    revision: str
    cluster: ClusterId
    """The root of the incident on this revision."""
    occurrences: int
    unit: OccurrenceUnit
    first_seen: str
    last_seen: str


class Incident(Struct, frozen=True, kw_only=True):
    """An incident: clusters with one root, causes first."""

    id: str
    title: str
    root_cluster: ClusterId
    clusters: tuple[ClusterId, ...]
    onset: str
    end: str
    occurrences: int
    """Of the root; over all revisions, where there are several."""
    priority: Priority
    verdict: Verdict
    """Of the claim that the root led to the effect."""
    effect: Effect | None = None
    """None in reports of older versions."""
    revisions: tuple[IncidentRevision, ...] = ()
    """For a failure on several revisions, one row for each, the newest first."""


class RootCause(Struct, frozen=True, kw_only=True):
    """One line of the ranking of what to look at first."""

    rank: int
    when: str
    component: str
    """The application's own line, else the address or resource that the entries name, else the service."""
    reason: str
    signature: str | None
    cluster: ClusterId
    verdict: Verdict
