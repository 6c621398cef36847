"""When an incident began, what noticed it, and when it was over; an open question if the entries do not say."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from forensics.log.citations import cite
from forensics.model import DeployOutcome, Evidence, FailureTie, StatementKind, Verdict, Why
from forensics.report.postmortem.postmortem_context import apart, fact, seconds
from forensics.text.plurals import counted, one_or_many
from forensics.text.timestamps import SECOND, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Cluster, EntryRef, Incident, TestFailure
    from forensics.report.postmortem.postmortem_context import PostmortemContext

_ENOUGH = 3
"""Times the longest pause between two occurrences; a silence must be this long to mean that the incident is over."""


def since(incident: Incident, family: Sequence[Cluster], context: PostmortemContext) -> Why:
    """Compare the onset with the first of all entries and with the deployments; this shows order, not cause."""
    onset, revisions = moment(incident.onset), {cluster.revision for cluster in family}
    evidence = [
        Evidence(
            kind="since",
            statement=f"first seen at {incident.onset}, {apart(onset, context.table.starts_at)} the entries begin",
            refs=min(family, key=lambda cluster: (moment(cluster.first_seen), cluster.id)).exemplars[:1],
        )
    ]
    own_deploys = [deploy for deploy in context.deploys if deploy.revision in revisions]
    for deploy in own_deploys[:2]:
        words = {
            DeployOutcome.ASKED: "was asked for",
            DeployOutcome.READY: "was reported ready",
            DeployOutcome.FAILED: "was reported not ready",
        }
        statement = f"{apart(onset, moment(deploy.time))} the deployment {words[deploy.outcome]} ({deploy.time})"
        evidence.append(Evidence(kind="deploys", statement=statement, refs=deploy.refs))
    if not own_deploys:
        audit = context.coverage.logs.get("audit", 0)
        reason = (
            "the audit entries do not speak of this revision" if audit else "there is no audit log in these entries"
        )
        evidence.append(Evidence(kind="deploys", statement=f"when it was deployed is open: {reason}"))
    return fact("When did it begin?", evidence)


def detection(incident: Incident, family: Sequence[Cluster], context: PostmortemContext) -> Why:
    """Name what noticed it: an alert's entry, a failed deployment, a failed test that repeats its words; else open."""
    ask = "What noticed it, and how long after it began?"
    noticed = [
        *_alerts(incident, context),
        *_failed_deploys(incident, family, context),
        *_failed_tests(incident, context),
    ]
    if noticed:
        return fact(ask, noticed)
    tests = "no failed test speaks of it" if context.tests else "no test results were given"
    statement = f"these entries hold no alert, and no deployment that was reported not ready; {tests}"
    return Why(
        ask=ask,
        answer=None,
        kind=StatementKind.OPEN_QUESTION,
        verdict=Verdict.NO_EVIDENCE,
        evidence=(Evidence(kind="entries", statement=statement, count=0),),
        next_step="Look at the alerts that watch this service, and at who wrote first.",
    )


def _alerts(incident: Incident, context: PostmortemContext) -> Iterator[Evidence]:
    if context.observed.alert is not None:
        entry = context.table.entry(context.observed.alert)
        when = apart(entry.time, moment(incident.onset))
        statement = f"an alert's entry stands {when} it began ({entry.timestamp})"
        yield Evidence(kind="entries", statement=statement, refs=(cite(entry),))


def _failed_deploys(incident: Incident, family: Sequence[Cluster], context: PostmortemContext) -> Iterator[Evidence]:
    revisions = {cluster.revision for cluster in family}
    failed = next((d for d in context.deploys if d.outcome is DeployOutcome.FAILED and d.revision in revisions), None)
    if failed is not None:
        when = apart(moment(failed.time), moment(incident.onset))
        statement = f"Cloud Run reported the deployment as not ready {when} it began ({failed.time})"
        yield Evidence(kind="deploys", statement=statement, refs=failed.refs)


def _failed_tests(incident: Incident, context: PostmortemContext) -> Iterator[Evidence]:
    failures = [f for f in context.tests.failures if f.cluster in incident.clusters] if context.tests else []
    certain = [failure for failure in failures if failure.joined_by is not FailureTie.TIME]
    if not certain:
        return
    first = min(certain, key=lambda failure: (failure.started or "~", failure.name))
    speak = one_or_many(len(certain), "test speaks", "tests speak")
    statement = f"{len(certain)} failed {speak} of it{_when(first, incident, context)}"
    yield Evidence(
        kind="tests", statement=statement, count=len(certain), values={first.name: str(first.close_code or "")}
    )


def _when(first: TestFailure, incident: Incident, context: PostmortemContext) -> str:
    if first.started is None or context.tests is None:
        return "; when they ran, the results do not say"
    zone = f", {context.tests.zone_assumed} assumed" if context.tests.zone_assumed else ""
    return f", the first {apart(moment(first.started), moment(incident.onset))} it began ({first.started}{zone})"


def recovery(incident: Incident, root: Cluster, context: PostmortemContext) -> Why:
    """Say whether it is over, by the requests that were answered after the last occurrence and by a long silence."""
    table, end = context.table, int(moment(incident.end))
    last = table.times[-1] if len(table) else 0
    silence = max(last - end, 0) / SECOND if end else 0.0
    all_answered = context.observed.answered
    answered = all_answered[bisect_right(all_answered, end, key=table.times.__getitem__) :] if end else all_answered[:0]
    behind = f"after its last entry ({incident.end}), with {counted(len(answered), 'request')} answered"
    statement = f"the entries go on for {seconds(silence)} {behind}"
    refs: tuple[EntryRef, ...] = tuple(cite(table.entry(row)) for row in answered[:1])
    evidence = Evidence(kind="entries", statement=statement, count=len(answered), refs=refs)
    ask = "When was it over?"
    if root.cadence is not None and answered and silence >= _ENOUGH * root.cadence.longest:
        longest, count = seconds(root.cadence.longest), counted(len(answered), "request")
        answer = f"Not seen after {incident.end}, while {count} were answered; before, {longest} was its longest pause."
        return Why(
            ask=ask, answer=answer, kind=StatementKind.HYPOTHESIS, verdict=Verdict.PLAUSIBLE, evidence=(evidence,)
        )
    return Why(
        ask=ask,
        answer=None,
        kind=StatementKind.OPEN_QUESTION,
        verdict=Verdict.NO_EVIDENCE,
        evidence=(evidence,),
        next_step="Pull the entries after the last one, and look for the query of this incident there.",
    )
