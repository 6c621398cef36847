"""What a user can mend is one line that names the thing and the next step, exit code 2, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.builders import raw
from support.platforms import pipes

if TYPE_CHECKING:
    from pathlib import Path


def run(cwd: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "forensics", *arguments]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(r) + "\n" for r in records)


def failing(cwd: Path, *arguments: str, stdin: bytes | None = None) -> str:
    code, out, err = run(cwd, "analyze", *arguments, stdin=stdin)
    assert code == 2, (out, err)
    assert out == ""
    assert "Traceback" not in err
    assert err.count("\n") == 1, err
    assert err.startswith("forensics: ")
    return err


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    file = tmp_path / "logs.ndjson"
    file.write_text(
        lines(
            raw("ValueError: bad", severity="ERROR", revision="shop-api-00042-abc"),
            raw("ok", at=5, severity="INFO", revision="shop-api-00043-def"),
            raw("ok", at=6, severity="INFO", revision="shop-api-00043-xyz"),
        )
    )
    return file


def test_no_such_file_names_the_nearest(tmp_path: Path, logs: Path) -> None:
    assert logs.name in failing(tmp_path, "--revision", "x", "--logs", "log.ndjson")


def test_an_empty_file_holds_no_entries(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("")
    assert "no entries" in failing(tmp_path, "--revision", "x", "--logs", "empty.json")


def test_an_empty_array_holds_no_entries(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("[]")
    assert "no entries" in failing(tmp_path, "--revision", "x", "--logs", "empty.json")


def test_no_such_revision_names_the_nearest(tmp_path: Path, logs: Path) -> None:
    assert "shop-api-00042-abc" in failing(tmp_path, "--revision", "shop-api-00041", "--logs", str(logs))


def test_several_fits_are_listed_with_their_times(tmp_path: Path, logs: Path) -> None:
    said = failing(tmp_path, "--revision", "shop-api-00043", "--logs", str(logs))
    assert "shop-api-00043-def" in said
    assert "shop-api-00043-xyz" in said
    assert "2026-03-01T10:00:05Z" in said


@pytest.mark.slow
def test_bytes_that_are_no_log_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe")
    assert "x.png" in failing(tmp_path, "--revision", "x", "--logs", "x.png")


@pytest.mark.slow
def test_a_bad_rule_is_named_with_its_line(tmp_path: Path, logs: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.yaml").write_text("id: mine\nversion: 1\ntitel: x\n")
    code, _, err = run(tmp_path, "analyze", "--revision", "00042", "--logs", str(logs), "--rules", "rules")
    assert code == 2
    assert "mine.yaml:3" in err
    assert "title" in err
    assert "Traceback" not in err


def test_without_logs_the_next_step_is_a_command(tmp_path: Path) -> None:
    assert "gcloud logging read" in failing(tmp_path, "--revision", "shop-api-00042")


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "forensics.toml").write_text('log = ["x"]\n')
    assert "did you mean 'logs'" in failing(tmp_path, "--revision", "x")


def test_a_time_that_is_none(tmp_path: Path, logs: Path) -> None:
    assert "--from" in failing(tmp_path, "--revision", "00042", "--logs", str(logs), "--from", "yesterdayish")


def test_bad_usage(tmp_path: Path) -> None:
    assert "--revision" in failing(tmp_path)


def test_a_format_that_is_none(tmp_path: Path, logs: Path) -> None:
    assert "md, json" in failing(tmp_path, "--revision", "00042", "--logs", str(logs), "--format", "pdf")


def test_a_span_without_entries_is_told_from_an_empty_file(tmp_path: Path, logs: Path) -> None:
    said = failing(tmp_path, "--revision", "00042", "--logs", str(logs), "--from", "2030-01-01T00:00:00Z")
    assert "3 entries were read" in said


def test_no_errors_is_not_no_entries(tmp_path: Path, logs: Path) -> None:
    code, out, _ = run(tmp_path, "analyze", "--revision", "shop-api-00043-def", "--logs", str(logs))
    assert code == 0
    assert "No failure found in 1 entries" in out or "No failure found in 1 entry" in out


def test_no_payloads_is_a_third_answer(tmp_path: Path) -> None:
    (tmp_path / "bare.ndjson").write_text(lines(*(raw(at=i, severity="ERROR") for i in range(3))))
    code, out, _ = run(tmp_path, "analyze", "--revision", "latest", "--logs", "bare.ndjson")
    assert code == 0
    assert "lack their payload" in out


def test_standard_input_is_read(tmp_path: Path, logs: Path) -> None:
    code, out, err = run(tmp_path, "analyze", "--revision", "00042", "--logs", "-", stdin=logs.read_bytes())
    assert code == 0, err
    assert "ValueError" in out


def test_fail_on_exits_1(tmp_path: Path, logs: Path) -> None:
    arguments = ["analyze", "--revision", "00042", "--logs", str(logs)]
    assert run(tmp_path, *arguments, "--fail-on", "P3")[0] == 1
    assert run(tmp_path, *arguments, "--fail-on", "P0")[0] == 0


def test_a_revision_named_by_a_log_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "evil.ndjson").write_text(lines(raw("ValueError: x", severity="ERROR", revision="../../evil")))
    assert run(tmp_path, "analyze", "--revision", "latest", "--logs", "evil.ndjson", "--out", "out")[0] == 0
    assert sorted(p.name for p in tmp_path.parent.glob("evil*")) == []
    assert not (tmp_path.parent / "evil").exists()


@pipes
def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m forensics rules list | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
