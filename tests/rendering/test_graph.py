"""Graphs and blocks of code: nothing that a log says can end them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt
from support.builders import query, raw, raws

from forensics.pipeline import analyze
from forensics.rendering import decode_report, encode_report, render_report
from forensics.rendering.escape import fence, mermaid
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Report

RULES, INFO = load_rules()
EVIL = 'x"] --> evil["y"]; click n1 href "https://evil.example" %%{init: {}}%% #quot; <b> ``` end &lt; `z`'
NODE = re.compile(r'    n\d+\["[^"\[\]`#;%<>&{}|\\]+"\]')
ARROW = re.compile(r'    n\d+ -- "\d+ of \d+(, [^"\[\]`#;%<>&{}|\\]+)?" --> n\d+')


def report(*texts: str) -> Report:
    """Analyse instances that log a text and end."""
    records = []
    for number in range(4):
        at, instance = number * 20.0, f"i{number}"
        records += [raw(text, at=at + 1 + i / 10, severity="ERROR", instance=instance) for i, text in enumerate(texts)]
        records.append(
            raw("Container called exit(3).", at=at + 2, severity="WARNING", instance=instance)
            | {"logName": "projects/shop/logs/run.googleapis.com%2Fvarlog%2Fsystem"}
        )
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test").report


def graphs(found: Report) -> list[str]:
    texts = [text for _, text in render_report(found)]
    blocks = [token for text in texts for token in MarkdownIt().parse(text) if token.type == "fence"]
    return [token.content for token in blocks if token.info == "mermaid"]


def test_a_graph_has_nodes_and_arrows_with_share_and_lag() -> None:
    drawn = graphs(report("Traceback (most recent call last):\nshop.LedgerError: no ledger"))
    assert drawn
    assert drawn[0].startswith("flowchart TD\n")
    assert '-- "4 of 4, 1 s" -->' in drawn[0].replace("1.0 s", "1 s")


@pytest.mark.parametrize("text", [EVIL, f"shop.LedgerError: {EVIL}", "end", "subgraph x", "```\nflowchart"])
def test_hostile_words_stay_inside_their_label(text: str) -> None:
    drawn = graphs(report(text))
    assert drawn
    for graph in drawn:
        head, *lines = graph.rstrip("\n").split("\n")
        assert head == "flowchart TD"
        assert all(NODE.fullmatch(line) or ARROW.fullmatch(line) for line in lines), graph


@given(st.text())
def test_a_label_never_ends_its_quotes(text: str) -> None:
    label = mermaid(text)
    assert label
    assert not set(label) & set('"[]{}()<>`#;%&|\\\n')
    assert "--" not in label


@given(st.text())
def test_a_block_of_code_ends_where_it_ends(text: str) -> None:
    tokens = MarkdownIt().parse(f"before\n\n{fence(text, 'yaml')}\n\nafter\n")
    kinds = [token.type for token in tokens]
    assert kinds == [
        "paragraph_open",
        "inline",
        "paragraph_close",
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]


def test_a_report_of_an_older_version_still_renders() -> None:
    """Fields that came later are optional: yesterday's report is tomorrow's baseline."""
    import json  # noqa: PLC0415 - beside its one use

    later = {
        "entries_each", "life", "lives", "raised", "raised_in", "out_of_order", "steps", "query", "proposed_rule",
        "postmortems", "clock", "about", "traffic",
    }  # fmt: skip

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: strip(part)
                for key, part in value.items()
                if key not in later or (isinstance(part, dict) and "revision" in part)
            }
        return [strip(part) for part in value] if isinstance(value, list) else value

    found = report("shard map is torn")
    old = json.dumps(strip(json.loads(encode_report(found)))).encode()
    documents = dict(render_report(decode_report(old, "report.json")))
    assert len(documents) == len(dict(render_report(found)))
    assert "The effect on users cannot be told" in documents["postmortem.md"]
