"""The records of `report.json`, described in `docs/report.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from forensics.model.claims import Claim
from forensics.model.clusters import CLUSTER_COLUMNS, Cluster, EntryRef, Link
from forensics.model.code import Code
from forensics.model.comparison import Comparison, Exposure
from forensics.model.coverage import Coverage
from forensics.model.enums import DeployOutcome, DeployTarget, Level, Principal, TimelineKind
from forensics.model.findings import Finding, Incident, RootCause
from forensics.model.impact import Impact
from forensics.model.inputs import Query, Revision
from forensics.model.postmortem import Postmortem
from forensics.model.test_runs import TestRun

if TYPE_CHECKING:
    import pandas as pd

REPORT_SCHEMA = "forensics.report/1"
SIGNATURE_METHOD = "2026-11"
"""Version of masking and grouping. Fingerprints made by two versions must not be compared."""


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """Something that happened, with the entries that say so."""

    time: str
    kind: TimelineKind
    text: str
    refs: tuple[str, ...]
    """insertIds."""
    clock: str = ""
    """Whose clock: `entry`, `audit log`, or `test runner`."""


class Deploy(Struct, frozen=True, kw_only=True):
    """A deployment that the audit log tells of."""

    time: str
    revision: str
    outcome: DeployOutcome
    image: str
    by: Principal
    message: str
    insert_id: str
    about: DeployTarget = DeployTarget.UNKNOWN
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
    versions: dict[str, int] = {}
    """Of every rule, so that a signature that is absent is known to have been looked for in the same way."""


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
    exposure: Exposure | None = None
    """None in reports of versions that did not count it."""
    comparison: Comparison | None = None
    tests: TestRun | None = None
    impact: Impact | None = None
    """None where the settings name no capability."""
    claims: tuple[Claim, ...] | None = None
    """Those of the ledger as they stand now, the worst state first; None where no ledger was asked."""
    case: CaseRef | None = None
    code: Code | None = None
    lives: LifeCounts | None = None
    postmortems: tuple[Postmortem, ...] = ()
    """One for each incident, same order."""

    def rows(self) -> list[dict[str, Any]]:
        """Return the table of clusters, a row for each, with incident and verdict beside its figures."""
        incidents = {cluster: incident.id for incident in self.incidents for cluster in incident.clusters}
        verdicts = {finding.cluster: finding.confidence.value for finding in self.findings}
        return [
            cluster.row() | {"incident": incidents.get(cluster.id), "verdict": verdicts.get(cluster.id)}
            for cluster in self.clusters
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of clusters as a data frame."""
        from forensics.model.frames import to_frame  # noqa: PLC0415 - for notebooks

        return to_frame(self.rows(), (*CLUSTER_COLUMNS, "incident", "verdict"))

    def _repr_html_(self) -> str:
        """Show headline and clusters in a notebook."""
        from forensics.model.frames import to_html  # noqa: PLC0415 - for notebooks

        rows = [row | {"signature": row["signature"] or row["title"]} for row in self.rows()]
        shown = (
            "role",
            "priority",
            "signature",
            "occurrences",
            "unit",
            "entries",
            "first_seen",
            "last_seen",
            "verdict",
        )
        return to_html(f"{self.revision.name}: {self.headline}", rows, shown)


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
