"""The records that the lines of a document section may be about: those of that part and no others.

A scope is a list of alternatives: a line has to be carried by one of them alone. So a row of a table speaks of one
record, and a sentence of one piece of evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from incidents.tiles import Shallow

from forensics.rendering.citation_links import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from incidents.sections import Section

    from forensics.model import Cluster, Evidence, Finding, FrameRef, Incident, Postmortem, Report, Rival, Why

Alternative = tuple[Any, ...]


class Scope(NamedTuple):
    """The records that one section may be about."""

    alternatives: list[Alternative]
    graph: Finding | None = None
    """Whose steps its graph draws."""
    query: str = ""
    rule: str = ""


def of_evidence(evidence: Evidence) -> Iterator[Alternative]:
    """Its statement with what it cites first, and each citation by itself."""
    yield (evidence.statement, evidence.kind, Shallow(evidence))
    yield from ((ref, short(ref.message)) for ref in evidence.refs)


def of_why(why: Why) -> Iterator[Alternative]:
    """Return a why by itself, with the count of its first evidence, and each piece of evidence."""
    best = why.evidence[0] if why.evidence else None
    own: Alternative = (why.ask, why.answer, why.verdict, why.next_step)
    yield (*own, Shallow(why), *((best.count, best.of, best.statement, Shallow(best)) if best else ()))
    for evidence in why.evidence:
        yield from of_evidence(evidence)


def of_answer(why: Why) -> Iterator[Alternative]:
    """Return a why as one line: question, verdict, and the statements of all its evidence."""
    said = [(evidence.statement, Shallow(evidence)) for evidence in why.evidence]
    yield (why.ask, why.answer, why.verdict, why.next_step, *(x for pair in said for x in pair))
    yield from said


def of_rivals(rivals: Sequence[Rival]) -> Iterator[Alternative]:
    """Return each rival, and each certificate with the rivals that it is about."""
    for rival in rivals:
        yield (rival.signature, rival.title, rival.statement, rival.verdict)
        if rival.certificate:
            said = rival.certificate.lacks or rival.certificate.facts
            same = [r for r in rivals if r.certificate and (r.certificate.lacks or r.certificate.facts) == said]
            yield (*said, "; ".join(said), *(one.signature for one in same))


def of_links(cluster: Cluster, report: Report) -> Iterator[Alternative]:
    """Each link with the titles of its ends."""
    titles = {c.id: c.title for c in report.clusters}
    for link in report.links:
        if cluster.id in {link.cause, link.symptom}:
            yield (link, titles[link.cause], titles[link.symptom])


def of_headline(report: Report) -> Alternative:
    """The headline: the title of the first incident, which may be the words of a log, and how many more there are."""
    first = report.incidents[0].title if report.incidents else ""
    return (report.headline, first, report.headline.removeprefix(first))


def reading(report: Report) -> list[Alternative]:
    """What was read: a few figures against many."""
    coverage = report.coverage
    return [
        (coverage, Shallow(coverage), report.query.from_time, report.query.to_time),
        (report.lives,),
        (report.case,),
        *((text,) for text in coverage.warnings),
    ]


def foot(report: Report) -> Alternative:
    """The names and links at the end of a page."""
    names = [(c.id, c.signature, c.title, c.revision, c.group, Shallow(c)) for c in report.clusters]
    return (*names, report.schema, report.tool_version, report.rules)


def five_whys(report: Report, cluster: Cluster, finding: Finding, section: Section) -> Scope | None:
    """Return what a section of a five-whys document may be about."""
    title = section.path[-1] if section.path else ""
    number = title.removeprefix("## ").partition(".")[0]
    if number.isdigit() and int(number) <= len(finding.whys):
        return Scope(list(of_why(finding.whys[int(number) - 1])))
    plain: dict[str, Scope] = {
        "## The error behind the error": Scope([*_steps(finding), *_raised(cluster)], graph=finding),
        "## Links": Scope(list(of_links(cluster, report))),
        "## Rivals considered": Scope(list(of_rivals(finding.rivals))),
        "## Actions": Scope([(action,) for action in finding.actions], query=finding.query),
        "## Exemplars": Scope([*((ref, short(ref.message)) for ref in cluster.exemplars), (cluster.also_matched,)]),
        "## How far to trust this": Scope(
            [*reading(report), (finding.references,), *((Shallow(cluster), swap) for swap in cluster.out_of_order)]
        ),
        "## A rule that would name it": Scope([()], rule=finding.proposed_rule),
    }
    return Scope(list(_head(report, cluster, finding))) if len(section.path) < 2 else plain.get(title)


def _head(report: Report, cluster: Cluster, finding: Finding) -> Iterator[Alternative]:
    yield (finding.headline,)
    yield (Shallow(finding), *(i.effect for i in report.incidents if i.root_cluster == cluster.id))
    yield (
        cluster.revision, report.revision.name, report.revision.asked, cluster.signature, cluster.signature_version,
        cluster.fingerprint, cluster.role.value, cluster.failure_class.value, cluster.priority.value,
        cluster.priority_reason,
    )  # fmt: skip
    yield (Shallow(cluster),)
    yield (cluster.first_seen, cluster.last_seen)
    yield (cluster.instances,)
    exception = f"{cluster.exception.type}: {cluster.exception.value}" if cluster.exception else ""
    yield (short(exception), cluster.exception)
    frame = cluster.frame
    yield place_of(frame) if frame else ()
    yield place_of(cluster.logged_at) if cluster.logged_at else ()
    for name, values in cluster.captures.items():
        yield (name, *((value, count, f"×{count}") for value, count in values), len(values) - 5)
    yield (finding.chain,)
    yield (report.coverage.logs.get("requests"), "see the clusters of requests", "cannot be told: no request log")


def place_of(frame: FrameRef) -> Alternative:
    """Return how a frame is written; a part that the entry lacks is left out."""
    line = f":{frame.line}" if frame.line is not None else ""
    both = f"{frame.file}{line} in {frame.function}"
    return (Shallow(frame), both, f"{frame.file}{line}" if not frame.function else both, frame.function)


def _steps(finding: Finding) -> Iterator[Alternative]:
    for step in finding.steps:
        yield (step.statement,)
        yield from ((ref, short(ref.message)) for ref in step.refs)


def _raised(cluster: Cluster) -> Iterator[Alternative]:
    yield (cluster.raised_in,)
    for one in cluster.raised:
        yield (Shallow(one), short(f"{one.type}: {one.value}"), one.function, f"{one.file}:{one.line}", one.file)


def of_incident(report: Report, incident: Incident, title: str) -> Scope | None:
    """Return what a section of an incident's postmortem may be about."""
    root = next(c for c in report.clusters if c.id == incident.root_cluster)
    finding = next(f for f in report.findings if f.cluster == root.id)
    after = next((p for p in report.postmortems if p.incident == incident.id), None)
    if title == "### Rivals considered":
        return Scope(list(of_rivals(finding.rivals)))
    if title == "### Actions":
        return Scope([(action,) for action in finding.actions], query=finding.query)
    if title == "### Root cause":
        return Scope([(finding.root, root.id)], graph=finding)
    if title.startswith("## ") or after is None:
        return Scope([(incident.id, incident.title)])
    if title == "### Summary":
        own: list[Alternative] = [(root.title, Shallow(finding), incident.effect), (finding.chain,)]
        return Scope([*own, *_all(after.summary)])
    return Scope(list(_after(after, title, report)))


def _after(after: Postmortem, title: str, report: Report) -> Iterator[Alternative]:
    if title == "### Impact":
        yield from _all(after.impact)
    elif title == "### Contributing factors and circumstances":
        for why in after.factors:
            best = why.evidence[0]
            yield (why.ask, why.answer, why.verdict, Shallow(why), Shallow(best))
    elif title == "### Onset, detection, recovery":
        for why in (after.since, after.detection, after.recovery):
            yield from of_answer(why)
    elif title == "### Lessons":
        yield from _all((*after.went_well, *after.went_badly))
        yield (report.coverage.truncation,)
    elif title == "### Open questions":
        yield from ((question,) for question in after.questions)


def _all(evidence: Iterable[Evidence]) -> Iterator[Alternative]:
    return ((one.statement, Shallow(one)) for one in evidence)


def postmortem(report: Report, section: Section) -> Scope | None:
    """Return what a section of a postmortem may be about; `appendix` is for its appendix."""
    if len(section.path) < 2:
        return Scope([of_headline(report), (report.revision.name, report.coverage.covered)])
    part = section.path[1]
    if part == "## Timeline":
        return Scope([(event.time, event.text, event.refs, event.clock) for event in report.timeline])
    if part == "## How far to trust this":
        return Scope(reading(report))
    incident = next((i for i in report.incidents if part.startswith(f"## {i.id}: ")), None)
    return of_incident(report, incident, section.path[-1]) if incident else None


def appendix(cluster: Cluster, finding: Finding) -> Scope:
    """Return what the appendix may say about one cluster."""
    return Scope(
        [(cluster.id, Shallow(cluster)), *((ref, short(ref.message)) for ref in cluster.exemplars[:2])],
        query=finding.query,
    )
