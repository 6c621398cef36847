"""Every part of a postmortem is counted, quoted, or an open question."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec
from support.audit import asked, ready
from support.builders import query, raw, raws, request

from forensics import model
from forensics.model import Postmortem, Report, Verdict
from forensics.pipeline import analyze
from forensics.rendering import render_report
from forensics.rulebook import load_rules

RULES, INFO = load_rules()


def report(*records: dict[str, Any], tests: model.TestRun | None = None) -> Report:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test", tests=tests).report


def first(found: Report) -> Postmortem:
    assert [p.incident for p in found.postmortems] == [i.id for i in found.incidents]
    return found.postmortems[0]


def torn(at: float, **fields: Any) -> dict[str, Any]:
    return raw("shard map is torn", at=at, severity="ERROR", **fields)


def statements(evidence: tuple[model.Evidence, ...]) -> str:
    return "\n".join(one.statement for one in evidence)


def test_nothing_failed_nothing_to_write() -> None:
    assert report(raw("hello", severity="INFO")).postmortems == ()


def test_users_cannot_be_told_without_a_request_log() -> None:
    assert "there is no request log" in statements(first(report(torn(1))).impact)


def test_users_cannot_be_told_where_no_field_names_them() -> None:
    found = first(report(torn(1), request(200, at=1, latency=0.1)))
    assert found.impact[-1].statement.endswith("no user is named in these entries")


def test_failed_requests_are_counted_among_all() -> None:
    found = first(report(*(request(500 if n < 2 else 200, at=n, latency=0.1) for n in range(9))))
    assert "2 of 9 requests that were logged (2 entries)" in statements(found.impact)


def test_since_puts_the_onset_beside_the_deployment() -> None:
    found = first(report(asked(0), ready(30), torn(75)))
    assert [e.statement for e in found.since.evidence][1:] == [
        "1 min 15 s after the deployment was asked for (2026-03-01T10:00:00Z)",
        "45 s after the deployment was reported ready (2026-03-01T10:00:30Z)",
    ]


def test_a_deployment_that_failed_noticed_it() -> None:
    found = first(report(asked(0), torn(20), ready(30, is_true=False)))
    assert found.detection.verdict is Verdict.SUPPORTED
    assert "reported the deployment as not ready" in str(found.detection.answer)


def test_a_failed_test_noticed_it_and_time_alone_did_not() -> None:
    def run(by: str) -> model.TestRun:
        failure = model.TestFailure(
            name="t", message="AssertionError: shard map is torn", close_code=None, cluster=None,
            started="2026-03-01T10:01:00Z", seconds=1.0,
        )  # fmt: skip
        silent = msgspec.structs.replace(failure, message="closed", close_code=1011, started="2026-03-01T10:00:01Z")
        failures = (failure if by == "message" else silent,)
        return model.TestRun(
            suites=(), total=1, passed=0, failed=1, errors=0, skipped=0, not_run=0, failures=failures,
            zone_assumed="UTC",
        )  # fmt: skip

    found = first(report(torn(1), tests=run("message")))
    assert found.detection.answer == (
        "1 failed test speaks of it, the first 59 s after it began (2026-03-01T10:01:00Z, UTC assumed)"
    )
    by_time = report(torn(1), tests=run("time"))
    assert by_time.tests is not None
    assert by_time.tests.failures[0].joined_by == "time"
    assert first(by_time).detection.verdict is Verdict.NO_EVIDENCE


def test_who_noticed_it_is_open_otherwise() -> None:
    found = first(report(torn(1)))
    assert (found.detection.answer, found.detection.verdict) == (None, Verdict.NO_EVIDENCE)
    assert any("monitoring policies list" in question.command for question in found.questions)


def test_over_is_a_hypothesis_after_a_long_silence_with_traffic_and_open_otherwise() -> None:
    failures = [torn(at) for at in (0, 10, 20)]
    soon = first(report(*failures, request(200, at=25, latency=0.1)))
    routine = first(report(*failures, raw("hello", at=500, severity="INFO")))
    late = first(report(*failures, request(200, at=100, latency=0.1)))
    assert (soon.recovery.verdict, routine.recovery.verdict) == (Verdict.NO_EVIDENCE, Verdict.NO_EVIDENCE)
    assert late.recovery.verdict is Verdict.PLAUSIBLE
    assert "with 1 request answered" in late.recovery.evidence[0].statement


def test_lessons_name_what_was_not_observed() -> None:
    found = first(report(raw("ERROR shard map is torn", at=1), raw("ERROR shard map is torn", at=2)))
    said = statements(found.went_badly)
    assert "these entries hold no requests log" in said
    assert "2 of its 2 entries carry no severity" in said


def test_every_question_has_a_command_that_a_shell_reads_as_one_line() -> None:
    found = first(report(raw("shard 'map' is \"torn\"; rm -rf / $(id) `id`", at=1, severity="ERROR")))
    assert len({q.ask for q in found.questions}) == len(found.questions) >= 5
    for question in found.questions:
        assert "\n" not in question.command
        if question.command:
            words = shlex.split(question.command)
            assert words[0] in {"forensics", "gcloud"}
            assert not {"rm", ";", "$(id)"} & set(words)


def test_entries_without_a_time_break_nothing() -> None:
    record = torn(1)
    del record["timestamp"]
    found = first(report(record))
    assert found.recovery.verdict is Verdict.NO_EVIDENCE


def test_no_answer_is_printed_for_what_is_open_and_each_verdict_is() -> None:
    found = report(torn(1), torn(2))
    text = dict(render_report(found))["postmortem.md"]
    for why in (first(found).detection, first(found).recovery):
        assert f"**{why.ask}** Needs investigation (no evidence)" in text
