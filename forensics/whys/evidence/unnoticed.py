"""Evidence `unnoticed`: why alerting may have missed it: level, missing severity, no symptom, no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Evidence, Level, Verdict, WhyRule
from forensics.text.plurals import counted
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import EvidenceKind
from forensics.whys.recording import has_failed, is_kept, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import Cluster

_NONE = "(none)"


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """List what would let it pass an alert by severity; whether it did pass, these entries do not tell."""
    del why
    found = list(_hints(context))
    if found:
        return EvidenceResult(verdict=Verdict.PLAUSIBLE, evidence=tuple(found))
    statement = "every entry has a severity of ERROR or above, a symptom stands behind it, and a rule knows it"
    step = "look at which alerts watch this service: gcloud alpha monitoring policies list"
    evidence = Evidence(kind="unnoticed", statement=statement, count=0, of=context.cluster.entries)
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)


def _hints(context: ClusterContext) -> Iterator[Evidence]:
    cluster = context.cluster
    none = cluster.entries_by_severity.get(_NONE, 0)
    if none:
        statement = f"{none} of {_entries(cluster)} carry no severity: an alert by severity does not see them"
        yield _hint(statement, none, cluster)
    low = sum(n for name, n in cluster.entries_by_severity.items() if _is_low(name))
    if low:
        yield _hint(f"{low} of {_entries(cluster)} were logged below ERROR", low, cluster)
    if not context.as_cause and not context.as_symptom and _no_request_failed(context):
        exit_too = " and no exit" if is_kept("system", context.run) else ""
        yield _hint(
            f"no failed request{exit_too} stands beside it: what failed may have been caught and passed over",
            None,
            cluster,
        )
    if cluster.signature is None:
        yield _hint("no rule knows it, so no alert by signature can", None, cluster)


def _no_request_failed(context: ClusterContext) -> bool:
    """Tell whether failed requests would have been recorded, and nothing failed."""
    run = context.run
    return is_whole(run.coverage) and is_kept("requests", run) and not has_failed(run.table)


def _hint(statement: str, count: int | None, cluster: Cluster) -> Evidence:
    return Evidence(kind="unnoticed", statement=statement, count=count, of=cluster.entries if count else None)


def _entries(cluster: Cluster) -> str:
    return counted(cluster.entries, "entry")


def _is_low(name: str) -> bool:
    return name in set(Level) and Level(name).rank < Level.ERROR.rank


KIND = EvidenceKind(name="unnoticed", gather=gather)
