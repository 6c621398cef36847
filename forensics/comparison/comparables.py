"""The comparable part of a report, and why two of them may not be comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.comparison.failures import is_spread_known
from forensics.comparison.filters import filter_of
from forensics.model import SIGNATURE_METHOD, Cluster, ClusterId, Coverage, CutBy, Exposure, Level, Report, TestRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALL = "all"
_REQUESTS = "run.googleapis.com%2Frequests"
_PULLED_EVERYWHERE = (_REQUESTS, "run.googleapis.com%2Fvarlog%2Fsystem", "%2Factivity", "%2Fsystem_event")


class Side(Struct, frozen=True, kw_only=True):
    """One side of a comparison, for which a finished report is not needed."""

    revision: str
    coverage: Coverage
    exposure: Exposure | None
    clusters: tuple[Cluster, ...]
    level: Level
    versions: dict[str, int]
    """Rule id → version, of all rules that were used."""
    signature_method: str = SIGNATURE_METHOD
    tests: TestRun | None = None
    roots: dict[ClusterId, ClusterId] = {}
    """Of each cluster the root of its incident."""


def side_of(report: Report) -> Side:
    """Return the comparable part of a report."""
    return Side(
        revision=report.revision.name,
        coverage=report.coverage,
        exposure=report.exposure,
        clusters=report.clusters,
        level=report.query.level,
        versions=report.rules.versions,
        signature_method=report.signature_method,
        tests=report.tests,
        roots={cluster: incident.root_cluster for incident in report.incidents for cluster in incident.clusters},
    )


def obstacle(before: Side, after: Side) -> str | None:
    """Say why the two sides cannot be compared at all; None when they can."""
    if before.signature_method != after.signature_method:
        return (
            f"grouped in two ways ({before.signature_method} and {after.signature_method}); "
            f"analyze the logs of {before.revision} again"
        )
    for side in (before, after):
        if side.revision == ALL:
            return "one side holds all revisions together; name one"
        if side.exposure is None:
            return f"the report of {side.revision} counted no exposure; analyze its logs again"
        # A cut in time cuts traffic and failures alike, so rates stay right; so do those of a sample.
        if side.coverage.truncated is not False and side.coverage.cut not in {CutBy.TIME, CutBy.SAMPLE}:
            return f"{side.revision}: {side.coverage.truncation or 'the entries were cut'}"
        if (filtered := filter_of(side.coverage, side.exposure)) is not None:
            return f"{side.revision}: {filtered}, so how often it could have failed is not known"
    return None


def rule_obstacle(signature: str, before: Side, after: Side) -> str | None:
    """Say why the counts of a signature do not match each other; None when the same version of the rule made both."""
    versions = before.versions.get(signature), after.versions.get(signature)
    if versions[0] == versions[1] is not None:
        return None
    if None in versions:
        side = before if versions[0] is None else after
        return f"it was not looked for in {side.revision}: the rule was not there"
    return f"its rule is of version {versions[0]} in {before.revision} and {versions[1]} in {after.revision}"


def spread_obstacle(clusters: Sequence[Cluster], side: Side) -> str | None:
    """Say so where a report does not tell how failures came: one outage and fifty failures are not the same."""
    if is_spread_known(clusters):
        return None
    return f"the report of {side.revision} does not tell in how many episodes it came; analyze its logs again"


def sample_obstacle(clusters: Sequence[Cluster], before: Side, after: Side) -> str | None:
    """Say why a signature has no known count where only a sample was pulled; errors are here whole."""
    sampled = next((side.revision for side in (before, after) if side.coverage.sampled), None)
    if sampled is None:
        return None
    if any(c.level.rank < Level.WARNING.rank and _is_request(c) for c in clusters):
        return f"only a sample of the requests of {sampled} that went well is here"
    return None


def window_obstacle(clusters: Sequence[Cluster], before: Side, after: Side) -> str | None:
    """Say why a signature has no known count where only windows of what is logged below a level were pulled."""
    for side in (before, after):
        level = side.coverage.whole_from
        if level is not None and any(_lowest(c) < level.rank and not _is_elsewhere(c) for c in clusters):
            return f"of {side.revision} what is logged below {level.value} is here only around failures"
    return None


def _lowest(cluster: Cluster) -> int:
    """Return the rank of the quietest severity that entries of a cluster carry; none at all is the quietest."""
    ranks = [Level[name].rank if name in Level.__members__ else 0 for name in cluster.entries_by_severity]
    return min(ranks, default=cluster.level.rank)


def _is_elsewhere(cluster: Cluster) -> bool:
    """Tell whether a cluster is of requests or of the platform's own lines, which are pulled everywhere."""
    return all(ref.log_name.endswith(_PULLED_EVERYWHERE) for ref in cluster.exemplars)


def _is_request(cluster: Cluster) -> bool:
    return any(ref.log_name.endswith(_REQUESTS) for ref in cluster.exemplars)


def caveats(before: Side, after: Side) -> Iterator[str]:
    """Yield what limits the comparison: cuts, samples and changed rules."""
    for side in (before, after):
        if side.coverage.cut is CutBy.TIME and side.coverage.truncation:
            yield f"{side.revision}: {side.coverage.truncation}; rates are compared, totals are not"
        if side.coverage.sampled and side.exposure is not None and side.exposure.requests is not None:
            about = f"{side.exposure.requests:,} requests, give or take {side.exposure.requests_margin:,}"
            yield f"{side.revision}: {side.coverage.truncation}: in all about {about} (95 %)"
    changed = sorted(
        rule
        for rule, version in after.versions.items()
        if before.versions and before.versions.get(rule, version) != version
    )
    if changed:
        yield f"The rules have changed since {before.revision} was analysed: {', '.join(changed[:5])}"
