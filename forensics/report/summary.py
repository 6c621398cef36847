"""The top of a report: headline, ranking of root causes, timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    Deploy,
    DeployOutcome,
    Finding,
    Incident,
    Life,
    LifeCounts,
    LogEntry,
    Postmortem,
    Role,
    RootCause,
    TestRun,
    TimelineEvent,
    TimelineKind,
)
from forensics.report.component import component_of
from forensics.text.plurals import counted, one_or_many
from forensics.text.redact import quote
from forensics.text.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


def in_order(clusters: Sequence[Cluster], incidents: Sequence[Incident]) -> tuple[Cluster, ...]:
    """Order clusters for reading: incident by incident, cause first, noise last."""
    by_id = {c.id: c for c in clusters}
    ids = [cluster_id for incident in incidents for cluster_id in incident.clusters]
    noise = sorted((c for c in clusters if c.role is Role.NOISE), key=lambda c: (-c.entries, c.id))
    return tuple(by_id[i] for i in ids) + tuple(noise)


def headline(incidents: Sequence[Incident], clusters: Sequence[Cluster], coverage: Coverage) -> str:
    """Write the first sentence of a report."""
    selected, bare = coverage.entries_selected, coverage.no_payload
    if not selected:
        return "Nothing can be said: no entry of what was asked for could be read"
    if bare == selected:
        return f"Nothing can be said about causes: all {selected:,} entries lack their payload"
    if bare * 2 > selected and all(c.role.rank > Role.MECHANISM.rank for c in clusters):
        return f"The cause cannot be told: {bare:,} of {selected:,} entries lack their payload"
    if not incidents:
        return f"No failure found in {counted(selected, 'entry')}"
    more = len(incidents) - 1
    return incidents[0].title + (f" (and {more} more {one_or_many(more, 'incident')})" if more else "")


def count_lives(lives: Sequence[Life]) -> LifeCounts:
    """Count the lives of instances: ended, cut off by the end of the entries, and ended ones with a logged start."""
    ended = [life for life in lives if life.ended]
    cut = sum(not life.ended and not life.failed for life in lives)
    return LifeCounts(ended=len(ended), cut=cut, start_recorded=sum(life.started for life in ended))


def root_causes(
    incidents: Sequence[Incident],
    clusters: Mapping[ClusterId, Cluster],
    findings: Mapping[ClusterId, Finding],
    services: Callable[[ClusterId], Iterable[str]],
) -> tuple[RootCause, ...]:
    """Rank the root causes, one for each incident; `services` gives the names of a cluster's services."""
    return tuple(
        _root_cause(rank, incident, clusters[incident.root_cluster], findings[incident.root_cluster], services)
        for rank, incident in enumerate(incidents, 1)
    )


def _root_cause(
    rank: int,
    incident: Incident,
    cluster: Cluster,
    finding: Finding,
    services: Callable[[ClusterId], Iterable[str]],
) -> RootCause:
    return RootCause(
        rank=rank,
        when=incident.onset,
        component=component_of(cluster, services(cluster.id)),
        reason=finding.headline,
        signature=cluster.signature,
        cluster=cluster.id,
        verdict=incident.verdict,
    )


def timeline(
    clusters: Mapping[ClusterId, Cluster],
    lives: Sequence[Life],
    deploys: Sequence[Deploy],
    incidents: Sequence[Incident],
    entry: Callable[[int], LogEntry],
    *,
    tests: TestRun | None = None,
    postmortems: Sequence[Postmortem] = (),
) -> tuple[TimelineEvent, ...]:
    """Order events by time: deployments, tests, onsets, exits, last occurrences and requests answered after them."""
    events = [
        TimelineEvent(
            time=d.time, kind=TimelineKind.DEPLOY, text=_deploy_text(d), refs=(d.insert_id,), clock="audit log"
        )
        for d in deploys
    ]
    for incident in incidents:
        events += _bounds(incident, clusters)
    events += [*_exits(lives, entry), *_tests(tests), *_answers(postmortems)]
    return tuple(sorted(events, key=lambda e: (moment(e.time), e.kind, e.text)))


def _bounds(incident: Incident, clusters: Mapping[ClusterId, Cluster]) -> Iterator[TimelineEvent]:
    """Yield the first and the last entry of an incident over all its clusters."""
    family = [clusters[cluster] for cluster in incident.clusters]
    first = min(family, key=lambda c: (moment(c.first_seen), c.id))
    last = max(family, key=lambda c: (moment(c.last_seen), c.id))
    text = f"first entry of {incident.id}: {incident.title}"
    yield TimelineEvent(
        time=incident.onset, kind=TimelineKind.ONSET, text=text, refs=(first.exemplars[0].insert_id,), clock="entry"
    )
    if sum(c.entries for c in family) > 1:
        text = f"last entry of {incident.id}"
        yield TimelineEvent(
            time=incident.end, kind=TimelineKind.LAST, text=text, refs=(last.exemplars[-1].insert_id,), clock="entry"
        )


def _exits(lives: Sequence[Life], entry: Callable[[int], LogEntry]) -> Iterator[TimelineEvent]:
    exits = [life.exit for life in lives if life.exit is not None]
    for kind, row in ((TimelineKind.FIRST_EXIT, exits[0]), (TimelineKind.LAST_EXIT, exits[-1])) if exits else ():
        exit_ = entry(row)
        text = quote(exit_.message, 80) + (f" ({kind} of {len(exits)})" if len(exits) > 1 else "")
        refs = (quote(exit_.insert_id, 64),)
        yield TimelineEvent(time=exit_.timestamp, kind=kind, text=text, refs=refs, clock="entry")
        if len(exits) == 1:
            return


def _answers(postmortems: Sequence[Postmortem]) -> Iterator[TimelineEvent]:
    """Yield the first request answered after each incident; the postmortem says whether it was over then."""
    for postmortem in postmortems:
        for ref in postmortem.recovery.evidence[0].refs[:1]:
            text = f"first request answered after the last entry of {postmortem.incident}"
            yield TimelineEvent(
                time=ref.timestamp, kind=TimelineKind.ANSWERED, text=text, refs=(ref.insert_id,), clock="entry"
            )


def _tests(run: TestRun | None) -> Iterator[TimelineEvent]:
    if run is None or not run.started:
        return
    clock = "test runner" + (f", {run.zone_assumed} assumed" if run.zone_assumed else "")
    text = f"tests began: {run.total}, of which {run.failed + run.errors} fail and {run.not_run} do not run"
    yield TimelineEvent(time=run.started, kind=TimelineKind.TESTS, text=text, refs=(), clock=clock)
    if run.ended:
        yield TimelineEvent(time=run.ended, kind=TimelineKind.TESTS, text="tests ended", refs=(), clock=clock)


def _deploy_text(deploy: Deploy) -> str:
    """Write what a deployment's entry says: who requested it, the split of traffic, and the outcome."""
    name = deploy.revision or "a revision that is not named"
    if deploy.outcome is DeployOutcome.ASKED:
        who = f" by {deploy.by}" if deploy.by else ""
        traffic = f", {deploy.traffic}" if deploy.traffic else ""
        return f"deployment of {name} asked for{who}{traffic}"
    about = f" ({deploy.about.lower()})" if deploy.about else ""
    if deploy.outcome is DeployOutcome.FAILED:
        return f"{name}{about} reported not ready" + (f": {deploy.message}" if deploy.message else "")
    return f"{name}{about} reported ready"
