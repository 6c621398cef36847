"""The flags that speak of commits: a report that names the commit, or one line and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.builders import raw
from support.repositories import Made

if TYPE_CHECKING:
    from pathlib import Path


def run(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    (cwd / "logs.ndjson").write_text(json.dumps(raw("ValueError: bad", severity="ERROR")) + "\n")
    command = [sys.executable, "-m", "forensics", "analyze", "--revision", "all", "--logs", "logs.ndjson", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_report_names_the_commit(tmp_path: Path) -> None:
    made = Made(tmp_path / "shop")
    first, second = made.commit("one", {"a": "1"}), made.commit("two", {"a": "2"})
    flags = ("--repo", "shop", "--commit", second[:8], "--baseline-commit", first)
    code, out, err = run(tmp_path, *flags, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)["code"]
    assert (found["repository"], found["baseline"]["id"]) == ("shop", first)
    assert [(d["how"], d["commit"]["id"]) for d in found["deployed"]] == [("given", second)]


@pytest.mark.slow
def test_what_a_user_can_mend_is_one_line(tmp_path: Path) -> None:
    Made(tmp_path / "shop").commit("one", {"a": "1"})
    for flags, words in (
        (("--commit", "HEAD"), "add --repo PATH"),
        (("--repo", "nowhere"), "is no folder"),
        (("--repo", "shop", "--commit", "deadbee"), "names no commit"),
    ):
        code, out, err = run(tmp_path, *flags)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("forensics: ")
        assert words in err
