"""Build the postmortem of an incident.

Every statement is counted, quoted, or an open question; a lesson follows from a verdict and names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import ClientKind, Evidence, OccurrenceUnit, Postmortem, Verdict
from forensics.report.postmortem.detection import detection, recovery, since
from forensics.report.postmortem.postmortem_context import entries, occurrences, seconds
from forensics.report.postmortem.questions import questions
from forensics.text.plurals import plural
from forensics.text.timestamps import format_lag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Cluster, Coverage, Finding, Incident, Why
    from forensics.report.postmortem.postmortem_context import PostmortemContext


def write_postmortem(incident: Incident, context: PostmortemContext) -> Postmortem:
    """Build one incident's postmortem."""
    family = [context.clusters[cluster] for cluster in incident.clusters]
    root, finding = context.clusters[incident.root_cluster], context.findings[incident.root_cluster]
    over = recovery(incident, root, context)
    noticed = detection(incident, family, context)
    return Postmortem(
        incident=incident.id,
        summary=tuple(_summary(incident, root)),
        impact=tuple(_impact(family, context)),
        since=since(incident, family, context),
        detection=noticed,
        recovery=over,
        factors=tuple(_factors(finding, context)),
        went_well=tuple(_went_well(root, finding, noticed, context)),
        went_badly=tuple(_went_badly(family, finding, noticed, context)),
        questions=tuple(questions(incident, (noticed, over), context)),
    )


def _summary(incident: Incident, root: Cluster) -> Iterator[Evidence]:
    yield Evidence(
        kind="entries",
        statement=f"{occurrences(root)} ({entries(root)}) from {incident.onset} to {incident.end}",
        count=root.occurrences,
        of=root.occurrences,
        refs=root.exemplars[:1],
    )
    if root.cadence is not None:
        cadence = root.cadence
        span = format_lag((cadence.shortest, cadence.longest))
        every = f"one every {seconds(cadence.median)} ({span})"
        uneven = f"{span} apart, half of them within {seconds(cadence.median)}"
        yield Evidence(kind="cadence", statement=every if cadence.is_regular else uneven)
    if root.life is not None:
        lives = root.life
        span = format_lag((lives.shortest, lives.longest))
        recorded = f"recorded in {lives.count} of {root.occurrences}"
        yield Evidence(
            kind="lives",
            statement=f"an instance lived for {seconds(lives.median)} ({span}; {recorded})",
            count=lives.count,
            of=root.occurrences,
        )


def _impact(family: Sequence[Cluster], context: PostmortemContext) -> Iterator[Evidence]:
    """Count failed requests, sessions and lives out of all that were logged; people only if entries name them."""
    requests = context.coverage.logs.get("requests", 0)
    for cluster in family:
        of = None
        if cluster.unit is OccurrenceUnit.REQUEST and requests:
            of = requests
        elif cluster.unit is OccurrenceUnit.LIFE:
            of = sum(life.ended and life.revision == cluster.revision for life in context.lives) or None
        words = "were logged" if cluster.unit is OccurrenceUnit.REQUEST else "ended"
        among = f" of {of:,} {plural(cluster.unit)} that {words}" if of and of >= cluster.occurrences else ""
        counted = f"{cluster.occurrences:,}{among}" if among else occurrences(cluster)
        yield Evidence(
            kind="entries",
            statement=f"{counted} ({entries(cluster)}): {cluster.title}",
            count=cluster.occurrences,
            of=of,
            refs=cluster.exemplars[:1],
        )
    yield Evidence(kind="entries", statement=_people(family, requests))


def _people(family: Sequence[Cluster], requests: int) -> str:
    told = max(family, key=lambda cluster: cluster.affected.users or 0)
    if told.affected.users:
        return _users(told) + _without_browser(family)
    named = {name: len(values) for c in family for name, values in c.captures.items() if name.startswith("user")}
    if named:
        name, count = max(named.items(), key=lambda pair: (pair[1], pair[0]))
        return f"its entries name {count} different values of `{name}`; whether each is one person they do not say"
    if not requests:
        return "the effect on users cannot be told: there is no request log in these entries"
    return "how many people were affected cannot be told: no user is named in these entries" + _without_browser(family)


def _users(cluster: Cluster) -> str:
    """Say how many users the entries name: `33 of 33 sessions name one of 8 users, all of them for tests`."""
    found, unit = cluster.affected, plural(cluster.unit)
    tests = found.test_users or 0
    which = {0: "", found.users or 0: ", all of them for tests by their names"}.get(
        tests, f", {tests:,} of them for tests by their names"
    )
    return f"{found.naming:,} of {cluster.occurrences:,} {unit} name one of {found.users:,} users{which}"


def _without_browser(family: Sequence[Cluster]) -> str:
    """Say that no browser sent the requests that failed, where each of them names its client."""
    kinds = {route.kind for cluster in family for route in cluster.affected.routes}
    if not kinds or kinds & {ClientKind.BROWSER, ClientKind.UNNAMED}:
        return ""
    return "; no request that failed came from a browser"


def _factors(finding: Finding, context: PostmortemContext) -> Iterator[Why]:
    """Yield the answered whys after the root: why the failure was let through, why nobody saw it."""
    root = finding.root.why if finding.root else 0
    for number, why in enumerate(finding.whys, 1):
        if number > root and why.verdict.holds and context.kinds[why.evidence[0].kind].is_factor:
            yield why


def _went_well(root: Cluster, finding: Finding, detection: Why, context: PostmortemContext) -> Iterator[Evidence]:
    supported = [why for why in finding.whys if why.verdict is Verdict.SUPPORTED]
    if supported:
        statement = (
            f"{len(supported)} of {len(finding.whys)} whys are answered by evidence that stands in these entries"
        )
        yield Evidence(kind="verdicts", statement=statement, count=len(supported), of=len(finding.whys))
    if root.frame is not None:
        yield Evidence(kind="frames", statement="a traceback names the place", refs=root.exemplars[:1])
    if detection.verdict.holds and context.kinds[detection.evidence[0].kind].is_safeguard:
        yield detection.evidence[0]
    if not _absent(context.coverage):
        yield Evidence(kind="coverage", statement="every log that Cloud Run writes is in these entries")


def _went_badly(
    family: Sequence[Cluster], finding: Finding, detection: Why, context: PostmortemContext
) -> Iterator[Evidence]:
    coverage = context.coverage
    absent = _absent(coverage)
    if absent:
        yield Evidence(kind="coverage", statement=f"these entries hold no {' log and no '.join(absent)} log")
    bare = sum(cluster.entries_by_severity.get("(none)", 0) for cluster in family)
    if bare:
        total = sum(cluster.entries for cluster in family)
        statement = f"{bare:,} of its {total:,} entries carry no severity, so an alert by severity does not see them"
        yield Evidence(kind="entries", statement=statement, count=bare, of=total)
    if not detection.verdict.holds:
        yield Evidence(kind="verdicts", statement="nothing in these entries shows that anybody was told")
    if context.tests and context.tests.not_run:
        run = context.tests
        statement = f"{run.not_run} of {run.total} tests did not run (they passed in 0.000 s)"
        yield Evidence(kind="tests", statement=statement, count=run.not_run, of=run.total)
    open_ = sum(not why.verdict.holds for why in finding.whys)
    if open_:
        statement = f"{open_} of {len(finding.whys)} whys could not be answered"
        yield Evidence(kind="verdicts", statement=statement, count=open_, of=len(finding.whys))


def _absent(coverage: Coverage) -> list[str]:
    return [name for name, count in coverage.logs.items() if not count]
