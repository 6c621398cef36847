"""The story on one screen: records and rules in, a report and its table of entries out. No I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.classify import Classifier
from forensics.clusters import entry_rows, find_lives, group
from forensics.coverage import measure
from forensics.deploys import find_deploys
from forensics.entries import collect, decode_entry, resolve_revision, revision_spans, select, stitch
from forensics.errors import NoEntriesError
from forensics.links import find_incidents, link, parents, prioritise
from forensics.model import (
    Analysis,
    Classified,
    Intake,
    LogEntry,
    PassedOver,
    Place,
    Query,
    RawEntry,
    Report,
    Revision,
    Rule,
    RulebookInfo,
    TestRun,
    Unreadable,
)
from forensics.summary import headline, in_order, root_causes, timeline
from forensics.whys import Neighbours, Scene, Stage, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def analyze(
    records: Iterable[RawEntry | Unreadable | PassedOver],
    rules: Sequence[Rule],
    query: Query,
    *,
    rulebook: RulebookInfo,
    tool_version: str,
    tests: TestRun | None = None,
) -> Analysis:
    """Find out why a revision fails, and say no more than its entries show."""
    intake, revision, own, around = read(records, query)
    entries = stitch(own)
    by_id = {rule.id: rule for rule in rules}
    classifier = Classifier(rules)
    lives = find_lives(entries)
    clusters, members = group(map(classifier.classify, entries), by_id, lives, query.level)

    links = link(clusters, members, by_id)
    clusters = prioritise(clusters, links)
    rows = entry_rows(clusters, members)
    unclassified = sum(c.entries for c in clusters if c.signature is None)
    stage = Stage(
        clusters={c.id: c for c in clusters},
        members={m.cluster: m for m in members},
        rules=by_id,
        links=links,
        parents=parents(clusters, links),
        lives=lives,
        neighbours=Neighbours(entries),
        holds=classifier.holds,
        coverage=measure(intake, own, around, query, analysed=len(rows), unclassified=unclassified),
        covered_from=min((e.time for e in own if e.time), default=0),
        deploys=find_deploys([*own, *around]),
        tests=tests,
    )
    findings = {c.id: explain(Scene(stage=stage, cluster=c)) for c in clusters}
    incidents = find_incidents(clusters, stage.parents, findings)
    ordered = in_order(clusters, incidents)
    report = Report(
        tool_version=tool_version,
        query=query,
        revision=revision,
        coverage=stage.coverage,
        headline=headline(incidents, clusters, stage.coverage),
        clusters=ordered,
        links=links,
        findings=tuple(findings[c.id] for c in ordered),
        incidents=incidents,
        root_causes=root_causes(incidents, stage.clusters, findings),
        timeline=timeline(stage.clusters, lives, stage.deploys, incidents),
        deploys=stage.deploys,
        rules=rulebook,
        tests=tests,
    )
    return Analysis(report=report, rows=rows)


def read(
    records: Iterable[RawEntry | Unreadable | PassedOver], query: Query
) -> tuple[Intake, Revision, list[LogEntry], list[LogEntry]]:
    """Collect and decode: everything read, the revision, its entries, and audit entries of its service beside it.

    Raises:
        NoEntriesError: nothing was read, or nothing of what was asked for.
        RevisionError: no revision fits, or several do.
    """
    intake = collect(records)
    _require_entries(intake, query)
    revision = resolve_revision(query.revision, revision_spans(intake), service=query.service)
    entries = [decode_entry(raw) for raw in select(intake, revision, query)]
    own = [e for e in entries if revision.name in {"all", e.revision}]
    _require_selected(own, intake, query)
    return intake, revision, own, [e for e in entries if revision.name not in {"all", e.revision}]


def _require_entries(intake: Intake, query: Query) -> None:
    if intake.entries:
        return
    where = ", ".join(query.logs) or "the input"
    if intake.unreadable and intake.first_unreadable:
        first = intake.first_unreadable
        raise NoEntriesError(
            f"no entry could be read from {where}: {intake.unreadable} records are not log entries, "
            f"the first at {first.place} ({first.reason})"
        )
    raise NoEntriesError(
        f"no entries in {where}: the export is empty; widen its time span or its filter and pull again"
    )


def _require_selected(own: Sequence[LogEntry], intake: Intake, query: Query) -> None:
    if own:
        return
    span = " – ".join(filter(None, (query.from_time, query.to_time))) or "what was asked for"
    read = f"{intake.read + intake.passed_over:,} entries were read"
    raise NoEntriesError(
        f"no entries of {query.revision!r} within {span}: {read}, all of them elsewhere; "
        "widen --from/--to or name another --service"
    )


def check_rules(rules: Sequence[Rule]) -> list[str]:
    """Hold every rule against its own examples; a line for each that it breaks."""
    classifier = Classifier(rules)
    problems = []
    for rule in rules:
        for kind, examples in (("match", rule.tests.match), ("no_match", rule.tests.no_match)):
            for number, record in enumerate(examples, 1):
                place = Place(source=rule.source, record=number)
                found = classifier.classify(decode_entry(RawEntry(record=record, place=place)))
                problems += _broken(rule, kind, number, found)
    return problems


def _broken(rule: Rule, kind: str, number: int, found: Classified) -> list[str]:
    claimed = [match.rule for match in (found.primary, *found.also) if match is not None]
    where = f"{rule.source}: {kind} example {number}"
    if kind == "no_match":
        return [f"{where} is claimed, and should be left alone"] if rule.id in claimed else []
    if rule.id not in claimed:
        return [f"{where} is not claimed"]
    return [] if claimed[0] == rule.id else [f"{where} is claimed first by {claimed[0]}"]
