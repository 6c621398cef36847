"""What a why may look at: one cluster, and everything that the run knows around it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from forensics.model import (
    Classified,
    Cluster,
    ClusterId,
    Condition,
    Coverage,
    Deploy,
    Evidence,
    Life,
    Link,
    LogEntry,
    Members,
    Occurrence,
    Rule,
    TestRun,
    Verdict,
)

SUPPORTED_FROM = 0.8
"""Share of occurrences from which a why counts as supported."""


class Neighbours:
    """Every entry of the revision, errors or not, found by instance or trace and time."""

    def __init__(self, entries: Iterable[LogEntry]) -> None:
        self._entries: dict[tuple[str, str], list[LogEntry]] = defaultdict(list)
        for entry in entries:
            if entry.instance:
                self._entries["instance", entry.instance].append(entry)
            elif entry.trace:
                self._entries["trace", entry.trace].append(entry)
        self._times = {key: [e.time for e in group] for key, group in self._entries.items()}

    def between(self, near: Occurrence, start: int, end: int) -> Sequence[LogEntry]:
        """Return the entries of the occurrence's instance (or trace) from `start` to `end`, both included."""
        for key in (("instance", near.instance), ("trace", near.trace)):
            times = self._times.get(key) if key[1] else None
            if times is not None:
                return self._entries[key][bisect_left(times, start) : bisect_right(times, end)]
        return ()


class Stage(Struct, frozen=True, kw_only=True):
    """What is the same for every cluster of a run."""

    clusters: Mapping[ClusterId, Cluster]
    members: Mapping[ClusterId, Members]
    rules: Mapping[str, Rule]
    links: tuple[Link, ...]
    parents: Mapping[ClusterId, Link]
    lives: tuple[Life, ...]
    neighbours: Neighbours
    holds: Callable[[Condition, LogEntry], bool]
    """Does an entry satisfy a condition of a rule?"""
    coverage: Coverage
    covered_from: int
    """Nanoseconds: where the entries of this run begin."""
    deploys: tuple[Deploy, ...]
    tests: TestRun | None = None


class Scene(Struct, frozen=True, kw_only=True):
    """One cluster on that stage."""

    stage: Stage
    cluster: Cluster

    @property
    def rule(self) -> Rule | None:
        """The rule behind the cluster, None for one without a signature."""
        return self.stage.rules.get(self.cluster.signature or "")

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """The cluster's occurrences."""
        return self.stage.members[self.cluster.id].occurrences

    @property
    def classified(self) -> tuple[Classified, ...]:
        """The cluster's entries."""
        return self.stage.members[self.cluster.id].classified

    @property
    def as_cause(self) -> list[Link]:
        """Links in which the cluster explains another."""
        return [link for link in self.stage.links if link.cause == self.cluster.id]

    @property
    def as_symptom(self) -> list[Link]:
        """Links in which the cluster is explained."""
        return [link for link in self.stage.links if link.symptom == self.cluster.id]

    def with_signature(self, signature: str) -> list[Cluster]:
        """Return the clusters of a signature in the same revision."""
        return [
            c for c in self.stage.clusters.values() if c.signature == signature and c.revision == self.cluster.revision
        ]


class Gathered(Struct, frozen=True, kw_only=True):
    """What one kind of evidence has to say to one why."""

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    values: dict[str, Any] = {}
    """For the answer's template: `count`, `of`, `lag`, `linked`, …"""
    next_step: str | None = None


def judge(count: int, of: int) -> Verdict:
    """Supported from four of five occurrences on, plausible from one on, no evidence at none."""
    if count and count / of >= SUPPORTED_FROM:
        return Verdict.SUPPORTED
    return Verdict.PLAUSIBLE if count else Verdict.NO_EVIDENCE
