"""Evidence `entries`: that it happened, or that another entry stands near each occurrence."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from forensics.log.citations import cite
from forensics.model import Condition, Evidence, Leaf, Nanoseconds, Occurrence, Verdict, WhyRule
from forensics.schema.checked_values import read_duration, read_table
from forensics.schema.match_conditions import read_condition
from forensics.text.plurals import counted, plural
from forensics.text.timestamps import SECOND, format_lag, parse_duration
from forensics.whys.contexts import ClusterContext, EvidenceResult, judge, measured, recorded
from forensics.whys.evidence_kind import Argument, EvidenceKind
from forensics.whys.recording import APPLICATION, each_once, log_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.schema.checked_values import Reader
    from forensics.schema.diagnostics import Diagnostics, Location

_LOOKED_AT = 200
"""Occurrences whose surroundings are searched before something is denied."""
REFS = 3
"""Neighbouring entries that a document cites; all are in the logs."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Count the cluster's own entries, or the occurrences with a matching neighbour."""
    if why.condition is None or not isinstance(why.evidence, dict):
        return own(context)
    return _near(why, why.condition, context, why.evidence)


def own(context: ClusterContext) -> EvidenceResult:
    """Say how often it happened, and cite exemplars."""
    cluster = context.cluster
    statement = f"{counted(cluster.entries, 'entry')} in {counted(cluster.occurrences, cluster.unit)}"
    evidence = Evidence(
        kind="entries",
        statement=statement,
        count=cluster.occurrences,
        of=cluster.occurrences,
        refs=cluster.exemplars,
    )
    values = {"count": cluster.occurrences, "of": cluster.occurrences}
    return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=(evidence,), values=values)


def _near(why: WhyRule, condition: Condition, context: ClusterContext, argument: dict[str, Any]) -> EvidenceResult:
    before = "before" in argument
    window = parse_duration(str(argument["before" if before else "after"]))
    early, at = recorded(context.occurrences, window, context.run, before=before)
    observable = chain(early, map(context.occurrences.__getitem__, range(at, len(context.occurrences))))
    found = list(_found(condition, context, observable, window, before=before))
    lags = [abs(o.start - context.run.table.times[row]) / SECOND for o, row in found]
    count, of = len(found), len(early) + len(context.occurrences) - at
    where = "before" if before else "after"
    if not found:
        words = counted(of, context.cluster.unit)
        statement = f"no such entry within {argument[where]} {where} any of {words}"
        if not of:
            statement = f"the {argument[where]} {where} were not recorded for any of the {plural(context.cluster.unit)}"
        step = f"look at the entries of the same instance in the {argument[where]} {where}"
        evidence = Evidence(kind="entries", statement=statement, count=0, of=of)
        return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)
    span = (min(lags), max(lags))
    statement = f"{count} of {of} {plural(context.cluster.unit)} have it {format_lag(span)} {where}"
    refs = tuple(cite(context.run.table.entry(row)) for _, row in found[:REFS])
    evidence = Evidence(
        kind="entries", statement=statement, count=count, of=of, refs=refs, measure=measured(count, of, why.thresholds)
    )
    values = {"count": count, "of": of, "lag": format_lag(span)}
    return EvidenceResult(verdict=judge(count, of, why.thresholds), evidence=(evidence,), values=values)


def _found(
    condition: Condition,
    context: ClusterContext,
    occurrences: Iterable[Occurrence],
    window: Nanoseconds,
    *,
    before: bool,
) -> Iterator[tuple[Occurrence, int]]:
    """Yield the occurrences beside which the condition is true of an entry of the instance, with the nearest."""
    run = context.run
    holds = run.asked(condition, run.table)
    if holds is None:
        return
    for occurrence in occurrences:
        first, last = occurrence.start, run.table.times[occurrence.rows[-1]]
        start, end = (first - window, first) if before else (last, last + window)
        near = run.neighbours.between(occurrence, start, end)
        row = next(
            (row for row in (reversed(near) if before else near) if holds(row) and row not in occurrence.rows), None
        )
        if row is not None:
            yield occurrence, row


def _read(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    """Read `{}`, the cluster's own entries, or a condition on others and how far away they may stand."""
    if value == {}:
        return Argument(value)
    readers: dict[str, Reader] = {"match": read_condition, "before": read_duration, "after": read_duration}
    found = read_table(value, location, diagnostics, readers, needed=("match",))
    if isinstance(value, dict) and len(value.keys() & {"before", "after"}) != 1:
        diagnostics.add(
            location, "say on which side of the occurrence and how far: either 'before: 60s' or 'after: 60s'"
        )
    return Argument(value, found["match"]) if "match" in found else None


def _is_own(why: WhyRule) -> bool:
    return why.condition is None


def _looks_in(why: WhyRule, context: ClusterContext) -> tuple[str, ...]:
    """Name the logs that may hold what a condition asks for: those that it names, else what is written in words."""
    del context
    named = [log_of(name) for name in _streams_in(why.condition)]
    return each_once(named) if named else (APPLICATION, "system")


def _streams_in(condition: Condition | None) -> Iterator[str]:
    if isinstance(condition, Leaf):
        if condition.path == "stream":
            yield from map(str, condition.value if isinstance(condition.value, tuple) else (condition.value,))
    elif condition is not None:
        yield from chain.from_iterable(map(_streams_in, condition.conditions))


def _is_near(why: WhyRule, context: ClusterContext) -> bool:
    """Tell whether such an entry is near on any instance, the cluster's own entries included."""
    run, argument = context.run, why.evidence
    holds = run.asked(why.condition, run.table) if why.condition is not None else None
    if holds is None or not isinstance(argument, dict):
        return False
    window = parse_duration(str(argument.get("before") or argument.get("after")))
    times = run.table.times
    return any(
        holds(row)
        for occurrence in islice(context.occurrences, _LOOKED_AT)
        for row in range(
            bisect_left(times, occurrence.start - window), bisect_right(times, times[occurrence.rows[-1]] + window)
        )
    )


KIND = EvidenceKind(
    name="entries",
    read_argument=_read,
    gather=gather,
    is_own_fact=_is_own,
    looks_in=_looks_in,
    is_near=_is_near,
    is_caveat=True,
)
