"""Input of the postmortems of a run, and the phrases that their parts share."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from forensics.log.entry_table import EntryTable
from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    Deploy,
    EntryFacts,
    Evidence,
    Finding,
    Level,
    Life,
    Query,
    Revision,
    StatementKind,
    TestRun,
    Verdict,
    Why,
)
from forensics.text.plurals import counted
from forensics.text.timestamps import SECOND, format_seconds

_ALERT_LOGS = ("ViolationOpenEvent", "monitoring.googleapis.com", "clouderrorreporting")


class Observed(Struct, frozen=True, kw_only=True):
    """Entries that are no failures but matter to postmortems; looked up once for all incidents."""

    answered: array[int]
    """Rows of requests without a signature that did not fail, in order of time."""
    alert: int | None
    """Row of the first entry of an alert; None without one."""


def observe(table: EntryTable) -> Observed:
    """Find answered requests and alerts: first by the distinct facts, which are few, then by row."""
    answered = [facts.is_request and not facts.signature and not _failed(facts) for facts in table.distinct_facts]
    alerts = [any(name in facts.stream for name in _ALERT_LOGS) for facts in table.distinct_facts]
    return Observed(
        answered=array("I", table.rows_with(answered)),
        alert=next(table.rows_with(alerts), None),
    )


def _failed(facts: EntryFacts) -> bool:
    return facts.level.rank >= Level.ERROR.rank


class ShownKind(Protocol):
    """What a postmortem asks of a kind of evidence; `whys/evidence_kind.py` says what each means."""

    @property
    def flag(self) -> str | None:
        """The option that gives its source."""

    @property
    def log_filter(self) -> str | None:
        """The query that finds its source."""

    @property
    def is_comparison(self) -> bool:
        """Whether it compares two revisions."""

    @property
    def is_factor(self) -> bool:
        """Whether an answer is a contributing factor."""

    @property
    def is_safeguard(self) -> bool:
        """Whether it went well when it noticed a failure."""


class PostmortemContext(Struct, frozen=True, kw_only=True):
    """Everything that postmortems are made from; one for all incidents of a run."""

    clusters: Mapping[ClusterId, Cluster]
    findings: Mapping[ClusterId, Finding]
    coverage: Coverage
    deploys: Sequence[Deploy]
    tests: TestRun | None
    lives: Sequence[Life]
    table: EntryTable
    observed: Observed
    query: Query
    revision: Revision
    kinds: Mapping[str, ShownKind]
    """The kinds of evidence by name."""


def fact(ask: str, evidence: Sequence[Evidence]) -> Why:
    """Return an answered why; the answer is the statement of its first evidence."""
    return Why(
        ask=ask,
        answer=evidence[0].statement,
        kind=StatementKind.FACT,
        verdict=Verdict.SUPPORTED,
        evidence=tuple(evidence),
    )


def apart(first: int, reference: int) -> str:
    """Write how far a time is from a reference: `2 min 19 s after`."""
    if not first or not reference:
        return "at an unknown distance from when"
    gap = first - reference
    return f"{format_seconds(abs(gap))} {'after' if gap >= 0 else 'before'}" if gap else "at the moment when"


def occurrences(cluster: Cluster) -> str:
    """Write `15 instance lives`."""
    return counted(cluster.occurrences, cluster.unit)


def entries(cluster: Cluster) -> str:
    """Write `120 entries`."""
    return counted(cluster.entries, "entry")


def seconds(value: float) -> str:
    """Write a duration in seconds: `2 min 19 s`."""
    return format_seconds(round(value * SECOND))
