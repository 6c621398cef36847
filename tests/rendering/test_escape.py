from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from forensics.rendering.escape import code, csv_cell, markdown, mermaid, terminal

_PARSER = MarkdownIt("gfm-like", {"linkify": False})
HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "| a | b |",
    "# not a title",
    "*bold* _it_ ~~gone~~",
    "1. one",
    "https://evil.example/a",
    "`code` and ``more``",
    "a\nb\r\n\x1b[31mred",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_stays_prose(text: str) -> None:
    kinds = {token.type for block in _PARSER.parse(markdown(text)) for token in (block.children or [])}
    blocks = {block.type for block in _PARSER.parse(markdown(text))}
    assert kinds <= {"text", "code_inline", "text_special"}
    assert blocks <= {"paragraph_open", "inline", "paragraph_close"}


@given(st.text(max_size=200))
def test_any_text_stays_prose(text: str) -> None:
    kinds = {token.type for block in _PARSER.parse("x " + markdown(text)) for token in (block.children or [])}
    assert kinds <= {"text", "code_inline", "text_special"}


@given(st.text(max_size=200))
def test_any_text_is_code_and_nothing_but_code(text: str) -> None:
    blocks = _PARSER.parse("| a |\n|---|\n| " + code(text) + " |\n")
    inline = [block for block in blocks if block.type == "inline"][1]
    kinds = {token.type for token in inline.children or [] if token.content.strip()}
    assert kinds <= {"code_inline"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_formula_does_not_reach_a_spreadsheet(text: str) -> None:
    assert not csv_cell(text).startswith(("=", "+", "-", "@"))


def test_a_terminal_is_not_steered() -> None:
    assert terminal("\x1b]0;owned\x07 ok\x9b31m") == "]0;owned ok31m"


def test_a_label_of_a_graph_closes_nothing() -> None:
    assert mermaid('x"] --> y[("z")]') == "x y z"
