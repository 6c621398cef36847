"""What a chain of whys may say, and where it must stop."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import query, raw, raws, request

from forensics.model import (
    ActionKind,
    ActionRule,
    AllOf,
    Cluster,
    Explains,
    FailureClass,
    Finding,
    Leaf,
    LeafOp,
    Nanoseconds,
    Priority,
    Report,
    Role,
    Rule,
    RulebookInfo,
    RuleTests,
    StatementKind,
    Verdict,
    WhyRule,
)
from forensics.pipeline import analyze

SECOND = 1_000_000_000
EXIT = Leaf(path="message", op=LeafOp.REGEX, value=r"^Container called exit\(\d+\)")
MISSING = Leaf(path="message", op=LeafOp.REGEX, value=r"No module named '(?P<module>[\w.]+)'")


def rule(name: str, role: Role, condition: Leaf, **fields: Any) -> Rule:
    return Rule(
        id=name,
        version=1,
        title=f"title of {name}",
        failure_class=FailureClass.STARTUP_FAILURE,
        role=role,
        priority=Priority.P0,
        condition=AllOf(conditions=(condition,)),
        tests=RuleTests(match=(), no_match=()),
        **fields,
    )


def why(ask: str, kind: str, evidence: Any, **fields: Any) -> WhyRule:
    return WhyRule(ask=ask, evidence_kind=kind, evidence=evidence, **fields)


WHYS = (
    why("Why did it end?", "linked", "exit", answer="It ended {{ lag }} after the import failed."),
    why("Which module?", "values", ["module"], answer="`{{ module }}` is missing."),
    why("Why is it missing?", "commits", {"touching": "module"}, otherwise="Look at the image for {{ module }}"),
    why(
        "Why did nothing stop it?",
        "entries",
        {"before": "60s"},
        condition=Leaf(path="message", op=LeafOp.CONTAINS, value="probe succeeded"),
        answer="The probe passed {{ lag }} before.",
    ),
)


def rules(**fields: Any) -> list[Rule]:
    missing = rule(
        "missing",
        Role.CAUSE,
        MISSING,
        explains=(Explains(signature="exit", within=Nanoseconds(30 * SECOND)),),
        headline="module {{ module }} is missing",
        **{"whys": WHYS, **fields},
    )
    rival = rule(
        "rival",
        Role.CAUSE,
        Leaf(path="message", op=LeafOp.CONTAINS, value="out of luck"),
        explains=(Explains(signature="exit", within=Nanoseconds(30 * SECOND)),),
    )
    return [missing, rival, rule("exit", Role.SYMPTOM, EXIT)]


def life(number: int, *extra: tuple[float, str], crash: bool = True) -> list[dict[str, Any]]:
    at, instance = number * 10.0, f"i{number}"
    lines = [
        raw("Starting new instance. Reason: AUTOSCALING", at=at, stream="system", severity="INFO", instance=instance),
        raw("Default STARTUP TCP probe succeeded", at=at + 1, stream="system", severity="INFO", instance=instance),
        raw("Container called exit(3).", at=at + 4, stream="system", severity="WARNING", instance=instance),
    ]
    if crash:
        lines.append(
            raw("ModuleNotFoundError: No module named 'pay.pdf'", at=at + 3.5, severity="ERROR", instance=instance)
        )
    lines += [raw(text, at=at + second, severity="ERROR", instance=instance) for second, text in extra]
    return lines


def explained(
    *records: dict[str, Any], using: list[Rule] | None = None
) -> tuple[Report, dict[str, tuple[Cluster, Finding]]]:
    info = RulebookInfo(count=0, folders=(), overridden=())
    report = analyze(raws(*records), using or rules(), query(), rulebook=info, tool_version="test").report
    pairs = zip(report.clusters, report.findings, strict=True)
    return report, {c.signature or c.title: (c, f) for c, f in pairs}


def verdicts(finding: Finding) -> list[Verdict]:
    return [w.verdict for w in finding.whys]


def test_a_chain_holds_as_far_as_it_is_shown_and_then_asks() -> None:
    _, found = explained(*[r for n in range(5) for r in life(n)])
    cluster, finding = found["missing"]
    assert cluster.occurrences == 5
    assert verdicts(finding) == [Verdict.SUPPORTED, Verdict.SUPPORTED, Verdict.NOT_OBSERVABLE, Verdict.SUPPORTED]
    assert finding.root is not None
    assert (finding.root.why, finding.root.statement) == (2, "`pay.pdf` is missing.")
    assert finding.whys[2].kind is StatementKind.OPEN_QUESTION
    assert finding.whys[2].answer is None
    assert "Look at the image for pay.pdf" in str(finding.whys[2].next_step)
    assert finding.headline == "Every instance dies at start-up: module pay.pdf is missing"


def test_every_answer_has_evidence_and_every_citation_is_an_entry() -> None:
    records = [r for n in range(5) for r in life(n)]
    report, _ = explained(*records)
    ids = {r["insertId"] for r in records}
    for finding in report.findings:
        for step in finding.whys:
            assert step.evidence
            assert all(ref.insert_id in ids for e in step.evidence for ref in e.refs)
            assert (step.answer is None) == (not step.verdict.holds)


def test_without_the_cause_its_symptom_stays_unexplained() -> None:
    report, found = explained(*[r for n in range(5) for r in life(n, crash=False)])
    _, finding = found["exit"]
    assert finding.whys[1].verdict is Verdict.NO_EVIDENCE
    assert finding.whys[1].answer is None
    assert "missing" not in found
    assert report.links == ()


def test_a_rival_that_fits_as_well_makes_it_contested() -> None:
    _, found = explained(*[r for n in range(5) for r in life(n, (3.4, "out of luck"))])
    _, finding = found["missing"]
    assert finding.whys[0].verdict is Verdict.CONTESTED
    assert finding.whys[0].kind is StatementKind.HYPOTHESIS
    assert any("rival" in e.statement for e in finding.whys[0].evidence)


def test_a_cause_before_a_few_of_the_symptoms_is_plausible_only() -> None:
    _, found = explained(*[r for n in range(5) for r in life(n, crash=n < 2)])
    _, finding = found["missing"]
    assert finding.whys[0].verdict is Verdict.PLAUSIBLE
    assert finding.confidence is Verdict.PLAUSIBLE
    assert not finding.headline.startswith("Every instance")


def test_a_life_whose_start_is_not_recorded_is_not_counted_against_a_why() -> None:
    records = [r for n in range(5) for r in life(n)]
    cut = [r for r in records if not (r["labels"]["instanceId"] == "i0" and r["timestamp"] < "2026-03-01T10:00:03")]
    _, found = explained(*cut)
    _, finding = found["missing"]
    assert (finding.whys[3].evidence[0].count, finding.whys[3].evidence[0].of) == (4, 4)


def test_values_of_a_log_are_no_templates_and_no_markup() -> None:
    hostile = "ModuleNotFoundError: No module named 'x{{7*7}}`<b>'"
    using = rules()
    using[0] = rule(
        "missing",
        Role.CAUSE,
        Leaf(path="message", op=LeafOp.REGEX, value="No module named '(?P<module>.+)'"),
        whys=WHYS,
    )
    _, found = explained(raw(hostile, severity="ERROR"), using=using)
    _, finding = found["missing"]
    assert finding.root is not None
    assert "{{7*7}}" in finding.root.statement
    assert finding.root.statement.count("`") == 2


def test_a_symptom_without_a_cause_is_an_incident_that_says_so() -> None:
    report, found = explained(*[request(500, at=i, latency=0.1, trace=f"t{i}") for i in range(3)])
    ((cluster, finding),) = found.values()
    assert cluster.signature is None
    assert report.incidents[0].root_cluster == cluster.id
    assert finding.root is not None


def test_shuffled_and_doubled_input_gives_the_same_report() -> None:
    records = [r for n in range(4) for r in life(n)]
    straight, _ = explained(*records)
    turned, _ = explained(*records[::-1])
    doubled, _ = explained(*records, *records)
    assert straight.clusters == turned.clusters == doubled.clusters
    assert straight.findings == turned.findings == doubled.findings
    assert doubled.coverage.duplicates == len(records)


COMMAND = "gcloud run services update SERVICE --region=REGION --project=PROJECT; describe REVISION; =LAST_GOOD_REVISION"


def commands(*records: dict[str, Any]) -> tuple[str, str | None]:
    """Return the text of an action and the advice of an open question, both with a command."""
    asked = why("Why is it missing?", "commits", {"touching": "module"}, otherwise=COMMAND)
    using = rules(whys=(asked,), actions=(ActionRule(kind=ActionKind.MITIGATE, text=COMMAND),))
    info = RulebookInfo(count=0, folders=(), overridden=())
    report = analyze(raws(*records), using, query("all"), rulebook=info, tool_version="test").report
    found = next(f for f in report.findings if f.actions)
    return found.actions[0].text, found.whys[0].next_step


def test_commands_name_what_the_entries_name() -> None:
    record = raw("ModuleNotFoundError: No module named 'shop'", severity="ERROR")
    text, advice = commands(record)
    filled = (
        "gcloud run services update shop-api --region=europe-west1 --project=shop; describe shop-api-00042-abc; "
        "=LAST_GOOD_REVISION"
    )
    assert text == filled
    assert advice is not None
    assert advice.startswith(filled)


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "a; rm -rf /", "`x`", "$(id)", "-", "SHOP", "a b"])
def test_a_name_that_is_none_stays_out_of_commands(name: str) -> None:
    record = raw("ModuleNotFoundError: No module named 'shop'", severity="ERROR")
    record["resource"]["labels"]["service_name"] = name
    assert commands(record)[0].startswith("gcloud run services update SERVICE --region=europe-west1 ")


def test_what_two_services_share_is_named_for_neither() -> None:
    record, other = (raw("ModuleNotFoundError: No module named 'shop'", severity="ERROR", number=n) for n in (1, 2))
    other["resource"]["labels"]["service_name"] = "other-api"
    assert commands(record, other)[0].startswith("gcloud run services update SERVICE --region=europe-west1 ")


def test_a_job_is_no_service() -> None:
    record = raw("ModuleNotFoundError: No module named 'shop'", severity="ERROR")
    record["resource"] = {"type": "cloud_run_job", "labels": {"job_name": "nightly", "project_id": "shop"}}
    assert commands(record)[0].startswith("gcloud run jobs update nightly --region=REGION --project=shop")
