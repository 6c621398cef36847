"""One incident in, when it began, what noticed it and when it was over out; open where these entries do not tell."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from forensics.log.citations import cite
from forensics.model import Evidence, StatementKind, Verdict, Why
from forensics.report.postmortem.postmortem_context import apart, fact, moment, seconds
from forensics.text.plurals import counted, one_or_many
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Cluster, EntryRef, Incident, TestFailure
    from forensics.report.postmortem.postmortem_context import PostmortemContext

_ENOUGH = 3
"""Times the longest pause between two occurrences: a silence this long shows something, a shorter one nothing."""


def since(incident: Incident, family: Sequence[Cluster], given: PostmortemContext) -> Why:
    """Put the first entry beside the first of all entries and the deployments; order alone, no cause."""
    onset, revisions = moment(incident.onset), {cluster.revision for cluster in family}
    evidence = [
        Evidence(
            kind="since",
            statement=f"first seen at {incident.onset}, {apart(onset, given.table.starts_at)} the entries begin",
            refs=min(family, key=lambda cluster: (moment(cluster.first_seen), cluster.id)).exemplars[:1],
        )
    ]
    own = [deploy for deploy in given.deploys if deploy.revision in revisions]
    for deploy in own[:2]:
        words = {"asked": "was asked for", "ready": "was reported ready", "failed": "was reported not ready"}
        statement = f"{apart(onset, moment(deploy.time))} the deployment {words[deploy.outcome]} ({deploy.time})"
        evidence.append(Evidence(kind="deploys", statement=statement, refs=deploy.refs))
    if not own:
        audit = given.coverage.logs.get("audit", 0)
        said = "the audit entries do not speak of this revision" if audit else "there is no audit log in these entries"
        evidence.append(Evidence(kind="deploys", statement=f"when it was deployed is open: {said}"))
    return fact("When did it begin?", evidence)


def detection(incident: Incident, family: Sequence[Cluster], given: PostmortemContext) -> Why:
    """Name what noticed it: an alert's entry, a deployment that failed, a test with its words; else it is open."""
    ask = "What noticed it, and how long after it began?"
    found = [*_alerts(incident, given), *_failed_deploys(incident, family, given), *_failed_tests(incident, given)]
    if found:
        return fact(ask, found)
    tests = "no failed test speaks of it" if given.tests else "no test results were given"
    statement = f"these entries hold no alert, and no deployment that was reported not ready; {tests}"
    return Why(
        ask=ask,
        answer=None,
        kind=StatementKind.OPEN_QUESTION,
        verdict=Verdict.NO_EVIDENCE,
        evidence=(Evidence(kind="entries", statement=statement, count=0),),
        next_step="Look at the alerts that watch this service, and at who wrote first.",
    )


def _alerts(incident: Incident, given: PostmortemContext) -> Iterator[Evidence]:
    if given.observed.alert is not None:
        entry = given.table.entry(given.observed.alert)
        when = apart(entry.time, moment(incident.onset))
        statement = f"an alert's entry stands {when} it began ({entry.timestamp})"
        yield Evidence(kind="entries", statement=statement, refs=(cite(entry),))


def _failed_deploys(incident: Incident, family: Sequence[Cluster], given: PostmortemContext) -> Iterator[Evidence]:
    revisions = {cluster.revision for cluster in family}
    failed = next((d for d in given.deploys if d.outcome == "failed" and d.revision in revisions), None)
    if failed is not None:
        when = apart(moment(failed.time), moment(incident.onset))
        statement = f"Cloud Run reported the deployment as not ready {when} it began ({failed.time})"
        yield Evidence(kind="deploys", statement=statement, refs=failed.refs)


def _failed_tests(incident: Incident, given: PostmortemContext) -> Iterator[Evidence]:
    failures = [f for f in given.tests.failures if f.cluster in incident.clusters] if given.tests else []
    certain = [failure for failure in failures if failure.joined_by != "time"]
    if not certain:
        return
    first = min(certain, key=lambda failure: (failure.started or "~", failure.name))
    speak = one_or_many(len(certain), "test speaks", "tests speak")
    statement = f"{len(certain)} failed {speak} of it{_when(first, incident, given)}"
    yield Evidence(
        kind="tests", statement=statement, count=len(certain), values={first.name: str(first.close_code or "")}
    )


def _when(first: TestFailure, incident: Incident, given: PostmortemContext) -> str:
    if first.started is None or given.tests is None:
        return "; when they ran, the results do not say"
    zone = f", {given.tests.zone_assumed} assumed" if given.tests.zone_assumed else ""
    return f", the first {apart(moment(first.started), moment(incident.onset))} it began ({first.started}{zone})"


def recovery(incident: Incident, root: Cluster, given: PostmortemContext) -> Why:
    """Say what stands behind the last occurrence; silence shows something only when it is long."""
    table, end = given.table, moment(incident.end)
    last = table.times[-1] if len(table) else 0
    silence = max(last - end, 0) / SECOND if end else 0.0
    observed = given.observed.answered
    answered = observed[bisect_right(observed, end, key=table.times.__getitem__) :] if end else observed[:0]
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
