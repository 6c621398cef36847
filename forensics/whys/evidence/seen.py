"""Evidence `seen`: what the entries of a cluster say, how often, and where they were written."""

from __future__ import annotations

from collections import Counter

from forensics.model import Evidence, Verdict, WhyRule
from forensics.text.plurals import counted
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import EvidenceKind
from forensics.whys.wording import plain


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """State template, counts, instances and streams: facts of any cluster, with or without a rule."""
    del why
    cluster, of = context.cluster, context.cluster.occurrences
    entries = counted(cluster.entries, "entry")
    happened = counted(of, cluster.unit)
    on = f", on {counted(cluster.instances, 'instance')}" if cluster.instances else ""
    # `<*>` stands where a value varied; a reader knows the sign of an omission.
    said = plain(cluster.template).replace("<*>", "…")
    evidence = Evidence(
        kind="seen",
        statement=f"`{said}`: {entries} in {happened}{on}, written to {_streams(context)}",
        count=of,
        of=of,
        refs=cluster.exemplars[:2],
    )
    return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=(evidence,), values={"count": of, "of": of})


def _streams(context: ClusterContext) -> str:
    table = context.run.table
    counts: Counter[str] = Counter()
    for code, count in Counter(map(table.fact_ids.__getitem__, context.rows)).items():
        counts[table.distinct_facts[code].stream or "an unnamed log"] += count
    return ", ".join(plain(name) for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3])


KIND = EvidenceKind(name="seen", gather=gather, in_table=False)
