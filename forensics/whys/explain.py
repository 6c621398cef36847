"""One cluster on its stage in, its finding out: the chain of whys as far as it is shown, then open questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import (
    Action,
    Cluster,
    ClusterId,
    FailureClass,
    Finding,
    Priority,
    Role,
    Root,
    StatementKind,
    Verdict,
    Why,
    WhyRule,
)
from forensics.text.plurals import counted
from forensics.whys.defaults import default_actions, default_whys
from forensics.whys.evidence import EVIDENCE
from forensics.whys.rivals import judge_rivals
from forensics.whys.wording import fill, name_places, plain, representative, template_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.whys.contexts import ClusterContext, EvidenceResult

_WEAKEST_FIRST = (Verdict.REFUTED, Verdict.NO_EVIDENCE, Verdict.NOT_OBSERVABLE, Verdict.PLAUSIBLE, Verdict.CONTESTED)
_STARTUP = {
    FailureClass.STARTUP_FAILURE,
    FailureClass.IMPORT_ERROR,
    FailureClass.SYNTAX_ERROR,
    FailureClass.CONFIG_MISSING,
    FailureClass.DB_CONNECTION,
    FailureClass.PERMISSION_DENIED,
    FailureClass.UNHANDLED_EXCEPTION,
}
NAMING = {"values", "frames", "commits"}
"""Kinds of evidence that name a thing or a place."""
_START_UP_SECONDS = 300
"""A life this short that ended by the failure did not come to serve."""
_SECOND = 1_000_000_000
_TYPED = ("gcloud ", "docker ", "git ", "forensics ")


def explain(context: ClusterContext) -> Finding:
    """Ask the whys of the cluster's rule, or the default ones, and say how far the answers are shown."""
    rules = context.rule.whys if context.rule and context.rule.whys else default_whys(context)
    asked = [(rule, EVIDENCE[rule.evidence_kind](rule, context)) for rule in rules]
    whys = tuple(_why(rule, gathered, context) for rule, gathered in asked)
    first, last = _chain(asked)
    root = _root(asked, whys, first, last)
    return Finding(
        cluster=context.cluster.id,
        headline=headline(context),
        whys=whys,
        root=root,
        confidence=_weakest(whys[first : last + 1]) if root else Verdict.NO_EVIDENCE,
        chain=error_chain(context),
        rivals=judge_rivals(context),
        actions=_actions(context),
        references=context.rule.references if context.rule else (),
    )


def headline(context: ClusterContext) -> str:
    """Say in one line what happened; says "every instance" only when the lives show it."""
    rule = context.rule
    said = fill(rule.headline, template_values(context)) if rule and rule.headline else None
    text = said or _own_words(context)
    if not ends_every_life(context):
        return text
    return "Every instance dies at start-up: " + (text[:1].lower() + text[1:] if _is_word(text) else text)


def ends_every_life(context: ClusterContext) -> bool:
    """Tell whether all lives of the revision that ended, two at least, ended in this cluster soon after the start."""
    cluster = context.cluster
    if cluster.role is Role.SYMPTOM or cluster.failure_class not in _STARTUP:
        return False
    ended = [life for life in context.run.lives if life.ended and life.revision == cluster.revision]
    touched = context.instances
    short = all(life.end - life.start <= _START_UP_SECONDS * _SECOND for life in ended)
    return len(ended) > 1 and short and all(life.instance in touched for life in ended)


def error_chain(context: ClusterContext) -> tuple[str, ...]:
    """Return the error behind the error, cause first: the parents' titles, then the cluster, then what hangs below."""
    above: list[str] = []
    at = context.run.parents.get(context.cluster.id)
    while at is not None:
        above.insert(0, _short(context.run.clusters[at.cause]))
        at = context.run.parents.get(at.cause)
    below = [_short(context.run.clusters[cluster]) for cluster in _below(context)]
    return tuple(_distinct([*above, _short(context.cluster), *below]))


def _below(context: ClusterContext) -> list[ClusterId]:
    """Return what follows from the cluster: step by step, and within a step what follows first."""
    found: list[ClusterId] = []
    step = [context.cluster.id]
    while step:
        links = [link for link in context.run.parents.values() if link.cause in step]
        links.sort(key=lambda link: (link.lag[0] if link.lag else 0.0, link.symptom))
        step = [link.symptom for link in links]
        found += step
    return found


def _short(cluster: Cluster) -> str:
    if cluster.signature is None:
        return plain(cluster.exception.type if cluster.exception else cluster.template)[:80]
    return cluster.signature.replace("-", " ")


def _distinct(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _is_word(text: str) -> bool:
    """Tell whether a sentence begins with an ordinary capitalised word, which goes small after a colon."""
    word = text.split(" ", 1)[0]
    return (
        word.isalpha()
        and word[1:].islower()
        and word not in {"Python", "Node", "Java", "Go", "Postgres", "Cloud", "Redis"}
    )


def _own_words(context: ClusterContext) -> str:
    """Without a headline of a rule: the title, for an unknown error its own first line."""
    if context.rule is not None:
        return context.rule.title
    if not representative(context).has_payload:
        return f"{counted(context.cluster.entries, 'entry')} of level {context.cluster.level} without a payload"
    return plain(_first_line(context))[:160]


def _first_line(context: ClusterContext) -> str:
    cluster = context.cluster
    if cluster.exception is not None:
        value = cluster.exception.value.split("\n", 1)[0]
        return f"{cluster.exception.type}: {value}" if value else cluster.exception.type
    return (
        cluster.title
        if representative(context).exceptions
        else representative(context).message.lstrip().split("\n", 1)[0]
    )


def _why(rule: WhyRule, gathered: EvidenceResult, context: ClusterContext) -> Why:
    holds = gathered.verdict.holds
    answer = None
    if holds:
        answer = fill(rule.answer, template_values(context) | gathered.values) if rule.answer else None
        answer = answer or gathered.evidence[0].statement
    return Why(
        ask=rule.ask,
        answer=answer,
        kind=_kind(rule, gathered.verdict),
        verdict=gathered.verdict,
        evidence=gathered.evidence,
        next_step=None if holds else _sentence(_next_step(rule, gathered, context)),
    )


def _sentence(text: str | None) -> str | None:
    """Begin with a capital, as a step stands by itself in lists; a command stays as it is typed."""
    return text if not text or text.startswith(_TYPED) else text[:1].upper() + text[1:]


def _next_step(rule: WhyRule, gathered: EvidenceResult, context: ClusterContext) -> str | None:
    """Say what to look at: the rule's own advice, and where a source is missing also the command that gives it."""
    if gathered.verdict is Verdict.REFUTED:
        return gathered.next_step  # the rule's advice is for a question that is open
    advice = None
    if rule.otherwise:
        advice = fill(name_places(rule.otherwise, context), template_values(context) | gathered.values)
    if (
        advice
        and gathered.next_step
        and (gathered.verdict is Verdict.NOT_OBSERVABLE or rule.evidence_kind == "commits")
    ):
        return f"{advice.rstrip('.')}. Next: {gathered.next_step}"
    return advice or gathered.next_step


def _kind(rule: WhyRule, verdict: Verdict) -> StatementKind:
    if not verdict.holds:
        return StatementKind.OPEN_QUESTION
    if verdict is not Verdict.SUPPORTED:
        return StatementKind.HYPOTHESIS
    own = rule.evidence_kind in {"values", "frames", "deploys"} or (
        rule.evidence_kind == "entries" and not rule.condition
    )
    return StatementKind.FACT if own else StatementKind.INFERENCE


def _chain(asked: Sequence[tuple[WhyRule, EvidenceResult]]) -> tuple[int, int]:
    """Return the first and last index of the chain: it may begin behind symptoms that are not in the entries."""
    first = 0
    while first < len(asked) and asked[first][0].evidence_kind == "linked" and not asked[first][1].verdict.holds:
        first += 1
    last = first - 1
    while last + 1 < len(asked) and asked[last + 1][1].verdict.holds:
        last += 1
    return first, last


def _root(asked: Sequence[tuple[WhyRule, EvidenceResult]], whys: Sequence[Why], first: int, last: int) -> Root | None:
    """Take the last why of the chain that names something; what merely stood near is a circumstance."""
    chain = range(first, last + 1)
    naming = [i for i in chain if asked[i][0].evidence_kind in NAMING or asked[i][0].evidence == "causes"]
    at = naming[-1] if naming else last
    if at not in chain:
        return None
    return Root(why=at + 1, statement=str(whys[at].answer), verdict=_weakest(whys[: at + 1]))


def _weakest(whys: Sequence[Why]) -> Verdict:
    held = [why.verdict for why in whys if why.verdict.holds]
    return next(
        (verdict for verdict in _WEAKEST_FIRST if verdict in held), Verdict.SUPPORTED if held else Verdict.NO_EVIDENCE
    )


def _actions(context: ClusterContext) -> tuple[Action, ...]:
    rules = context.rule.actions if context.rule and context.rule.actions else default_actions(context)
    own = context.cluster.priority
    later = {Priority.P0: Priority.P1, Priority.P1: Priority.P2}.get(own, Priority.P3)
    return tuple(
        Action(
            kind=rule.kind,
            priority=rule.priority or (own if rule.kind == "mitigate" else later),
            text=fill(name_places(rule.text, context), template_values(context)) or name_places(rule.text, context),
            owner="UNASSIGNED",
            done_when=_done_when(rule.kind, rule.verify, context),
        )
        for rule in rules
    )


def _done_when(kind: str, verify: dict[str, object] | None, context: ClusterContext) -> str:
    cluster = context.cluster
    name = f"signature `{cluster.signature}`" if cluster.signature else f"fingerprint `{cluster.fingerprint}`"
    if kind == "detect":
        return f"a test entry of {name} raises it"
    if kind == "prevent" and not verify:
        return "the check fails on purpose once"
    return context.run.needed[cluster.id].sentence(name)
