"""Evidence `compare`: whether the failure is new against a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from forensics.model import Certificate, ChangeState, Evidence, Verdict, WhyRule
from forensics.schema.checked_values import shown
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import Argument, EvidenceKind

if TYPE_CHECKING:
    from forensics.schema.diagnostics import Diagnostics, Location

_SEEN_BEFORE = frozenset({ChangeState.WORSE, ChangeState.BETTER, ChangeState.UNCLEAR, ChangeState.NO_CHANGE})


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Say what the comparison with the baseline says of the cluster's signature; without one, that it takes one."""
    del why
    comparison = context.run.comparison
    if comparison is None:
        return _without_baseline(context)
    change = comparison.of(context.cluster.signature, context.cluster.fingerprint)
    if change is None:
        return _without_baseline(context)
    evidence = Evidence(
        kind="compare",
        statement=f"against {comparison.baseline}: {change.statement}",
        count=change.after,
        values={"state": change.state.value, "baseline": comparison.baseline},
    )
    values = {"state": change.state.value, "before": change.before, "after": change.after}
    if change.state is ChangeState.NEW:
        return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=(evidence,), values=values)
    if change.before and change.state in _SEEN_BEFORE:
        seen = f"{comparison.baseline} shows it {change.before:,} times in {change.exposure_before:,} {change.measure}"
        evidence = replace(evidence, certificate=Certificate(windows=change.exposure_before or 0, facts=(seen,)))
        step = f"it was there before: look for what began it before {comparison.baseline} was deployed"
        return EvidenceResult(verdict=Verdict.REFUTED, evidence=(evidence,), values=values, next_step=step)
    step = (
        "pull both revisions in full, with all logs and without a limit"
        if change.state is ChangeState.NOT_COMPARABLE
        else "compare again when there has been more traffic, or with more of the baseline's logs (--baseline-logs)"
    )
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), values=values, next_step=step)


def _without_baseline(context: ClusterContext) -> EvidenceResult:
    name = context.cluster.signature or context.cluster.fingerprint
    evidence = Evidence(kind="compare", statement="one revision alone does not tell whether it is new")
    step = f"run again with the revision before (--baseline previous, or its name) and look for `{name}` there"
    return EvidenceResult(verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step=step)


def _read(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    if value == "baseline":
        return Argument(value)
    diagnostics.add(location, f"'compare' takes the word baseline, not {shown(value)}")
    return None


KIND = EvidenceKind(
    name="compare",
    read_argument=_read,
    gather=gather,
    is_factor=False,
    is_comparison=True,
    flag="--baseline previous",
)
