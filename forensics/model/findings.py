"""Clusters explained: whys, their evidence, and the incidents that they make."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.clusters import EntryRef, Thresholds
from forensics.model.enums import ActionKind, ClusterId, JoinKey, Priority, StatementKind, Verdict


class Measure(Struct, frozen=True, kw_only=True):
    """The numbers of a verdict beside what they had to reach, so that a reader can judge again."""

    coverage: float
    """Share of occurrences that show it."""
    thresholds: Thresholds
    by: JoinKey | None = None
    """What joins a link; None where there is no link."""
    declared: bool | None = None
    """Of a link: a rule says that the one explains the other."""
    lift: float | None = None
    p_value: float | None = None


class Certificate(Struct, frozen=True, kw_only=True):
    """Whether something that was not found would have shown: the facts, and what is amiss."""

    windows: int
    """Times looked at."""
    facts: tuple[str, ...]
    """What had to be recorded, and is."""
    lacks: tuple[str, ...] = ()
    """What was not; with one of these, "not found" proves nothing."""

    @property
    def holds(self) -> bool:
        """Tell whether absence is shown."""
        return not self.lacks


class Evidence(Struct, frozen=True, kw_only=True):
    """What shows a why: a statement, its counts and its citations."""

    kind: str
    statement: str
    count: int | None = None
    of: int | None = None
    refs: tuple[EntryRef, ...] = ()
    values: dict[str, str] = {}
    measure: Measure | None = None
    certificate: Certificate | None = None
    """With a claim that something is absent."""


class Why(Struct, frozen=True, kw_only=True):
    """One step of the five whys."""

    ask: str
    answer: str | None
    kind: StatementKind
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    next_step: str | None = None


class Root(Struct, frozen=True, kw_only=True):
    """The last why of a chain that is at least plausible."""

    why: int
    """Its number, from 1."""
    statement: str
    verdict: Verdict


class Rival(Struct, frozen=True, kw_only=True):
    """Another explanation that was looked for."""

    signature: str
    title: str
    entries: int
    statement: str
    verdict: Verdict = Verdict.NO_EVIDENCE
    """contested: explains the same as well; plausible: less well; refuted: would have shown; no evidence: might not."""
    measure: Measure | None = None
    certificate: Certificate | None = None


class Action(Struct, frozen=True, kw_only=True):
    """Something to do, and what shows that it is done."""

    kind: ActionKind
    priority: Priority
    text: str
    owner: str
    done_when: str


class Step(Struct, frozen=True, kw_only=True):
    """One arrow of the error behind the error: a cause, what followed from it, and how often."""

    cause: ClusterId
    symptom: ClusterId
    explained: int
    of: int
    lag: tuple[float, float] | None
    statement: str
    refs: tuple[EntryRef, ...]
    """Of one occurrence: the cause's entry, then the symptom's."""


class Finding(Struct, frozen=True, kw_only=True):
    """A cluster explained."""

    cluster: ClusterId
    headline: str
    whys: tuple[Why, ...]
    root: Root | None
    confidence: Verdict
    """That of the weakest link of the chain."""
    chain: tuple[str, ...]
    """The error behind the error, cause first, in a few words each."""
    rivals: tuple[Rival, ...]
    actions: tuple[Action, ...]
    references: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    """The arrows of `chain`, as they follow each other."""
    query: str = ""
    """Finds the cluster's entries in Cloud Logging: what verifies an action."""
    proposed_rule: str = ""
    """For a cluster that no rule knows: a rule file that would name it."""


class Incident(Struct, frozen=True, kw_only=True):
    """Clusters that share one root, in order of cause."""

    id: str
    title: str
    root_cluster: ClusterId
    clusters: tuple[ClusterId, ...]
    onset: str
    end: str
    occurrences: int
    priority: Priority
    verdict: Verdict


class RootCause(Struct, frozen=True, kw_only=True):
    """One line of the ranking: what to look at first."""

    rank: int
    when: str
    component: str
    reason: str
    signature: str | None
    cluster: ClusterId
    verdict: Verdict
