"""Failed tests are matched with clusters by message, by close reason or by time, and never by a code alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support import program
from support.builders import START, query, raw, raws

from forensics import model
from forensics.context.test_failures import telling_words, tie
from forensics.model import Query, Report
from forensics.pipeline import analyze
from forensics.rendering import render_report
from forensics.rulebook import load_rules
from forensics.sources import read_records
from forensics.sources.junit import read_test_runs
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = program.ROOT / "samples" / "netra-backend-staging"
SECOND = 1_000_000_000
RULES, INFO = load_rules()


def failure(message: str = "", **fields: Any) -> model.TestFailure:
    return model.TestFailure(
        name="tests.test_a::test_b", message=message, **{"close_code": None, "cluster": None} | fields
    )


def run(*failures: model.TestFailure) -> model.TestRun:
    count = len(failures)
    return model.TestRun(
        suites=(), total=count, passed=0, failed=count, errors=0, skipped=0, not_run=0, failures=tuple(failures)
    )


LOGS = [
    *(raw(f"shard map of zone {n} is torn", at=10 + n * 60, severity="ERROR") for n in range(3)),
    *(raw(f"ledger {n} refused: LEDGER VALIDATION_FAILED", at=30 + n * 60, severity="ERROR") for n in range(3)),
]


def tied(given: model.TestFailure) -> tuple[str | None, str | None, bool | None]:
    """Return (template of the matched cluster, how it was matched, whether it occurred during the test)."""
    found = analyze(raws(*LOGS), RULES, query(), rulebook=INFO, tool_version="test", tests=run(given)).report
    assert found.tests is not None
    (after,) = found.tests.failures
    named = {c.id: c.template for c in found.clusters}
    return named[after.cluster] if after.cluster else None, after.joined_by, after.in_time


def at(seconds: float) -> str:
    return format_time(START + round(seconds * SECOND))


def test_the_message_repeats_the_words() -> None:
    assert tied(failure("AssertionError: SHARD MAP of zone 7")) == ("shard map of zone <*> is torn", "message", None)
    assert tied(failure("AssertionError: the map of a shard")) == (None, None, None)


def test_the_close_reason_repeats_the_words() -> None:
    said = failure("closed", close_code=1008, close_reason="Ledger valid failed")
    assert tied(said) == ("ledger <*> refused: LEDGER VALIDATION_FAILED", "close reason", None)


def test_a_code_alone_joins_nothing() -> None:
    assert tied(failure("received 1011 (internal error)", close_code=1011)) == (None, None, None)


def test_a_reason_that_says_nothing_joins_nothing() -> None:
    assert telling_words("Internal error") == frozenset()
    assert tied(failure("closed", close_code=1011, close_reason="Internal error")) == (None, None, None)


def test_time_joins_a_close_with_the_one_cluster_that_happened_meanwhile() -> None:
    said = failure("closed", close_code=1011, close_reason="Internal error", started=at(9), seconds=2.0)
    assert tied(said) == ("shard map of zone <*> is torn", "time", True)
    later = failure("closed", close_code=1011, close_reason="Internal error", started=at(45), seconds=2.0)
    assert tied(later) == (None, None, None)


def test_time_joins_nothing_when_two_happened() -> None:
    both = failure("closed", close_code=1011, close_reason="Internal error", started=at(5), seconds=40.0)
    assert tied(both) == (None, None, None)


def test_time_says_whether_what_the_words_joined_happened_then() -> None:
    said = failure("closed", close_code=1008, close_reason="Ledger validation", started=at(5), seconds=2.0)
    assert tied(said) == ("ledger <*> refused: LEDGER VALIDATION_FAILED", "close reason", False)


def test_without_clusters_nothing_is_tied() -> None:
    assert tie(run(failure("shard map")), (), {}).failures[0].cluster is None


@pytest.fixture(scope="module")
def sample() -> Report:
    logs = (str(SAMPLE / "logs"),)
    tests = read_test_runs([SAMPLE / "tests" / "cycle3.xml"])
    asked = Query(revision="netra-backend-staging-00180", logs=logs)
    return analyze(read_records(logs), RULES, asked, rulebook=INFO, tool_version="test", tests=tests).report


def test_the_close_reasons_of_the_sample_are_tied_to_the_servers_clusters(sample: Report) -> None:
    assert sample.tests is not None
    signature = {c.id: c.signature for c in sample.clusters}
    joined = [(f.close_code, f.close_reason, signature[f.cluster or ""], f.joined_by) for f in sample.tests.failures]  # type: ignore[index]  # "" is no id, and fails here
    factory = (1011, "Factory SSOT validation failed", "factory-validation", "close reason")
    refused = (1008, "SSOT Auth failed", "websocket-1008-ssot-auth", "close reason")
    assert joined == [
        factory,
        refused,
        factory,
        factory,
        refused,
        factory,
        (1011, "Internal error", "websocket-1011-serialization", "time"),
    ]
    assert all(failure.in_time for failure in sample.tests.failures)
    assert sample.tests.names == ()


def test_a_close_code_is_nowhere_called_a_cause(sample: Report) -> None:
    for name, text in render_report(sample):
        for line in text.replace("websocket-1011-serialization", "").splitlines():
            if re.search(r"\b1011\b", line):
                assert not re.search(r"\b(?:caus\w*|because|root|leads? to|→)\b|→", line.lower()), (name, line)


def test_tests_that_speak_of_a_cluster_are_its_evidence(sample: Report) -> None:
    signature = {c.id: c.signature for c in sample.clusters}
    said = {
        signature[finding.cluster]: (why.verdict.value, [e.statement for e in why.evidence])
        for finding in sample.findings
        for why in finding.whys
        if why.evidence[0].kind == "tests"
    }
    verdict, statements = said["factory-validation"]
    assert verdict == "supported"
    assert statements[0].startswith("4 of 7 failed tests speak of this, joined by close reason")
    assert "16 min 4 s after the revision was reported ready" in statements[1]
    assert "by name only" in statements[2]
    assert said["websocket-1011-serialization"][0] == "plausible"


def test_the_command_line_says_the_same(tmp_path: Path, sample: Report) -> None:
    asked = ["--revision", "netra-backend-staging-00180", "--tests", str(SAMPLE / "tests" / "cycle3.xml")]
    program.run("analyze", *asked, "--out", str(tmp_path), check=True)
    written = json.loads((tmp_path / "report.json").read_text())
    assert sample.tests is not None
    assert [f["cluster"] for f in written["tests"]["failures"]] == [f.cluster for f in sample.tests.failures]
    assert "| close reason |" in (tmp_path / "index.md").read_text()
