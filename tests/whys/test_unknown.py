"""Clusters that no rule knows get a chain too, from what can be counted of any failure."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import query, raw, raws, request

from forensics import model
from forensics.model import Finding, Report, StatementKind, Verdict, Why
from forensics.pipeline import analyze
from forensics.rendering import render_report
from forensics.rulebook import load_rules

RULES, INFO = load_rules()
TRACEBACK = """Traceback (most recent call last):
  File "/app/shop/ledger.py", line 41, in post_entry
    raise LedgerMismatch(text)
shop.ledger.LedgerMismatch: ledger {} does not add up"""


def report(*records: dict[str, Any], tests: model.TestRun | None = None) -> Report:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test", tests=tests).report


def mismatch(at: float, **fields: Any) -> dict[str, Any]:
    return raw(TRACEBACK.format(round(at)), at=at, **{"severity": "ERROR"} | fields)


def only(found: Report) -> Finding:
    (finding,) = [f for f, c in zip(found.findings, found.clusters, strict=True) if c.signature is None]
    return finding


def why(finding: Finding, kind: str) -> Why:
    return next(w for w in finding.whys if w.evidence[0].kind == kind)


def run(*names: model.TestName) -> model.TestRun:
    return model.TestRun(
        suites=(), total=len(names), passed=0, failed=0, errors=0, skipped=0, not_run=0, failures=(), names=names
    )


def test_the_chain_goes_from_what_to_where_and_stops_at_the_code() -> None:
    finding = only(report(raw("hello", at=0), mismatch(10), mismatch(50)))
    assert [w.ask for w in finding.whys] == [
        "What failed?",
        "Where was it raised?",
        "What changed there?",
        "Since when?",
        "Is it new in this revision?",
        "What was deployed?",
        "Why did no test catch it?",
        "Why did it go unnoticed?",
    ]
    assert finding.whys[0].answer == (
        "`shop.ledger.LedgerMismatch: ledger … does not add up`: 2 entries in 2 bursts, on 1 instance, "
        "written to stderr"
    )
    assert finding.whys[2].verdict is Verdict.NOT_OBSERVABLE
    assert finding.root is not None
    assert "/app/shop/ledger.py:41 in post_entry" in finding.root.statement


def test_without_a_frame_the_root_is_what_was_said_and_not_a_circumstance() -> None:
    finding = only(report(raw("shard map is torn", at=5, severity="ERROR")))
    assert finding.root is not None
    assert finding.root.why == 1
    assert "shard map is torn" in finding.root.statement


def test_since_is_told_against_the_first_entry() -> None:
    answer = why(only(report(raw("hello", at=0), mismatch(10))), "since").answer
    assert answer == "first seen 2026-03-01T10:00:10Z, 10 s after the entries begin (2026-03-01T10:00:00Z)"


def test_entries_without_severity_may_have_gone_unnoticed() -> None:
    found = why(only(report(raw("ERROR shard map is torn", at=1))), "unnoticed")
    assert (found.verdict, found.kind) == (Verdict.PLAUSIBLE, StatementKind.HYPOTHESIS)
    assert found.answer == "1 of 1 entry carry no severity: an alert by severity does not see them"


def test_what_nothing_stands_beside_may_have_been_swallowed_where_requests_were_logged() -> None:
    def said(*records: dict[str, Any]) -> str:
        return str([e.statement for e in why(only(report(*records)), "unnoticed").evidence])

    assert "caught and passed over" in said(mismatch(10), request(200, at=1, latency=0.1))
    assert "caught and passed over" not in said(mismatch(10))


NAMED = model.TestName(name="tests.test_ledger::test_sums", module="tests.test_ledger", outcome=model.RunOutcome.PASSED)
OTHER = model.TestName(name="tests.test_cart::test_adds", module="tests.test_cart", outcome=model.RunOutcome.PASSED)


@pytest.mark.parametrize(
    ("outcome", "verdict", "words"),
    [
        ("passed", Verdict.NO_EVIDENCE, "by name, 1 test names `post_entry` or `ledger` (1 passed)"),
        ("not_run", Verdict.PLAUSIBLE, "by name, 1 test names `post_entry` or `ledger` (1 did not run)"),
        ("skipped", Verdict.PLAUSIBLE, "(1 skipped)"),
    ],
)
def test_tests_that_name_the_code(outcome: str, verdict: Verdict, words: str) -> None:
    tests = run(model.TestName(name=NAMED.name, module=NAMED.module, outcome=model.RunOutcome(outcome)), OTHER)
    found = why(only(report(mismatch(10), tests=tests)), "tests")
    assert found.verdict is verdict
    assert any(words in evidence.statement for evidence in found.evidence)


def test_no_test_names_the_code() -> None:
    found = why(only(report(mismatch(10), tests=run(OTHER))), "tests")
    assert found.verdict is Verdict.NO_EVIDENCE
    assert "no test names `post_entry` or `ledger`; by name only" in found.evidence[-1].statement


def test_names_that_stand_in_any_test_are_not_looked_for() -> None:
    text = TRACEBACK.replace("ledger.py", "main.py").replace("post_entry", "run").format(1)
    found = why(only(report(raw(text, severity="ERROR"), tests=run(OTHER))), "tests")
    assert "name no function and no file" in found.evidence[-1].statement


PLACES = [
    ("TypeError: x is not a function\n    at /app/dist/run.js:9:1", "raised at `/app/dist/run.js:9` in 1 of 1 bursts"),
    (
        "Shop.OddError: no such order\n   at Shop.Orders.Find(Int32 id)\n   at Shop.Orders.All()",
        "raised in `Shop.Orders.Find` in 1 of 1 bursts; ",
    ),
    ("OddError: one of them failed\n    at async Promise.all (index 0)", "raised in `Promise.all` in 1 of 1 bursts"),
]


@pytest.mark.parametrize(("text", "said"), PLACES)
def test_a_place_is_told_as_far_as_the_entry_tells_it(text: str, said: str) -> None:
    found = report(raw("hello", at=0), raw(text, at=10, severity="ERROR"))
    (finding,) = found.findings
    evidence = next(e for w in finding.whys for e in w.evidence if e.kind == "frames")
    assert f"{evidence.statement}; ".startswith(said)
    for document in dict(render_report(found)).values():
        assert "<anonymous>" not in document
        assert "` in " not in document.replace(said.split(" in 1 of", maxsplit=1)[0], "")


def test_a_rule_says_nothing_of_a_function_that_the_entry_does_not_name() -> None:
    text = 'PHP Fatal error:  Uncaught Error: Class "Acme\\Pdf" not found in /app/src/export.php:12\n#0 {main}'
    (finding,) = report(raw("hello", at=0), raw(text, at=10, severity="ERROR")).findings
    where = next(w for w in finding.whys if w.ask == "Where was it raised?")
    assert where.answer == "raised at `/app/src/export.php:12` in 1 of 1 bursts"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("`10.36.0.3:5432`", "10.36.0.3:5432"),
        ("`db.example.com`:`5432`", "db.example.com"),
        ("10.36.0.3.", "10.36.0.3"),
    ],
)
def test_the_address_of_a_database_is_told_whole(address: str, host: str) -> None:
    text = f"Can't reach database server at {address}"
    (finding,) = report(raw("hello", at=0), raw(text, at=10, severity="ERROR")).findings
    assert finding.headline == f"The database at `{host}` cannot be reached"


@pytest.mark.parametrize(
    ("file", "owner"),
    [("/app/node_modules/amqplib/lib/channel.js", "a library"), ("/app/dist/queue.js", "the application")],
)
def test_a_frame_of_a_library_is_not_called_the_applications(file: str, owner: str) -> None:
    text = f"IllegalOperationError: Channel closed\n    at Channel.send ({file}:159:11)"
    found = report(raw("hello", at=0), raw(text, at=10, severity="ERROR"))
    answers = [w.answer or "" for finding in found.findings for w in finding.whys]
    assert f"In `Channel.send` (`{file}:159`), the innermost frame of {owner}." in answers
