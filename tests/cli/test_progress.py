"""How many processes read a log changes nothing but the time; how far they are is told to a person, not to a pipe."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from corpus import write
from support.platforms import open_terminal, terminals

from forensics.system.processes import can_fork

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIZE = 12_000_000
SMALL_THRESHOLDS = """
from unittest.mock import patch
from forensics import cli
from forensics.extract import build_table
from forensics.sources import files
from forensics.sources.index import indexing
patch.object(files, "LARGE", 1_000_000).start()
patch.multiple(indexing, LARGE=1_000_000, PAYS=1_000_000, PART=2_000_000).start()
patch.multiple(build_table, _WORTH=10, _CHUNK=500).start()
cli.main()
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Write a log of a few megabytes; return it and the revision that fails in it."""
    folder = tmp_path_factory.mktemp("log")
    truth = write("mixed", SIZE, 1, folder)
    return folder / str(truth["file"]), str(truth["asked"]["revision"])


def command(log: tuple[Path, str], out: Path, *more: str) -> list[str]:
    path, revision = log
    return ["analyze", "--revision", revision, "--logs", str(path), "--out", str(out), *more]


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(not can_fork(), reason="workers are forked on Linux only")
@pytest.mark.parametrize("start", [["-m", "forensics"], ["-c", SMALL_THRESHOLDS]], ids=["as shipped", "tiny parts"])
def test_two_processes_write_the_same_folder(log: tuple[Path, str], tmp_path: Path, start: list[str]) -> None:
    said = []
    for jobs in ("1", "2"):
        arguments = command(log, tmp_path / jobs, "--jobs", jobs)
        done = subprocess.run([sys.executable, *start, *arguments], capture_output=True, check=True)
        assert done.stderr == b""  # a pipe wants no progress
        said.append(done.stdout.replace(str(tmp_path / jobs).encode(), b""))
    assert said[0] == said[1]
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert "report.json" in one
    assert list(one) == list(two)
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_number_of_processes_is_one_or_more(log: tuple[Path, str], tmp_path: Path, jobs: str) -> None:
    arguments = command(log, tmp_path / "out", "--jobs", jobs)
    done = subprocess.run([sys.executable, "-m", "forensics", *arguments], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"forensics: ")
    assert b"--jobs" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()


def on_a_terminal(arguments: list[str]) -> tuple[int, bytes, bytes]:
    """Run with a terminal as stderr; return the exit code, stdout, and what the terminal was sent."""
    ours, theirs = open_terminal()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    out, shown = b"", b""
    assert process.stdout is not None
    sources = {process.stdout.fileno(), ours}
    while sources:
        for ready in select.select(sources, [], [], 60)[0]:
            try:
                block = os.read(ready, 65536)
            except OSError:  # what a terminal says when nobody writes to it any more
                block = b""
            if not block:
                sources.discard(ready)
            elif ready == ours:
                shown += block
            else:
                out += block
    os.close(ours)
    process.stdout.close()
    return process.wait(60), out, shown


@pytest.mark.slow
@terminals
def test_progress_is_shown_on_a_terminal_and_goes_again(log: tuple[Path, str], tmp_path: Path) -> None:
    arguments = command(log, tmp_path / "out", "--json", "--jobs", "1")
    code, out, shown = on_a_terminal([sys.executable, "-c", SMALL_THRESHOLDS, *arguments])
    assert code == 0
    assert out == (tmp_path / "out" / "report.json").read_bytes()
    assert b"reading" in shown
    assert b"looking at the entries" in shown
    assert b"100%" in shown
    assert b"\x1b[?25h" in shown  # the cursor is there again
    assert shown.rstrip().endswith((b"\x1b[2K", b"\x1b[1A\x1b[2K"))  # and the lines are gone
