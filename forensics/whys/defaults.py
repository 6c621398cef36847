"""A cluster without questions of its own in, the questions that fit any failure out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import ActionRule, Role, WhyRule

if TYPE_CHECKING:
    from forensics.whys.scene import Scene


def default_whys(scene: Scene) -> tuple[WhyRule, ...]:
    """Ask what failed, where, what followed or came before, and what changed."""
    if scene.cluster.role is Role.NOISE:
        return (WhyRule(ask="What is it?", evidence_kind="entries", evidence={}, answer=_what(scene)),)
    what = WhyRule(ask="What was seen?", evidence_kind="entries", evidence={})
    if scene.cluster.role is Role.SYMPTOM:
        return (
            what,
            WhyRule(
                ask="Why did it happen?",
                evidence_kind="linked",
                evidence="causes",
                answer="{{ linked }}, {{ lag }} before",
                otherwise="These entries hold no cause for it",
            ),
        )
    return (
        WhyRule(
            ask="What did it lead to?",
            evidence_kind="linked",
            evidence="symptoms",
            answer="It stands beside {{ count }} of {{ of }} occurrences of “{{ linked }}” ({{ lag }}).",
        ),
        what,
        WhyRule(ask="Where was it raised?", evidence_kind="frames", evidence={}),
        WhyRule(ask="What changed there?", evidence_kind="commits", evidence={"touching": "frame.file"}),
        WhyRule(ask="Why did no test catch it?", evidence_kind="tests", evidence={"covering": "frame.function"}),
    )


def default_actions(scene: Scene) -> tuple[ActionRule, ...]:
    """Propose what can be said without knowing the failure: a rule that names it, and an alert."""
    if scene.cluster.role is Role.NOISE or scene.cluster.signature is not None:
        return ()
    return (
        ActionRule(kind="detect", text="Write a rule for it, so that the next report knows it by name"),
        ActionRule(kind="prevent", text="A test that goes through the frame named above"),
    )


def _what(scene: Scene) -> str:
    return scene.rule.title if scene.rule else "A line that returns"
