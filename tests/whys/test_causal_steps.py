"""The error behind the error, step by step: what a way over a third cluster explains is drawn once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.builders import query, raw, raws, request

from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from forensics.model import Finding, Report

RULES, INFO = load_rules()
SYSTEM = "projects/shop/logs/run.googleapis.com%2Fvarlog%2Fsystem"


def report(*records: dict[str, Any]) -> Report:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test").report


def crash(number: int) -> list[dict[str, Any]]:
    at, instance = number * 20.0, f"i{number}"
    return [
        raw("ModuleNotFoundError: No module named 'pay.pdf'", at=at + 1, severity="ERROR", instance=instance),
        raw("[13] [ERROR] Reason: Worker failed to boot.", at=at + 1.4, instance=instance),
        raw("Container called exit(3).", at=at + 1.5, severity="WARNING", instance=instance) | {"logName": SYSTEM},
    ]


def of(found: Report, signature: str) -> Finding:
    return next(f for f, c in zip(found.findings, found.clusters, strict=True) if c.signature == signature)


def test_a_chain_of_three_has_two_steps_and_every_cluster_of_it_shows_the_same() -> None:
    found = report(*(r for n in range(4) for r in crash(n)))
    finding = of(found, "python-module-missing")
    assert finding.chain == ("python module missing", "worker failed to boot", "container exit")
    assert [(s.explained, s.of, s.lag) for s in finding.steps] == [(4, 4, (0.4, 0.4)), (4, 4, (0.1, 0.1))]
    assert of(found, "container-exit").steps == finding.steps


def test_a_step_cites_one_occurrence_of_cause_and_symptom() -> None:
    records = [r for n in range(4) for r in crash(n)]
    instances = {r["insertId"]: r["labels"]["instanceId"] for r in records}
    for step in of(report(*records), "container-exit").steps:
        cause, symptom = step.refs
        assert instances[cause.insert_id] == instances[symptom.insert_id]
        assert parse_time(cause.timestamp) < parse_time(symptom.timestamp)


def test_what_stands_alone_has_no_steps() -> None:
    finding = of(report(raw("ModuleNotFoundError: No module named 'x'", severity="ERROR")), "python-module-missing")
    assert (finding.steps, finding.chain) == ((), ("python module missing",))


def test_what_was_logged_late_stands_after() -> None:
    late = [
        record
        for n in range(3)
        for record in (
            request(500, at=n * 10, latency=0.5),
            raw("'coroutine' object has no attribute 'get'", at=n * 10 + 0.52, severity="ERROR"),
        )
    ]
    found = report(*late)
    said = [str(w.answer) for f in found.findings for w in f.whys if w.evidence[0].kind == "linked" and w.answer]
    assert said
    assert not any("later before" in answer for answer in said)
    roots = [f.root.statement for f in found.findings if f.root]
    assert not any("later before" in statement for statement in roots)
    assert any("after the end" in step.statement for f in found.findings for step in f.steps)


def test_a_label_names_no_close_code() -> None:
    text = "WebSocket error: Object of type Color is not JSON serializable"
    finding = of(report(raw(text, severity="ERROR")), "websocket-1011-serialization")
    assert finding.chain == ("websocket serialization",)
