"""`forensics rules explain`, run as a user runs it: on a file, on standard input, and by an insertId."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from support.builders import raw
from support.program import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "samples" / "module-missing-crash-loop" / "logs"
CRASH = "69087201000beecaa274f2b1"
"""The first line of a traceback that Cloud Run split into 17 entries."""

RULE = """\
id: ledger-lost
version: 1
title: The ledger is lost
class: other
role: cause
priority: P1
match:
  all:
    - message: {contains: ledger lost}
    - level: {at_least: ERROR}
tests:
  match:
    - {severity: ERROR, textPayload: ledger lost}
    - {severity: CRITICAL, textPayload: the ledger lost}
  no_match:
    - {severity: ERROR, textPayload: ledger found}
    - {severity: INFO, textPayload: ledger lost}
"""


def explain(*arguments: str, cwd: Path = ROOT, stdin: str = "") -> str:
    code, out, err = run(*arguments, cwd=cwd, stdin=stdin)
    assert (code, err) == (0, ""), (code, err)
    return out


def run(*arguments: str, cwd: Path = ROOT, stdin: str = "") -> tuple[int, str, str]:
    command = [sys.executable, "-m", "forensics", "rules", "explain", *arguments]
    done = subprocess.run(command, cwd=cwd, input=stdin.encode(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def refusal(*arguments: str, cwd: Path = ROOT, stdin: str = "") -> str:
    code, out, err = run(*arguments, cwd=cwd, stdin=stdin)
    assert (code, out) == (2, "")
    assert err.startswith("forensics: ")
    assert err.count("\n") == 1
    return err


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a rule and logs of its own."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ledger-lost.yaml").write_text(RULE)
    return tmp_path


def test_an_entry_of_a_sample_is_explained_by_its_insert_id() -> None:
    out = explain(CRASH, "--logs", str(SAMPLE))
    assert "(one message, joined from 17 entries)" in out
    assert "python-module-missing (cause, import_error, P0)\n    primary: the only rule that matches" in out
    assert "by: No module named 'billing.exports.pdf'" in out
    assert "captures module = billing.exports.pdf" in out
    assert max(map(cell_len, out.splitlines())) <= 80


def test_json_says_the_same() -> None:
    (found,) = json.loads(explain(CRASH, "--logs", str(SAMPLE), "--json"))
    (match,) = found["matches"]
    assert (found["pieces"], match["rule"], match["priority"]) == (17, "python-module-missing", "P0")
    assert [one["words"] for one in match["matched_on"]] == ["ERROR", "No module named 'billing.exports.pdf'"]


def test_logs_of_the_settings_are_searched(tmp_path: Path) -> None:
    (tmp_path / "forensics.toml").write_text(f"logs = [{json.dumps(str(SAMPLE))}]\n")
    assert "python-module-missing" in explain(CRASH, cwd=tmp_path)


def test_all_entries_of_a_file_are_explained(own: Path) -> None:
    records = [raw("ledger lost", severity="ERROR"), raw("ledger lost", at=9, severity="INFO"), raw("fine", at=18)]
    (own / "entries.json").write_text(json.dumps(records))
    first, second, third = explain("entries.json", "--rules", "rules", cwd=own).split("\n\n2026-")
    assert "1 rule matches:\n  ledger-lost (cause, other, P1)" in first
    assert "No rule matches." in second
    assert "✗ level is at least ERROR\n      but is: INFO" in second
    assert "No rule matches." in third
    assert "ledger-lost" not in third


def test_rules_of_the_settings_count_as_in_an_analysis(own: Path) -> None:
    (own / "forensics.toml").write_text('rules = ["rules"]\n')
    out = explain("-", cwd=own, stdin=json.dumps(raw("ledger lost", severity="ERROR")))
    assert "ledger-lost" in out


def test_standard_input_may_be_logs_to_search(own: Path) -> None:
    lines = "".join(json.dumps(raw(f"line {n}", at=n * 9, insert_id=f"n{n}")) + "\n" for n in range(3))
    assert "  line 1\n" in explain("n1", "--logs", "-", cwd=own, stdin=lines)


def test_several_entries_with_the_id_are_all_explained(own: Path) -> None:
    lines = "".join(json.dumps(raw(f"line {n}", at=n * 9, insert_id="twin")) + "\n" for n in range(2))
    (own / "logs.ndjson").write_text(lines)
    out = explain("twin", "--logs", "logs.ndjson", cwd=own)
    assert out.count("No rule matches.") == 2


def test_an_id_that_begins_with_a_dash_stands_behind_two(own: Path) -> None:
    (own / "logs.ndjson").write_text(json.dumps(raw("line", insert_id="-ab12")))
    assert "-ab12" in explain("--logs", "logs.ndjson", "--", "-ab12", cwd=own)


def test_an_unknown_id_says_how_many_entries_were_read() -> None:
    err = refusal("nowhere", "--logs", str(SAMPLE))
    assert "no entry with the insertId 'nowhere'" in err
    assert re.search(r"\(\d+ entries read\)", err)


def test_without_logs_the_next_step_is_named(tmp_path: Path) -> None:
    assert "add --logs PATH" in refusal("nowhere", cwd=tmp_path)


def test_a_file_that_is_not_there_is_no_insert_id(tmp_path: Path) -> None:
    assert "no such file" in refusal("entry.json", cwd=tmp_path)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "entry.json").write_text("no entry\n")
    assert "is no log" in refusal("entry.json", cwd=tmp_path)


@pytest.mark.parametrize("text", ["[]", ""])
def test_a_file_without_an_entry_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "entry.json").write_text(text)
    assert "no entry in entry.json" in refusal("entry.json", cwd=tmp_path)


def test_nothing_is_read_from_an_empty_standard_input() -> None:
    assert "no entry in standard input" in refusal("-")


@pytest.mark.parametrize("as_json", [False, True])
def test_hostile_text_steers_no_terminal_and_secrets_do_not_show(own: Path, as_json: bool) -> None:  # noqa: FBT001
    hostile = "ledger lost \x1b[2J\x07\u202e{{ x }} %s password=hunter22 " + "長い言葉" * 60 + "x" * 300
    record = raw(hostile, severity="ERROR", insert_id="id\x1b]0;x\x07", jsonPayload=None)
    record["labels"]["\x1b[31m"] = "\x1b[31m"
    flags = ["--json"] if as_json else []
    out = explain("-", "--rules", "rules", *flags, cwd=own, stdin=json.dumps(record))
    assert "ledger-lost" in out
    assert "hunter" not in out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)
    assert as_json or max(map(cell_len, out.splitlines())) <= 80
