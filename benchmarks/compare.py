"""Measure what several programs need for the same question about generated logs.

python benchmarks/compare.py build/bench/mixed --runs 3
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contest.contestants import Contestant, contestants, forensics_command
from contest.logs import open_log
from contest.measure import run
from contest.profiles import profile
from contest.table import Row, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contest.logs import Log

_BLOCK = 1 << 20


def main() -> None:
    """Measure, and print a Markdown table for each log."""
    arguments = _arguments()
    words = shlex.split(arguments.forensics)
    chosen = _chosen(contestants(words), arguments.only)
    logs = [open_log(folder) for folder in arguments.folders]
    if arguments.profile:
        _profile(words, logs)
        return
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{machine}, {arguments.runs} runs")
    for log in logs:
        truth = log.truth
        print(f"\n{truth['kind']}, {truth['bytes'] / 1e6:,.0f} MB, {truth['entries']:,} entries\n")
        print(table(_measure(log, chosen, arguments.runs, arguments.limit), truth["bytes"]), flush=True)


def _chosen(everyone: Sequence[Contestant], only: str | None) -> list[Contestant]:
    """Return the contestants that `--only` names, and the floor."""
    keys = [one.key for one in everyone]
    wanted = only.split(",") if only else keys
    if unknown := set(wanted) - set(keys):
        raise SystemExit(f"--only knows {', '.join(keys)}, not {', '.join(sorted(unknown))}")
    return [one for one in everyone if one.key in {keys[0], *wanted}]


def _profile(words: Sequence[str], logs: Sequence[Log]) -> None:
    for log in logs:
        with tempfile.TemporaryDirectory() as place:
            profile(words, forensics_command([], log), Path(place))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask several programs the same about a generated log.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="made by generate.py")
    parser.add_argument("--runs", type=int, default=3, help="of each program; medians are printed [3]")
    parser.add_argument("--only", metavar="LIST", help="e.g. duckdb,forensics [all]")
    parser.add_argument("--limit", type=int, default=170, help="seconds after which a run is ended [170]")
    parser.add_argument(
        "--forensics", default=_default_forensics(), metavar="COMMAND", help="[that beside this Python]"
    )
    parser.add_argument("--profile", action="store_true", help="show where forensics spends its time instead")
    return parser.parse_args()


def _default_forensics() -> str:
    script = Path(sys.executable).with_name("forensics")
    return shlex.join([str(script)] if script.exists() else [sys.executable, "-m", "forensics"])


def _measure(log: Log, chosen: Sequence[Contestant], runs: int, limit: int) -> list[Row]:
    """Run the contestants in turns, so that a busy moment of the machine affects them all."""
    rows = [(one, Row(one.name)) for one in chosen if one.takes(log)]
    _warm(log.path)
    for left in reversed(range(runs)):
        for one, row in rows:
            if not row.verdict:
                _ask(one, row, log, limit, is_last=not left)
    return [row for _, row in rows]


def _ask(one: Contestant, row: Row, log: Log, limit: int, *, is_last: bool) -> None:
    """Run a contestant once; judge its last run, or the first that fails, after which it is not run again."""
    command = one.command(log)
    if shutil.which(command[0]) is None:
        row.verdict = f"{command[0]} is not here"
        return
    with tempfile.TemporaryDirectory() as place:
        finished = run(command, Path(place), limit)
        row.runs.append(finished)
        if finished.timed_out:
            row.verdict = f"not within {limit} s"
        elif finished.exit_code:
            row.verdict = f"exit {finished.exit_code}: {_last_line(finished.errors)}"
        elif is_last:
            row.verdict = one.judge(log, finished, Path(place))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200].replace("|", "\\|") if lines else "no message"


def _warm(path: Path) -> None:
    """Read the log once, so that the first program does not pay for the disk."""
    with path.open("rb") as data:
        while data.read(_BLOCK):
            pass


if __name__ == "__main__":
    main()
