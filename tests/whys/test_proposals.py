"""Proposed rule files: the rulebook accepts them, and they claim the entries that they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.builders import query, raw, raws

from forensics.pipeline import analyze, check_rules
from forensics.rendering import render_report
from forensics.rulebook import load_rules
from forensics.whys.proposals import escaped, propose_rule

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import Cluster, Report, Rule

RULES, INFO = load_rules()
TRACEBACK = """Traceback (most recent call last):
  File "/app/shop/ledger.py", line 41, in post_entry
    raise LedgerMismatch(text)
shop.ledger.LedgerMismatch: ledger {} does not add up"""


def report(records: list[dict[str, object]], rules: tuple[Rule, ...] = ()) -> Report:
    return analyze(raws(*records), (*RULES, *rules), query(), rulebook=INFO, tool_version="test").report


def loaded(folder: Path, text: str) -> tuple[Rule, ...]:
    """Write a proposal where the rulebook looks for rules, and load it with the shipped ones."""
    name = text.split("\n", 1)[0].removeprefix("id: ")
    (folder / f"{name}.yaml").write_text(text)
    rules, _ = load_rules([folder])
    return tuple(rule for rule in rules if rule.id == name)


def unknown(found: Report) -> Cluster:
    (cluster,) = [c for c in found.clusters if c.signature is None]
    return cluster


CASES = {
    "a line with a number": [raw(f"shard map of zone {n} is torn", at=n * 9, severity="ERROR") for n in range(4)],
    "one line": [raw("shard map is torn", severity="CRITICAL")],
    "a traceback": [raw(TRACEBACK.format(n), at=n * 9, severity="ERROR") for n in range(3)],
    "the level in the text": [raw("ERROR shard map is torn today", at=n * 9) for n in range(3)],
    "a pattern's own signs": [
        raw(f"map[{n}] (torn?) a.b*c+ ^$ | {{x}} \\d gone", at=n * 9, severity="ERROR") for n in range(3)
    ],
    "quotes and yaml": [
        raw(f"\"shard\": {{torn}} - 'it' #{n} & *x !y %z", at=n * 9, severity="ERROR") for n in range(3)
    ],
    "a secret": [raw(f"refused: password=hunter2 of shard {n}", at=n * 9, severity="ERROR") for n in range(3)],
    "another script": [raw(f"データベース接続が失われました {n}", at=n * 9, severity="ERROR") for n in range(3)],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(CASES))
def test_a_proposal_keeps_its_promises_and_claims_what_it_was_made_from(case: str, tmp_path: Path) -> None:
    before = report(CASES[case])
    cluster = unknown(before)
    (finding,) = [f for f in before.findings if f.cluster == cluster.id]
    assert finding.proposed_rule == propose_rule(cluster) != ""
    assert "hunter2" not in finding.proposed_rule
    rules = loaded(tmp_path, finding.proposed_rule)
    assert check_rules((*RULES, *rules)) == []
    after = report(CASES[case], rules)
    (named,) = [c for c in after.clusters if c.signature == rules[0].id]
    assert (named.entries, named.occurrences) == (cluster.entries, cluster.occurrences)


def test_words_that_any_error_has_are_no_rule() -> None:
    cut = 'Traceback (most recent call last):\n  File "/app/x.py", line 3, in main\n    run()'
    for text in (cut, "KeyError: 4711", "====", "12:13"):
        assert propose_rule(unknown(report([raw(text, severity="ERROR")]))) == "", text


def test_a_cluster_that_a_rule_knows_gets_none() -> None:
    found = report([raw("ModuleNotFoundError: No module named 'stripe'", severity="ERROR")])
    assert [f.proposed_rule for f in found.findings] == [""]


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=3))
def test_the_rulebook_accepts_whatever_a_log_says(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    found = report([raw(f"shard torn {text}", at=i * 9, severity="ERROR") for i, text in enumerate(texts)])
    for finding in found.findings:
        if finding.proposed_rule:
            loaded(tmp_path_factory.mktemp("rules"), finding.proposed_rule)


@given(st.text(max_size=40))
def test_escaped_text_is_a_pattern_for_itself(text: str) -> None:
    import re2  # noqa: PLC0415 - the engine of rules

    clean = text.encode("utf-8", "replace").decode()
    assert re2.fullmatch(escaped(clean), clean) is not None


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    (rule,) = loaded(tmp_path, propose_rule(unknown(report(CASES["one line"]))))
    assert (rule.version, rule.priority, len(rule.tests.match), len(rule.tests.no_match)) == (1, "P2", 2, 2)


@pytest.mark.slow
def test_the_document_ends_in_a_block_that_can_be_taken_as_a_file(tmp_path: Path) -> None:
    found = report(CASES["a traceback"])
    cluster = unknown(found)
    text = dict(render_report(found))[f"five-whys/{cluster.id}.md"]
    block = text.partition("```yaml\n")[2].partition("\n```")[0]
    assert "## " not in text.partition("```yaml\n")[2]
    (rule,) = loaded(tmp_path, block + "\n")
    assert check_rules((*RULES, rule)) == []
