"""Make a cycle from a report, the claims that people add, and the cycles before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.comparison.exact import interval
from forensics.comparison.required_exposure import needed_without
from forensics.cycles.check_claims import in_order
from forensics.cycles.claims import ClaimStatement, CycleDraft, make_claims
from forensics.model import (
    Claim,
    ClaimState,
    Cluster,
    Cycle,
    CycleRoot,
    Deploy,
    Earlier,
    Finding,
    PassRate,
    Priority,
    Query,
    Report,
    Role,
    RunOutcome,
    TestRun,
)
from forensics.text.plurals import one_or_many
from forensics.text.redact import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DID_NOT_PASS = frozenset({RunOutcome.FAILED, RunOutcome.ERRORS})
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|[\\/]|\.\.")
"""Start of a path that exists on one machine only."""


class CycleInput(Struct, frozen=True, kw_only=True):
    """What people add to a cycle: logs do not contain it."""

    number: int
    time: str
    """RFC 3339 UTC."""
    focus: str = ""
    environment: str = ""
    asserted: tuple[ClaimStatement, ...] = ()


def record(report: Report, inputs: CycleInput, earlier: Sequence[Cycle], checked: Sequence[Claim]) -> Cycle:
    """Make a cycle from a report; `earlier` holds the cycles before it, `checked` their claims as checked here.

    `report_sha256` is left empty: it is the hash of the report as written, which contains the claims of this cycle.

    Raises:
        UsageError: a claim names what no cycle has seen.
    """
    made = make_claims(inputs.asserted, checked, CycleDraft(inputs.number, inputs.time, report, earlier))
    claims = in_order((*checked, *made), inputs.number)
    previous = earlier[-1] if earlier else None
    outcomes = report.tests.outcomes if report.tests else {}
    before = previous.tests.outcomes if previous and previous.tests else {}
    return Cycle(
        tool_version=report.tool_version,
        signature_method=report.signature_method,
        number=inputs.number,
        time=inputs.time,
        focus=quote(inputs.focus, 200),
        environment=quote(inputs.environment, 80),
        status=tuple(_status(report, claims, inputs.number)),
        revision=report.revision,
        query=_portable_query(report.query),
        headline=report.headline,
        coverage=replace(
            report.coverage, first_unreadable=_portable(report.coverage.first_unreadable, report.query.logs)
        ),
        exposure=report.exposure,
        incidents=report.incidents,
        clusters=tuple(map(_trimmed, report.clusters)),
        roots=tuple(_root(f, c, report) for f, c in zip(report.findings, report.clusters, strict=True)),
        tests=report.tests,
        pass_rates=tuple(_rates(report.tests)),
        newly_passed=tuple(t for t, o in outcomes.items() if o is RunOutcome.PASSED and before.get(t, o) is not o),
        newly_failed=tuple(t for t, o in outcomes.items() if o in _DID_NOT_PASS and before.get(t) is RunOutcome.PASSED),
        deploys=_own(report.deploys, report.revision.name),
        previous=None
        if previous is None
        else Earlier(number=previous.number, revision=previous.revision.name, time=previous.time),
        comparison=report.comparison,
        claims=claims,
        impact=report.impact,
        rules=report.rules.versions,
        report_sha256="",
    )


def _status(report: Report, claims: Sequence[Claim], number: int) -> Iterator[str]:
    """Yield the status in numbers: every word is backed by one."""
    refuted = sum(c.state is ClaimState.REFUTED and c.check is not None and c.check.cycle == number for c in claims)
    urgent = [c for c in report.clusters if c.priority is Priority.P0 and c.role is not Role.NOISE]
    if refuted:
        yield f"{refuted} earlier {one_or_many(refuted, 'claim')} refuted"
    yield f"signatures of P0 seen: {len({c.signature or c.id for c in urgent})}"
    if report.comparison is not None:
        counts = (f"{n} {state}" for state, n in report.comparison.counts().items())
        yield ", ".join(counts) or "no failure in either"
    yield from (f"tests: {rate.statement}" for rate in list(_rates(report.tests))[:1])


def _rates(tests: TestRun | None) -> Iterator[PassRate]:
    """Yield the pass rate of all tests, then of each module."""
    if tests is None:
        return
    yield _rate("all tests", tests.passed, tests.passed + tests.failed + tests.errors)
    for suite in tests.suites:
        yield _rate(suite.name, suite.passed, suite.passed + suite.failed + suite.errors)


def _rate(name: str, passed: int, ran: int) -> PassRate:
    if not ran:
        return PassRate(name=name, passed=0, ran=0, low=None, high=None, statement="no test ran")
    low, high = interval(passed, ran)
    share = f"{_percent(passed / ran)}, 95 % interval {_percent(low)} – {_percent(high)}"
    return PassRate(
        name=name,
        passed=passed,
        ran=ran,
        low=round(low, 4),
        high=round(high, 4),
        statement=f"{passed} of {ran} passed ({share})",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _trimmed(cluster: Cluster) -> Cluster:
    return replace(cluster, captures={}, raised=(), out_of_order=(), exemplars=cluster.exemplars[:1])


def _root(finding: Finding, cluster: Cluster, report: Report) -> CycleRoot:
    needed = needed_without(cluster, report.clusters, report.exposure)
    unanswered = next((why for why in finding.whys if why.next_step and not why.verdict.holds), None)
    return CycleRoot(
        cluster=finding.cluster,
        why=finding.root.statement if finding.root else None,
        verdict=finding.root.verdict if finding.root else finding.confidence,
        chain=finding.chain,
        actions=finding.actions,
        measure=needed.measure,
        needed=needed.exposure,
        open=f"{unanswered.ask} {unanswered.next_step}" if unanswered else None,
    )


def _own(deploys: Sequence[Deploy], revision: str) -> tuple[Deploy, ...]:
    """Return a revision's deployments: those that name it, and those that name only its image."""
    images = {deploy.image for deploy in deploys if deploy.revision == revision and deploy.image}
    return tuple(d for d in deploys if d.revision == revision or (not d.revision and d.image in images))


def _portable_query(query: Query) -> Query:
    return replace(query, logs=tuple(map(_last, query.logs)))


def _portable(text: str | None, logs: Sequence[str]) -> str | None:
    """Shorten absolute paths in a sentence that names an input."""
    for path in logs if text else ():
        text = text.replace(path, _last(path)) if text else text
    return text


def _last(path: str) -> str:
    """Return a relative path as it is, of an absolute path the last part."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] if _DRIVE.match(path) else path
