"""Make reports and cycles for tests, with defaults for everything that is not the point of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from support.comparisons import cluster, coverage

from forensics.comparison import compare, side_of
from forensics.cycles import CycleInput, as_report, check_claims, earlier_than, parse_claim, record
from forensics.model import (
    Cluster,
    EntryRef,
    Exposure,
    Finding,
    Level,
    OccurrenceUnit,
    Query,
    Report,
    Revision,
    RulebookInfo,
    Span,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cycle

RULES = {"oom": 1, "close": 1, "noise": 1}


def report(number: int, counts: dict[str, int], requests: int = 1000, **fields: Any) -> Report:
    """Make the report of a revision with occurrences by signature; zero occurrences make no cluster."""
    clusters = tuple(_cluster(number, name, n) for name, n in counts.items() if n)
    rest: dict[str, Any] = {
        "tool_version": "test",
        "query": Query(revision=f"r-{number:05d}"),
        "revision": Revision(name=f"r-{number:05d}", asked="r", service="shop", project="p"),
        "coverage": coverage(covered=Span(from_time=f"2026-03-{number:02d}T10:00:00Z")),
        "headline": "it fails",
        "clusters": clusters,
        "links": (),
        "findings": tuple(map(_finding, clusters)),
        "incidents": (),
        "root_causes": (),
        "timeline": (),
        "deploys": (),
        "rules": RulebookInfo(count=len(RULES), folders=(), overridden=(), versions=RULES),
        "exposure": Exposure(requests=requests, sessions=None, starts=10, lives=10),
    }
    return Report(**(rest | fields))


def recorded(found: Report, earlier: Sequence[Cycle], *claims: str, environment: str = "staging") -> Cycle:
    """Record a report as the next cycle, compared with the last of the earlier ones."""
    number = len(earlier) + 1
    if earlier:
        found = replace(found, comparison=compare(side_of(as_report(earlier[-1])), side_of(found)))
    checked = check_claims(earlier_than(earlier, found), found, number)
    given = CycleInput(
        number=number,
        time=f"2026-03-{number:02d}T12:00:00Z",
        environment=environment,
        asserted=tuple(map(parse_claim, claims)),
    )
    return record(found, given, earlier, checked)


def _cluster(number: int, name: str, occurrences: int) -> Cluster:
    ref = EntryRef(
        insert_id=f"{name}-{number}", timestamp="", log_name="", level=Level.ERROR, severity=None, message="", url=""
    )
    return cluster(name, occurrences, OccurrenceUnit.REQUEST, exemplars=(ref,))


def _finding(of: Cluster) -> Finding:
    return Finding(
        cluster=of.id,
        headline="",
        whys=(),
        root=None,
        confidence=Verdict.NO_EVIDENCE,
        chain=(),
        rivals=(),
        actions=(),
    )
