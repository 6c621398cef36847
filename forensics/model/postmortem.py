"""What a postmortem says of one incident beyond its findings: statements with evidence, and open questions."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.findings import Evidence, Why


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """What these entries do not answer, and the command that would."""

    ask: str
    look_at: str
    command: str = ""
    about: str = ""
    """The id of the cluster whose question it is; "" for one about the incident."""


class Postmortem(Struct, frozen=True, kw_only=True):
    """The parts of a postmortem; every `Evidence` is a fact that was counted, every `Why` carries its verdict."""

    incident: str
    """The incident's id."""
    summary: tuple[Evidence, ...] = ()
    impact: tuple[Evidence, ...] = ()
    since: Why
    """When it began, against deployments and the first entry of the revision."""
    detection: Why
    """What noticed it, and how long after the onset."""
    recovery: Why
    factors: tuple[Why, ...] = ()
    """Whys of the root's chain that hold and are not its root."""
    went_well: tuple[Evidence, ...] = ()
    went_badly: tuple[Evidence, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
