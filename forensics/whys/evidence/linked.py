"""Evidence `linked`: that a symptom lies behind this cluster, or a cause before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.log.citations import cite
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Cluster,
    ClusterId,
    EntryRef,
    Evidence,
    Link,
    Nanoseconds,
    Role,
    Thresholds,
    Verdict,
    WhyRule,
)
from forensics.schema.checked_values import list_of, read_text
from forensics.text.plurals import counted, one_or_many, plural
from forensics.text.timestamps import format_lag, format_seconds
from forensics.whys.certificate import certify_absence, streams_of
from forensics.whys.contexts import ClusterContext, EvidenceResult, judge_link, measured, measured_link
from forensics.whys.evidence_kind import Argument, EvidenceKind
from forensics.whys.nearest_cause import nearest_cause
from forensics.whys.recording import each_once, has_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.schema.diagnostics import Diagnostics, Location

_ORDER = (Verdict.SUPPORTED, Verdict.PLAUSIBLE, Verdict.NO_EVIDENCE)
_ANY = frozenset({"symptoms", "causes"})
"""Words that stand for whatever signatures the links name."""
_ROLES = {"symptoms": {Role.SYMPTOM}, "causes": {Role.CAUSE, Role.MECHANISM}}
"""Those words → the roles of what is looked for."""
_LATER_BEFORE = re.compile(r"(?P<lag>\b[\d.–]{1,40} (?:µs|ms|s|min|h)) later before\b")
"""5–25 ms later before the end of the request"""
PAIRS = 2
"""Pairs of cause and symptom that a document cites; all are in the logs."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Look up the links that a why names, the strongest first, and judge the strongest beside its rivals."""
    links = _links(why, context)
    if not links:
        return _nothing(why, context)
    best = links[0]
    verdict = judge_link(best, why.thresholds)
    rivals = rival_links(best, context, why.thresholds) if verdict is Verdict.SUPPORTED else []
    evidence = [_evidence(link, context, why) for link in links]
    if rivals:
        verdict = Verdict.CONTESTED
        evidence += [_evidence(rival, context, why, rival=True) for rival in rivals]
    other = _other(best, context)
    values = {"count": best.explained, "of": best.of, "lag": format_lag(best.lag), "linked": other.title}
    return EvidenceResult(verdict=verdict, evidence=tuple(evidence), values=values)


def rival_links(link: Link, context: ClusterContext, thresholds: Thresholds) -> list[Link]:
    """Find the links of the causes that contest this one, by the same thresholds and outside its own chain."""
    related = related_to(link, context)
    return [
        x
        for x in context.run.links
        if x.symptom == link.symptom and x.cause in link.rivals and x.meets(thresholds) and x.cause not in related
    ]


def related_to(link: Link, context: ClusterContext) -> set[ClusterId]:
    """Name the clusters in one chain with the cause of a link: what it brings about and what brings it about."""
    near = [x for x in context.run.links if x.declared or not x.is_chance(DEFAULT_THRESHOLDS)]
    related = {link.cause, link.symptom}
    related |= {x.symptom for x in near if x.cause == link.cause}
    return related | {x.cause for x in near if x.symptom == link.cause}


def _links(why: WhyRule, context: ClusterContext) -> list[Link]:
    """Return the links to the named signatures; for a list in the order of the list, each once."""
    argument = why.evidence
    if argument == "symptoms":
        return _by_strength(context.as_cause, why)
    if argument == "causes":
        return _by_strength(
            [link for link in context.as_symptom if _is_parent(link, context)] or context.as_symptom, why
        )
    links = [
        link
        for name in _names_of(why)
        for link in _by_strength(context.as_cause + context.as_symptom, why)
        if _other(link, context).signature == name
    ]
    return sorted(links, key=lambda link: _ORDER.index(judge_link(link, why.thresholds)))


def _names_of(why: WhyRule) -> list[str]:
    return [why.evidence] if isinstance(why.evidence, str) else list(why.evidence)


def _by_strength(links: Sequence[Link], why: WhyRule) -> list[Link]:
    """Order by verdict, share, lift; never by how often the cause was logged."""
    return sorted(
        links,
        key=lambda link: (
            _ORDER.index(judge_link(link, why.thresholds)),
            -round(link.coverage, 1),
            -(link.lift or 0.0),
            -link.of,
            link.symptom,
            link.cause,
        ),
    )


def _is_parent(link: Link, context: ClusterContext) -> bool:
    parent = context.run.parents.get(link.symptom)
    return parent is not None and parent.cause == link.cause


def _other(link: Link, context: ClusterContext) -> Cluster:
    other = link.symptom if link.cause == context.cluster.id else link.cause
    return context.run.clusters[other]


def _evidence(link: Link, context: ClusterContext, why: WhyRule, *, rival: bool = False) -> Evidence:
    symptom, cause = context.run.clusters[link.symptom], context.run.clusters[link.cause]
    late = link.lag is not None and max(link.lag) < 0
    where = f"{format_lag(link.lag).removesuffix(' later')} {'after the end of' if late else 'before'}"
    what = f"“{cause.title}” stands {where} {link.explained} of {link.of} {plural(symptom.unit)} of “{symptom.title}”"
    how = f"joined by {link.by}" + ("" if link.declared else ", by order and place alone")
    return Evidence(
        kind="linked",
        statement=f"{'rival: ' if rival else ''}{what} ({how})",
        count=link.explained,
        of=link.of,
        refs=tuple(_pairs(link, context)),
        values={"symptom": link.symptom, "cause": link.cause},
        measure=measured_link(link, why.thresholds),
    )


def _pairs(link: Link, context: ClusterContext) -> Iterator[EntryRef]:
    """Cite a cause and the symptom that followed it, for the first occurrences that show it."""
    table, shown = context.run.table, 0
    for occurrence in context.run.members[link.symptom].occurrences:
        near = nearest_cause(link, occurrence, context.run)
        if near is not None:
            shown += 1
            yield cite(table.entry(near))
            yield cite(table.entry(occurrence.rows[0]))
        if shown == PAIRS:
            return


def _nothing(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Say what was looked for and not found, and whether it would have shown."""
    argument = why.evidence
    if argument in _ANY:
        statement = (
            f"no {'cause before' if argument == 'causes' else 'symptom behind'} this cluster is in these entries"
        )
        return EvidenceResult(
            verdict=Verdict.NO_EVIDENCE,
            evidence=(Evidence(kind="linked", statement=statement, count=0, of=context.cluster.occurrences),),
            next_step="read the entries of the same instance in the seconds before, of any severity",
        )
    names = _names_of(why)
    present = [cluster for name in names for cluster in context.with_signature(name)]
    if not present:
        return _absent(names, context)
    pairs = [pair for other in present for pair in context.pairs_with(other)]
    evidence = tuple(_apart(cause, symptom, within, why, context) for cause, symptom, within in pairs)
    if evidence and all(e.certificate is not None and e.certificate.holds for e in evidence):
        return EvidenceResult(verdict=Verdict.REFUTED, evidence=evidence, next_step="look for another explanation")
    if not evidence:
        here = [name for name in names if any(cluster.signature == name for cluster in present)]
        are, they = one_or_many(len(here), "is", "are"), one_or_many(len(here), "it", "they")
        statement = f"{_listed(here)} {are} in these entries, but no rule says how {they} and this belong together"
        evidence = (Evidence(kind="linked", statement=statement, count=0, of=context.cluster.occurrences),)
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=evidence)


def _absent(names: Sequence[str], context: ClusterContext) -> EvidenceResult:
    absent = f"{_listed(names)} is not" if len(names) == 1 else f"neither {_listed(names, 'nor')} is"
    if len(names) > 2:  # noqa: PLR2004 - `neither` and `nor` are for two
        absent = f"none of {_listed(names)} is"
    statement = f"{absent} in these entries"
    evidence = Evidence(kind="linked", statement=statement, count=0, of=context.cluster.occurrences)
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,))


def _looks_in(why: WhyRule, context: ClusterContext) -> tuple[str, ...]:
    """Name the logs in which the failures stand that a why looks for."""
    rules = context.run.rules
    return each_once(stream for name in _wanted(why, context) if name in rules for stream in streams_of(rules[name]))


def _wanted(why: WhyRule, context: ClusterContext) -> list[str]:
    """List the signatures that a why looks for; for `symptoms` and `causes` those that rules declare."""
    if why.evidence == "symptoms":
        return [explains.signature for explains in context.rule.explains] if context.rule else []
    if why.evidence == "causes":
        own = context.cluster.signature
        return [rule.id for rule in context.run.rules.values() if any(x.signature == own for x in rule.explains)]
    return _names_of(why)


def _is_near(why: WhyRule, context: ClusterContext) -> bool:
    """Tell whether a failure of the same part in a chain is in these entries, wherever it stands.

    Sentences of rules speak of any failed request or exit, not of the signatures alone that a why names.
    """
    rules, run = context.run.rules, context.run
    roles = {rules[name].role for name in _wanted(why, context) if name in rules}
    roles |= _ROLES.get(str(why.evidence), set())
    others = [cluster for cluster in run.clusters.values() if cluster.id != context.cluster.id]
    if any(cluster.role in roles for cluster in others):
        return True
    return Role.SYMPTOM in roles and has_failed(run.table)


def _listed(names: Sequence[str], joint: str = "and") -> str:
    *first, last = [f"`{name}`" for name in names]
    return f"{', '.join(first)} {joint} {last}" if first else last


def _apart(cause: Cluster, symptom: Cluster, within: Nanoseconds, why: WhyRule, context: ClusterContext) -> Evidence:
    """Say that two clusters are here and never near each other."""
    certificate = certify_absence(
        context.run.rules[cause.signature or ""], symptom, within, why.thresholds, context.run
    )
    statement = (
        f"“{cause.title}” stands before none of {counted(symptom.occurrences, symptom.unit)} of "
        f"“{symptom.title}” (within {format_seconds(within)})"
    )
    return Evidence(
        kind="linked",
        statement=statement,
        count=0,
        of=symptom.occurrences,
        values={"symptom": symptom.id, "cause": cause.id},
        measure=measured(0, symptom.occurrences, why.thresholds),
        certificate=certificate,
    )


def _read(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    read = list_of(read_text, at_least=1) if isinstance(value, list) else read_text
    found = read(value, location, diagnostics)
    return None if found is None else Argument(found)


def _signatures(argument: Any) -> tuple[str, ...]:
    if argument in _ANY:
        return ()
    return (argument,) if isinstance(argument, str) else tuple(argument)


def _names_a_cause(why: WhyRule) -> bool:
    return bool(why.evidence == "causes")


def _after(answer: str) -> str:
    """Let an answer say `after` where its cause was logged late: rules write `{{ lag }} before`, which fits most."""
    return _LATER_BEFORE.sub(r"\g<lag> after", answer)


KIND = EvidenceKind(
    name="linked",
    read_argument=_read,
    signatures_in=_signatures,
    gather=gather,
    names_a_thing=_names_a_cause,
    looks_outside=True,
    looks_in=_looks_in,
    is_near=_is_near,
    mend_answer=_after,
    is_factor=False,
)
