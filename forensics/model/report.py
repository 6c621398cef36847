"""The records of `report.json`, described in `docs/report.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from forensics.model.claims import Claim
from forensics.model.clusters import CLUSTER_COLUMNS, Cluster, EntryRef, Link, Traffic
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
SIGNATURE_METHOD = "2026-12"
"""The version of masking and grouping. Fingerprints of different versions must not be compared."""


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """An event of the timeline, with the entries that show it."""

    time: str
    kind: TimelineKind
    text: str
    refs: tuple[str, ...]
    """The insertIds of those entries."""
    clock: str = ""
    """The clock of the time: `entry`, `audit log`, or `test runner` with the assumed zone, if any."""


class Deploy(Struct, frozen=True, kw_only=True):
    """An entry of the audit log about a deployment."""

    time: str
    revision: str
    outcome: DeployOutcome
    image: str
    by: Principal
    message: str
    insert_id: str
    about: DeployTarget = DeployTarget.UNKNOWN
    traffic: str = ""
    """The division of traffic in the entry: `100 % to the latest revision`."""
    refs: tuple[EntryRef, ...] = ()
    """The citation of the audit entry."""


class LifeCounts(Struct, frozen=True, kw_only=True):
    """Number of instance lives in these entries."""

    ended: int
    """Lives with a logged exit."""
    cut: int
    """Lives whose entries merely stop; they may have continued."""
    start_recorded: int
    """Ended lives whose start was logged too."""


class RulebookInfo(Struct, frozen=True, kw_only=True):
    """The rules that were used."""

    count: int
    folders: tuple[str, ...]
    overridden: tuple[str, ...]
    """Ids of shipped rules that a user's folder replaced."""
    versions: dict[str, int] = {}
    """Version by rule id, which shows that an absent signature was looked for in the same way."""


class CaseRef(Struct, frozen=True, kw_only=True):
    """The case behind a report."""

    folder: str
    sha256: str
    """SHA-256 of the manifest, which has the hashes of all entries."""


class Report(Struct, frozen=True, kw_only=True):
    """The whole result for a revision; documents are made from it alone."""

    schema: str = REPORT_SCHEMA
    tool_version: str
    signature_method: str = SIGNATURE_METHOD
    query: Query
    revision: Revision
    coverage: Coverage
    headline: str
    """The first sentence of all documents."""
    clusters: tuple[Cluster, ...]
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    root_causes: tuple[RootCause, ...]
    timeline: tuple[TimelineEvent, ...]
    deploys: tuple[Deploy, ...]
    rules: RulebookInfo
    exposure: Exposure | None = None
    """None in reports of older versions."""
    comparison: Comparison | None = None
    tests: TestRun | None = None
    impact: Impact | None = None
    """None when the settings name no capability."""
    claims: tuple[Claim, ...] | None = None
    """The ledger's claims in their current state, the worst first; None without a ledger."""
    case: CaseRef | None = None
    code: Code | None = None
    lives: LifeCounts | None = None
    traffic: Traffic | None = None
    """None in reports of versions that did not note it."""
    postmortems: tuple[Postmortem, ...] = ()
    """One for each incident, in the same order."""

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each cluster, with its incident and verdict."""
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
    """One line of `entries.csv`: an original entry that is an error, matches a rule, or is a piece of such an entry."""

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
    """The first line of the message, redacted."""


class Analysis(Struct, frozen=True, kw_only=True):
    """A report and the table of its entries, which is too large to be part of it."""

    report: Report
    rows: Iterator[EntryRow]
    """A generator, so that the rows are never all in memory; it can be used once."""
