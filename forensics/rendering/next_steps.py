"""List what to do next: each step once, with the incidents that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import Finding, Report

_NAMED = 3
"""Incidents that a step names; of more it says how many."""


class NextStep(Struct, frozen=True, kw_only=True):
    """Something to do, or to find out."""

    text: str
    done_when: str = ""
    """Empty for a question, which is done when it is answered."""
    incidents: tuple[str, ...] = ()
    """Ids, the most urgent one first."""

    @property
    def asked_by(self) -> str:
        """Name the incidents: `incident-1, incident-2`, or `incident-3 and 4 more`."""
        if len(self.incidents) <= _NAMED:
            return ", ".join(self.incidents)
        return f"{self.incidents[0]} and {len(self.incidents) - 1} more"


def next_steps(report: Report) -> tuple[NextStep, ...]:
    """List what mitigates each incident and the first question that is open, in order of the incidents.

    Five revisions that fail alike are five incidents, and ask for the same thing: it is said once.
    """
    findings = {finding.cluster: finding for finding in report.findings}
    asked: dict[tuple[str, str], list[str]] = {}
    for incident in report.incidents:
        for step in _steps(findings[incident.root_cluster]):
            asked.setdefault(step, []).append(incident.id)
    return tuple(
        NextStep(text=text, done_when=done_when, incidents=tuple(dict.fromkeys(incidents)))
        for (text, done_when), incidents in asked.items()
    )


def _steps(finding: Finding) -> Iterator[tuple[str, str]]:
    for action in finding.actions:
        if action.kind is ActionKind.MITIGATE:
            yield f"{action.priority} {action.text}", action.done_when
    open_why = next((why for why in finding.whys if why.next_step), None)
    if open_why is not None:
        yield f"{open_why.ask} {open_why.next_step}", ""


FILTERS = {"next_steps": next_steps}
