"""What a why may look at: one cluster, and all that is known of the run; and how verdicts are judged."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from forensics.log.entry_table import ClusterEntries, EntryTable, Occurrences
from forensics.log.pulled_whole import EVERYTHING, PulledWhole
from forensics.log.quietest import quiet_times, quietest
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Cluster,
    ClusterId,
    CodeView,
    Comparison,
    Condition,
    Coverage,
    Deploy,
    Evidence,
    Exposure,
    Life,
    Link,
    Measure,
    Nanoseconds,
    Needed,
    Occurrence,
    Rule,
    TestRun,
    Thresholds,
    Verdict,
)


class NearbyEntries:
    """Index of all entries of the revision by instance (or trace) and time."""

    quietest: Mapping[str, int]
    """Log → the rank of the lowest severity that it holds."""

    def __init__(self, table: EntryTable) -> None:
        self.quietest = quietest(table)
        self._table = table
        self._times = table.times
        self._rows: dict[str | int, array[int]] = defaultdict(lambda: array("I"))
        named = [self._rows[label_set.instance] if label_set.instance else None for label_set in table.label_sets]
        for row in table.rows():
            own = named[table.label_ids[row]]
            if own is not None:
                own.append(row)
            elif table.traces[row]:
                self._rows[table.traces[row]].append(row)

    @cached_property
    def quiet_times(self) -> array[int]:
        """The times of all entries below WARNING, in order."""
        return quiet_times(self._table)

    def between(self, near: Occurrence, start: int, end: int) -> Sequence[int]:
        """Return the rows of the occurrence's instance (or trace) from `start` to `end`, both included."""
        for key in (near.instance, near.trace):
            rows = self._rows.get(key) if key else None
            if rows:
                # Rows are in order of time: those within a time are those between two rows.
                first, behind = bisect_left(self._times, start), bisect_right(self._times, end)
                return rows[bisect_left(rows, first) : bisect_left(rows, behind)]
        return ()


class RunContext(Struct, frozen=True, kw_only=True):
    """The part of the context that all clusters of a run share."""

    clusters: Mapping[ClusterId, Cluster]
    members: Mapping[ClusterId, ClusterEntries]
    rules: Mapping[str, Rule]
    links: tuple[Link, ...]
    parents: Mapping[ClusterId, Link]
    lives: tuple[Life, ...]
    table: EntryTable
    neighbours: NearbyEntries
    asked: Callable[[Condition, EntryTable], Callable[[int], bool] | None]
    """Condition of a why -> row predicate; None if no entry satisfies it."""
    coverage: Coverage
    exposure: Exposure | None = None
    needed: Mapping[ClusterId, Needed]
    """Traffic without an occurrence that it takes to call each cluster gone."""
    covered_from: int
    """Start of the entries of this run, in nanoseconds."""
    whole: PulledWhole = EVERYTHING
    deploys: tuple[Deploy, ...]
    tests: TestRun | None = None
    comparison: Comparison | None = None
    code: CodeView | None = None


class ClusterContext(Struct, frozen=True, kw_only=True):
    """One cluster, with the run around it."""

    run: RunContext
    cluster: Cluster

    @property
    def rule(self) -> Rule | None:
        """The rule behind the cluster, None for one without a signature."""
        return self.run.rules.get(self.cluster.signature or "")

    @property
    def occurrences(self) -> Occurrences:
        """The cluster's occurrences."""
        return self.run.members[self.cluster.id].occurrences

    @property
    def rows(self) -> Sequence[int]:
        """The cluster's entries in the table."""
        return self.run.members[self.cluster.id].rows

    @property
    def instances(self) -> set[str]:
        """The instances on which it happened."""
        table = self.run.table
        return {table.label_sets[label_set].instance for label_set in set(map(table.label_ids.__getitem__, self.rows))}

    @property
    def as_cause(self) -> list[Link]:
        """Links in which the cluster explains another."""
        return [link for link in self.run.links if link.cause == self.cluster.id]

    @property
    def as_symptom(self) -> list[Link]:
        """Links in which the cluster is explained."""
        return [link for link in self.run.links if link.symptom == self.cluster.id]

    def with_signature(self, signature: str) -> list[Cluster]:
        """Return the clusters of a signature in the same revision."""
        return [
            c for c in self.run.clusters.values() if c.signature == signature and c.revision == self.cluster.revision
        ]

    def pairs_with(self, other: Cluster) -> list[tuple[Cluster, Cluster, Nanoseconds]]:
        """Return (cause, symptom, window) as rules declare them between the cluster and another, either way round."""
        return [
            (cause, symptom, explains.within)
            for cause, symptom in ((self.cluster, other), (other, self.cluster))
            if (rule := self.run.rules.get(cause.signature or "")) is not None
            for explains in rule.explains
            if explains.signature == symptom.signature
        ]


class EvidenceResult(Struct, frozen=True, kw_only=True):
    """The answer of one kind of evidence to one why."""

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    values: dict[str, Any] = {}
    """For the answer's template: `count`, `of`, `lag`, `linked`, …"""
    next_step: str | None = None


def judge(count: int, of: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Verdict:
    """Judge a share of occurrences: supported from the threshold on, plausible from one occurrence on."""
    if count and count / of >= thresholds.coverage:
        return Verdict.SUPPORTED
    return Verdict.PLAUSIBLE if count else Verdict.NO_EVIDENCE


def judge_link(link: Link, thresholds: Thresholds) -> Verdict:
    """Judge a link by itself, without its rivals.

    Below the thresholds it is plausible, by order and key alone. What is near by chance is no evidence, whatever its
    coverage; a link that no rule declares must be nearer than chance by the thresholds.
    """
    if link.meets(thresholds):
        return Verdict.SUPPORTED
    if link.is_near_by_chance or (not link.declared and link.is_chance(thresholds)):
        return Verdict.NO_EVIDENCE
    return Verdict.PLAUSIBLE


def measured(count: int, of: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Measure:
    """Record a share of occurrences with the thresholds that it is held against."""
    return Measure(coverage=round(count / of, 4) if of else 0.0, thresholds=thresholds)


def measured_link(link: Link, thresholds: Thresholds) -> Measure:
    """Record the numbers of a link with the thresholds that they are held against."""
    return Measure(
        coverage=link.coverage,
        lift=link.lift,
        p_value=link.p_value,
        by=link.by,
        declared=link.declared,
        thresholds=thresholds,
    )


def recorded(
    occurrences: Occurrences, window: Nanoseconds, run: RunContext, *, before: bool = True
) -> tuple[list[Occurrence], int]:
    """Select the occurrences whose preceding (or following) window was recorded.

    Returns those that begin less than a window after the first entry and were recorded all the same, and the index from
    which on every occurrence was. Where only windows were pulled, each occurrence is looked at.
    """
    if run.whole.is_partial:
        return [o for o in occurrences if _is_pulled(o, window, run, before=before)], len(occurrences)
    if not before:
        return [], 0
    at = bisect_left(occurrences.starts, run.covered_from + window)
    return [o for o in occurrences[:at] if is_recorded(o.start - window, o, run)], at


def _is_pulled(occurrence: Occurrence, window: Nanoseconds, run: RunContext, *, before: bool) -> bool:
    if before:
        return is_recorded(occurrence.start - window, occurrence, run)
    return run.whole.holds(occurrence.instance, occurrence.start, occurrence.end + window)


def is_recorded(start: int, occurrence: Occurrence, run: RunContext) -> bool:
    """Tell whether the log covers the time from `start` to an occurrence; an export may begin within a life."""
    if not run.whole.holds(occurrence.instance, start, occurrence.start):
        return False
    if start >= run.covered_from:
        return True
    return any(
        life.started
        for life in run.lives
        if life.instance == occurrence.instance and life.start <= occurrence.start <= life.end
    )
