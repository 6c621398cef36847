"""The story on one screen: records and rules in, a report and its table of entries out. No I/O, no clock."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.classify import Classifier
from forensics.clusters import entry_rows, find_lives, group
from forensics.compare import Side, compare, previous_revision, side_of
from forensics.coverage import measure
from forensics.deployed import view_of
from forensics.deploys import find_deploys
from forensics.digest import Digester, digest
from forensics.entries import (
    MemoryShelf,
    collect,
    decode_entry,
    decode_record,
    resolve_revision,
    revision_spans,
    select,
)
from forensics.errors import NoEntriesError
from forensics.exposure import measure_exposure
from forensics.failing_tests import tie
from forensics.journal import Journal
from forensics.links import extent_of, find_incidents, link, parents, prioritise, weigh
from forensics.model import Analysis, Classified, Intake, LogEntry, Place, Query, RawEntry, Report, Revision, Rule
from forensics.postmortems import Aftermath, observe, write_postmortem
from forensics.summary import count_lives, headline, in_order, root_causes, timeline
from forensics.whys import Neighbours, Scene, Stage, complete, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.digest.boiling import Spread
    from forensics.model import CodeBase, PassedOver, Pulled, RulebookInfo, Sheet, Shelf, TestRun, Unreadable


def analyze(
    records: Iterable[RawEntry | Unreadable | PassedOver | Sheet],
    rules: Sequence[Rule],
    query: Query,
    *,
    rulebook: RulebookInfo,
    tool_version: str,
    tests: TestRun | None = None,
    pulled: Sequence[Pulled] = (),
    baseline: Report | None = None,
    code: CodeBase | None = None,
    shelf: Shelf | None = None,
    spread: Spread = map,
) -> Analysis:
    """Find out why a revision fails, and say no more than its entries show.

    `pulled` are the listings that a case was filled by. A baseline is the report of the revision to compare with. A
    shelf keeps the records elsewhere than in memory, and `spread` is `map` in several processes.
    """
    digester = Digester(rules, query.level)
    given = read(records, query, digester, shelf or MemoryShelf(), spread)
    journal, by_id = given.journal, {rule.id: rule for rule in rules}
    lives = find_lives(journal)
    clusters, members = group(journal, by_id, lives)

    links = link(clusters, members, by_id, journal, lives)
    clusters = prioritise(clusters, links)
    unclassified = sum(c.entries for c in clusters if c.signature is None)
    analysed = sum(c.entries for c in clusters)
    coverage = measure(
        given.intake,
        journal,
        given.around,
        query,
        analysed=analysed,
        unclassified=unclassified,
        lost=given.lost,
        pulled=pulled,
        revision=given.revision.name,
    )
    exposure = measure_exposure(journal, lives, coverage.logs)
    extent = extent_of(given.revision.name, coverage, exposure, lives)
    clusters = weigh(clusters, links, parents(clusters, links), extent)
    audit = [*_audit(journal), *given.around]
    stage = Stage(
        clusters={c.id: c for c in clusters},
        members={m.cluster: m for m in members},
        rules=by_id,
        links=links,
        parents=parents(clusters, links),
        lives=lives,
        journal=journal,
        neighbours=Neighbours(journal),
        holds=digester.holds,
        coverage=coverage,
        covered_from=journal.starts_at,
        deploys=find_deploys(audit),
        tests=tie(tests, clusters, {m.cluster: m.occurrences.starts for m in members}) if tests else None,
        comparison=None
        if baseline is None
        else compare(
            side_of(baseline),
            Side(
                revision=given.revision.name,
                coverage=coverage,
                exposure=exposure,
                clusters=clusters,
                level=query.level,
                versions=rulebook.versions,
                tests=tests,
            ),
        ),
        code=view_of(code, {c.revision for c in clusters}, audit, journal) if code else None,
    )
    scenes = [Scene(stage=stage, cluster=c) for c in clusters]
    findings = {scene.cluster.id: complete(explain(scene), scene, given.revision.service) for scene in scenes}
    incidents = find_incidents(clusters, stage.links, stage.parents, findings)
    ordered = in_order(clusters, incidents)
    aftermath = Aftermath(
        clusters=stage.clusters,
        findings=findings,
        coverage=stage.coverage,
        deploys=stage.deploys,
        tests=stage.tests,
        lives=lives,
        journal=journal,
        observed=observe(journal),
        query=query,
        revision=given.revision,
    )
    postmortems = tuple(write_postmortem(incident, aftermath) for incident in incidents)
    report = Report(
        tool_version=tool_version,
        query=query,
        revision=given.revision,
        coverage=stage.coverage,
        headline=headline(incidents, clusters, stage.coverage),
        clusters=ordered,
        links=links,
        findings=tuple(findings[c.id] for c in ordered),
        incidents=incidents,
        root_causes=root_causes(incidents, stage.clusters, findings),
        timeline=timeline(
            stage.clusters, lives, stage.deploys, incidents, journal.entry, tests=stage.tests, postmortems=postmortems
        ),
        deploys=stage.deploys,
        rules=rulebook,
        exposure=exposure,
        comparison=stage.comparison,
        code=stage.code.record() if stage.code else None,
        lives=count_lives(lives),
        postmortems=postmortems,
        # Names of all tests are for evidence to look through; it names those that matter.
        tests=replace(stage.tests, names=()) if stage.tests else None,
    )
    return Analysis(report=report, rows=entry_rows(clusters, members, journal))


def previous(records: Iterable[RawEntry | Unreadable | PassedOver | Sheet], query: Query, shelf: Shelf) -> str:
    """Name the revision that served before the one that a query asks for.

    Raises:
        NoEntriesError: nothing was read.
        RevisionError: no revision fits, or several do.
        BaselineError: there is no earlier one.
    """
    intake = collect(records, shelf)
    _require_entries(intake, query)
    spans = revision_spans(intake)
    return previous_revision(resolve_revision(query.revision, spans, service=query.service), spans, intake)


class Given(Struct, frozen=True, kw_only=True):
    """What an analysis starts from."""

    intake: Intake
    revision: Revision
    journal: Journal
    around: list[LogEntry]
    """Audit entries of the revision's service that name no revision."""
    lost: int
    """Entries of the revision whose input changed while it was read."""


def read(
    records: Iterable[RawEntry | Unreadable | PassedOver | Sheet],
    query: Query,
    digester: Digester,
    shelf: Shelf,
    spread: Spread = map,
) -> Given:
    """Collect what was read, find the revision, and boil its entries down.

    Raises:
        NoEntriesError: nothing was read, or nothing of what was asked for.
        RevisionError: no revision fits, or several do.
    """
    intake = collect(records, shelf)
    _require_entries(intake, query)
    revision = resolve_revision(query.revision, revision_spans(intake), service=query.service)
    rows = select(intake, revision, query)
    is_own = [revision.name in {"all", kind.revision} for kind in intake.table]
    own = array("I", (row for row in rows if is_own[intake.kinds[row]]))
    _require_selected(own, intake, query)
    journal, lost = digest(intake, own, shelf, digester, spread)
    records_around = (shelf.record(intake.places[row]) for row in rows if not is_own[intake.kinds[row]])
    around = [decode_record(record) for record in records_around if record is not None]
    return Given(intake=intake, revision=revision, journal=journal, around=around, lost=lost)


def _audit(journal: Journal) -> Iterator[LogEntry]:
    """Fetch the entries of the audit log."""
    return (journal.original(row) for row in range(len(journal)) if journal.kind(row).is_audit)


def _require_entries(intake: Intake, query: Query) -> None:
    if len(intake):
        return
    where = ", ".join(query.logs) or query.case or "the input"
    if intake.unreadable and intake.first_unreadable:
        first = intake.first_unreadable
        raise NoEntriesError(
            f"no entry could be read from {where}: {intake.unreadable} records are not log entries, "
            f"the first at {first.place} ({first.reason})"
        )
    raise NoEntriesError(
        f"no entries in {where}: the export is empty; widen its time span or its filter and pull again"
    )


def _require_selected(own: Sequence[int], intake: Intake, query: Query) -> None:
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
