"""Each verdict by its own conditions, with the numbers that it rests on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from support.builders import START, query, raw, raws, request, rule

from forensics.model import (
    DEFAULT_THRESHOLDS,
    Explains,
    Finding,
    Leaf,
    LeafOp,
    Nanoseconds,
    Report,
    Rival,
    Role,
    Rule,
    RulebookInfo,
    RuleTests,
    Thresholds,
    Verdict,
    Why,
    WhyRule,
)
from forensics.pipeline import analyze
from forensics.text.timestamps import parse_time

SECOND = 1_000_000_000
Record = dict[str, Any]
SYSTEM = {"logName": "projects/shop/logs/run.googleapis.com%2Fvarlog%2Fsystem", "severity": "ERROR"}


def says(text: str) -> Leaf:
    return Leaf(path="message", op=LeafOp.CONTAINS, value=text)


def explains(*names: str) -> tuple[Explains, ...]:
    return tuple(Explains(signature=name, within=Nanoseconds(2 * SECOND)) for name in names)


FAILED = rule(
    "failed", Leaf(path="httpRequest.status", op=LeafOp.AT_LEAST, value=500), Role.SYMPTOM, rivals=("gone", "slow")
)
SLOW = rule("slow", says("too slow"), explains=explains("failed"))
MEMORY = rule("memory", says("out of memory"), explains=explains("failed"))


def rules(thresholds: Thresholds = DEFAULT_THRESHOLDS, memory: Rule = MEMORY) -> list[Rule]:
    asked = WhyRule(ask="Why did requests fail?", evidence_kind="linked", evidence="failed", thresholds=thresholds)
    gone = rule("gone", says("database gone"), explains=explains("failed"), whys=(asked,), rivals=("slow", "memory"))
    return [gone, SLOW, memory, FAILED]


def hour(failed: set[int], said: dict[str, set[int]], count: int = 100) -> list[Record]:
    """Requests of an hour: which of them fail, and in which of them what is said."""
    records = [raw("begins", at=0.0), raw("goes on", at=3600.0)]
    for number in range(count):
        at = 10 + number * 31.0 + (number % 7) * 2.3
        records.append(request(500 if number in failed else 200, at=at, latency=0.05, number=number))
        for place, (text, where) in enumerate(said.items(), 1):
            if number in where:
                records.append(raw(text, at=at + 0.04, severity="ERROR", number=number + 1000 * place))
    return records


def found(*records: Record, using: list[Rule] | None = None, signature: str = "gone") -> tuple[Report, Finding]:
    info = RulebookInfo(count=0, folders=(), overridden=())
    report = analyze(raws(*records), using or rules(), query(), rulebook=info, tool_version="test").report
    of = next(c.id for c in report.clusters if c.signature == signature)
    return report, next(f for f in report.findings if f.cluster == of)


def why(*records: Record, using: list[Rule] | None = None) -> Why:
    return found(*records, using=using)[1].whys[0]


def rival(name: str, *records: Record, using: list[Rule] | None = None) -> Rival:
    return next(r for r in found(*records, using=using)[1].rivals if r.signature == name)


BAD = {n for n in range(100) if n % 9 == 4}


def again(step: Why) -> Verdict:
    """Judge again by the numbers that stand in the report, as a reader can."""
    measure = step.evidence[0].measure
    assert measure is not None
    enough = measure.coverage >= measure.thresholds.coverage
    if measure.p_value is None or measure.lift is None:
        told = measure.by != "revision"
    else:
        told = measure.p_value <= measure.thresholds.p_value and measure.lift >= measure.thresholds.lift
    return Verdict.SUPPORTED if enough and told else Verdict.PLAUSIBLE


def test_supported_when_the_thresholds_are_met_and_no_rival_meets_them() -> None:
    step = why(*hour(BAD, {"database gone": BAD}))
    assert step.verdict is Verdict.SUPPORTED is again(step)
    measure = step.evidence[0].measure
    assert measure is not None
    assert measure.p_value is not None
    assert (measure.coverage, measure.by, measure.thresholds) == (1.0, "instance", Thresholds())


def test_contested_when_a_rival_meets_them_too_and_both_are_printed() -> None:
    records = hour(BAD, {"database gone": BAD, "too slow": BAD})
    step = why(*records)
    assert step.verdict is Verdict.CONTESTED
    assert [e.values["cause"].split("-")[0] for e in step.evidence] == ["gone", "slow"]
    assert all(e.measure is not None and e.measure.p_value is not None for e in step.evidence)
    assert rival("slow", *records).verdict is Verdict.CONTESTED


def test_a_rival_that_stands_beside_every_request_contests_nothing() -> None:
    records = hour(BAD, {"database gone": BAD, "too slow": set(range(100))})
    assert why(*records).verdict is Verdict.SUPPORTED
    other = rival("slow", *records)
    assert other.verdict is Verdict.NO_EVIDENCE
    assert other.measure is not None
    assert (other.measure.coverage, other.measure.p_value) == (1.0, 1.0)


def test_a_cited_pair_stands_in_the_window_of_its_link() -> None:
    """Of failures that the same words follow minutes later, or not at all, none is cited beside them."""
    records = hour(BAD, {"database gone": BAD - {min(BAD)}})
    at = 10 + min(BAD) * 31.0 + (min(BAD) % 7) * 2.3
    records.append(raw("database gone", at=at + 12.0, severity="ERROR", number=7_000))
    report, finding = found(*records)
    cited = [ref for evidence in finding.whys[0].evidence for ref in evidence.refs]
    pairs = [*zip(cited[::2], cited[1::2], strict=True), *(tuple(step.refs) for step in finding.steps)]
    assert len(pairs) >= 3
    (link,) = report.links
    for cause, symptom in pairs:
        end = parse_time(symptom.timestamp) + 50_000_000
        assert end - link.within * SECOND <= parse_time(cause.timestamp) <= end + 250_000_000


def test_plausible_below_the_threshold_of_coverage() -> None:
    step = why(*hour(BAD, {"database gone": {n for n in BAD if n % 2}}))
    assert step.verdict is Verdict.PLAUSIBLE is again(step)


def test_no_evidence_when_it_stands_there_as_often_without_a_failure() -> None:
    step = why(*hour(BAD, {"database gone": set(range(100))}))
    assert step.verdict is Verdict.NO_EVIDENCE


def test_a_rule_may_ask_for_less_or_for_more() -> None:
    half = hour(BAD, {"database gone": {n for n in BAD if n % 2}})
    less = why(*half, using=rules(Thresholds(coverage=0.4)))
    assert less.verdict is Verdict.SUPPORTED is again(less)
    more = why(*hour(BAD, {"database gone": BAD}), using=rules(Thresholds(p_value=0.001)))
    assert more.verdict is Verdict.PLAUSIBLE is again(more)
    farther = why(*hour(BAD, {"database gone": BAD}), using=rules(Thresholds(lift=200.0)))
    assert farther.verdict is Verdict.PLAUSIBLE is again(farther)


def test_plausible_when_it_is_hardly_more_frequent_before_failures_however_small_its_p_is() -> None:
    often = BAD | {n for n in range(100) if n * n % 11 < 5}
    step = why(*hour(BAD, {"database gone": often}))
    measure = step.evidence[0].measure
    assert measure is not None
    assert measure.p_value is not None
    assert measure.lift is not None
    assert (measure.p_value <= 0.05, 1 < measure.lift < 2) == (True, True)
    assert step.verdict is Verdict.PLAUSIBLE is again(step)


ELSEWHERE = {n for n in range(100) if n % 9 == 0}


def test_refuted_when_it_is_never_there_and_would_have_been_seen() -> None:
    step = why(*hour(BAD, {"database gone": ELSEWHERE}))
    assert (step.verdict, step.answer) == (Verdict.REFUTED, None)
    certificate = step.evidence[0].certificate
    assert certificate is not None
    assert (certificate.windows, certificate.lacks) == (len(BAD), ())
    assert any("application's log is here" in fact for fact in certificate.facts)


@pytest.mark.parametrize(
    ("records", "lack"),
    [
        (hour({40, 70}, {"database gone": ELSEWHERE}), "too few"),
        ([*hour(BAD, {"database gone": ELSEWHERE}), raw(at=5.0, number=7777)], "no payload"),
        (
            [r for r in hour(BAD, {"database gone": ELSEWHERE}) if r.get("severity") in {"ERROR", "WARNING"}],
            "severity WARNING",
        ),
    ],
)
def test_nothing_is_refuted_without_a_certificate(records: list[Record], lack: str) -> None:
    step = why(*records)
    certificate = step.evidence[0].certificate
    assert step.verdict is Verdict.NO_EVIDENCE
    assert certificate is not None
    assert any(lack in said for said in certificate.lacks), certificate.lacks


def test_a_cut_export_refutes_nothing() -> None:
    records = hour(BAD, {"database gone": ELSEWHERE})
    fill = [raw("chatter", at=3000 + n / 10, number=9000 + n) for n in range(500 - len(records))]
    step = why(*records, *fill)
    assert step.verdict is Verdict.NO_EVIDENCE
    assert step.evidence[0].certificate is not None
    assert any("500 entries" in lack for lack in step.evidence[0].certificate.lacks)


def test_a_gap_before_a_failure_refutes_nothing() -> None:
    chatter = [raw("chatter", at=n * 7.0 + 0.1, number=9000 + n) for n in range(500)]
    records = [*hour(BAD, {"database gone": ELSEWHERE}), *chatter]
    silent = [r for r in records if not "10:10" < r["timestamp"][11:16] < "10:40"]
    just_after = min(r["timestamp"] for r in silent if r["timestamp"][11:16] >= "10:40")
    at = parse_time(just_after) - START
    step = why(*silent, request(500, at=at / SECOND - 0.5, latency=0.05, number=8000))
    assert step.verdict is Verdict.NO_EVIDENCE
    assert step.evidence[0].certificate is not None
    assert any("gap" in lack for lack in step.evidence[0].certificate.lacks)


def test_an_absent_rival_is_refuted_where_it_would_have_shown() -> None:
    other = rival("slow", *hour(BAD, {"database gone": BAD}))
    assert (other.verdict, other.entries) == (Verdict.REFUTED, 0)
    assert other.certificate is not None
    assert other.certificate.windows == len(BAD)
    assert other.statement.endswith("which would have shown it")


def test_an_absent_rival_is_not_refuted_where_its_log_is_absent() -> None:
    platforms = replace(MEMORY, tests=RuleTests(match=(SYSTEM,), no_match=()))
    other = rival("memory", *hour(BAD, {"database gone": BAD}), using=rules(memory=platforms))
    assert other.verdict is Verdict.NO_EVIDENCE
    assert other.certificate is not None
    assert "the system log is absent" in other.certificate.lacks


def test_a_rival_of_a_symptom_is_measured_against_what_owns_it() -> None:
    _, finding = found(*hour(BAD, {"database gone": BAD}), signature="failed")
    verdicts = {r.signature: r.verdict for r in finding.rivals}
    assert verdicts == {"gone": Verdict.SUPPORTED, "slow": Verdict.REFUTED}


def test_whatever_is_refuted_has_a_certificate() -> None:
    for said in ({"database gone": BAD}, {"database gone": ELSEWHERE}, {"database gone": BAD, "too slow": BAD}):
        report, _ = found(*hour(BAD, said))
        proofs = [e for f in report.findings for w in f.whys if w.verdict is Verdict.REFUTED for e in w.evidence]
        held = [x.certificate for x in proofs]
        held += [r.certificate for f in report.findings for r in f.rivals if r.verdict is Verdict.REFUTED]
        assert held
        assert all(certificate is not None and certificate.holds for certificate in held)


def test_a_rival_says_in_plain_words_why_it_does_or_does_not_explain() -> None:
    half = {n for n in BAD if n % 2}
    told = [
        rival("slow", *hour(BAD, said)).statement
        for said in (
            {"database gone": half, "too slow": BAD},
            {"database gone": BAD, "too slow": half},
            {"database gone": BAD, "too slow": set(range(100))},
            {"database gone": BAD, "too slow": BAD},
        )
    ]
    assert [one.split(":")[0] for one in told] == [
        "explains these entries as well",
        "explains too few of them",
        "may stand there by chance",
        "explains the same as well",
    ]
    assert all(f" of {len(BAD)} " in one and "lift " in one and "p = " in one for one in told)


@pytest.mark.parametrize(
    ("said", "asked", "statement"),
    [
        (("mine", "alpha"), ["alpha"], "`alpha` is in these entries, but no rule says how it and this belong together"),
        (
            ("mine", "alpha", "beta"),
            ["alpha", "beta"],
            "`alpha` and `beta` are in these entries, but no rule says how they and this belong together",
        ),
        (
            ("mine", "beta"),
            ["alpha", "beta"],
            "`beta` is in these entries, but no rule says how it and this belong together",
        ),
        (("mine",), ["alpha"], "`alpha` is not in these entries"),
        (("mine",), ["alpha", "beta"], "neither `alpha` nor `beta` is in these entries"),
        (("mine",), ["alpha", "beta", "gamma"], "none of `alpha`, `beta` and `gamma` is in these entries"),
    ],
)
def test_what_is_not_joined_is_told_in_number_and_sense(
    said: tuple[str, ...], asked: list[str], statement: str
) -> None:
    whys = (WhyRule(ask="Why?", evidence_kind="linked", evidence=tuple(asked)),)
    using = [rule(name, says(name)) for name in ("alpha", "beta", "gamma")] + [rule("mine", says("mine"), whys=whys)]
    records = [raw(f"{word} happened", at=60.0 * n, number=n, severity="ERROR") for n, word in enumerate(said)]
    _, finding = found(*records, using=using, signature="mine")
    assert finding.whys[0].evidence[0].statement == statement
