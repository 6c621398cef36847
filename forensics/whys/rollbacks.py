"""The step back to an earlier revision: complete, once in a report, and only where it helps.

A rollback helps where the failure is new and the target is known to have served; it also brings back what failed there.
Where the target is not known, the step is to find it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.model import ChangeState, Role
from forensics.whys.wording import name_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.model import Change, ClusterId, Comparison, Finding, Incident
    from forensics.whys.contexts import ClusterContext

_CLAUSE = re.compile(
    r"(?:^|[;,] (?:or |then )?)(?:If it is new, )?[^;,(]{0,200}\btraffic\b[^;]{0,200}?update-traffic [^;,`]{0,200}"
    r"LAST_GOOD_REVISION=100`?\)?"
)
"""; or move traffic back: gcloud run services update-traffic SERVICE --to-revisions=LAST_GOOD_REVISION=100"""
_PLACE = "--project=PROJECT --region=REGION"
_BROUGHT_BACK = 2
"""Failures of the target that are named."""
_RETURNS = frozenset({ChangeState.GONE, ChangeState.BETTER})


def without_rollback(text: str) -> str | None:
    """Leave what an action of a rule advises besides a rollback; None where it advises none."""
    if _CLAUSE.search(text) is None:
        return None
    rest = re.sub(r"^(?:or|then) ", "", _CLAUSE.sub("", text, count=1).strip(" ;,"))
    return rest[:1].upper() + rest[1:]


def rollback(context: ClusterContext) -> str | None:
    """Write the step back, or the step that finds the target; None where going back does not help."""
    comparison, cluster = context.run.comparison, context.cluster
    if comparison is None or comparison.reason:
        is_explained = cluster.id in context.run.parents
        return None if is_explained else name_places(_FIND, context)
    change = comparison.of(cluster.signature, cluster.fingerprint)
    if change is None or change.state is not ChangeState.NEW or not comparison.exposure.before.requests:
        return None
    step = (
        f"Move traffic back to {comparison.baseline}, which answered requests without this failure: "
        f"gcloud run services update-traffic SERVICE --to-revisions={comparison.baseline}=100 {_PLACE}"
    )
    return name_places(step, context) + _brought_back(comparison)


_FIND = (
    f"Find a revision to go back to, one that answered requests without this failure: gcloud run revisions list "
    f"--service=SERVICE {_PLACE}; whether the failure is new against it, and what else fails there, says "
    "forensics compare NAME REVISION"
)


def _brought_back(comparison: Comparison) -> str:
    """Name what failed on the target and does not, or does less, on this revision."""
    if comparison.baselines:  # their counts are added up, and are not those of the one to go back to
        return ""
    there = [x for x in comparison.changes if x.state in _RETURNS and x.before and x.role is not Role.NOISE]
    worst = sorted(there, key=lambda change: (change.priority, -change.before, change.title))
    failed = [_failure(change, comparison.baseline) for change in worst[:_BROUGHT_BACK]]
    return f"; it brings back: {'; '.join(failed)}" if failed else ""


def _failure(change: Change, baseline: str) -> str:
    of = f" of {change.exposure_before:,} {change.measure}" if change.exposure_before else ""
    return f"{change.before:,}{of} of {baseline} failed with “{change.title}”"


def one_rollback(findings: Mapping[ClusterId, Finding], incidents: Sequence[Incident]) -> dict[ClusterId, Finding]:
    """Keep one step back in a report: that of the first incident which has one."""
    roots = [incident.root_cluster for incident in incidents]
    kept = next((root for root in roots if any(action.rollback for action in findings[root].actions)), None)
    return {
        about: finding
        if about == kept
        else replace(finding, actions=tuple(action for action in finding.actions if not action.rollback))
        for about, finding in findings.items()
    }
