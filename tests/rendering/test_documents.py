"""Documents made from hostile logs: what a stranger writes into a log is never markup, a link, or a secret."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

import pytest
from markdown_it import MarkdownIt
from support.builders import query, raw, raws, request

from forensics.pipeline import analyze
from forensics.rendering import decode_report, encode_report, encode_rows, render_report
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from forensics.model import Report

EVIL = [
    "<script>alert(document.cookie)</script>",
    "[a bargain](https://evil.example/x) and ![](https://evil.example/pixel.png)",
    "| a | table | row |\n|---|---|---|\n# title",
    "``` \n</details><img src=x onerror=alert(1)>",
    "https://evil.example/login?next=1 www.evil.example me@evil.example",
    "\x1b]0;owned\x07\x1b[2J{{ 7*7 }}{% raw %}",
    "password=hunter2 Authorization: Bearer abcdefgh12345678",
    "=cmd|' /C calc'!A0",
]


class Written(NamedTuple):
    report: Report
    table: bytes
    """`entries.csv`"""


@pytest.fixture(scope="module")
def analysis() -> Written:
    rules, info = load_rules()
    records = [
        raw(f"ValueError: {text}", at=i * 3, severity="ERROR", instance=f"i{i}`|<b>") for i, text in enumerate(EVIL)
    ]
    records += [raw(text, at=100 + i, severity="ERROR", number=i) for i, text in enumerate(EVIL)]
    records += [
        raw(f"ModuleNotFoundError: No module named 'x{t}'", at=150 + i, severity="ERROR") for i, t in enumerate(EVIL)
    ]
    records += [request(500, at=200 + i, latency=0.1, path=f"/{text}", trace=text) for i, text in enumerate(EVIL)]
    records += [raw("=1+1", at=300, severity="ERROR", insert_id="=HYPERLINK(1)")]
    made = analyze(raws(*records), rules, query(), rulebook=info, tool_version="test")
    written = Written(made.report, b"".join(encode_rows(made.rows)))
    assert len([*csv.reader(io.StringIO(written.table.decode(), newline=""))]) == 1 + len(records)
    return written


def tokens(text: str) -> Iterator[Token]:
    for block in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        yield block
        yield from block.children or []


def test_no_document_holds_html_images_or_foreign_links(analysis: Written) -> None:
    references = {address for finding in analysis.report.findings for address in finding.references}
    for name, text in render_report(analysis.report):
        for token in tokens(text):
            assert token.type not in {"html_block", "html_inline", "image"}, (name, token.content)
            if token.type == "link_open":
                href = str(token.attrs["href"])
                ours = href.startswith(("https://console.cloud.google.com/logs/query;", "five-whys/", "postmortem.md"))
                assert ours or href in references, (name, href)


def test_no_table_is_torn(analysis: Written) -> None:
    for name, text in render_report(analysis.report):
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if line.startswith("|---"):
                width = line.count("|")
                for row in lines[number + 1 :]:
                    if not row.startswith("|"):
                        break
                    assert row.replace("\\|", "").count("|") == width, (name, row)


def test_no_secret_and_no_control_character_is_left(analysis: Written) -> None:
    texts = [text for _, text in render_report(analysis.report)]
    texts += [encode_report(analysis.report).decode(), analysis.table.decode()]
    for text in texts:
        assert "hunter2" not in text
        assert "abcdefgh12345678" not in text
        assert "me@evil.example" not in text
        assert "\x1b" not in text
        assert "\\u001b" not in text


def test_templates_in_a_log_are_not_run(analysis: Written) -> None:
    assert any("{{ 7*7 }}" in text for _, text in render_report(analysis.report))


def test_no_cell_is_a_formula(analysis: Written) -> None:
    for line in analysis.table.decode().splitlines():
        assert not any(cell.startswith(("=", "+", "@")) for cell in line.split(","))


def test_a_report_survives_the_way_through_json(analysis: Written) -> None:
    assert decode_report(encode_report(analysis.report), "report.json") == analysis.report
