"""Judge the rivals that a rule declares: other causes of the same symptoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import DEFAULT_THRESHOLDS, Cluster, Nanoseconds, Rival, Rule, Verdict
from forensics.text.plurals import counted, plural
from forensics.text.timestamps import format_lag, format_seconds
from forensics.whys.certificate import certify_absence
from forensics.whys.contexts import judge_link, measured_link
from forensics.whys.evidence.linked import related_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Certificate, Link
    from forensics.whys.contexts import ClusterContext

_WINDOW = Nanoseconds(60_000_000_000)
"""Where no rule says how near a rival must stand."""


def judge_rivals(context: ClusterContext) -> tuple[Rival, ...]:
    """Judge every rival of the cluster's rule by the same symptom and the same thresholds."""
    rule = context.rule
    if rule is None:
        return ()
    return tuple(_rival(context.run.rules[name], context) for name in rule.rivals if name in context.run.rules)


def _rival(rule: Rule, context: ClusterContext) -> Rival:
    found = context.with_signature(rule.id)
    symptom, within = _common(rule, context)
    links = [x for x in context.run.links if x.symptom == symptom.id and x.cause in {c.id for c in found}]
    if links:
        return _near(rule, min(links, key=lambda x: (not x.meets(DEFAULT_THRESHOLDS), -x.coverage, x.cause)), context)
    certificate = certify_absence(rule, symptom, within, DEFAULT_THRESHOLDS, context.run)
    if found and all(explains.signature != symptom.signature for explains in rule.explains):
        return _beside(rule, found)
    return Rival(
        signature=rule.id,
        title=rule.title,
        entries=sum(c.entries for c in found),
        statement=_not_there(found, symptom, within, certificate),
        verdict=Verdict.REFUTED if certificate.holds else Verdict.NO_EVIDENCE,
        certificate=certificate,
    )


def _beside(rule: Rule, found: Sequence[Cluster]) -> Rival:
    """Tell of a rival that no rule brings together with the symptom: it was not looked for near it."""
    times = sum(c.occurrences for c in found)
    return Rival(
        signature=rule.id,
        title=rule.title,
        entries=sum(c.entries for c in found),
        statement=f"also in these entries, {counted(times, 'time')}; no rule says that it explains the same",
    )


def _common(rule: Rule, context: ClusterContext) -> tuple[Cluster, Nanoseconds]:
    """Return what the cluster and its rival would both explain, and how near the rival must stand.

    That is the symptom that most speaks for the cluster; where they have none in common, the cluster itself.
    """
    windows = {explains.signature: explains.within for explains in rule.explains}
    widest = max(windows.values(), default=_WINDOW)
    own = sorted(context.as_cause, key=lambda x: (not x.meets(DEFAULT_THRESHOLDS), -x.coverage, x.symptom))
    for link in own:
        symptom = context.run.clusters[link.symptom]
        if symptom.signature in windows:
            return symptom, windows[symptom.signature]
    return context.cluster, windows.get(context.cluster.signature or "", widest)


def _near(rule: Rule, link: Link, context: ClusterContext) -> Rival:
    """Judge a rival that stands before the same symptom."""
    symptom, cause = context.run.clusters[link.symptom], context.run.clusters[link.cause]
    verdict, told = _beside_own(link, context)
    statement = (
        f"{told}: before {link.explained} of {link.of} {plural(symptom.unit)} of “{symptom.title}” "
        f"({format_lag(link.lag)}, joined by {link.by}, {_chance(link)})"
    )
    return Rival(
        signature=rule.id,
        title=rule.title,
        entries=cause.entries,
        statement=statement,
        verdict=verdict,
        measure=measured_link(link, DEFAULT_THRESHOLDS),
    )


def _beside_own(link: Link, context: ClusterContext) -> tuple[Verdict, str]:
    """Judge a rival's link beside the cluster's own to the same symptom."""
    verdict = judge_link(link, DEFAULT_THRESHOLDS)
    if verdict is Verdict.SUPPORTED:
        return _among_equals(link, context)
    return verdict, _short_of(link) if verdict is Verdict.PLAUSIBLE else "may stand there by chance"


def _among_equals(link: Link, context: ClusterContext) -> tuple[Verdict, str]:
    """Judge a rival whose link meets all that an answer takes."""
    own = next((x for x in context.as_cause if x.symptom == link.symptom), context.run.parents.get(link.symptom))
    if own is not None and link.cause in related_to(own, context):
        return Verdict.SUPPORTED, "is a part of the same chain"
    if own is None or own.cause == link.cause or not own.meets(DEFAULT_THRESHOLDS):
        return Verdict.SUPPORTED, "explains these entries as well"
    if link.cause in own.rivals:
        return Verdict.CONTESTED, "explains the same as well"
    if own.cause in link.rivals:
        return Verdict.PLAUSIBLE, "stands behind this one, as its echo would"
    return Verdict.SUPPORTED, "explains others of these entries"


def _short_of(link: Link) -> str:
    """Say why a rival that stands near does not explain."""
    if link.of_others * 2 > link.explained:
        return "stands in the traces of other requests"
    if link.coverage < DEFAULT_THRESHOLDS.coverage:
        return "explains too few of them"
    return "stands near, and nothing tells it from chance" if link.p_value is None else "may be near by chance alone"


def _chance(link: Link) -> str:
    if link.p_value is None:
        return "too little to test against chance"
    return f"lift {link.lift:g}, p = {link.p_value:g}"


def _not_there(found: Sequence[Cluster], symptom: Cluster, within: Nanoseconds, certificate: Certificate) -> str:
    if found:
        times = sum(c.occurrences for c in found)
        span = format_seconds(within)
        said = f"also in these entries, {counted(times, 'time')}, and never within {span} before “{symptom.title}”"
    else:
        said = "looked for and not found in the entries that were read"
    if certificate.holds:
        return f"{said}, which would have shown it"
    return f"{said}, which could not have shown it"
