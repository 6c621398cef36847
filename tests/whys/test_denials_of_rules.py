"""A sentence that denies is printed only where the thing would have been recorded, and is nowhere near."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace
from support.builders import leaf, query, raw, raws, request, rule

from forensics.model import Explains, Nanoseconds, Role, Rule, RulebookInfo, RuleTests, WhyRule
from forensics.pipeline import analyze
from forensics.rulebook import load_rules

Record = dict[str, Any]
ABSENT, OTHERWISE = "No failed request stands beside it.", "Look for the feature that goes without."
CONDITION = leaf("stream", equals="requests")
REQUESTS = {"logName": "projects/shop/logs/run.googleapis.com%2Frequests"}
WHYS = {
    "linked": WhyRule(
        ask="What came of it?", evidence_kind="linked", evidence=("failed",), absent=ABSENT, otherwise=OTHERWISE
    ),
    "entries": WhyRule(
        ask="What ran then?",
        evidence_kind="entries",
        evidence={"match": {"stream": {"equals": "requests"}}, "before": "30s"},
        condition=CONDITION,
        absent=ABSENT,
        otherwise=OTHERWISE,
    ),
    "values": WhyRule(
        ask="Which command?", evidence_kind="values", evidence=("command",), absent=ABSENT, otherwise=OTHERWISE
    ),
    "frames": WhyRule(ask="Where?", evidence_kind="frames", evidence={}, absent=ABSENT, otherwise=OTHERWISE),
}
QUIET = [raw("hello", at=0, severity="INFO"), request(200, at=500, latency=0.1, number=90)]
"""An application's log and a requests log that nobody filtered."""
BROKEN = raw("gone: program `x`", at=100, severity="ERROR", number=1)


def step(kind: str, *records: Record, pattern: str = "gone") -> str:
    """Return what is said of an open why of one kind."""
    symptom = rule("failed", leaf("httpRequest.status", at_least=500), role=Role.SYMPTOM)
    symptom = _with_examples(symptom, {"httpRequest": {"status": 500}, **REQUESTS})
    cause = rule("gone", leaf(regex=pattern), whys=(WHYS[kind],))
    cause = _with_examples(cause, {"textPayload": "gone"})
    explained = replace(cause, explains=(Explains(signature="failed", within=Nanoseconds(5_000_000_000)),))
    info = RulebookInfo(count=2, folders=(), overridden=())
    found = analyze(raws(*records), (explained, symptom), query(), rulebook=info, tool_version="test").report
    (cluster,) = [c.id for c in found.clusters if c.signature == "gone"]
    (why,) = next(f.whys for f in found.findings if f.cluster == cluster)
    return why.next_step or ""


def _with_examples(rule: Rule, example: Record) -> Rule:
    return replace(rule, tests=RuleTests(match=(example, example), no_match=()))


def test_what_would_have_been_recorded_is_denied() -> None:
    for kind in WHYS:
        assert step(kind, *QUIET, BROKEN) == f"{ABSENT} {OTHERWISE}", kind


def test_a_log_that_was_not_read_is_asked_for_instead() -> None:
    quiet, _ = QUIET
    for kind in ("linked", "entries"):
        asked = f"{OTHERWISE.rstrip('.')}. Next: pull the requests log of the same minutes"
        assert step(kind, quiet, BROKEN) == asked


def test_an_export_filtered_by_severity_denies_nothing() -> None:
    loud = [raw("slow disk", at=5, severity="WARNING", number=2), request(404, at=500, latency=0.1, number=90)]
    for kind in WHYS:
        assert step(kind, *loud, BROKEN) == OTHERWISE, kind


def test_an_application_log_of_errors_alone_denies_nothing_of_the_application() -> None:
    _, served = QUIET
    assert step("frames", served, BROKEN) == OTHERWISE
    assert step("linked", served, BROKEN) == f"{ABSENT} {OTHERWISE}"


def test_what_happened_anywhere_is_not_denied() -> None:
    elsewhere = request(500, at=400, latency=0.1, number=91, instance="another")
    assert step("linked", *QUIET, BROKEN, elsewhere) == OTHERWISE


def test_an_entry_near_on_another_instance_is_not_denied() -> None:
    near = request(200, at=95, latency=0.1, number=91, instance="another")
    assert step("entries", *QUIET, BROKEN, near) == OTHERWISE


def test_the_own_entries_are_near() -> None:
    refused = request(429, at=100, latency=0.0, number=1, textPayload="gone: no instance")
    assert step("entries", *QUIET, refused) == OTHERWISE


def test_what_another_capture_holds_is_not_denied() -> None:
    assert step("values", *QUIET, BROKEN, pattern="gone: program `(?P<program>[^`]+)`") == OTHERWISE


def test_a_stack_in_other_entries_is_not_denied() -> None:
    stack = 'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n    g()\nKeyError: 1'
    assert step("frames", *QUIET, BROKEN, raw(stack, at=300, severity="ERROR", number=7)) == OTHERWISE


_DENIES = re.compile(
    r"(?:No|Nothing|None|Neither)\b|(?:The|This|It) [^.;:]{0,40}(?:holds? no|has no|names? no|gives? no)\b"
)


def test_no_shipped_rule_denies_or_asks_for_a_log_whatever_was_read() -> None:
    rules, _ = load_rules()
    said = [(rule.id, why.otherwise or "") for rule in rules for why in rule.whys if why.evidence_kind != "commits"]
    assert [(name, text) for name, text in said if _DENIES.match(text) or re.search(r"\b[Pp]ull the\b", text)] == []
