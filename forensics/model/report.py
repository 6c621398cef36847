"""The records of `report.json`, described in `docs/report.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from forensics.model.clusters import Cluster, EntryRef, Link
from forensics.model.coverage import Coverage
from forensics.model.findings import Finding, Incident, RootCause
from forensics.model.postmortem import Postmortem
from forensics.model.reading import Query, Revision
from forensics.model.testing import TestRun
from forensics.model.words import Level

REPORT_SCHEMA = "forensics.report/1"
SIGNATURE_METHOD = "2026-11"
"""Version of masking and grouping. Fingerprints made by two versions must not be compared."""


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """Something that happened, with the entries that say so."""

    time: str
    kind: str
    """deploy, onset, first exit, last exit, last, tests, answered."""
    text: str
    refs: tuple[str, ...]
    """insertIds."""
    clock: str = ""
    """Whose clock: `entry`, `audit log`, or `test runner`."""


class Deploy(Struct, frozen=True, kw_only=True):
    """A deployment that the audit log tells of."""

    time: str
    revision: str
    outcome: str
    """asked, ready or failed."""
    image: str
    by: str
    """What kind of principal, never which: `a person`, `a service account`, `Cloud Run`, or ""."""
    message: str
    insert_id: str
    about: str = ""
    """Service or Revision: what was deployed, or found ready or not."""
    traffic: str = ""
    """How the entry divides the requests: `100 % to the latest revision`."""
    refs: tuple[EntryRef, ...] = ()
    """The audit entry."""


class LifeCounts(Struct, frozen=True, kw_only=True):
    """Lives of instances in these entries."""

    ended: int
    """An exit was logged."""
    cut: int
    """The entries merely stop; they may have gone on."""
    start_recorded: int
    """Of those that ended: the start was logged too."""


class RulebookInfo(Struct, frozen=True, kw_only=True):
    """Which rules were used."""

    count: int
    folders: tuple[str, ...]
    overridden: tuple[str, ...]
    """Shipped ids that a user's folder replaced."""


class CaseRef(Struct, frozen=True, kw_only=True):
    """The case that a report was made from."""

    folder: str
    sha256: str
    """Of its manifest, which holds the hashes of all entries."""


class Report(Struct, frozen=True, kw_only=True):
    """All that is known about a revision; documents are made from it alone."""

    schema: str = REPORT_SCHEMA
    tool_version: str
    signature_method: str = SIGNATURE_METHOD
    query: Query
    revision: Revision
    coverage: Coverage
    headline: str
    """The first sentence a reader sees."""
    clusters: tuple[Cluster, ...]
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    root_causes: tuple[RootCause, ...]
    timeline: tuple[TimelineEvent, ...]
    deploys: tuple[Deploy, ...]
    rules: RulebookInfo
    comparison: dict[str, Any] | None = None
    tests: TestRun | None = None
    impact: dict[str, Any] | None = None
    claims: tuple[dict[str, Any], ...] | None = None
    case: CaseRef | None = None
    lives: LifeCounts | None = None
    postmortems: tuple[Postmortem, ...] = ()
    """One for each incident, same order."""


class EntryRow(Struct, frozen=True, kw_only=True):
    """One line of `entries.csv`: an original entry that is an error, matched, or a piece of such a one."""

    timestamp: str
    insert_id: str
    level: Level
    severity: str
    stream: str
    revision: str
    instance: str
    signature: str
    cluster: str
    occurrence: str
    message: str
    """First line, redacted."""


class Analysis(Struct, frozen=True, kw_only=True):
    """A report and the table of entries behind it, which is too large to sit inside."""

    report: Report
    rows: Iterator[EntryRow]
    """Made while they are taken, so that they are never all in memory; to be taken once."""
