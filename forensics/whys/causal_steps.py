"""Complete a finding: causal steps, the query that finds it, a proposed rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.log.citations import cite
from forensics.model import Cluster, ClusterId, Finding, Link, Role, Step
from forensics.text.plurals import plural
from forensics.text.timestamps import format_lag
from forensics.whys.nearest_cause import nearest_cause
from forensics.whys.proposals import propose_rule
from forensics.whys.queries import cluster_query
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.model import EntryRef
    from forensics.whys.contexts import ClusterContext, RunContext

STRONG = 0.8
"""Least share of a symptom's occurrences at which a link is drawn although another one was chosen."""
_CLOSE_CODE = re.compile(r"\b1[0-4]\d\d\b ?")
"""1011 in `websocket-1011-serialization`: a close code is what a client saw, and no cause."""


def complete(finding: Finding, context: ClusterContext, service: str | None) -> Finding:
    """Add what follows from the cluster and its links: steps, chain, a query, and a rule where none knows it."""
    arrows = _arrows(context)
    is_failure = context.cluster.role is not Role.NOISE
    return replace(
        finding,
        chain=_chain(arrows, context.run.clusters, context.cluster),
        steps=tuple(_step(link, context.run) for link in arrows),
        query=cluster_query(context.cluster, service),
        proposed_rule=propose_rule(context.cluster) if is_failure else "",
    )


def _arrows(context: ClusterContext) -> list[Link]:
    """List the links between clusters of one root, without those that a path over a third cluster explains."""
    family = _family(context.cluster.id, context.run.parents)
    links = {
        (link.cause, link.symptom): link
        for link in context.run.links
        if {link.cause, link.symptom} <= family and _is_drawn(link, context.run.parents)
    }
    kept = [link for pair, link in links.items() if not _has_detour(*pair, links)]
    depth = _depths([(link.cause, link.symptom) for link in kept], family)
    return sorted(kept, key=lambda link: (depth[link.cause], depth[link.symptom], link.cause, link.symptom))


def _family(start: ClusterId, parents: Mapping[ClusterId, Link]) -> set[ClusterId]:
    """Return the clusters with the same root, the root included."""
    root = _root(start, parents)
    return {root} | {symptom for symptom in parents if _root(symptom, parents) == root}


def _root(cluster: ClusterId, parents: Mapping[ClusterId, Link]) -> ClusterId:
    while cluster in parents:
        cluster = parents[cluster].cause
    return cluster


def _is_drawn(link: Link, parents: Mapping[ClusterId, Link]) -> bool:
    chosen = parents.get(link.symptom)
    return (chosen is not None and chosen.cause == link.cause) or (link.declared and link.coverage >= STRONG)


def _has_detour(cause: ClusterId, symptom: ClusterId, links: Mapping[tuple[ClusterId, ClusterId], Link]) -> bool:
    """Tell whether a path over a third cluster leads to the symptom; a circle through it does not count."""
    between = {to for at, to in links if at == cause} & {at for at, to in links if to == symptom}
    return any((symptom, middle) not in links and (middle, cause) not in links for middle in between)


def _depths(pairs: Sequence[tuple[ClusterId, ClusterId]], family: set[ClusterId]) -> dict[ClusterId, int]:
    """Return the length of the longest path to each cluster; a circle is walked once."""
    depth = dict.fromkeys(family, 0)
    for _ in family:
        for cause, symptom in pairs:
            depth[symptom] = max(depth[symptom], min(depth[cause] + 1, len(family)))
    return depth


def _chain(arrows: Sequence[Link], clusters: Mapping[ClusterId, Cluster], own: Cluster) -> tuple[str, ...]:
    """Return the labels of the longest path, cause first; the last one also names what else follows from that step."""
    if not arrows:
        return (label(own),)
    reached = {link.symptom for link in arrows}
    start = next((link.cause for link in arrows if link.cause not in reached), arrows[0].cause)
    way = _longest(start, {link.cause: [x for x in arrows if x.cause == link.cause] for link in arrows}, ())
    labels = [label(clusters[cluster]) for cluster in way]
    if len(way) > 1:
        beside = [x.symptom for x in arrows if x.cause == way[-2] and x.symptom not in way]
        leaves = [cluster for cluster in beside if not any(x.cause == cluster for x in arrows)]
        labels[-1] = " and ".join(dict.fromkeys([labels[-1], *(label(clusters[x]) for x in leaves)]))
    return tuple(dict.fromkeys(labels))


def _longest(
    at: ClusterId, ways: Mapping[ClusterId, Sequence[Link]], passed: tuple[ClusterId, ...]
) -> tuple[ClusterId, ...]:
    onward = [_longest(x.symptom, ways, (*passed, at)) for x in ways.get(at, ()) if x.symptom not in (*passed, at)]
    return (at, *max(onward, key=len, default=()))


def label(cluster: Cluster) -> str:
    """Name a cluster in a few words: its signature without close codes, else its exception or template."""
    if cluster.signature is None:
        return plain(cluster.exception.type if cluster.exception else cluster.template)[:80]
    return _CLOSE_CODE.sub("", cluster.signature.replace("-", " ")).strip() or cluster.signature


def _step(link: Link, run: RunContext) -> Step:
    cause, symptom = run.clusters[link.cause], run.clusters[link.symptom]
    late = link.lag is not None and max(link.lag) < 0
    where = f"{format_lag(link.lag).removesuffix(' later')} {'after the end of' if late else 'before'}"
    return Step(
        cause=link.cause,
        symptom=link.symptom,
        explained=link.explained,
        of=link.of,
        lag=link.lag,
        statement=(
            f"“{cause.title}” stands {where} {link.explained} of {link.of} {plural(symptom.unit)} of “{symptom.title}” "
            f"(joined by {link.by})"
        ),
        refs=_pair(link, run),
    )


def _pair(link: Link, run: RunContext) -> tuple[EntryRef, ...]:
    """Cite cause and symptom of one occurrence, from the middle of the log: exports cut the first and the last."""
    table = run.table
    occurrences = run.members[link.symptom].occurrences
    order = sorted(range(len(occurrences)), key=lambda at: (abs(at - len(occurrences) // 2), at))
    for at in order[:50]:
        near = nearest_cause(link, occurrences[at], run)
        if near is not None:
            return cite(table.entry(near)), cite(table.entry(occurrences[at].rows[0]))
    return ()
