"""Incidents and everything known about them in, the parts of a postmortem out that no single finding holds.

Whatever is said here is counted, quoted, or an open question; a lesson is drawn from a verdict and says from which.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.citations import cite
from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    Deploy,
    Evidence,
    Finding,
    Incident,
    Life,
    OccurrenceUnit,
    OpenQuestion,
    Postmortem,
    Query,
    Revision,
    StatementKind,
    TestRun,
    Verdict,
    Why,
)
from forensics.timestamps import SECOND, format_seconds, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.journal import Journal
    from forensics.model import EntryRef, TestFailure

QUESTIONS = 12
"""Open questions that a postmortem lists; each document of a cluster has its own."""
_ENOUGH = 3
"""Times the longest pause between two occurrences: a silence this long shows something, a shorter one nothing."""
_ALERT_LOGS = ("ViolationOpenEvent", "monitoring.googleapis.com", "clouderrorreporting")
_PLURALS = {
    OccurrenceUnit.LIFE: "instance lives",
    OccurrenceUnit.REQUEST: "requests",
    OccurrenceUnit.SESSION: "sessions",
    OccurrenceUnit.BURST: "bursts",
}
_SOURCES = {
    "commits": "--repo PATH",
    "compare": "--baseline REVISION",
    "tests": "--tests junit.xml",
}
"""Kinds of evidence with the flag that brings their source."""


class Aftermath(Struct, frozen=True, kw_only=True):
    """What a run knows beside its clusters."""

    clusters: Mapping[ClusterId, Cluster]
    findings: Mapping[ClusterId, Finding]
    coverage: Coverage
    deploys: Sequence[Deploy]
    tests: TestRun | None
    lives: Sequence[Life]
    journal: Journal
    query: Query
    revision: Revision


def write_postmortem(incident: Incident, given: Aftermath) -> Postmortem:
    """Put together what one incident's postmortem says beside its findings."""
    family = [given.clusters[cluster] for cluster in incident.clusters]
    root, finding = given.clusters[incident.root_cluster], given.findings[incident.root_cluster]
    recovery = _recovery(incident, root, given)
    detection = _detection(incident, family, given)
    return Postmortem(
        incident=incident.id,
        summary=tuple(_summary(incident, root)),
        impact=tuple(_impact(family, given)),
        since=_since(incident, root, given),
        detection=detection,
        recovery=recovery,
        factors=tuple(_factors(finding)),
        went_well=tuple(_went_well(root, finding, detection, given)),
        went_badly=tuple(_went_badly(family, finding, detection, given)),
        questions=tuple(_questions(incident, (detection, recovery), given)),
    )


def _summary(incident: Incident, root: Cluster) -> Iterator[Evidence]:
    entries = f"{root.entries:,} {'entry' if root.entries == 1 else 'entries'}"
    yield Evidence(
        kind="entries",
        statement=f"{_occurrences(root)} ({entries}) from {incident.onset} to {incident.end}",
        count=root.occurrences,
        of=root.occurrences,
        refs=root.exemplars[:1],
    )
    if root.cadence is not None:
        median, low, high = (_seconds(x) for x in (root.cadence.median, root.cadence.shortest, root.cadence.longest))
        yield Evidence(kind="entries", statement=f"half of them came within {median} of the one before ({low} – {high})")
    if root.life is not None:
        median, low, high = (_seconds(x) for x in (root.life.median, root.life.shortest, root.life.longest))
        lives = f"{root.life.count} of {root.occurrences} instance lives"
        statement = f"{lives} were recorded from start to exit; half of these lasted no longer than {median} ({low} – {high})"
        yield Evidence(kind="lives", statement=statement, count=root.life.count, of=root.occurrences)


def _impact(family: Sequence[Cluster], given: Aftermath) -> Iterator[Evidence]:
    """Count requests, sessions and lives that failed, each against all that were recorded; people only where named."""
    requests = given.coverage.logs.get("requests", 0)
    for cluster in family:
        of = None
        if cluster.unit is OccurrenceUnit.REQUEST and requests:
            of = requests
        elif cluster.unit is OccurrenceUnit.LIFE:
            of = sum(life.ended and life.revision == cluster.revision for life in given.lives) or None
        share = f" of {of:,} that {'were logged' if of == requests else 'ended'}" if of and of >= cluster.occurrences else ""
        yield Evidence(
            kind="entries",
            statement=f"{_occurrences(cluster)}{share}: {cluster.title}",
            count=cluster.occurrences,
            of=of,
            refs=cluster.exemplars[:1],
        )
    yield Evidence(kind="entries", statement=_people(family, requests))


def _people(family: Sequence[Cluster], requests: int) -> str:
    named = {name: len(values) for c in family for name, values in c.captures.items() if name.startswith("user")}
    if named:
        name, count = max(named.items(), key=lambda pair: (pair[1], pair[0]))
        return f"its entries name {count} different values of `{name}`; whether each is one person they do not say"
    if not requests:
        return "the effect on users cannot be told: there is no request log in these entries"
    return "how many people were affected cannot be told: no field of these entries names a user"


def _since(incident: Incident, root: Cluster, given: Aftermath) -> Why:
    onset = parse_time(incident.onset)
    evidence = [
        Evidence(
            kind="since",
            statement=f"first seen at {incident.onset}, {_apart(onset, given.journal.starts_at)} the entries begin",
            refs=root.exemplars[:1],
        )
    ]
    own = [deploy for deploy in given.deploys if deploy.revision == root.revision]
    for deploy in own[:2]:
        words = {"asked": "was asked for", "ready": "was reported ready", "failed": "was reported not ready"}
        statement = f"{_apart(onset, parse_time(deploy.time))} the deployment {words[deploy.outcome]} ({deploy.time})"
        evidence.append(Evidence(kind="deploys", statement=statement, refs=deploy.refs))
    if not own:
        audit = given.coverage.logs.get("audit", 0)
        said = "the audit entries do not speak of this revision" if audit else "there is no audit log in these entries"
        evidence.append(Evidence(kind="deploys", statement=f"when it was deployed is open: {said}"))
    return _fact("When did it begin?", evidence)


def _detection(incident: Incident, family: Sequence[Cluster], given: Aftermath) -> Why:
    """Name what noticed it: an alert's entry, a deployment that failed, a test with its words; else it is open."""
    found = [*_alerts(incident, given), *_failed_deploys(incident, family, given), *_failed_tests(incident, given)]
    ask = "What noticed it, and how long after it began?"
    if found:
        return _fact(ask, found)
    tests = "no failed test speaks of it" if given.tests else "no test results were given"
    statement = f"no alert's entry and no deployment that was reported not ready stands in these entries; {tests}"
    return Why(
        ask=ask,
        answer=None,
        kind=StatementKind.OPEN_QUESTION,
        verdict=Verdict.NO_EVIDENCE,
        evidence=(Evidence(kind="entries", statement=statement, count=0),),
        next_step="look at the alerts that watch this service, and at who wrote first",
    )


def _alerts(incident: Incident, given: Aftermath) -> Iterator[Evidence]:
    journal = given.journal
    kinds = [any(name in gist.stream for name in _ALERT_LOGS) for gist in journal.gist_table]
    row = next((row for row in journal.rows() if kinds[journal.gists[row]]), None) if any(kinds) else None
    if row is not None:
        entry = journal.entry(row)
        statement = f"an alert's entry stands {_apart(entry.time, parse_time(incident.onset))} it began ({entry.timestamp})"
        yield Evidence(kind="entries", statement=statement, refs=(cite(entry),))


def _failed_deploys(incident: Incident, family: Sequence[Cluster], given: Aftermath) -> Iterator[Evidence]:
    revisions = {cluster.revision for cluster in family}
    failed = next((d for d in given.deploys if d.outcome == "failed" and d.revision in revisions), None)
    if failed is not None:
        apart = _apart(parse_time(failed.time), parse_time(incident.onset))
        statement = f"Cloud Run reported the deployment as not ready {apart} it began ({failed.time})"
        yield Evidence(kind="deploys", statement=statement, refs=failed.refs)


def _failed_tests(incident: Incident, given: Aftermath) -> Iterator[Evidence]:
    failures = [f for f in given.tests.failures if f.cluster in incident.clusters] if given.tests else []
    certain = [failure for failure in failures if failure.joined_by != "time"]
    if not certain:
        return
    first = min(certain, key=lambda failure: (failure.started or "~", failure.name))
    statement = f"{len(certain)} failed {'test speaks' if len(certain) == 1 else 'tests speak'} of it{_when(first, incident, given)}"
    yield Evidence(kind="tests", statement=statement, count=len(certain), values={first.name: str(first.close_code or "")})


def _when(first: TestFailure, incident: Incident, given: Aftermath) -> str:
    if first.started is None or given.tests is None:
        return "; when they ran, the results do not say"
    zone = f", {given.tests.zone_assumed} assumed" if given.tests.zone_assumed else ""
    return f", the first {_apart(parse_time(first.started), parse_time(incident.onset))} it began ({first.started}{zone})"


def _recovery(incident: Incident, root: Cluster, given: Aftermath) -> Why:
    """Say what stands behind the last occurrence; silence shows something only when it is long."""
    journal, end = given.journal, parse_time(incident.end)
    last = max(journal.times, default=0)
    silence = (last - end) / SECOND
    answered = _answered(end, journal)
    statement = f"the entries go on for {_seconds(silence)} after its last entry ({incident.end}), with {_requests(len(answered))} answered"
    refs: tuple[EntryRef, ...] = tuple(cite(journal.entry(row)) for row in answered[:1])
    evidence = Evidence(kind="entries", statement=statement, count=len(answered), refs=refs)
    ask = "When was it over?"
    if root.cadence is not None and answered and silence >= _ENOUGH * root.cadence.longest:
        longest = _seconds(root.cadence.longest)
        answer = f"It was not seen again after {incident.end}: {_requests(len(answered))} were answered, and it had come every {longest} at least"
        return Why(
            ask=ask, answer=answer, kind=StatementKind.HYPOTHESIS, verdict=Verdict.PLAUSIBLE, evidence=(evidence,)
        )
    return Why(
        ask=ask,
        answer=None,
        kind=StatementKind.OPEN_QUESTION,
        verdict=Verdict.NO_EVIDENCE,
        evidence=(evidence,),
        next_step="pull the entries after the last one, and look for the query of this incident there",
    )


def _answered(after: int, journal: Journal) -> list[int]:
    """List the requests behind a moment that did not fail."""
    return [row for row in journal.rows() if journal.times[row] > after and _is_answered(row, journal)]


def _is_answered(row: int, journal: Journal) -> bool:
    gist = journal.gist(row)
    return gist.is_request and not gist.signature and not journal.is_failed_request(row)


def _requests(count: int) -> str:
    return f"{count:,} {'request' if count == 1 else 'requests'}"


def _factors(finding: Finding) -> Iterator[Why]:
    """Yield what is shown beside the root: why it got through, why nobody saw it."""
    root = finding.root.why if finding.root else 0
    for number, why in enumerate(finding.whys, 1):
        if number > root and why.verdict.holds and why.evidence[0].kind not in {"linked", "compare", "since", "deploys"}:
            yield why


def _went_well(root: Cluster, finding: Finding, detection: Why, given: Aftermath) -> Iterator[Evidence]:
    shown = [why for why in finding.whys if why.verdict is Verdict.SUPPORTED]
    if shown:
        statement = f"{len(shown)} of {len(finding.whys)} whys are answered by evidence that stands in these entries"
        yield Evidence(kind="verdicts", statement=statement, count=len(shown), of=len(finding.whys))
    if root.frame is not None:
        yield Evidence(kind="frames", statement="a traceback names the place", refs=root.exemplars[:1])
    if detection.verdict.holds and detection.evidence[0].kind in {"tests", "deploys"}:
        yield detection.evidence[0]
    if not _absent(given.coverage):
        yield Evidence(kind="coverage", statement="every log that Cloud Run writes is in these entries")


def _went_badly(
    family: Sequence[Cluster], finding: Finding, detection: Why, given: Aftermath
) -> Iterator[Evidence]:
    coverage = given.coverage
    absent = _absent(coverage)
    if absent:
        yield Evidence(kind="coverage", statement=f"not observed: no {' and no '.join(absent)} log is in these entries")
    bare = sum(cluster.entries_by_severity.get("(none)", 0) for cluster in family)
    if bare:
        total = sum(cluster.entries for cluster in family)
        statement = f"{bare:,} of its {total:,} entries carry no severity, so an alert by severity does not see them"
        yield Evidence(kind="entries", statement=statement, count=bare, of=total)
    if coverage.truncation:
        yield Evidence(kind="coverage", statement=f"the entries look cut: {coverage.truncation}")
    if not detection.verdict.holds:
        yield Evidence(kind="verdicts", statement="nothing in these entries shows that anybody was told")
    if given.tests and given.tests.not_run:
        run = given.tests
        statement = f"{run.not_run} of {run.total} tests did not run (they passed in 0.000 s)"
        yield Evidence(kind="tests", statement=statement, count=run.not_run, of=run.total)
    open_ = sum(not why.verdict.holds for why in finding.whys)
    if open_:
        statement = f"{open_} of {len(finding.whys)} whys could not be answered"
        yield Evidence(kind="verdicts", statement=statement, count=open_, of=len(finding.whys))


def _absent(coverage: Coverage) -> list[str]:
    return [name for name, count in coverage.logs.items() if not count]


def _questions(incident: Incident, own: Sequence[Why], given: Aftermath) -> list[OpenQuestion]:
    """List what is open, the root's questions first, each once; and the command that would answer it."""
    root = given.findings[incident.root_cluster]
    found = [_question(why, incident.root_cluster, root.query, given) for why in root.whys if not why.verdict.holds]
    found += [_question(why, "", root.query, given) for why in own if not why.verdict.holds]
    for cluster in incident.clusters[1:]:
        finding = given.findings[cluster]
        found += [_question(why, cluster, finding.query, given) for why in finding.whys if not why.verdict.holds]
    unique = {(question.ask, question.command or question.look_at): question for question in reversed(found)}
    return list(reversed(unique.values()))[:QUESTIONS]


def _question(why: Why, about: ClusterId | str, query: str, given: Aftermath) -> OpenQuestion:
    return OpenQuestion(
        ask=why.ask,
        look_at=why.next_step or (why.evidence[0].statement if why.evidence else ""),
        command=_command(why.evidence[0].kind if why.evidence else "", query, given),
        about=about,
    )


def _command(kind: str, query: str, given: Aftermath) -> str:
    """Write the command that brings the missing source; everything from a log is quoted for the shell."""
    flag = _SOURCES.get(kind)
    if flag is not None:
        logs = "".join(f" --logs {shlex.quote(path)}" for path in given.query.logs)
        return f"forensics analyze --revision {shlex.quote(given.revision.name)}{logs} {flag}"
    project = f" --project {shlex.quote(given.revision.project)}" if given.revision.project else ""
    if kind == "deploys":
        service = given.revision.service or "SERVICE"
        wanted = f'logName:"cloudaudit.googleapis.com" resource.labels.service_name="{service}"'
        return f"gcloud logging read {shlex.quote(wanted)}{project} --freshness 7d --format json"
    one_line = query.replace("\n", " ")
    return f"gcloud logging read {shlex.quote(one_line)}{project} --freshness 7d --format json" if query else ""


def _fact(ask: str, evidence: Sequence[Evidence]) -> Why:
    return Why(
        ask=ask,
        answer=evidence[0].statement,
        kind=StatementKind.FACT,
        verdict=Verdict.SUPPORTED,
        evidence=tuple(evidence),
    )


def _apart(moment: int, reference: int) -> str:
    gap = moment - reference
    return f"{format_seconds(abs(gap))} {'after' if gap >= 0 else 'before'}" if gap else "at the moment when"


def _occurrences(cluster: Cluster) -> str:
    words = cluster.unit.value if cluster.occurrences == 1 else _PLURALS[cluster.unit]
    return f"{cluster.occurrences:,} {words}"


def _seconds(value: float) -> str:
    return format_seconds(round(value * SECOND))
