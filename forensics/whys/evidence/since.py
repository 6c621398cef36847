"""Evidence `since`: when a cluster was first seen, against the first entry of its revision and the deployment."""

from __future__ import annotations

from forensics.model import Evidence, Verdict, WhyRule
from forensics.text.timestamps import format_seconds, format_time, parse_time
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import EvidenceKind


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """State the order in time; that something came after a deployment does not say that it came of it."""
    del why
    first = _moment(context.cluster.first_seen)
    begins = context.run.covered_from
    if first is None or not begins:
        evidence = Evidence(kind="since", statement="its entries carry no time", count=0)
        return EvidenceResult(
            verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step="export the logs with timestamps"
        )
    said = [
        f"first seen {context.cluster.first_seen}, {_after(first, begins)} the entries begin ({format_time(begins)})"
    ]
    asked = next((d for d in context.run.deploys if d.revision == context.cluster.revision), None)
    deployed = _moment(asked.time) if asked else None
    if asked is not None and deployed is not None:
        said.append(f"{_after(first, deployed)} the deployment in the audit log ({asked.time})")
    refs = (*context.cluster.exemplars[:1], *(asked.refs[:1] if asked else ()))
    evidence = Evidence(kind="since", statement="; ".join(said), refs=refs)
    return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=(evidence,))


def _after(moment: int, reference: int) -> str:
    gap = moment - reference
    return f"{format_seconds(abs(gap))} {'after' if gap >= 0 else 'before'}" if gap else "when"


def _moment(time: str) -> int | None:
    try:
        return parse_time(time)
    except ValueError:
        return None


KIND = EvidenceKind(name="since", gather=gather, in_table=False, is_factor=False)
