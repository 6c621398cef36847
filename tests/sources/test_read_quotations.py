"""Entries that are quoted in Markdown or pasted into another text are read when that file was named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records

if TYPE_CHECKING:
    from pathlib import Path

A, B = ({"insertId": name, "timestamp": "2026-03-01T10:00:00Z", "textPayload": "```\nx {"} for name in "ab")
YAML = "---\ninsertId: a\ntextPayload: |-\n  x\ntimestamp: '2026-03-01T10:00:00Z'"
TABLE = "TIMESTAMP             SEVERITY  TEXT_PAYLOAD\n2026-03-01T10:00:00Z  ERROR     x"


def read(path: Path, content: str) -> tuple[list[dict[str, Any]], list[Unreadable]]:
    path.write_text(content)
    found = list(read_records([str(path)]))
    return [x.record for x in found if isinstance(x, RawEntry)], [x for x in found if isinstance(x, Unreadable)]


def block(text: str, info: str = "json", fence: str = "```", indent: str = "") -> str:
    lines = [f"{fence}{info}", *text.split("\n"), fence]
    return "Some words.\n\n" + "".join(f"{indent}{line}\n" for line in lines) + "\nMore words.\n"


@pytest.mark.parametrize(
    "text",
    [
        block(json.dumps([A, B], indent=2)),
        block(json.dumps(A, indent=2)) + block(json.dumps(B)),
        block(f"{json.dumps(A)}\n{json.dumps(B)}", "jsonl"),
        block(json.dumps(A, indent=2) + ",\n" + json.dumps(B, indent=2), ""),
        block(json.dumps({"entries": [A, B]}), "json", "~~~"),
        block(json.dumps([A, B], indent=2), "json", "````", "   "),
        block("gcloud logging read", "sh") + block(json.dumps([A, B])) + block('{"name": "insertId"}'),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_code_blocks_of_json(text: str, ends: str, tmp_path: Path) -> None:
    assert read(tmp_path / "report.md", ("# Report\n\n" + text).replace("\n", ends)) == ([A, B], [])
    assert read(tmp_path / "report.md", text.replace("\n", ends)) == ([A, B], [])


def test_code_blocks_of_yaml_and_tables_in_order(tmp_path: Path) -> None:
    text = block(YAML, "yaml") + block("kind: Service\nname: x", "yaml") + block(TABLE, "") + block(json.dumps(A))
    entries, problems = read(tmp_path / "report.md", "# Report\n" + text)
    assert problems == []
    assert [e["textPayload"] for e in entries] == ["x", "x", A["textPayload"]]
    assert [x.place.record for x in read_records([str(tmp_path / "report.md")])] == [5, 24, 32]


def test_a_broken_block_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    text = block('{"insertId": "a", "textPayload": ...}') + block(json.dumps(A))
    entries, (problem,) = read(tmp_path / "report.md", text)
    assert (entries, problem.place.record) == ([A], 4)


def test_a_block_that_is_never_closed(tmp_path: Path) -> None:
    assert read(tmp_path / "report.md", f"Words.\n```\n{json.dumps(A)}")[0] == [A]


def test_markdown_without_entries_is_no_log(tmp_path: Path) -> None:
    for text in ("# Report\n```json\n{}\n```\n", "# insertId\n```sh\nls\n```\n", "# insertId\n```\n"):
        with pytest.raises(SourceError, match="code blocks of Markdown"):
            read(tmp_path / "report.md", text)


PASTED = json.dumps(A, indent=2)


@pytest.mark.parametrize(
    "text",
    [
        f"const express = require('express');\n/*\n{PASTED}\n*/\napp.get('/', (q, r) => {{ r.send('x'); }});\n",
        f"const seen = {json.dumps(A)};\nconst app = express();\nconst x = {{ a: 1 }};\n",
        "package shop;\n/*\n" + "".join(f" * {line}\n" for line in PASTED.split("\n")) + " */\nclass X {}\n",
        "import os\n\n" + "".join(f"# {line}\n" for line in PASTED.split("\n")) + "\nx = {}\n",
        f"We saw this:\n\n{PASTED}\n\nand nothing else: {{really}}.\n",
        f'const wrong = {{"labels": {{"a": 1}}}};\nconst right = {PASTED};\n',
    ],
)
def test_an_entry_in_another_text(text: str, tmp_path: Path) -> None:
    assert read(tmp_path / "index.js", text) == ([A], [])


def test_a_pasted_entry_that_is_cut_is_told(tmp_path: Path) -> None:
    entries, (problem,) = read(tmp_path / "notes.txt", f"One:\n{PASTED}\nTwo:\n{PASTED[:60]}\n")
    assert (entries, problem.place.record) == ([A], 8)
    assert [x.place.record for x in read_records([str(tmp_path / "notes.txt")])] == [2, 8]


def test_quotations_are_read_only_where_the_file_was_named(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps(B))
    (tmp_path / "notes.txt").write_text(f"We saw this:\n\n{PASTED}\n\nand this.\n\n" + block(PASTED))
    (tmp_path / "report.md").write_text(block(PASTED))
    assert [x.record for x in read_records([str(tmp_path)]) if isinstance(x, RawEntry)] == [B]
    assert len(list(read_records([str(tmp_path / "report.md")]))) == 1


def test_a_glob_may_ask_for_markdown(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text(json.dumps(A))
    assert len(list(read_records([f"{tmp_path}/*.md"]))) == 1
