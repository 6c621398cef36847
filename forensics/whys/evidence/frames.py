"""Evidence `frames`: where it was raised, from the traceback."""

from __future__ import annotations

from forensics.log.root_exception import innermost_frame
from forensics.model import Evidence, Frame, Verdict, WhyRule
from forensics.text.plurals import plural
from forensics.whys.contexts import ClusterContext, EvidenceResult, judge, measured
from forensics.whys.evidence_kind import EvidenceKind, always
from forensics.whys.recording import APPLICATION
from forensics.whys.wording import chain_of, plain, representative


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Cite the innermost frame of the application and the chain of exceptions around it."""
    frame = innermost_frame(representative(context))
    if frame is None or not place(frame):
        return _nothing(context)
    raised_there = {code for code, facts in enumerate(context.run.table.distinct_facts) if facts.frame == frame}
    same = sum(n for codes, n in context.occurrences.by_facts().items() if not raised_there.isdisjoint(codes))
    chain = chain_of(representative(context))
    where = f"{'at' if frame.file else 'in'} `{place(frame)}`"
    raised = f"raised {where} in {same} of {context.cluster.occurrences} {plural(context.cluster.unit)}"
    chained = f"; exceptions, first raised first: {' → '.join(chain)}" if len(chain) > 1 else ""
    evidence = Evidence(
        kind="frames",
        statement=raised + chained,
        count=same,
        of=context.cluster.occurrences,
        refs=context.cluster.exemplars[:2],
        measure=measured(same, context.cluster.occurrences, why.thresholds),
        values={"file": plain(frame.file), "function": plain(frame.function), "line": str(frame.line or "")},
    )
    counts = {"count": same, "of": context.cluster.occurrences}
    return EvidenceResult(
        verdict=judge(same, context.cluster.occurrences, why.thresholds), evidence=(evidence,), values=counts
    )


def place(frame: Frame) -> str:
    """Write a frame for a reader: `app/api.py:12 in create_order`; what the entry does not tell is left out."""
    line = f":{frame.line}" if frame.line is not None and frame.file else ""
    return plain(" in ".join(filter(None, (f"{frame.file}{line}", frame.function))))


def _nothing(context: ClusterContext) -> EvidenceResult:
    statement = "these entries hold no traceback"
    if _has_stack(context):
        statement = "its own entries hold no traceback; one stands in others of this revision"
    evidence = Evidence(kind="frames", statement=statement, count=0, of=context.cluster.occurrences)
    step = "log the exception with its traceback (logger.exception), or read the lines that follow without severity"
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)


def _looks_in(why: WhyRule, context: ClusterContext) -> tuple[str, ...]:
    del why, context
    return (APPLICATION,)


def _is_near(why: WhyRule, context: ClusterContext) -> bool:
    del why
    return _has_stack(context)


def _has_stack(context: ClusterContext) -> bool:
    """Tell whether any entry here holds a stack or a line of one: they may stand apart from the error."""
    return any(facts.weight or facts.awaits or facts.is_typed for facts in context.run.table.distinct_facts)


KIND = EvidenceKind(
    name="frames",
    gather=gather,
    names_a_thing=always,
    is_own_fact=always,
    looks_in=_looks_in,
    is_near=_is_near,
    in_table=False,
)
