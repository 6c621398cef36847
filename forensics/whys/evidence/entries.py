"""Evidence `entries`: that it happened, or that another entry stands near each occurrence."""

from __future__ import annotations

from typing import Any

from forensics.citations import cite
from forensics.model import Evidence, Nanoseconds, Occurrence, Verdict, WhyRule
from forensics.timestamps import format_lag, parse_duration
from forensics.whys.scene import Gathered, Scene, is_recorded, judge, measured
from forensics.whys.wording import counted, units

_SECOND = 1_000_000_000
REFS = 3
"""Neighbouring entries that a document cites; all are in the logs."""


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Count the cluster's own entries, or the occurrences with a matching neighbour."""
    if why.condition is None or not isinstance(why.evidence, dict):
        return own(scene)
    return _near(why, scene, why.evidence)


def own(scene: Scene) -> Gathered:
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
    return Gathered(verdict=Verdict.SUPPORTED, evidence=(evidence,), values=values)


def _near(why: WhyRule, scene: Scene, argument: dict[str, Any]) -> Gathered:
    before = "before" in argument
    window = parse_duration(str(argument["before" if before else "after"]))
    observable = [o for o in scene.occurrences if not before or is_recorded(o.start - window, o, scene.stage)]
    found = [(o, row) for o in observable if (row := _find(why, scene, o, window, before=before)) is not None]
    lags = [abs(o.start - scene.stage.journal.times[row]) / _SECOND for o, row in found]
    count, of = len(found), len(observable)
    where = "before" if before else "after"
    if not found:
        words = counted(of, units(scene.cluster, 1), units(scene.cluster))
        statement = f"no such entry within {argument[where]} {where} any of {words}"
        if not of:
            statement = f"the {argument[where]} {where} were not recorded for any of the {units(scene.cluster)}"
        step = f"look at the entries of the same instance in the {argument[where]} {where}"
        evidence = Evidence(kind="entries", statement=statement, count=0, of=of)
        return Gathered(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)
    span = (min(lags), max(lags))
    statement = f"{count} of {of} {units(scene.cluster)} have it {format_lag(span)} {where}"
    refs = tuple(cite(scene.stage.journal.entry(row)) for _, row in found[:REFS])
    evidence = Evidence(
        kind="entries", statement=statement, count=count, of=of, refs=refs, measure=measured(count, of, why.thresholds)
    )
    values = {"count": count, "of": of, "lag": format_lag(span)}
    return Gathered(verdict=judge(count, of, why.thresholds), evidence=(evidence,), values=values)


def _find(why: WhyRule, scene: Scene, occurrence: Occurrence, window: Nanoseconds, *, before: bool) -> int | None:
    """Return the nearest row of the occurrence's instance that satisfies the condition of a why."""
    condition, journal = why.condition, scene.stage.journal
    if condition is None:
        return None
    first, last = occurrence.start, max(journal.times[row] for row in occurrence.rows)
    start, end = (first - window, first) if before else (last, last + window)
    near = scene.stage.neighbours.between(occurrence, start, end)
    ordered = reversed(near) if before else near
    own = set(occurrence.rows)
    return next((row for row in ordered if row not in own and scene.stage.holds(condition, row, journal)), None)
