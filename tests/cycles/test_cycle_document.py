"""The document of a cycle where something is missing, and where a log or a person is hostile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace
from support.comparisons import runs
from support.cycles import recorded, report

from forensics.cli.screens.cycle_screen import claim_lines
from forensics.cli.screens.rich_cycles import print_table
from forensics.cycles import history
from forensics.model import OccurrenceUnit
from forensics.rendering import render_cycle as render_documents
from forensics.rendering.cycle_documents import rate_bars

if TYPE_CHECKING:
    import pytest

    from forensics.model import Cycle

HOSTILE = "{{ 7*7 }} <script>alert(1)</script> | [x](https://evil.example) \x1b[31m"


def render_cycle(cycle: Cycle) -> str:
    [(name, text)] = render_documents(cycle)
    assert name == f"cycle-{cycle.number:04d}.md"
    return text


def test_what_was_not_given_is_said() -> None:
    document = render_cycle(recorded(report(1, {"oom": 3}), (), environment=""))
    for said in (
        "**Environment** not said",
        "**Focus** not said",
        "nothing: it is the first of its service and environment",
        "There is no cycle before to compare with.",
        "No results were given (`--tests junit.xml`)",
        "whether anything is new cannot be told",
        "No entry of the audit log about this revision",
        "The settings name no capability",
        "`forensics cycle record --revision NEXT --tests junit.xml`\n",
    ):
        assert said in document


def test_a_cycle_without_failures_says_what_was_seen_and_no_more() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    second = recorded(report(2, {}, tests=runs({"test_a": (3, 0)})), (first,))
    document = render_cycle(second)
    assert ": gone, resolved: the old rate would have shown 30" in document
    assert "3 of 3 passed (100 %, 95 % interval 29 % – 100 %)" in document
    assert "No incident, so nothing to ask." in document
    needed = second.claims[0].query.needed
    assert needed is not None
    assert needed >= 100
    assert f"oom gone: none is seen in at least {needed} requests" in document


def test_a_module_in_which_no_test_ran_has_no_rate() -> None:
    cycle = recorded(report(1, {}, tests=runs({}, not_run=2)), ())
    assert "| all tests | no test ran | 0 | 0 | 0 | 2 |" in render_cycle(cycle)


def test_hostile_words_are_only_words() -> None:
    found = report(1, {"oom": 3})
    cluster = replace(found.clusters[0], signature=None, title=HOSTILE, unit=OccurrenceUnit.BURST)
    found = replace(found, clusters=(cluster,), headline=HOSTILE)
    cycle = recorded(found, (), f"{cluster.fingerprint} gone", environment=HOSTILE)
    document = render_cycle(replace(cycle, focus=HOSTILE))
    prose = re.sub(r"`[^`\n]*`", "", document)  # in code nothing is markup
    assert "<script>" not in prose
    assert "](https://evil" not in prose
    assert "\x1b" not in document
    assert "{{ 7\\*7 }}" in document
    assert "\x1b" not in "".join(claim_lines(cycle.claims))


def test_a_module_that_no_cycle_saw_is_a_dot_and_an_unknown_rate_a_question_mark() -> None:
    assert rate_bars([(0, 10), (1, None), (5, 10), (10, 10)]) == "·?▄█"
    assert rate_bars([(0, 10)]) == "·"


def test_history_follows_signatures_through_cycles_without_noise() -> None:
    first = recorded(report(1, {"oom": 30}), ())
    second = recorded(report(2, {"close": 3}, exposure=None), (first,))
    rows = {row.name: row.counts for row in history((first, second))}
    assert rows == {"oom": ((30, 1000), (0, None)), "close": ((0, 1000), (3, None))}


def test_a_terminal_shows_the_same_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("state", "claim"), [("refuted", "oom gone [bold]")])
    assert "oom gone [bold]" in capsys.readouterr().out
