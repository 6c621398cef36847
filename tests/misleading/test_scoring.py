"""Does the scorer notice what is untrue? Each kind of fault is held against a report that has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from misleading.cases import Truth
from misleading.every_case import CASES
from misleading.scoring import NOTHING, Reading, Score, judge
from misleading.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURE = {
    "coverage": 0.9,
    "p_value": 0.001,
    "lift": 9.0,
    "thresholds": {"coverage": 0.8, "p_value": 0.05, "lift": 2.0},
}
TRUE = Truth(cause=("cause",), found=(("cause", "failure"),), never=("decoy",))


def cluster(name: str, *ids: str) -> dict[str, Any]:
    return {"id": name, "signature": name, "exemplars": [{"insert_id": one} for one in ids]}


def why(verdict: str, *ids: str, measure: dict[str, Any] | None = None) -> dict[str, Any]:
    refs = [{"insert_id": one} for one in ids]
    return {
        "ask": "What came before?",
        "verdict": verdict,
        "evidence": [{"kind": "linked", "count": 9, "refs": refs, "measure": measure or MEASURE}],
    }


def incident(root: str, verdict: str, *clusters: str, **more: Any) -> dict[str, Any]:
    return {"root_cluster": root, "verdict": verdict, "clusters": [root, *clusters]} | more


def reading(
    incidents: list[dict[str, Any]],
    *,
    links: Sequence[tuple[str, str]] = (),
    whys: Sequence[dict[str, Any]] = (),
    rivals: Sequence[dict[str, Any]] = (),
    text: str = "",
) -> Reading:
    """A report with a cluster of causes (c1, c2), one of decoys (d1) and one of failures (f1, f2)."""
    report = {
        "clusters": [cluster("named", "c1", "c2"), cluster("loud", "d1"), cluster("bad", "f1", "f2")],
        "links": [{"cause": a, "symptom": b, "explained": 9} for a, b in links],
        "findings": [{"cluster": "bad", "whys": list(whys), "rivals": list(rivals)}],
        "incidents": incidents,
    }
    parts = {"c1": "cause", "c2": "cause", "d1": "decoy", "f1": "failure", "f2": "failure"}
    return Reading(report, {"index.md": text}, parts)


def judged(given: Reading, truth: Truth = TRUE) -> Score:
    return judge(CASES["deadlocks"], 1, given, truth)


RIGHT = reading([incident("named", "supported", "bad")], links=[("named", "bad")], whys=[why("supported", "c1", "f1")])


def test_a_report_that_is_right_has_no_complaint() -> None:
    assert list(judged(RIGHT).complaints()) == []
    assert judged(RIGHT).claims == {("cause", "failure")}


def test_a_root_that_is_supported_and_linked_to_nothing_is_untrue() -> None:
    assert judged(reading([incident("loud", "supported", "bad")])).untrue == [("decoy", NOTHING)]


def test_the_effect_that_an_incident_names_is_its_claim() -> None:
    named = incident("loud", "supported", "bad", effect={"cluster": "bad"})
    assert judged(reading([named], links=[("loud", "named")])).untrue == [("decoy", "failure")]


@pytest.mark.parametrize("verdict", ["plausible", "contested", "no evidence"])
def test_only_supported_is_a_claim(verdict: str) -> None:
    weak = reading([incident("named", verdict, "bad")], links=[("named", "bad")], whys=[why(verdict, "c1", "f1")])
    assert judged(weak).claims == set()
    assert judged(weak).missed == [("cause", "failure")]


def test_a_why_claims_the_links_whose_entries_it_cites() -> None:
    both = [("named", "bad"), ("loud", "bad")]
    assert judged(reading([], links=both, whys=[why("supported", "d1", "f2")])).untrue == [("decoy", "failure")]


def test_evidence_that_its_own_figures_rule_out_is_no_claim() -> None:
    chance = why("supported", "d1", "f2", measure=MEASURE | {"p_value": 0.6})
    assert judged(reading([], links=[("loud", "bad")], whys=[chance])).claims == set()


@pytest.mark.parametrize(("coverage", "untrue"), [(0.9, [("decoy", "failure")]), (0.4, [])])
def test_further_evidence_is_a_claim_where_it_would_do_alone(coverage: float, untrue: list[tuple[str, str]]) -> None:
    given = why("supported", "c1", "f1")
    given["evidence"] += why("supported", "d1", "f2", measure=MEASURE | {"coverage": coverage})["evidence"]
    assert judged(reading([], links=[("named", "bad"), ("loud", "bad")], whys=[given])).untrue == untrue


def test_another_explanation_that_is_supported_is_a_claim() -> None:
    rival = {"signature": "loud", "verdict": "supported"}
    assert judged(reading([], links=[("loud", "bad")], rivals=[rival])).untrue == [("decoy", "failure")]


@pytest.mark.parametrize(
    ("root", "others", "misleads", "first"),
    [
        ("named", ("bad",), False, True),
        ("bad", (), False, False),
        ("loud", ("bad",), True, False),
        ("loud", (), True, False),
    ],
)
def test_what_leads_is_judged(root: str, others: tuple[str, ...], misleads: bool, first: bool) -> None:  # noqa: FBT001
    score = judged(reading([incident(root, "plausible", *others)]))
    assert (score.misleads, score.is_first) == (misleads, first)


def test_a_failure_of_its_own_may_lead_unless_it_harms_nobody_or_takes_the_effect_with_it() -> None:
    truth = replace(TRUE, never=())
    assert not judged(reading([incident("loud", "plausible")]), truth).misleads
    assert judged(reading([incident("loud", "plausible", "bad")]), truth).misleads


def test_words_counts_and_refutations_are_faults() -> None:
    refuted = {"signature": "loud", "verdict": "refuted"}
    given = reading([], links=[("named", "bad")], rivals=[refuted], text="a line\nEvery instance DIES.\n")
    truth = replace(TRUE, words=("instance dies",), most={("cause", "failure"): 8}, refutes=False)
    assert judged(given, truth).faults == (
        "cause → failure explains 9, at most 8",
        "said: Every instance DIES.",
        "refuted: loud",
    )


def test_one_thing_leads_one_incident() -> None:
    two = reading([incident("named", "plausible"), incident("named", "plausible")])
    assert judged(two, replace(TRUE, once="cause")).faults == ("cause leads 2 incidents",)


def test_figures_are_shares_of_what_was_claimed_asked_and_logged() -> None:
    wrong = judged(reading([incident("loud", "supported", "bad")], links=[("loud", "bad")]))
    tally = Tally([judged(RIGHT), wrong])
    assert (tally.precision, tally.first, tally.recall) == (0.5, 0.5, 0.5)
    assert tally.false_headlines == ["deadlocks-1"]
    assert "database | deadlocks | headline: cause or failure | headline: decoy | seeds 1" in tally.table()
