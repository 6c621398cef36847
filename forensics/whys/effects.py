"""What the verdict beside an incident is about: that its root led to an effect.

A verdict belongs to a claim. That an error was seen is a fact; that it led to something is the claim, and its verdict
is that of the link, whatever else is known of the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import DEFAULT_THRESHOLDS, ClusterId, Effect, Link, Role, Verdict
from forensics.text.plurals import plural
from forensics.whys.contexts import ClusterContext, judge_link
from forensics.whys.evidence.linked import rival_links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.whys.contexts import RunContext

OPEN = "seen; what it led to is open"
UNKNOWN = "effect shown, cause unknown"
_SAYS = {
    Verdict.SUPPORTED: "led to",
    Verdict.CONTESTED: "it or another cause led to",
    Verdict.PLAUSIBLE: "may have led to",
}
_STRONGEST_FIRST = tuple(_SAYS)


def effect_of(context: ClusterContext) -> Effect:
    """State what a root led to, by its best link to an effect; or what is not known of it."""
    if context.cluster.role is Role.SYMPTOM:
        return Effect(statement=UNKNOWN, verdict=Verdict.NO_EVIDENCE)
    ways = sorted(_ways(context), key=lambda way: _sort_key(way, context.run))
    if not ways:
        return Effect(statement=OPEN, verdict=Verdict.NO_EVIDENCE)
    verdict, way = ways[0]
    effect = context.run.clusters[way[-1].symptom]
    weakest = min(way, key=lambda link: link.coverage)
    counts = f"{weakest.explained:,} of {weakest.of:,} {plural(effect.unit)}" if len(way) == 1 else f"{len(way)} steps"
    statement = f"{verdict}: {_SAYS[verdict]} “{effect.title}” ({counts})"
    return Effect(cluster=effect.id, statement=statement, verdict=verdict)


def _ways(context: ClusterContext) -> Iterator[tuple[Verdict, tuple[Link, ...]]]:
    """Yield the links of a root to effects, and the chains of chosen links that lead to one, each with its verdict."""
    direct = {link.symptom for link in context.as_cause}
    for link in context.as_cause:
        verdict = _judged(link, context.run)
        if verdict.holds:
            yield verdict, (link,)
    for symptom in context.run.parents:
        way = () if symptom in direct else _way(symptom, context)
        verdicts = [_judged(link, context.run) for link in way]
        if verdicts and all(verdict.holds for verdict in verdicts):
            yield max(verdicts, key=_STRONGEST_FIRST.index), way


def _way(symptom: ClusterId, context: ClusterContext) -> tuple[Link, ...]:
    """Return the chosen links from the cluster to a symptom; none where they lead elsewhere."""
    way: list[Link] = []
    at = symptom
    while at != context.cluster.id:
        link = context.run.parents.get(at)
        if link is None:
            return ()
        way.insert(0, link)
        at = link.cause
    return tuple(way)


def _judged(link: Link, run: RunContext) -> Verdict:
    verdict = judge_link(link, DEFAULT_THRESHOLDS)
    if verdict is Verdict.SUPPORTED:
        cause = ClusterContext(run=run, cluster=run.clusters[link.cause])
        return Verdict.CONTESTED if rival_links(link, cause, DEFAULT_THRESHOLDS) else verdict
    return verdict


def _sort_key(way: tuple[Verdict, tuple[Link, ...]], run: RunContext) -> tuple[int, bool, str, int, ClusterId]:
    verdict, links = way
    effect = run.clusters[links[-1].symptom]
    is_inner = effect.role is not Role.SYMPTOM
    return (_STRONGEST_FIRST.index(verdict), is_inner, effect.priority, -links[-1].explained, effect.id)
