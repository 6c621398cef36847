"""The step back: complete where the failure is new, none where it is not, and once in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.builders import leaf, query, raws, request, rule

from forensics.model import ActionKind, ActionRule, RulebookInfo
from forensics.pipeline import analyze
from forensics.whys.rollbacks import without_rollback

if TYPE_CHECKING:
    from forensics.model import Action, Report

BACK = "gcloud run services update-traffic SERVICE --to-revisions=LAST_GOOD_REVISION=100"
ACTIONS = (ActionRule(kind=ActionKind.MITIGATE, text=f"Move traffic back: {BACK}; or await the call"),)
NAMES = ("alpha", "beta", "gamma")
RULES = [rule(name, leaf("httpRequest.requestUrl", contains=f"fails={name}"), actions=ACTIONS) for name in NAMES]
INFO = RulebookInfo(count=3, folders=(), overridden=(), versions=dict.fromkeys(NAMES, 1))
OLD, NEW = "shop-api-00041-abc", "shop-api-00042-abc"


def analysed(revision: str, *failures: str, baseline: Report | None = None) -> Report:
    """Analyse 400 requests of a revision on four routes; of those at the path of each of the words forty fail."""
    routes = ("orders", "alpha", "beta", "gamma")
    records: list[dict[str, Any]] = []
    for number in range(400):
        word = routes[number % 4]
        fails = word in failures and number // 4 % 5 < 2
        path = f"/{word}?fails={word}" if fails else f"/{word}"
        status = 500 if fails else 200
        records.append(request(status, at=float(number), latency=0.1, number=number, path=path, revision=revision))
    asked = query(revision)
    return analyze(
        raws(*records), RULES, asked, rulebook=INFO, tool_version="t", baselines=(baseline,) if baseline else ()
    ).report


def actions(report: Report) -> list[Action]:
    return [action for finding in report.findings for action in finding.actions]


def steps_back(report: Report) -> list[str]:
    return [action.text for action in actions(report) if action.rollback]


def test_it_is_complete_and_names_what_it_brings_back() -> None:
    before = analysed(OLD, "gamma")
    (step,) = steps_back(analysed(NEW, "alpha", "beta", baseline=before))
    assert step == (
        f"Move traffic back to {OLD}, which answered requests without this failure: gcloud run services update-traffic "
        f"shop-api --to-revisions={OLD}=100 --project=shop --region=europe-west1; "
        f"it brings back: 40 of 100 requests of {OLD} failed with “gamma”"
    )


def test_there_is_none_where_the_failure_is_not_new() -> None:
    report = analysed(NEW, "alpha", baseline=analysed(OLD, "alpha"))
    assert steps_back(report) == []
    assert [action.text for action in actions(report)] == ["Await the call"]


def test_without_a_baseline_it_finds_one() -> None:
    (step,) = steps_back(analysed(NEW, "alpha", "beta"))
    assert "gcloud run revisions list --service=shop-api --project=shop --region=europe-west1" in step
    assert "update-traffic" not in step


def test_what_else_an_action_advises_stays() -> None:
    assert without_rollback("Give it more memory") is None
    assert without_rollback(f"Move traffic back: {BACK}") == ""
    assert without_rollback(f"Run the job (a, b), or move traffic back: {BACK}") == "Run the job (a, b)"
    assert without_rollback(f"Move traffic back (`{BACK}`), then mend it") == "Mend it"
