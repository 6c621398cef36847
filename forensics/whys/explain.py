"""Explain one cluster: the chain of whys as far as evidence shows it, then open questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import (
    Action,
    ActionKind,
    ActionRule,
    Cluster,
    ClusterId,
    Finding,
    Priority,
    Rival,
    Role,
    Root,
    StatementKind,
    Verdict,
    Why,
    WhyRule,
)
from forensics.text.plurals import counted
from forensics.text.timestamps import SECOND
from forensics.whys.defaults import default_actions, default_whys
from forensics.whys.denials import may_deny, step_to_pull
from forensics.whys.evidence import EVIDENCE
from forensics.whys.rivals import judge_rivals
from forensics.whys.rollbacks import rollback, without_rollback
from forensics.whys.wording import fill, name_places, plain, representative, template_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Life
    from forensics.whys.contexts import ClusterContext, EvidenceResult

_WEAKEST_FIRST = (Verdict.REFUTED, Verdict.NO_EVIDENCE, Verdict.NOT_OBSERVABLE, Verdict.PLAUSIBLE, Verdict.CONTESTED)
_START_UP_SECONDS = 300
"""A life this short that ended by the failure did not come to serve."""
_FATAL_SECONDS = 60
"""An error this close before the end of a life is what it died of."""
_SEVERAL = 2
_TYPED = ("gcloud ", "docker ", "git ", "forensics ")


def explain(context: ClusterContext) -> Finding:
    """Ask the whys of the cluster's rule, or the default ones, and say how far the answers are shown."""
    rules = context.rule.whys if context.rule and context.rule.whys else default_whys(context)
    asked = [(rule, EVIDENCE[rule.evidence_kind].gather(rule, context)) for rule in rules]
    whys = tuple(_why(rule, gathered, context) for rule, gathered in asked)
    first, last = _chain(asked)
    root = _root(asked, whys, first, last)
    rivals = judge_rivals(context)
    return Finding(
        cluster=context.cluster.id,
        headline=_with_last_words(headline(context), asked),
        whys=whys,
        root=root,
        confidence=_weakest(whys[first : last + 1]) if root else Verdict.NO_EVIDENCE,
        chain=error_chain(context),
        rivals=rivals,
        actions=_actions(context, rivals),
        references=context.rule.references if context.rule else (),
    )


def headline(context: ClusterContext) -> str:
    """Say in one line what happened; "every instance" only where the instance lives show it."""
    rule = context.rule
    said = fill(rule.headline, template_values(context)) if rule and rule.headline else None
    text = said or _own_words(context)
    if not ends_every_life(context):
        return text
    return "Every instance dies at start-up: " + (text[:1].lower() + text[1:] if _is_word(text) else text)


def _with_last_words(text: str, asked: Sequence[tuple[WhyRule, EvidenceResult]]) -> str:
    """Add to a headline that names an end alone what was said last before it."""
    words = next((str(found.values["words"]) for _, found in asked if "words" in found.values), None)
    return text if words is None else f"{text}: {words}"


def ends_every_life(context: ClusterContext) -> bool:
    """Tell whether the failure ended every recorded life of the revision (two or more) soon after its start.

    Each must have ended in failure, close behind the error, before it had answered a request.
    """
    cluster = context.cluster
    if cluster.role is Role.SYMPTOM or not cluster.failure_class.may_end_start:
        return False
    own = [life for life in context.run.lives if life.revision == cluster.revision]
    ended = [life for life in own if life.ended or life.failed]
    if len(ended) < _SEVERAL or any(life.answered for life in own):
        return False
    times = _times_by_instance(context)
    return all(life.failed and _ends_by(times.get(life.instance, ()), life) for life in ended)


def _times_by_instance(context: ClusterContext) -> dict[str, list[int]]:
    table = context.run.table
    times: dict[str, list[int]] = {}
    for row in context.rows:
        times.setdefault(table.instance(row), []).append(table.times[row])
    return times


def _ends_by(times: Sequence[int], life: Life) -> bool:
    """Tell whether a life was short and the error stands within the minute before its end, or just behind it."""
    first = max(life.start, life.end - _FATAL_SECONDS * SECOND)
    is_short = life.end - life.start <= _START_UP_SECONDS * SECOND
    return is_short and any(first <= time <= life.end + SECOND for time in times)


def error_chain(context: ClusterContext) -> tuple[str, ...]:
    """Name the clusters of one causal chain, cause first: what is above the cluster, itself, what is below."""
    above: list[str] = []
    at = context.run.parents.get(context.cluster.id)
    while at is not None:
        above.insert(0, _short(context.run.clusters[at.cause]))
        at = context.run.parents.get(at.cause)
    below = [_short(context.run.clusters[cluster]) for cluster in _below(context)]
    return tuple(_distinct([*above, _short(context.cluster), *below]))


def _below(context: ClusterContext) -> list[ClusterId]:
    """Return the clusters that follow from this one, level by level, within a level by lag."""
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
    """Tell whether a sentence begins with an ordinary word, written small after a colon; names keep their capital."""
    word = text.split(" ", 1)[0]
    return (
        word.isalpha()
        and word[1:].islower()
        and word not in {"Python", "Node", "Java", "Go", "Postgres", "Cloud", "Redis"}
    )


def _own_words(context: ClusterContext) -> str:
    """Return the headline where a rule gives none: the rule's title, or the first line of an unknown error."""
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
        answer = EVIDENCE[rule.evidence_kind].mend_answer(answer or gathered.evidence[0].statement)
    return Why(
        ask=rule.ask,
        answer=answer,
        kind=_kind(rule, gathered.verdict),
        verdict=gathered.verdict,
        evidence=gathered.evidence,
        next_step=None if holds else _sentence(_next_step(rule, gathered, context)),
    )


def _sentence(text: str | None) -> str | None:
    """Begin a next step with a capital, as in lists it is a sentence of its own; leave a command as it is typed."""
    return text if not text or text.startswith(_TYPED) else text[:1].upper() + text[1:]


def _next_step(rule: WhyRule, gathered: EvidenceResult, context: ClusterContext) -> str | None:
    """Say what to look at: the rule's advice, and where a source is missing the command that gives it."""
    if gathered.verdict is Verdict.REFUTED:
        return gathered.next_step  # the rule's advice is for a question that is open
    denial = rule.absent if rule.absent and may_deny(rule, context) else None
    said = [_advice(text, gathered, context) for text in (denial, rule.otherwise) if text]
    advice = " ".join(filter(None, said))
    adds_step = gathered.verdict is Verdict.NOT_OBSERVABLE or EVIDENCE[rule.evidence_kind].adds_its_step
    step = step_to_pull(rule, context) or (gathered.next_step if adds_step or not advice else None)
    if advice and step:
        return f"{advice.rstrip('.')}. Next: {step}"
    return advice or step


def _advice(text: str, gathered: EvidenceResult, context: ClusterContext) -> str | None:
    return fill(name_places(text, context), template_values(context) | gathered.values)


def _kind(rule: WhyRule, verdict: Verdict) -> StatementKind:
    if not verdict.holds:
        return StatementKind.OPEN_QUESTION
    if verdict is not Verdict.SUPPORTED:
        return StatementKind.HYPOTHESIS
    is_fact = EVIDENCE[rule.evidence_kind].is_own_fact(rule)
    return StatementKind.FACT if is_fact else StatementKind.INFERENCE


def _chain(asked: Sequence[tuple[WhyRule, EvidenceResult]]) -> tuple[int, int]:
    """Return the first and last index of the chain; questions for other failures are skipped where none is found."""
    first = 0
    while first < len(asked) and _finds_no_other(*asked[first]):
        first += 1
    last = first - 1
    while last + 1 < len(asked) and asked[last + 1][1].verdict.holds:
        last += 1
    return first, last


def _finds_no_other(rule: WhyRule, gathered: EvidenceResult) -> bool:
    """Tell whether a why asks for another failure that is not in these entries."""
    return EVIDENCE[rule.evidence_kind].looks_outside and not gathered.verdict.holds


def _root(asked: Sequence[tuple[WhyRule, EvidenceResult]], whys: Sequence[Why], first: int, last: int) -> Root | None:
    """Choose the last why of the chain that names something as the root; what only stood near is a circumstance."""
    chain = range(first, last + 1)
    naming = [i for i in chain if EVIDENCE[asked[i][0].evidence_kind].names_a_thing(asked[i][0])]
    at = naming[-1] if naming else last
    if at not in chain:
        return None
    return Root(why=at + 1, statement=str(whys[at].answer), verdict=_weakest(whys[: at + 1]))


def _weakest(whys: Sequence[Why]) -> Verdict:
    held = [why.verdict for why in whys if why.verdict.holds]
    return next(
        (verdict for verdict in _WEAKEST_FIRST if verdict in held), Verdict.SUPPORTED if held else Verdict.NO_EVIDENCE
    )


def _actions(context: ClusterContext, rivals: Sequence[Rival]) -> tuple[Action, ...]:
    """List the actions of the rule, without those that rest on a refuted cause; a rollback is written anew."""
    rules = context.rule.actions if context.rule and context.rule.actions else default_actions(context)
    refuted = {rival.signature for rival in rivals if rival.verdict is Verdict.REFUTED}
    actions: list[Action] = []
    for rule in rules:
        if rule.rests_on in refuted:
            continue
        rest = without_rollback(rule.text)
        step = rollback(context) if rest is not None and not any(one.rollback for one in actions) else None
        if step is not None:
            actions.append(_action(rule, step, context, is_rollback=True))
        if rest != "":
            text = name_places(rule.text if rest is None else rest, context)
            actions.append(_action(rule, fill(text, template_values(context)) or text, context))
    return tuple(actions)


def _action(rule: ActionRule, text: str, context: ClusterContext, *, is_rollback: bool = False) -> Action:
    own = context.cluster.priority
    later = {Priority.P0: Priority.P1, Priority.P1: Priority.P2}.get(own, Priority.P3)
    return Action(
        kind=rule.kind,
        priority=rule.priority or (own if rule.kind is ActionKind.MITIGATE else later),
        text=text,
        owner="UNASSIGNED",
        done_when=_done_when(rule.kind, rule.verify, context),
        rollback=is_rollback,
    )


def _done_when(kind: str, verify: dict[str, object] | None, context: ClusterContext) -> str:
    cluster = context.cluster
    name = f"signature `{cluster.signature}`" if cluster.signature else f"fingerprint `{cluster.fingerprint}`"
    if kind == "detect":
        return f"a test entry of {name} raises it"
    if kind == "prevent" and not verify:
        return "the check fails on purpose once"
    return context.run.needed[cluster.id].sentence(name)
