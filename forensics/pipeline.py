"""The analysis from end to end: from records and rules to a report and its rows of entries. No I/O, no clock."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.classify import Classifier
from forensics.clusters import entry_rows, find_lives, group, group_warnings, traffic_of
from forensics.comparison import Side, compare, measure_of, needed_without, previous_revisions, side_of
from forensics.context.commits import view_of
from forensics.context.coverage.measure import measure
from forensics.context.deployments import find_deploys
from forensics.context.exposure import measure_exposure
from forensics.context.failure_places import with_spreads
from forensics.context.order import Order, find_retries
from forensics.context.test_failures import tie
from forensics.entries import (
    MemoryRecordStore,
    collect,
    decode_entry,
    decode_record,
    resolve_revision,
    revision_spans,
    select,
)
from forensics.errors import NoEntriesError
from forensics.extract import FactsExtractor, extract, take_up_last_lines
from forensics.links import (
    Explained,
    adjust_priorities,
    extent_of,
    fewest_to_explain,
    find_incidents,
    idle_warnings,
    link,
    parents,
    prioritise,
    roots_of,
    without_causes,
)
from forensics.log.entry_table import ClusterEntries, EntryTable
from forensics.log.pulled_whole import PulledWhole
from forensics.model import (
    Analysis,
    Classified,
    Cluster,
    CodeBase,
    Life,
    Link,
    LogEntry,
    LogIndex,
    Place,
    Pulled,
    Query,
    RawEntry,
    Report,
    Revision,
    RevisionSpan,
    Rule,
    RulebookInfo,
    TestRun,
)
from forensics.report.component import services_of
from forensics.report.postmortem import PostmortemContext, observe, write_postmortem
from forensics.report.summary import count_lives, headline, in_order, root_causes, timeline
from forensics.whys import (
    EVIDENCE,
    ClusterContext,
    NearbyEntries,
    RunContext,
    complete,
    effect_of,
    explain,
    one_rollback,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.extract.build_table import ParallelMap
    from forensics.model import (
        ClusterId,
        Comparison,
        Coverage,
        Exposure,
        Finding,
        Incident,
        IndexBatch,
        PassedOver,
        RecordStore,
        Unreadable,
    )


def analyze(
    records: Iterable[RawEntry | Unreadable | PassedOver | IndexBatch],
    rules: Sequence[Rule],
    query: Query,
    *,
    rulebook: RulebookInfo,
    tool_version: str,
    tests: TestRun | None = None,
    pulled: Sequence[Pulled] = (),
    baselines: Sequence[Report] = (),
    code: CodeBase | None = None,
    store: RecordStore | None = None,
    parallel_map: ParallelMap = map,
) -> Analysis:
    """Find out why a revision fails, and state no more than its entries show.

    - `pulled`: the listings that filled a case.
    - `baselines`: the reports of the revisions to compare with, the nearest first.
    - `store`: where records are kept, by default in memory.
    - `parallel_map`: `map`, or one that uses several processes.

    Raises:
        NoEntriesError: nothing was read, or nothing of what was requested.
        RevisionError: no revision fits, or several do.
    """
    task = AnalysisInput(
        query=query,
        rules={rule.id: rule for rule in rules},
        extractor=FactsExtractor(rules, query.level),
        rulebook=rulebook,
        tool_version=tool_version,
        tests=tests,
        pulled=pulled,
        baselines=baselines,
        code=code,
    )
    log = read(records, query, task.extractor, store or MemoryRecordStore(), parallel_map)
    lives = find_lives(log.table)
    take_up_last_lines(log.table, lives, task.extractor)
    whole = PulledWhole(task.pulled, log.revision.name)
    grouped = _linked(log.table, task.rules, lives, whole)
    run = _run_context(task, log, grouped)
    contexts = [ClusterContext(run=run, cluster=c) for c in run.clusters.values()]
    findings = {context.cluster.id: complete(explain(context), context, log.revision.service) for context in contexts}
    effects = {context.cluster.id: effect_of(context) for context in contexts if context.cluster.id not in run.parents}
    explained = Explained(run.links, run.parents, findings, effects, revisions=log.revisions)
    incidents = find_incidents(tuple(run.clusters.values()), explained)
    report = _report(task, log, run, one_rollback(findings, incidents), incidents)
    return Analysis(report=report, rows=entry_rows(tuple(run.clusters.values()), grouped.members, log.table))


def _linked(
    table: EntryTable, rules: Mapping[str, Rule], lives: tuple[Life, ...], whole: PulledWhole
) -> LinkedClusters:
    """Group entries into clusters and link them; an unknown warning is a cluster if it explains what fails."""
    clusters, members = group(table, rules, lives, whole)
    fewest = fewest_to_explain(clusters)
    if fewest is not None:
        warnings, rows_of_warnings = group_warnings(table, rules, lives, whole, fewest)
        clusters, members = (*clusters, *warnings), (*members, *rows_of_warnings)
    links = link(clusters, members, rules, table, lives, whole=whole)
    if fewest is not None:
        idle = idle_warnings(warnings, links)
        clusters = tuple(cluster for cluster in clusters if cluster.id not in idle)
        members = tuple(own for own in members if own.cluster not in idle)
        links = without_causes(links, idle)
    return LinkedClusters(clusters=prioritise(clusters, links), members=members, links=links, lives=lives)


class AnalysisInput(Struct, frozen=True, kw_only=True):
    """Everything that an analysis needs besides the records."""

    query: Query
    rules: Mapping[str, Rule]
    extractor: FactsExtractor
    rulebook: RulebookInfo
    tool_version: str
    tests: TestRun | None
    pulled: Sequence[Pulled]
    baselines: Sequence[Report]
    code: CodeBase | None


class LinkedClusters(Struct, frozen=True, kw_only=True):
    """The clusters of a revision, their entries, and the links between them."""

    clusters: Sequence[Cluster]
    members: Sequence[ClusterEntries]
    links: tuple[Link, ...]
    lives: tuple[Life, ...]


def _run_context(task: AnalysisInput, log: LoadedLog, grouped: LinkedClusters) -> RunContext:
    """Collect the context in which clusters are explained: coverage, exposure, deployments, tests, baseline, code."""
    table, clusters, links, lives = log.table, grouped.clusters, grouped.links, grouped.lives
    coverage = measure(
        log.log_index,
        table,
        log.around,
        task.query,
        analysed=sum(c.entries for c in clusters),
        unclassified=sum(c.entries for c in clusters if c.signature is None),
        lost=log.lost,
        pulled=task.pulled,
        revision=log.revision.name,
    )
    retries = find_retries(table)
    exposure = measure_exposure(table, lives, coverage.logs, coverage.sampled, retries)
    order = Order(table, lives, retries, coverage.sampled)
    clusters = with_spreads(clusters, {m.cluster: m for m in grouped.members}, table, order, measure_of)
    chosen = parents(clusters, links)
    clusters = adjust_priorities(clusters, links, chosen, extent_of(log.revision.name, coverage, exposure, lives))
    audit = [*_audit(table), *log.around]
    return RunContext(
        clusters={c.id: c for c in clusters},
        members={m.cluster: m for m in grouped.members},
        rules=task.rules,
        links=links,
        parents=chosen,
        lives=lives,
        table=table,
        neighbours=NearbyEntries(table),
        asked=task.extractor.row_predicate,
        coverage=coverage,
        exposure=exposure,
        needed={c.id: needed_without(c, clusters, exposure) for c in clusters},
        covered_from=table.starts_at,
        whole=PulledWhole(task.pulled, log.revision.name),
        deploys=find_deploys(audit),
        tests=tie(task.tests, clusters, {m.cluster: m.occurrences.starts for m in grouped.members})
        if task.tests
        else None,
        comparison=_compared(task, log.revision.name, tuple(clusters), coverage, exposure, chosen),
        code=view_of(task.code, {c.revision for c in clusters}, audit, table) if task.code else None,
    )


def _compared(  # noqa: PLR0917 - a side is made of these
    task: AnalysisInput,
    revision: str,
    clusters: tuple[Cluster, ...],
    coverage: Coverage,
    exposure: Exposure,
    chosen: Mapping[ClusterId, Link],
) -> Comparison | None:
    """Compare with the baselines, if there are any. This comes before the whys, which use the outcome."""
    if not task.baselines:
        return None
    this_side = Side(
        revision=revision,
        coverage=coverage,
        exposure=exposure,
        clusters=clusters,
        level=task.query.level,
        versions=task.rulebook.versions,
        tests=task.tests,
        roots=roots_of(clusters, chosen),
    )
    return compare([side_of(baseline) for baseline in task.baselines], this_side)


def _report(
    task: AnalysisInput,
    log: LoadedLog,
    run: RunContext,
    findings: Mapping[ClusterId, Finding],
    incidents: tuple[Incident, ...],
) -> Report:
    """Assemble the report, from which alone all documents are made."""
    table, clusters = log.table, tuple(run.clusters.values())
    postmortem_context = PostmortemContext(
        clusters=run.clusters,
        findings=findings,
        coverage=run.coverage,
        deploys=run.deploys,
        tests=run.tests,
        lives=run.lives,
        table=table,
        observed=observe(table),
        query=task.query,
        revision=log.revision,
        kinds=EVIDENCE,
    )
    postmortems = tuple(write_postmortem(incident, postmortem_context) for incident in incidents)
    ordered = in_order(clusters, incidents)
    return Report(
        tool_version=task.tool_version,
        query=task.query,
        revision=log.revision,
        coverage=run.coverage,
        headline=headline(incidents, clusters, run.coverage),
        clusters=ordered,
        links=run.links,
        findings=tuple(findings[c.id] for c in ordered),
        incidents=incidents,
        root_causes=root_causes(incidents, run.clusters, findings, lambda c: services_of(run.members[c].rows, table)),
        timeline=timeline(
            run.clusters,
            run.lives,
            run.deploys,
            incidents,
            table.entry,
            tests=run.tests,
            postmortems=postmortems,
        ),
        deploys=run.deploys,
        rules=task.rulebook,
        exposure=run.exposure,
        comparison=run.comparison,
        code=run.code.record() if run.code else None,
        lives=count_lives(run.lives),
        traffic=traffic_of(table, run.lives),
        postmortems=postmortems,
        # Evidence searches the names of all tests; the report keeps only those that it names.
        tests=replace(run.tests, names=()) if run.tests else None,
    )


def previous(
    records: Iterable[RawEntry | Unreadable | PassedOver | IndexBatch],
    query: Query,
    store: RecordStore,
    number: int = 1,
) -> tuple[str, ...]:
    """Return the names of up to a number of revisions that served before the one in the query, the nearest first.

    Raises:
        NoEntriesError: nothing was read.
        RevisionError: no revision fits, or several do.
        BaselineError: there is no earlier one.
    """
    log_index = collect(records, store)
    _require_entries(log_index, query)
    spans = revision_spans(log_index)
    revision = resolve_revision(query.revision, spans, service=query.service)
    return previous_revisions(revision, spans, log_index, number)


class LoadedLog(Struct, frozen=True, kw_only=True):
    """The entries of the analysed revision, indexed, selected and extracted."""

    log_index: LogIndex
    revision: Revision
    table: EntryTable
    around: list[LogEntry]
    """Audit entries of the revision's service that name no revision."""
    revisions: tuple[RevisionSpan, ...]
    """Those whose entries are analysed, in order of first appearance."""
    lost: int
    """Entries of the revision whose input changed while it was read."""


def read(
    records: Iterable[RawEntry | Unreadable | PassedOver | IndexBatch],
    query: Query,
    extractor: FactsExtractor,
    store: RecordStore,
    parallel_map: ParallelMap = map,
) -> LoadedLog:
    """Index the records, find the revision, and extract the facts of its entries.

    Raises:
        NoEntriesError: nothing was read, or nothing of what was requested.
        RevisionError: no revision fits, or several do.
    """
    log_index = collect(records, store)
    _require_entries(log_index, query)
    spans = revision_spans(log_index)
    revision = resolve_revision(query.revision, spans, service=query.service)
    rows = select(log_index, revision, query)
    is_own = [revision.name in {"all", label_set.revision} for label_set in log_index.label_sets]
    own_rows = array("I", (row for row in rows if is_own[log_index.label_ids[row]]))
    _require_selected(own_rows, log_index, query)
    table, lost = extract(log_index, own_rows, store, extractor, parallel_map)
    records_around = (store.record(log_index.places[row]) for row in rows if not is_own[log_index.label_ids[row]])
    around = [decode_record(record) for record in records_around if record is not None]
    analysed = tuple(span for span in spans if revision.name in {"all", span.name})
    return LoadedLog(log_index=log_index, revision=revision, table=table, around=around, revisions=analysed, lost=lost)


def _audit(table: EntryTable) -> Iterator[LogEntry]:
    """Fetch the entries of the audit log."""
    is_audit = [label_set.is_audit for label_set in table.label_sets]
    rows = compress(range(len(table)), map(is_audit.__getitem__, table.label_ids)) if any(is_audit) else ()
    return map(table.original, rows)


def _require_entries(log_index: LogIndex, query: Query) -> None:
    if len(log_index):
        return
    where = ", ".join(query.logs) or query.case or "the input"
    if log_index.unreadable and log_index.first_unreadable:
        first = log_index.first_unreadable
        raise NoEntriesError(
            f"no entry could be read from {where}: {log_index.unreadable} records are not log entries, "
            f"the first at {first.place} ({first.reason})"
        )
    raise NoEntriesError(
        f"no entries in {where}: the export is empty; widen its time span or its filter and pull again"
    )


def _require_selected(own_rows: Sequence[int], log_index: LogIndex, query: Query) -> None:
    if own_rows:
        return
    span = " – ".join(filter(None, (query.from_time, query.to_time))) or "what was asked for"
    read = f"{log_index.read + log_index.passed_over:,} entries were read"
    raise NoEntriesError(
        f"no entries of {query.revision!r} within {span}: {read}, all of them elsewhere; "
        "widen --from/--to or name another --service"
    )


def check_rules(rules: Sequence[Rule]) -> list[str]:
    """Check every rule against its own examples; return a line for each that it fails."""
    classifier = Classifier(rules)
    problems = []
    for rule in rules:
        for kind, examples in (("match", rule.tests.match), ("no_match", rule.tests.no_match)):
            for number, record in enumerate(examples, 1):
                place = Place(source=rule.source, record=number)
                classified = classifier.classify(decode_entry(RawEntry(record=record, place=place)))
                problems += _problems(rule, kind, number, classified)
    return problems


def _problems(rule: Rule, kind: str, number: int, classified: Classified) -> list[str]:
    claimed = [match.rule for match in (classified.primary, *classified.also) if match is not None]
    where = f"{rule.source}: {kind} example {number}"
    if kind == "no_match":
        return [f"{where} is claimed, and should be left alone"] if rule.id in claimed else []
    if rule.id not in claimed:
        return [f"{where} is not claimed"]
    return [] if claimed[0] == rule.id else [f"{where} is claimed first by {claimed[0]}"]
