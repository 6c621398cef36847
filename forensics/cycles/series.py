"""Select the cycles that belong together, the claims that stand, and a cycle as the baseline of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Finding, Report, RulebookInfo
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.model import Claim, Cycle, Revision


def of_series(cycles: Iterable[Cycle], revision: Revision, environment: str | None = None) -> tuple[Cycle, ...]:
    """Return the cycles of a revision's service and project, ordered by number; of one environment if that is named."""
    return tuple(
        cycle
        for cycle in sorted(cycles, key=lambda cycle: cycle.number)
        if cycle.revision.service == revision.service
        and cycle.revision.project == revision.project
        and environment in {None, cycle.environment}
    )


def earlier_than(cycles: Iterable[Cycle], report: Report) -> tuple[Cycle, ...]:
    """Return the cycles whose revision served before this report's: claims are checked by later revisions only."""
    start = _moment(report.coverage.covered.from_time)
    return tuple(
        cycle
        for cycle in cycles
        if cycle.revision.name != report.revision.name and _moment(cycle.coverage.covered.from_time) < start
    )


def standing(cycles: Sequence[Cycle]) -> tuple[Claim, ...]:
    """Return every claim of these cycles in its latest state, in the order they were made.

    A refutation is final, even if a later cycle has another state.
    """
    latest: dict[tuple[int, str], Claim] = {}
    for cycle in cycles:
        for claim in cycle.made_here():
            latest[cycle.number, claim.statement] = claim
    for cycle in cycles:
        for claim in cycle.claims:
            key = (claim.made_in, claim.statement)
            if key in latest and latest[key].state.rank and claim.made_in < cycle.number:
                latest[key] = claim
    return tuple(latest.values())


def as_report(cycle: Cycle) -> Report:
    """Turn a cycle back into the part of its report that a comparison needs."""
    return Report(
        tool_version=cycle.tool_version,
        signature_method=cycle.signature_method,
        query=cycle.query,
        revision=cycle.revision,
        coverage=cycle.coverage,
        headline=cycle.headline,
        clusters=cycle.clusters,
        links=(),
        findings=tuple(
            Finding(
                cluster=root.cluster,
                headline="",
                whys=(),
                root=None,
                confidence=root.verdict,
                chain=root.chain,
                rivals=(),
                actions=root.actions,
            )
            for root in cycle.roots
        ),
        incidents=cycle.incidents,
        root_causes=(),
        timeline=(),
        deploys=cycle.deploys,
        rules=RulebookInfo(count=len(cycle.rules), folders=(), overridden=(), versions=cycle.rules),
        exposure=cycle.exposure,
        tests=cycle.tests,
    )


def _moment(time: str | None) -> int:
    return parse_time(time) if time else 0
