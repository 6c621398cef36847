"""Next steps: what several incidents ask for is said once, and nothing that an incident asks for is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from support.builders import query, raw, raws

from forensics.pipeline import analyze
from forensics.rendering import render_report
from forensics.rendering.next_steps import next_steps
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Report

RULES, INFO = load_rules()


def failing_alike(services: int) -> Report:
    """Analyse services of which each answers one request, an hour apart, with 500: on one, it is one failure."""
    request = {"requestMethod": "POST", "requestUrl": "https://shop.example/score", "status": 500}
    records = [
        _of_service(
            number,
            raw(
                at=number * 3600.0,
                stream="requests",
                instance=f"i{number}",
                revision=f"shop-{number:05}-abc",
                severity="ERROR",
                httpRequest=request,
            ),
        )
        for number in range(services)
    ]
    return analyze(raws(*records), RULES, query(revision="all"), rulebook=INFO, tool_version="test").report


def _of_service(number: int, record: dict[str, Any]) -> dict[str, Any]:
    record["resource"]["labels"]["service_name"] = f"shop-{number}"
    return record


def test_services_that_fail_alike_ask_once() -> None:
    report = failing_alike(5)
    steps = next_steps(report)
    assert len(report.incidents) == 5
    assert len({step.text for step in steps}) == len(steps)
    back, *others = steps
    assert ("Find a revision to go back to" in back.text, back.incidents) == (True, ("incident-1",))
    assert others
    assert all(step.incidents == tuple(incident.id for incident in report.incidents) for step in others)
    assert others[0].asked_by == "incident-1 and 4 more"


def test_the_page_says_each_step_once() -> None:
    index = next(text for name, text in render_report(failing_alike(5)) if name == "index.md")
    steps = re.findall(r"^- \[ \] (.*)$", index, re.MULTILINE)
    assert len(steps) > 1
    assert len(set(steps)) == len(steps)
    assert all("(incident-1 and 4 more" in step for step in steps if "go back to" not in step)
    assert sum("go back to" in step for step in steps) == 1


def test_few_incidents_are_named() -> None:
    assert next_steps(failing_alike(1))[1].asked_by == "incident-1"
    assert next_steps(failing_alike(3))[1].asked_by == "incident-1, incident-2, incident-3"
