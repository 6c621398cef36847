"""Incidents, clusters and findings in, what stands at the top of a report out: headline, ranking, timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    Deploy,
    Finding,
    Incident,
    Life,
    LogEntry,
    Role,
    RootCause,
    TimelineEvent,
)
from forensics.redact import quote
from forensics.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def in_order(clusters: Sequence[Cluster], incidents: Sequence[Incident]) -> tuple[Cluster, ...]:
    """Order clusters as a reader wants them: incident by incident, cause first, noise last."""
    by_id = {c.id: c for c in clusters}
    ids = [cluster_id for incident in incidents for cluster_id in incident.clusters]
    noise = sorted((c for c in clusters if c.role is Role.NOISE), key=lambda c: (-c.entries, c.id))
    return tuple(by_id[i] for i in ids) + tuple(noise)


def headline(incidents: Sequence[Incident], clusters: Sequence[Cluster], coverage: Coverage) -> str:
    """Say the first sentence of a report."""
    selected, bare = coverage.entries_selected, coverage.no_payload
    if not selected:
        return "Nothing can be said: no entry of what was asked for could be read"
    if bare == selected:
        return f"Nothing can be said about causes: all {selected:,} entries lack their payload"
    if bare * 2 > selected and all(c.role.rank > Role.MECHANISM.rank for c in clusters):
        return f"The cause cannot be told: {bare:,} of {selected:,} entries lack their payload"
    if not incidents:
        return f"No failure found in {selected:,} {'entry' if selected == 1 else 'entries'}"
    more = len(incidents) - 1
    return incidents[0].title + (f" (and {more} more {'incident' if more == 1 else 'incidents'})" if more else "")


def root_causes(
    incidents: Sequence[Incident], clusters: Mapping[ClusterId, Cluster], findings: Mapping[ClusterId, Finding]
) -> tuple[RootCause, ...]:
    """Rank what to look at first: one line an incident."""
    return tuple(
        _root_cause(rank, incident, clusters[incident.root_cluster], findings[incident.root_cluster])
        for rank, incident in enumerate(incidents, 1)
    )


def _root_cause(rank: int, incident: Incident, cluster: Cluster, finding: Finding) -> RootCause:
    frame = cluster.frame
    return RootCause(
        rank=rank,
        when=incident.onset,
        component=f"{frame.file}:{frame.line}" if frame and frame.line else frame.file if frame else "",
        reason=finding.headline,
        signature=cluster.signature,
        cluster=cluster.id,
        verdict=finding.confidence,
    )


def timeline(
    clusters: Mapping[ClusterId, Cluster],
    lives: Sequence[Life],
    deploys: Sequence[Deploy],
    incidents: Sequence[Incident],
    entry: Callable[[int], LogEntry],
) -> tuple[TimelineEvent, ...]:
    """Put deployments, onsets, ends of instances and last occurrences in order of time."""
    events = [
        TimelineEvent(
            time=d.time, kind="deploy", text=_deploy_text(d.outcome, d.revision, d.message), refs=(d.insert_id,)
        )
        for d in deploys
    ]
    for incident in incidents:
        root = clusters[incident.root_cluster]
        for kind, when, exemplar in (
            ("onset", root.first_seen, root.exemplars[0]),
            ("last", root.last_seen, root.exemplars[-1]),
        ):
            if kind == "onset" or root.entries > 1:
                text = f"{'first' if kind == 'onset' else 'last'} entry of {incident.id}: {incident.title}"
                events.append(TimelineEvent(time=when, kind=kind, text=text, refs=(exemplar.insert_id,)))
    exits = [life.exit for life in lives if life.exit is not None]
    for kind, row in (("first exit", exits[0]), ("last exit", exits[-1])) if exits else ():
        exit_ = entry(row)
        text = f"{quote(exit_.message, 80)} ({len(exits)} in all)"
        events.append(TimelineEvent(time=exit_.timestamp, kind=kind, text=text, refs=(quote(exit_.insert_id, 64),)))
    return tuple(sorted(events, key=lambda e: (_moment(e.time), e.kind, e.text)))


def _deploy_text(outcome: str, revision: str, message: str) -> str:
    what = {"asked": "deployment asked for", "ready": "reported ready", "failed": "reported not ready"}[outcome]
    return f"{what}: {revision or 'revision not named'}" + (f" ({message})" if message and outcome == "failed" else "")


def _moment(time: str) -> int:
    try:
        return parse_time(time)
    except ValueError:
        return 0
