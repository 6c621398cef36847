"""Ends of lives belong to the errors just before them, and the reason for which a job fails now leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from links.test_contests import INFO
from links.test_owners import says
from support.builders import query, raw, raws, rule

from forensics.model import Report, Role
from forensics.pipeline import analyze

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDED = rule("ended", says("called exit(1)"), Role.SYMPTOM)
SETTING, PASSWORD, ALWAYS = "setting SECRET is missing", "password holds a line end", "metrics are switched off"


def run(reasons: Sequence[Sequence[str]], before: float = 0.2) -> Report:
    """A life of ten seconds for each entry of `reasons`, which are logged just before it ends."""
    records = []
    for number, said in enumerate(reasons):
        end = 60.0 * number + 10 + number * number % 7 * 0.9
        records.append(raw("begins", at=end - 10, number=number, instance=f"i{number}"))
        for place, text in enumerate(said):
            at = end - before - 0.05 * place
            records.append(raw(text, at=at, severity="ERROR", number=100 + number + 50 * place, instance=f"i{number}"))
        records.append(
            raw(
                "Container called exit(1).", at=end, stream="varlog%2Fsystem", severity="WARNING", instance=f"i{number}"
            )
        )
    return analyze(raws(*records), [ENDED], query(), rulebook=INFO, tool_version="test").report


def links_of(report: Report) -> dict[str, tuple[int, int, int]]:
    said = {cluster.id: cluster.title for cluster in report.clusters}
    return {said[link.cause]: (link.explained, link.of, link.given_away) for link in report.links}


def test_two_reasons_in_turn_have_ends_of_their_own_and_the_present_one_leads() -> None:
    report = run([[SETTING]] * 4 + [[PASSWORD]] * 7)
    assert links_of(report) == {SETTING: (4, 4, 7), PASSWORD: (7, 7, 4)}
    assert [one.verdict for one in report.incidents] == ["supported", "supported"]
    roots = {cluster.id: cluster.title for cluster in report.clusters}
    assert [roots[one.root_cluster] for one in report.incidents] == [PASSWORD, SETTING]


def test_what_stands_behind_the_cause_of_the_same_end_takes_no_turn() -> None:
    report = run([[PASSWORD, ALWAYS]] * 2)
    roots = {cluster.id: cluster.title for cluster in report.clusters}
    assert roots[report.incidents[0].root_cluster] == PASSWORD


def test_a_reason_that_comes_again_is_not_over() -> None:
    report = run([[SETTING]] * 6 + [[PASSWORD]] * 4 + [[SETTING]])
    roots = {cluster.id: cluster.title for cluster in report.clusters}
    assert roots[report.incidents[0].root_cluster] == SETTING


def test_what_stands_before_most_ends_divides_nothing() -> None:
    reasons = [[ALWAYS, SETTING] if number % 4 == 0 else [ALWAYS] for number in range(12)]
    assert links_of(run(reasons))[ALWAYS] == (12, 12, 0)
    assert SETTING not in links_of(run(reasons))


@pytest.mark.parametrize(("before", "own"), [(4.9, True), (5.1, False)])
def test_only_the_last_seconds_of_a_life_count(before: float, *, own: bool) -> None:
    assert (PASSWORD in links_of(run([[SETTING]] * 4 + [[PASSWORD]] * 7, before))) is own
