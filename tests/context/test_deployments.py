"""Deployments in the audit log, and the private data in them that no report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.audit import IMAGE, asked, ready
from support.builders import REVISION, entry, query, raw, raws

from forensics.context.deployments import find_deploys
from forensics.pipeline import analyze
from forensics.report.summary import timeline
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Deploy, Report

RULES, INFO = load_rules()


def deploys(*records: dict[str, Any]) -> tuple[Deploy, ...]:
    from forensics.entries import decode_entry  # noqa: PLC0415 - beside its one use
    from forensics.model import Place, RawEntry  # noqa: PLC0415 - as above

    return find_deploys(decode_entry(RawEntry(record=r, place=Place(source="t", record=1))) for r in records)


def report(*records: dict[str, Any]) -> Report:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test").report


def test_who_what_and_where_to() -> None:
    (one,) = deploys(asked(0))
    assert (one.outcome, one.revision, one.image) == ("asked", REVISION, IMAGE)
    assert (one.by, one.traffic) == ("a person", "100 % to the latest revision")
    assert one.refs[0].insert_id == one.insert_id


@pytest.mark.parametrize(
    ("by", "kind"),
    [("jane@example.com", "a person"), ("ci@shop.iam.gserviceaccount.com", "a service account"), ("", "")],
)
def test_a_principal_is_a_kind_and_never_a_name(by: str, kind: str) -> None:
    (one,) = deploys(asked(0, by=by))
    assert one.by == kind
    assert "jane" not in str(one)


def test_divided_traffic() -> None:
    shares = [{"revisionName": "shop-1", "percent": 90}, {"latestRevision": True, "percent": 10}, {"tag": "x"}]
    (one,) = deploys(asked(0, traffic=shares))
    assert one.traffic == "90 % to shop-1, 10 % to the latest revision"


@pytest.mark.parametrize("traffic", [[], ["x"], [{"percent": "100"}], [{"percent": None}]])
def test_odd_traffic_says_nothing(traffic: list[Any]) -> None:
    (one,) = deploys(asked(0, traffic=traffic))
    assert one.traffic == ""


def test_environment_variables_are_never_read() -> None:
    assert "hunter2" not in str(deploys(asked(0), ready(30)))


def test_evidence_says_how_long_after_the_deployment_it_came() -> None:
    found = report(asked(0), ready(30), raw("shard map is torn", at=75, severity="ERROR"))
    said = [e for f in found.findings for w in f.whys for e in w.evidence if e.kind == "deploys"]
    assert said[0].statement.startswith("asked for by a person at 2026-03-01T10:00:00Z, 100 % to the latest revision; ")
    assert f"image `{IMAGE}`" in said[0].statement
    assert said[1].statement == "its first entry stands 1 min 15 s after the deployment was asked for"
    assert all(evidence.refs for evidence in said)


def test_what_is_seen_at_once_is_seen_in_the_same_second() -> None:
    found = report(asked(0.2), ready(30), raw("shard map is torn", at=0.2, severity="ERROR"))
    said = [e.statement for f in found.findings for w in f.whys for e in w.evidence if e.kind == "deploys"]
    assert said[1] == "its first entry stands in the same second in which the deployment was asked for"


def test_the_timeline_goes_from_the_deployment_to_the_last_entry_and_names_the_clock() -> None:
    found = report(asked(0), ready(30), raw("shard map is torn", at=75, severity="ERROR"), raw("ok", at=100))
    assert [(e.kind, e.clock) for e in found.timeline] == [
        ("deploy", "audit log"),
        ("deploy", "audit log"),
        ("onset", "entry"),
    ]
    assert found.timeline[0].text == f"deployment of {REVISION} asked for by a person, 100 % to the latest revision"


def test_a_timeline_of_nothing_is_empty() -> None:
    assert timeline({}, (), (), (), lambda _: entry("x")) == ()
