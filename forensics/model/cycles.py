"""One cycle of the test–deploy loop as the ledger keeps it: the basis of its document and of the next comparison."""

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
    """The five whys of a cluster in brief, and the actions that follow from them."""

    cluster: ClusterId
    why: str | None
    """The last why that holds; None when none does."""
    verdict: Verdict
    chain: tuple[str, ...]
    actions: tuple[Action, ...]
    measure: ExposureKind
    needed: int | None
    """The exposure without an occurrence that it takes to call it gone; None when its rate is unknown."""
    open: str | None
    """The first why that does not hold, with what to look at next."""


class PassRate(Struct, frozen=True, kw_only=True):
    """How many tests passed of those that ran."""

    name: str
    passed: int
    ran: int
    low: float | None
    """Lower end of the exact 95 % interval of the share; None when no test ran."""
    high: float | None
    statement: str


class Earlier(Struct, frozen=True, kw_only=True):
    """The previous cycle."""

    number: int
    revision: str
    time: str


class Cycle(Struct, frozen=True, kw_only=True):
    """A deployed and tested revision, with the essence of its report."""

    schema: str = CYCLE_SCHEMA
    tool_version: str
    signature_method: str
    number: int
    time: str
    """When the cycle was recorded."""
    focus: str
    environment: str
    """"" when the user named none."""
    status: tuple[str, ...]
    """The state in numbers, one phrase each."""
    revision: Revision
    query: Query
    headline: str
    coverage: Coverage
    exposure: Exposure | None
    incidents: tuple[Incident, ...]
    clusters: tuple[Cluster, ...]
    """Clusters without details of one revision (captures, raised, out_of_order) and with the first exemplar only."""
    roots: tuple[CycleRoot, ...]
    """One for each cluster, in the same order."""
    tests: TestRun | None
    pass_rates: tuple[PassRate, ...]
    """Pass rate of all tests, then of each module."""
    newly_passed: tuple[str, ...]
    """Tests that ran without passing in the previous cycle and pass now."""
    newly_failed: tuple[str, ...]
    deploys: tuple[Deploy, ...]
    """Deployments of this revision."""
    previous: Earlier | None
    comparison: Comparison | None
    """The comparison with the previous cycle."""
    claims: tuple[Claim, ...]
    """Earlier claims in their current state, and the claims of this cycle; the worst state first."""
    impact: Impact | None
    rules: dict[str, int]
    """Version by rule id, which shows that an absent signature was looked for."""
    report_sha256: str
    """SHA-256 of report.json as written."""

    def made_here(self) -> tuple[Claim, ...]:
        """Return the claims that were made in this cycle."""
        return tuple(claim for claim in self.claims if claim.made_in == self.number)
