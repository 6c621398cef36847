"""The content of an incident's postmortem beyond its findings: statements with evidence, and open questions."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.findings import Evidence, Why


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """A question that the entries do not answer, and the command that would answer it."""

    ask: str
    look_at: str
    command: str = ""
    about: str = ""
    """The id of the cluster; "" for a question about the incident."""


class Postmortem(Struct, frozen=True, kw_only=True):
    """The parts of a postmortem; every `Evidence` is a counted fact, every `Why` has its verdict."""

    incident: str
    """The incident's id."""
    summary: tuple[Evidence, ...] = ()
    impact: tuple[Evidence, ...] = ()
    since: Why
    """When the incident began, relative to deployments and the first entry of the revision."""
    detection: Why
    """What detected the incident, and how long after the onset."""
    recovery: Why
    factors: tuple[Why, ...] = ()
    """Contributing factors: whys of the root's chain that hold and are not its root."""
    went_well: tuple[Evidence, ...] = ()
    went_badly: tuple[Evidence, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
