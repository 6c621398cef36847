"""Evidence `entries`: that it happened, or that another entry stands near each occurrence."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from forensics.log.citations import cite
from forensics.model import Condition, Evidence, Nanoseconds, Occurrence, Verdict, WhyRule
from forensics.text.timestamps import format_lag, parse_duration
from forensics.whys.contexts import ClusterContext, EvidenceResult, judge, measured, recorded
from forensics.whys.wording import counted, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SECOND = 1_000_000_000
REFS = 3
"""Neighbouring entries that a document cites; all are in the logs."""


def gather(why: WhyRule, scene: ClusterContext) -> EvidenceResult:
    """Count the cluster's own entries, or the occurrences with a matching neighbour."""
    if why.condition is None or not isinstance(why.evidence, dict):
        return own(scene)
    return _near(why, why.condition, scene, why.evidence)


def own(scene: ClusterContext) -> EvidenceResult:
    """Say how often it happened, and cite exemplars."""
    cluster = scene.cluster
    statement = (
        f"{counted(cluster.entries, 'entry', 'entries')} in "
        f"{counted(cluster.occurrences, units(cluster, 1), units(cluster))}"
    )
    evidence = Evidence(
        kind="entries",
        statement=statement,
        count=cluster.occurrences,
        of=cluster.occurrences,
        refs=cluster.exemplars,
    )
    values = {"count": cluster.occurrences, "of": cluster.occurrences}
    return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=(evidence,), values=values)


def _near(why: WhyRule, condition: Condition, scene: ClusterContext, argument: dict[str, Any]) -> EvidenceResult:
    before = "before" in argument
    window = parse_duration(str(argument["before" if before else "after"]))
    early, at = recorded(scene.occurrences, window, scene.stage) if before else ([], 0)
    observable = chain(early, map(scene.occurrences.__getitem__, range(at, len(scene.occurrences))))
    found = list(_found(condition, scene, observable, window, before=before))
    lags = [abs(o.start - scene.stage.table.times[row]) / _SECOND for o, row in found]
    count, of = len(found), len(early) + len(scene.occurrences) - at
    where = "before" if before else "after"
    if not found:
        words = counted(of, units(scene.cluster, 1), units(scene.cluster))
        statement = f"no such entry within {argument[where]} {where} any of {words}"
        if not of:
            statement = f"the {argument[where]} {where} were not recorded for any of the {units(scene.cluster)}"
        step = f"look at the entries of the same instance in the {argument[where]} {where}"
        evidence = Evidence(kind="entries", statement=statement, count=0, of=of)
        return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)
    span = (min(lags), max(lags))
    statement = f"{count} of {of} {units(scene.cluster)} have it {format_lag(span)} {where}"
    refs = tuple(cite(scene.stage.table.entry(row)) for _, row in found[:REFS])
    evidence = Evidence(
        kind="entries", statement=statement, count=count, of=of, refs=refs, measure=measured(count, of, why.thresholds)
    )
    values = {"count": count, "of": of, "lag": format_lag(span)}
    return EvidenceResult(verdict=judge(count, of, why.thresholds), evidence=(evidence,), values=values)


def _found(
    condition: Condition, scene: ClusterContext, occurrences: Iterable[Occurrence], window: Nanoseconds, *, before: bool
) -> Iterator[tuple[Occurrence, int]]:
    """Yield the occurrences beside which the condition is true of an entry of the instance, with the nearest."""
    stage = scene.stage
    holds = stage.asked(condition, stage.table)
    if holds is None:
        return
    for occurrence in occurrences:
        first, last = occurrence.start, stage.table.times[occurrence.rows[-1]]
        start, end = (first - window, first) if before else (last, last + window)
        near = stage.neighbours.between(occurrence, start, end)
        row = next(
            (row for row in (reversed(near) if before else near) if holds(row) and row not in occurrence.rows), None
        )
        if row is not None:
            yield occurrence, row
