"""Echoes, own traces, requests that are alike, and unknown warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from links.test_owners import BROKEN, error, explains, says
from support.builders import query, raw, raws, request, rule

from forensics.links.contests import SAME_TIME, Explanation, contest
from forensics.model import ClusterId, JoinKey, Link, Role, RulebookInfo, Verdict
from forensics.pipeline import analyze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Report, Rule

TRACE, INSTANCE = JoinKey.TRACE, JoinKey.INSTANCE
FAILED = rule("failed", BROKEN, Role.SYMPTOM)
SECOND = 1_000_000_000
INFO = RulebookInfo(count=0, folders=(), overridden=())


def explanation(
    cause: str,
    lag: int,
    by: JoinKey = TRACE,
    *,
    declared: bool = False,
    is_error: bool = True,
    only: Sequence[int] = range(10),
) -> Explanation:
    """Ten failures a minute apart, and a cause `lag` nanoseconds before those of `only`."""
    found = Link(
        symptom=ClusterId("failed"),
        cause=ClusterId(cause),
        by=by,
        declared=declared,
        explained=len(only),
        of=len(only),
        causes=len(only),
        within=5,
        lag=(lag / SECOND, lag / SECOND),
        coverage=1.0,
        lift=100.0,
        p_value=0.001,
        order_p=0.004,
        in_step=1.0,
    )
    return Explanation(link=found, times={at: at * 60 * SECOND - lag for at in only}, is_error=is_error)


def rivals(*found: Explanation) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {link.cause: (link.rivals, link.behind) for link in contest(found)}


def test_an_echo_is_contested_by_the_cause_before_it_and_does_not_contest_it() -> None:
    found = rivals(explanation("key", 40_000_000), explanation("rollback", 10_000_000, declared=True))
    assert found == {"key": ((), ()), "rollback": (("key",), ("key",))}


def test_within_a_few_milliseconds_there_is_no_order() -> None:
    found = rivals(explanation("a", SAME_TIME), explanation("b", 0))
    assert found == {"a": (("b",), ()), "b": (("a",), ("a",))}
    apart = rivals(explanation("a", SAME_TIME + 1), explanation("b", 0))
    assert apart["a"] == ((), ())


def test_a_rule_contests_from_behind_only_where_no_trace_tells() -> None:
    before, behind = explanation("a", SECOND, INSTANCE), explanation("b", 0, INSTANCE, declared=True)
    assert rivals(before, behind)["a"] == (("b",), ())
    assert rivals(explanation("a", SECOND), behind)["a"] == ((), ())


def test_an_error_contests_a_warning_before_it() -> None:
    found = rivals(explanation("warning", SECOND, is_error=False), explanation("error", 0))
    assert found == {"warning": (("error",), ()), "error": (("warning",), ("warning",))}


def test_causes_of_other_requests_do_not_contest() -> None:
    found = rivals(explanation("a", SECOND, only=range(5)), explanation("b", 0, only=range(5, 10)))
    assert found == {"a": ((), ()), "b": ((), ())}
    assert rivals(explanation("a", SECOND, only=range(4)), explanation("b", 0))["b"] == ((), ())


def test_a_cause_behind_many_others_is_contested_by_them_all_the_same() -> None:
    many = [explanation(f"a{number:02}", SECOND + number * SAME_TIME * 2) for number in range(30)]
    found = rivals(*many, explanation("z", 0))
    assert found["z"][0]
    assert len(found["z"][0]) <= 20


def analysed(*records: dict[str, object], rules: tuple[Rule, ...] = (FAILED,)) -> Report:
    return analyze(raws(*records), list(rules), query(), rulebook=INFO, tool_version="test").report


def traffic(count: int, every: int, path: str = "/orders") -> list[dict[str, object]]:
    """Requests twenty seconds and a bit apart, of which one in `every` fails; each has a trace of its own."""
    records = [raw("begins", at=0.0), raw("goes on", at=count * 21.0)]
    for number in range(count):
        at = 10 + number * 20 + number * number * 7.3 % 3
        status = 500 if number % every == 0 else 200
        records.append(request(status, at=at, latency=0.1, number=number, trace=f"t{number}", path=path))
    return records


def said(text: str, number: int, before: float = 0.02, severity: str = "ERROR", **fields: str) -> dict[str, object]:
    """A line of the request with a number, before its end."""
    at = 10 + number * 20 + number * number * 7.3 % 3 + 0.1 - before
    return raw(text, at=at, severity=severity, number=10_000 + number, trace=f"t{number}", **fields)


def verdict_of(report: Report, words: str) -> Verdict:
    """Return the verdict of the incident whose root says this."""
    roots = {cluster.id: cluster for cluster in report.clusters}
    return next(one.verdict for one in report.incidents if words in roots[one.root_cluster].title)


def test_three_causes_of_one_status_are_three_links_of_their_own_requests() -> None:
    failing = range(0, 180, 5)
    words = ("ledger is locked", "basket is empty", "voucher is spent")
    lines = [said(words[place % 3], number) for place, number in enumerate(failing)]
    report = analysed(*traffic(180, 5), *lines)
    assert sorted((link.explained, link.of, link.given_away) for link in report.links) == [(12, 12, 24)] * 3
    assert {one.verdict for one in report.incidents} == {Verdict.SUPPORTED}


def test_what_stands_behind_the_cause_in_the_same_request_is_its_echo() -> None:
    warned = rule("warned", says("lease expired"), Role.CAUSE)
    failing = range(0, 180, 5)
    lines = [said("ledger is locked", number, before=0.06) for number in failing]
    lines += [said("cannot roll back", number, before=0.02) for number in failing]
    lines += [said("lease expired", number, before=0.09, severity="WARNING") for number in failing]
    report = analysed(*traffic(180, 5), *lines, rules=(FAILED, warned))
    said_by = {cluster.id: cluster.title for cluster in report.clusters}
    noted = {
        said_by[link.cause]: (sorted(said_by[x] for x in link.rivals), sorted(said_by[x] for x in link.behind))
        for link in report.links
    }
    assert noted["cannot roll back"] == (["ledger is locked", "warned"], ["ledger is locked", "warned"])
    assert noted["ledger is locked"] == (["warned"], ["warned"])
    # A warning may be harmless where an error explains the same.
    assert noted["warned"] == (["cannot roll back", "ledger is locked"], [])


@pytest.mark.parametrize(("logged_by", "verdict"), [(range(0, 180, 5), "supported"), (range(180), "no evidence")])
def test_what_every_request_logs_explains_none(logged_by: range, verdict: str) -> None:
    report = analysed(*traffic(180, 5), *(said("ledger is locked", number) for number in logged_by))
    assert verdict_of(report, "ledger") == verdict


def test_what_every_request_of_a_route_logs_explains_none() -> None:
    slow = traffic(180, 5, "/reports")
    others = [request(200, at=15 + n * 6.1, latency=0.1, number=5_000 + n, trace=f"o{n}") for n in range(600)]
    report = analysed(*slow, *others, *(said("ledger is locked", number) for number in range(180)))
    assert verdict_of(report, "ledger") == "no evidence"


def test_an_error_in_another_requests_trace_is_plausible_at_most() -> None:
    lines = [
        said("ledger is locked", number) | {"trace": f"projects/p/traces/x{number}"} for number in range(0, 180, 5)
    ]
    report = analysed(*traffic(180, 5), *lines)
    assert [link.of_others for link in report.links] == [36]
    assert verdict_of(report, "ledger") is not Verdict.SUPPORTED


def test_an_unknown_warning_is_told_where_nothing_else_explains_failures() -> None:
    failing = range(0, 180, 5)
    lines = [said("pool is drained", number, severity="WARNING") for number in failing]
    assert verdict_of(analysed(*traffic(180, 5), *lines), "pool") == "supported"
    everywhere = [said("pool is drained", number, severity="WARNING") for number in range(180)]
    assert [c.title for c in analysed(*traffic(180, 5), *everywhere).clusters if "pool" in c.title] == []
    behind = [said("pool is drained", number, before=0.001, severity="WARNING") for number in failing]
    causes = [said("ledger is locked", number, before=0.05) for number in failing]
    report = analysed(*traffic(180, 5), *behind, *causes)
    assert [c.title for c in report.clusters if "pool" in c.title] == []
    assert verdict_of(report, "ledger") == "supported"


def test_a_line_that_restates_the_failure_is_no_cause_of_it() -> None:
    lines = [said("POST /orders 500 312 ms", number, before=0.001) for number in range(0, 180, 5)]
    own = [record if "httpRequest" not in record else _posted(record) for record in traffic(180, 5)]
    report = analysed(*own, *lines)
    assert {cluster.role for cluster in report.clusters} == {Role.SYMPTOM}
    assert {one.verdict for one in report.incidents} == {Verdict.NO_EVIDENCE}


def _posted(record: dict[str, object]) -> dict[str, object]:
    http = record["httpRequest"]
    assert isinstance(http, dict)
    return record | {"httpRequest": http | {"requestMethod": "POST"}}


def test_one_failure_on_two_revisions_is_one_incident_and_the_newest_leads() -> None:
    records = [error("ledger is locked", at=n * 30.0, number=n, revision="r1" if n < 10 else "r2") for n in range(20)]
    known = rule("ledger", says("ledger is locked"), explains=explains("failed"))
    report = analyze(raws(*records), [known], query("all"), rulebook=INFO, tool_version="test").report
    (incident,) = report.incidents
    assert [(row.revision, row.occurrences) for row in incident.revisions] == [("r2", 10), ("r1", 10)]
    assert (incident.occurrences, incident.root_cluster) == (20, incident.revisions[0].cluster)
    assert incident.effect is not None
    assert incident.effect.statement == "seen; what it led to is open"
