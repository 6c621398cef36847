"""Scripted incidents with known truth: is the root cause named first, and is every why judged as an expert would?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from incidents.checker import check
from incidents.runner import (
    SCENARIOS,
    Report,
    analysed,
    clusters_called,
    first_root,
    mostly_slow,
    rulebook,
    run,
    verdicts_of,
)
from incidents.traps import NOISES

from forensics.model import FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.scenario import Expected, Scenario

RIGHT_AT_LEAST = 0.95
SEEDS = 12
PLACES = {
    "SERVICE": "service_name",
    "REVISION": "revision_name",
    "REGION": "location",
    "PROJECT": "project_id",
    "JOB": "job_name",
}
"""Words that a command may hold for a name, with the label that tells it."""
EVERY = pytest.mark.parametrize("name", mostly_slow(SCENARIOS))


def is_right_root(scenario: Scenario, report: Report | None = None) -> bool:
    found = first_root(report or run(scenario.name).report)
    return found in scenario.truth.root.split("|") if scenario.truth.root else found is None


def judged(scenario: Scenario, expected: Expected) -> set[str]:
    return verdicts_of(run(scenario.name).report, expected)


def is_right_verdict(scenario: Scenario, expected: Expected, report: Report | None = None) -> bool:
    found = verdicts_of(report, expected) if report else judged(scenario, expected)
    return bool(found) and found <= set(expected.verdicts)


@pytest.mark.slow
def test_the_root_cause_is_ranked_first() -> None:
    wrong = [
        f"{one.name}: {one.truth.root} expected, {first_root(run(one.name).report)} found"
        for one in SCENARIOS.values()
        if not is_right_root(one)
    ]
    print(f"root cause ranked first in {len(SCENARIOS) - len(wrong)} of {len(SCENARIOS)}", *wrong, sep="\n")  # noqa: T201
    assert 1 - len(wrong) / len(SCENARIOS) >= RIGHT_AT_LEAST, wrong


@pytest.mark.slow
def test_whys_are_judged_as_an_expert_would() -> None:
    asked = [(one, expected) for one in SCENARIOS.values() for expected in one.truth.whys]
    wrong = [
        f"{one.name}: {expected.cluster}, {expected.ask!r}: "
        f"{' or '.join(expected.verdicts)} expected, {', '.join(sorted(judged(one, expected))) or 'not asked'} found"
        for one, expected in asked
        if not is_right_verdict(one, expected)
    ]
    print(f"right verdict in {len(asked) - len(wrong)} of {len(asked)}", *wrong, sep="\n")  # noqa: T201
    assert 1 - len(wrong) / len(asked) >= RIGHT_AT_LEAST, wrong


@EVERY
def test_the_root_and_each_verdict_are_right(name: str) -> None:
    """One by one, so that a known gap stays a failure with a name."""
    scenario = SCENARIOS[name]
    assert is_right_root(scenario), f"{scenario.truth.root} expected, {first_root(run(name).report)} found"
    wrong = {
        f"{expected.cluster}: {expected.ask}": sorted(judged(scenario, expected))
        for expected in scenario.truth.whys
        if not is_right_verdict(scenario, expected)
    }
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize("make", NOISES)
def test_noise_is_no_cause_by_any_luck(make: Callable[[str], Scenario]) -> None:
    """One draw in twenty has a p of 0.05, so that p alone would let a line that every request logs win now and then."""
    wrong = []
    for number in range(SEEDS):
        scenario = make(f"{make.__name__.replace('_', '-')}-{number}")
        report = analysed(scenario.records, scenario.revision, render=False).report
        judged_wrong = [one.ask for one in scenario.truth.whys if not is_right_verdict(scenario, one, report)]
        if judged_wrong or not is_right_root(scenario, report):
            wrong.append((number, first_root(report), judged_wrong))
    assert wrong == []


@EVERY
def test_links_and_counts_are_those_of_the_truth(name: str) -> None:
    report, truth = run(name).report, SCENARIOS[name].truth
    linked = dict.fromkeys(truth.explains, 0)
    for cause, symptom in truth.explains:
        causes = {cluster["id"] for cluster in clusters_called(report, cause)}
        symptoms = {cluster["id"] for cluster in clusters_called(report, symptom)}
        found = [x for x in report["links"] if x["cause"] in causes and x["symptom"] in symptoms]
        linked[cause, symptom] = sum(link["explained"] for link in found)
    assert linked == truth.explains
    counted = {called: sum(c["occurrences"] for c in clusters_called(report, called)) for called in truth.occurrences}
    assert counted == truth.occurrences
    if truth.incidents is not None:
        assert len(report["incidents"]) == truth.incidents, [incident["title"] for incident in report["incidents"]]


@EVERY
def test_documents_say_what_they_must_and_nothing_that_they_must_not(name: str) -> None:
    text = "\n".join(run(name).documents.values())
    truth = SCENARIOS[name].truth
    assert [sentence for sentence in truth.never if sentence in text] == []
    assert [sentence for sentence in truth.said if sentence not in text] == []


@EVERY
def test_no_command_leaves_a_name_to_the_reader_that_the_entries_tell(name: str) -> None:
    labels = [record["resource"]["labels"] for record in run(name).records]
    known = [word for word, label in PLACES.items() if any(of.get(label) for of in labels)]
    assert len(known) >= 2
    lines = [(file, line) for file, text in run(name).documents.items() for line in text.splitlines()]
    assert [(file, line) for file, line in lines if re.search(rf"\b({'|'.join(known)})\b", line)] == []


@EVERY
def test_every_sentence_is_carried_by_evidence(name: str) -> None:
    found = run(name)
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


@pytest.mark.slow
def test_every_class_of_failure_has_its_incident() -> None:
    seen = {cluster["class"] for name in SCENARIOS for cluster in run(name).report["clusters"]}
    assert {kind.value for kind in FailureClass} <= seen


def test_a_scenario_is_the_same_every_time_it_is_made() -> None:
    from incidents.traps import constant_noise  # noqa: PLC0415 - to make it a second time is the point

    assert constant_noise().records == SCENARIOS["constant-noise"].records
