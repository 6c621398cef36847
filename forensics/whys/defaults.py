"""The questions and actions for a cluster whose rule has none, or that no rule knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import ActionKind, ActionRule, Role, WhyRule
from forensics.whys.proposals import propose_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.whys.contexts import ClusterContext

_SEEN = WhyRule(ask="What failed?", evidence_kind="seen", evidence={})
_AFTERWARDS = (
    WhyRule(ask="Since when?", evidence_kind="since", evidence={}),
    WhyRule(ask="Is it new in this revision?", evidence_kind="compare", evidence="baseline"),
    WhyRule(ask="What was deployed?", evidence_kind="deploys", evidence={}),
    WhyRule(ask="Why did no test catch it?", evidence_kind="tests", evidence={"covering": "frame.function"}),
    WhyRule(ask="Why did it go unnoticed?", evidence_kind="unnoticed", evidence={}),
)
"""Questions about the circumstances of any failure."""


def default_whys(context: ClusterContext) -> tuple[WhyRule, ...]:
    """Ask what failed, where, what followed or came before, since when, what changed, and why nobody noticed.

    The causal chain comes first and ends at the question about the code; the circumstances follow.
    """
    if context.cluster.role is Role.NOISE:
        return (WhyRule(ask="What is it?", evidence_kind="entries", evidence={}, answer=_what(context)),)
    if context.cluster.role is Role.SYMPTOM:
        return (_SEEN, _CAUSE, *_AFTERWARDS)
    return (*_consequence(context), _SEEN, _RAISED, _CHANGED, *_AFTERWARDS)


_CAUSE = WhyRule(
    ask="Why did it happen?",
    evidence_kind="linked",
    evidence="causes",
    answer="{{ linked }}, {{ lag }} before",
    absent="These entries hold no cause for it.",
)
_RAISED = WhyRule(ask="Where was it raised?", evidence_kind="frames", evidence={})
_CHANGED = WhyRule(ask="What changed there?", evidence_kind="commits", evidence={"touching": "frame.file"})


def _consequence(context: ClusterContext) -> Iterator[WhyRule]:
    """Ask what it led to, where links show something; `unnoticed` says so where they show nothing."""
    if context.as_cause:
        yield WhyRule(
            ask="What did it lead to?",
            evidence_kind="linked",
            evidence="symptoms",
            answer="It stands beside {{ count }} of {{ of }} occurrences of “{{ linked }}” ({{ lag }}).",
        )


def default_actions(context: ClusterContext) -> tuple[ActionRule, ...]:
    """Propose what helps with an unknown failure: a rule that names it, and a test."""
    if context.cluster.role is Role.NOISE or context.cluster.signature is not None:
        return ()
    rule = "Write a rule for it, so that the next report knows it by name"
    if propose_rule(context.cluster):
        rule = "Put the proposed rule into a folder of your own (`forensics rules check --rules DIR`), and give it whys"
    test = (
        "A test that goes through the place named above"
        if context.cluster.frame
        else "A test that brings this error about"
    )
    return (ActionRule(kind=ActionKind.DETECT, text=rule), ActionRule(kind=ActionKind.PREVENT, text=test))


def _what(context: ClusterContext) -> str:
    return context.rule.title if context.rule else "A line that returns"
