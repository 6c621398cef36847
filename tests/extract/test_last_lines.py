"""A line without a severity that says what is wrong just before a life fails is read as an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import query, raw, raws, request

from forensics.model import RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Report

INFO = RulebookInfo(count=0, folders=(), overridden=())


@pytest.fixture(scope="module")
def rules() -> Any:
    return load_rules([])[0]


def exited(code: int = 1, at: float = 20.0, instance: str = "i1") -> dict[str, Any]:
    severity = "WARNING" if code else "INFO"
    text = f"Container called exit({code})."
    return raw(text, at=at, number=900, severity=severity, stream="varlog%2Fsystem", instance=instance)


def analysed(*records: dict[str, Any], rules: Any) -> Report:
    return analyze(raws(*records), rules, query(), rulebook=INFO, tool_version="test").report


def causes(report: Report) -> list[str]:
    return [cluster.signature or cluster.title for cluster in report.clusters if cluster.role != "symptom"]


def test_it_is_a_cluster_and_leads_and_is_plausible_only(rules: Any) -> None:
    report = analysed(raw("starting", at=19.0, number=1), raw("unknown option “db”", at=19.8), exited(), rules=rules)
    root = next(one for one in report.clusters if one.id == report.incidents[0].root_cluster)
    assert (root.title, report.incidents[0].verdict) == ("unknown option “db”", "plausible")
    assert [one.symptom for one in report.links if one.cause == root.id]


def test_where_the_instance_did_not_start_it_is_a_failure_at_start_up(rules: Any) -> None:
    probe = 'Default STARTUP TCP probe failed 1 time consecutively for container "shop-1" on port 8080.'
    failed = raw(probe, at=20.1, number=901, severity="ERROR", stream="varlog%2Fsystem")
    report = analysed(raw("unknown option “db”", at=19.8), exited(), failed, rules=rules)
    root = next(one for one in report.clusters if one.id == report.incidents[0].root_cluster)
    assert (root.failure_class, root.priority) == ("startup_failure", "P1")


def test_rules_for_errors_look_at_it(rules: Any) -> None:
    """Without an end behind it the same line is passed over, as it may be of a test or a help text."""
    said = raw("error: required environment variable DATABASE_URL is not set", at=19.8)
    with_end = causes(analysed(said, exited(), rules=rules))
    assert with_end == ["config-missing"]


@pytest.mark.parametrize(
    "records",
    [
        [raw("unknown option", at=19.8), exited(0)],
        [raw("unknown option", at=9.9), exited()],
        [raw("unknown option", at=19.8, instance="i2"), exited()],
        [raw("all is well", at=19.8), exited()],
        [raw("unknown option", at=19.8, severity="INFO"), exited()],
        [request(200, at=19.0, latency=0.1), exited()],
    ],
    ids=["clean exit", "too early", "another instance", "nothing amiss", "its severity is known", "a request"],
)
def test_what_is_not_said_last_or_says_nothing_amiss_is_left_alone(records: list[dict[str, Any]], rules: Any) -> None:
    assert causes(analysed(*records, rules=rules)) == []


def test_an_error_that_is_known_leaves_the_other_lines_alone(rules: Any) -> None:
    known = raw("ValueError: no such table", at=19.5, severity="ERROR", number=1)
    assert len(causes(analysed(known, raw("cannot go on", at=19.9, number=2), exited(), rules=rules))) == 1
