"""One message as long as Cloud Logging takes them, of whatever it consists, costs no more than its length."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from support.builders import query, raw
from test_linear_patterns import FRAGMENTS, FULL

from forensics.pipeline import analyze
from forensics.rendering import encode_report, encode_rows, encode_tables, render_report
from forensics.rulebook import load_rules
from forensics.sources import read_records

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

RULES, INFO = load_rules()
LENGTH = 200_000
# The others are tried where time is: `FORENSICS_PUMPED=full`.
SOME = ("a", ".", " ", "\n", "[", '"', "a.", "a/", "a=1 ", "\x1b[31m", "eyJa.", "password=", "a.BError: ", "…")
TRIED = FRAGMENTS if FULL else SOME
BEGINS = ("", 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: ')


def seconds(folder: Path, *records: dict[str, Any]) -> float:
    """Return the CPU seconds from the file to the documents."""
    log = folder / "log.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    begun = time.process_time()
    found = analyze(read_records((str(log),)), RULES, query("all"), rulebook=INFO, tool_version="test")
    assert found.report.coverage.entries_read == len(records)
    encode_report(found.report)
    encode_tables(found.report, "csv")
    assert list(render_report(found.report))
    assert list(encode_rows(found.rows))
    return time.process_time() - begun


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have rules and templates made ready once, which is no matter of any message."""
    seconds(tmp_path_factory.mktemp("warm"), raw("ERROR boom", severity="ERROR"))


def test_lines_of_dots_end(tmp_path: Path) -> None:
    dots = [f"{'.' * length} [ {part}%]" for part, length in enumerate((8, 30, 60, 72, 100, 1_000), 10)]
    lines = [raw(text, at=number / 100_000, number=number) for number, text in enumerate(("tests", *dots), 1)]
    assert seconds(tmp_path, raw("ERROR tests failed", severity="ERROR"), *lines) < 0.5


@pytest.mark.parametrize("begin", BEGINS, ids=("plain", "exception"))
@pytest.mark.parametrize("body", TRIED)
def test_a_long_message_costs_its_length(tmp_path: Path, body: str, begin: str) -> None:
    head = raw("ERROR boom", severity="ERROR")
    text = begin + body * (LENGTH // len(body))
    bare = raw(text, severity="ERROR", number=1, at=0.000_01)
    told = raw(severity="ERROR", number=2, at=5.0, jsonPayload={"message": text, "stack": text})
    assert min(seconds(tmp_path, head, bare, told) for _ in range(2)) < 2.0
