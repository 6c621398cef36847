"""Evidence `values`: what the entries name."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forensics.model import Evidence, WhyRule
from forensics.schema.checked_values import list_of, read_text
from forensics.text.plurals import plural
from forensics.whys.contexts import ClusterContext, EvidenceResult, judge, measured
from forensics.whys.evidence_kind import EvidenceKind, always, argument
from forensics.whys.recording import each_once, log_of
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.schema.diagnostics import Location

SHOWN = 3
"""Values that a sentence lists; the cluster's captures have all."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Count the occurrences whose entries give every named value, and list the values with their numbers."""
    names = list(_listed(why.evidence))
    table = context.run.table
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    in_a_sentence = lru_cache(1024)(plain)
    complete = 0
    asked = [tuple(pair for pair in facts.values if pair[0] in names) for facts in table.distinct_facts]
    for codes, count in context.occurrences.by_facts().items():
        seen = {pair for code in codes for pair in asked[code]}
        complete += count * {name for name, _ in seen}.issuperset(names)
        for name, value in seen:
            counts[name][in_a_sentence(value)] += count
    of = context.cluster.occurrences
    said = "; ".join(_said(name, counter, of) for name, counter in counts.items())
    evidence = Evidence(
        kind="values",
        statement=f"{complete} of {of} {plural(context.cluster.unit)} name {said}",
        count=complete,
        of=of,
        refs=context.cluster.exemplars[:2],
        measure=measured(complete, of, why.thresholds),
        values={name: _ordered(counter)[0][0] for name, counter in counts.items() if counter},
    )
    return EvidenceResult(
        verdict=judge(complete, of, why.thresholds), evidence=(evidence,), values={"count": complete, "of": of}
    )


def _said(name: str, counter: Counter[str], of: int) -> str:
    """Write `module `x``, or with several values `reason `a` ×13, `b` ×10 and 4 more`."""
    ordered = _ordered(counter)
    if not ordered:
        return f"no {name}"
    if len(ordered) == 1:
        return f"{name} `{ordered[0][0]}`" + (f" ×{ordered[0][1]}" if ordered[0][1] < of else "")
    rest = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return f"{name} " + ", ".join(f"`{value}` ×{n}" for value, n in ordered[:SHOWN]) + rest


def _ordered(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _listed(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _names_in(names: Any) -> Iterator[tuple[Location, str]]:
    return (((i,), name) for i, name in enumerate(names))


def _looks_in(why: WhyRule, context: ClusterContext) -> tuple[str, ...]:
    """Name the logs of the cluster's own entries: a text may go on in lines that were not pulled."""
    del why
    table = context.run.table
    return each_once(
        log_of(table.distinct_facts[code].stream) for code in set(map(table.fact_ids.__getitem__, context.rows))
    )


def _is_near(why: WhyRule, context: ClusterContext) -> bool:
    """Tell whether its rule took anything at all from the entries: the same may stand under another name."""
    del why
    return bool(context.cluster.captures)


KIND = EvidenceKind(
    name="values",
    read_argument=argument(list_of(read_text, at_least=1)),
    names_in=_names_in,
    kept_values=_listed,
    gather=gather,
    names_a_thing=always,
    is_own_fact=always,
    looks_in=_looks_in,
    is_near=_is_near,
    in_table=False,
)
