"""One turn of the test–deploy loop as the ledger keeps it: enough to compare the next with, and to write about it."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.claims import Claim
from forensics.model.clusters import Cluster
from forensics.model.comparison import Comparison, Exposure, ExposureKind
from forensics.model.coverage import Coverage
from forensics.model.enums import ClusterId, Verdict
from forensics.model.findings import Action, Incident
from forensics.model.impact import Impact
from forensics.model.inputs import Query, Revision
from forensics.model.report import Deploy
from forensics.model.test_runs import TestRun

CYCLE_SCHEMA = "forensics.cycle/1"


class CycleRoot(Struct, frozen=True, kw_only=True):
    """The five whys of a cluster in one line, and what follows from them."""

    cluster: ClusterId
    why: str | None
    """The last why that is shown; None where none is."""
    verdict: Verdict
    chain: tuple[str, ...]
    actions: tuple[Action, ...]
    measure: ExposureKind
    needed: int | None
    """Exposure in which none at all would mean that it is gone; None where its rate is unknown."""
    open: str | None
    """The first why that is not shown, with what to look at next."""


class PassRate(Struct, frozen=True, kw_only=True):
    """Tests that passed, of those that ran."""

    name: str
    passed: int
    ran: int
    low: float | None
    """Exact 95 % interval of the share; None where none ran."""
    high: float | None
    statement: str


class Earlier(Struct, frozen=True, kw_only=True):
    """The cycle that this one continues."""

    number: int
    revision: str
    time: str


class Cycle(Struct, frozen=True, kw_only=True):
    """A revision that was deployed and tested, with what its report says."""

    schema: str = CYCLE_SCHEMA
    tool_version: str
    signature_method: str
    number: int
    time: str
    """When it was recorded."""
    focus: str
    environment: str
    """"" where it was not said."""
    status: tuple[str, ...]
    """In numbers, a phrase each."""
    revision: Revision
    query: Query
    headline: str
    coverage: Coverage
    exposure: Exposure | None
    incidents: tuple[Incident, ...]
    clusters: tuple[Cluster, ...]
    """Without what is only told of one revision (captures, raised, out_of_order), and with the first exemplar alone."""
    roots: tuple[CycleRoot, ...]
    """One per cluster, same order."""
    tests: TestRun | None
    pass_rates: tuple[PassRate, ...]
    """All tests, then each module."""
    newly_passed: tuple[str, ...]
    """Tests that ran before without passing, and pass now."""
    newly_failed: tuple[str, ...]
    deploys: tuple[Deploy, ...]
    """Of this revision."""
    previous: Earlier | None
    comparison: Comparison | None
    """With the previous cycle."""
    claims: tuple[Claim, ...]
    """Earlier ones as they stand now, and those made here; the worst state first."""
    impact: Impact | None
    rules: dict[str, int]
    """Rule → version, so that a signature that is absent is known to have been looked for."""
    report_sha256: str
    """Of report.json, as it was written."""

    def made_here(self) -> tuple[Claim, ...]:
        """Return the claims that were made in this cycle."""
        return tuple(claim for claim in self.claims if claim.made_in == self.number)
