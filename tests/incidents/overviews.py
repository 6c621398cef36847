"""The records that the lines of a section of the index or of the comparison may be about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incidents.scopes import Scope, foot, of_headline, place_of, reading
from incidents.tiles import Shallow

from forensics.rendering.citation_links import short
from forensics.rendering.labels import LOGGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.scopes import Alternative
    from incidents.sections import Section

    from forensics.model import Comparison, Report

_TITLE = 1
"""Headings above the first section."""
_NAMED, _PRINTED = 3, 12
"""Incidents that a next step names at most, and next steps that the index prints."""


def index(report: Report, section: Section) -> Scope | None:
    """Return what a section of the index may be about."""
    title = section.path[-1] if section.path else ""
    if len(section.path) <= _TITLE:
        return Scope([of_headline(report), (report.revision, report.coverage.covered, report.coverage.covered_seconds)])
    found: dict[str, list[Alternative]] = {
        "## Incidents": list(_incidents(report)),
        "## Clusters, in order of cause": list(_clusters(report)),
        "## Next steps": list(_next_steps(report)),
        "## What was read, and what was not": reading(report),
        "## Tests": list(_tests(report)),
    }
    if title.startswith("## Why: ") and report.incidents:
        first = _finding(report, report.incidents[0].root_cluster)
        whys = [(n, w.ask, w.answer, w.next_step, w.verdict) for n, w in enumerate(first.whys, 1)]
        return Scope([(first.headline,), *whys])
    if title.startswith("## Against ") and report.comparison:
        return Scope([*_changes(report.comparison), *_headline(report.comparison)])
    if title not in found:
        return None
    return Scope([*found[title], (foot(report), report.schema, report.tool_version)])


def _finding(report: Report, cluster: str) -> Any:
    return next(finding for finding in report.findings if finding.cluster == cluster)


def _incidents(report: Report) -> Iterator[Alternative]:
    clusters = {cluster.id: cluster for cluster in report.clusters}
    for number, one in enumerate(report.incidents, 1):
        bounds = (one.onset, one.end, one.priority.value, one.effect)
        root = clusters[one.root_cluster]
        yield (number, one.title, *bounds, Shallow(root))
        said = root.exemplars[0].message.strip().split("\n", 1)[0] if root.exemplars else ""
        frame = root.frame or root.logged_at
        yield (said[:LOGGED], *(place_of(frame) if frame else ()))
        yield (_finding(report, one.root_cluster).chain,)
        yield from ((Shallow(clusters[cluster]),) for cluster in one.clusters)


def _clusters(report: Report) -> Iterator[Alternative]:
    incident_of = {cluster: incident.id for incident in report.incidents for cluster in incident.clusters}
    for one in report.clusters:
        number = incident_of.get(one.id, "").rpartition("-")[2]
        bounds = (one.first_seen, one.last_seen)
        yield (
            one.id,
            one.role.value,
            one.priority.value,
            one.entries,
            *bounds,
            Shallow(one.trend),
            Shallow(one),
            number,
        )


def _next_steps(report: Report) -> Iterator[Alternative]:
    asking: dict[Alternative, list[str]] = {}
    for incident in report.incidents:
        finding = _finding(report, incident.root_cluster)
        said = [(a.priority.value, a.text, a.done_when) for a in finding.actions if a.kind == "mitigate"]
        asked = next(((why.ask, why.next_step) for why in finding.whys if why.next_step), None)
        for step in dict.fromkeys([*said, *([asked] if asked else [])]):
            asking.setdefault(step, []).append(incident.id)
    for step, incidents in asking.items():
        many = len(incidents) > _NAMED
        yield (*step, f"{incidents[0]} and {len(incidents) - 1} more" if many else ", ".join(incidents))
    yield (f"{len(asking) - _PRINTED} more are in the documents of the incidents.",)


def _tests(report: Report) -> Iterator[Alternative]:
    run = report.tests
    if run is None:
        return
    yield (run.started, run.ended, run.zone_assumed)
    for suite in run.suites:
        counts = (suite.total, suite.passed, suite.failed, suite.errors, suite.skipped, suite.not_run)
        yield (suite.name, " | ".join(map(str, counts)))
    clusters = {cluster.id: cluster for cluster in report.clusters}
    for one in run.failures:
        said = short(one.close_reason or one.message, 100)
        about = clusters.get(one.cluster) if one.cluster else None
        yield (one.name, one.close_code, said, one.joined_by, one.cluster, Shallow(about) if about else None)


def comparison(report: Report, section: Section) -> Scope | None:
    """Return what a section of the comparison may be about."""
    compared = report.comparison
    if compared is None:
        return None
    title = section.path[-1] if len(section.path) > _TITLE else ""
    if title == "## Traffic":
        return Scope(list(_traffic(compared)))
    if title == "## Signatures":
        return Scope(list(_changes(compared)))
    if title == "## Tests" and compared.tests:
        tests = compared.tests
        rows: list[Alternative] = [(row,) for row in (tests.total, tests.modules_passed, *tests.modules)]
        lists = [(names, len(names)) for names in (tests.appeared, tests.vanished, tests.not_run)]
        return Scope([*rows, *lists])
    return None if title else Scope(list(_headline(compared)))


def _headline(compared: Comparison) -> Iterator[Alternative]:
    yield (compared.baseline, compared.revision)
    yield (compared.baseline, Shallow(compared))
    yield (compared.reason,)
    yield from ((caveat,) for caveat in compared.caveats)
    if compared.tests:
        yield (compared.tests.total.statement,)


def _traffic(compared: Comparison) -> Iterator[Alternative]:
    yield (compared.baseline, compared.revision)
    yield (compared.covered_before, compared.covered_after)
    for name in ("requests", "sessions", "starts", "lives"):
        both = (getattr(compared.exposure.before, name), getattr(compared.exposure.after, name))
        shown = ["not counted: no log tells" if one is None else f"{one:,}" for one in both]
        yield (" | ".join(shown),)


def _changes(compared: Comparison) -> Iterator[Alternative]:
    """Return each change by itself, with its counts of entries and its p-value as they must be printed."""
    for one in compared.changes:
        entries = f"{one.entries_before:,} → {one.entries_after:,}"
        p_value = one.p_corrected
        shown = "–" if p_value is None else "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
        name = one.signature or one.title
        yield (one.state.value, name, one.statement, entries, one.measure.value, one.measure_reason, shown)
