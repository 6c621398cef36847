"""What a postmortem is written from, and the words that its parts share."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

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
from forensics.text.timestamps import SECOND, format_seconds, parse_time

_ALERT_LOGS = ("ViolationOpenEvent", "monitoring.googleapis.com", "clouderrorreporting")


class Observed(Struct, frozen=True, kw_only=True):
    """What stands in the entries beside failures; looked up once for all incidents."""

    answered: array[int]
    """Rows of requests that no rule knows and that did not fail, in order of time."""
    alert: int | None
    """The row of the first entry that an alert wrote."""


def observe(table: EntryTable) -> Observed:
    """Look through the kinds of entries, which are few, and then through the rows."""
    answered = [facts.is_request and not facts.signature and not _failed(facts) for facts in table.distinct_facts]
    alerts = [any(name in facts.stream for name in _ALERT_LOGS) for facts in table.distinct_facts]
    return Observed(
        answered=array("I", table.rows_with(answered)),
        alert=next(table.rows_with(alerts), None),
    )


def _failed(facts: EntryFacts) -> bool:
    return facts.level.rank >= Level.ERROR.rank


class PostmortemContext(Struct, frozen=True, kw_only=True):
    """What a run knows beside its clusters."""

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


def fact(ask: str, evidence: Sequence[Evidence]) -> Why:
    """Answer a question by a fact, in the words of its first evidence."""
    return Why(
        ask=ask,
        answer=evidence[0].statement,
        kind=StatementKind.FACT,
        verdict=Verdict.SUPPORTED,
        evidence=tuple(evidence),
    )


def moment(time: str) -> int:
    """Return a time of a report as nanoseconds, 0 where there is none."""
    try:
        return parse_time(time)
    except ValueError:
        return 0


def apart(first: int, reference: int) -> str:
    """Write `2 min 19 s after`, to stand before what the reference is."""
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
    """Write a number of seconds for a reader."""
    return format_seconds(round(value * SECOND))
