"""Measure the least time that a Python program needs for a log, and what that leaves of the target times.

python benchmarks/floor.py build/bench/mixed
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contest.contestants import forensics_command
from contest.logs import Log, open_log
from contest.measure import environment
from corpus import write
from floors.aims import Least, verdicts
from floors.bare import decode_three, find, read, tell, unpack
from floors.judged import judge, judging, link, linking, rule_patterns, search_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Step = tuple[str, Callable[[], object]]

_SMALL = 200_000
_LINES = ("mixed", "clean", "all-errors")
_IMPORTS = "import array, csv, msgspec, re2, stringzilla"


def main() -> None:
    """Print the steps with their seconds, and which targets can be reached."""
    parser = argparse.ArgumentParser(description="Show the least that reading a log in Python takes.")
    parser.add_argument("folder", type=Path, help="a log and its truth.json, made by generate.py")
    parser.add_argument("--runs", type=int, default=3, help="runs of each step; the quickest counts [3]")
    arguments = parser.parse_args()
    log = open_log(arguments.folder)
    kind = log.truth["kind"]
    if kind not in {*_LINES, "gz"}:
        parser.error(f"{arguments.folder} holds {kind}; what is read here are {', '.join(_LINES)} and gz")
    with tempfile.TemporaryDirectory() as place:
        _, start, whole = _timed(_starts(Path(place)), arguments.runs)
        *_, last = _timed(_steps(log, Path(place)) if kind in _LINES else _packed(log), arguments.runs)
    claimable = _claimable(log) if kind in _LINES else 0
    least = Least(bare=start + last, started=whole + last, claimable=claimable)
    print(f"\na bare program in Python: {least.bare:.3f} s; with a start and documents as here: {least.started:.3f} s")
    if claimable:
        print(f"entries that a rule might claim: {claimable:,}")
    for line in verdicts(log, least, arguments.runs):
        print(line)


def _claimable(log: Log) -> int:
    look = search_words(rule_patterns())
    return sum(result.claimable for result in tell(log.path, log.asked["revision"].encode(), look))


def _starts(place: Path) -> list[Step]:
    write("mixed", _SMALL, 1, place / "small")
    small = open_log(place / "small")
    python = [sys.executable]
    analyze = forensics_command([*python, "-m", "forensics"], small)
    return [
        ("Python starts", lambda: _run([*python, "-c", "pass"], place)),
        ("… and imports what decodes, searches and writes", lambda: _run([*python, "-c", _IMPORTS], place)),
        ("instead: a whole run of forensics on 200 kB", lambda: _run(analyze, place)),
    ]


def _steps(log: Log, place: Path) -> list[Step]:
    name, patterns = log.asked["revision"].encode(), rule_patterns()
    words, judged, linked = search_words(patterns), judging(patterns), linking(patterns)
    return [
        ("read the log", lambda: read(log.path)),
        ("… and find the lines with the name", lambda: find(log.path, name)),
        ("… and decode three fields of each", lambda: decode_three(log.path, name)),
        ("… and ten; copies dropped, minutes counted", lambda: tell(log.path, name)),
        ("… and look for the words of the rules", lambda: tell(log.path, name, words)),
        ("… and write the table of errors", lambda: tell(log.path, name, words, place / "rows")),
        ("… and the patterns themselves, exceptions, order", lambda: judge(log.path, name, judged, place / "rows")),
        ("… and what stands near each failed request's end", lambda: link(log.path, name, linked, place / "rows")),
    ]


def _packed(log: Log) -> list[Step]:
    return [("unpack, in one process; all else beside it", lambda: unpack(log.path))]


def _timed(steps: Sequence[Step], runs: int) -> list[float]:
    """Run the steps in turns, so that a busy moment affects them all; print and return the fastest run of each."""
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(runs):
        for (_, step), times in zip(steps, taken, strict=True):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
    quickest = [min(times) for times in taken]
    for (words, _), seconds in zip(steps, quickest, strict=True):
        print(f"{words:<50} {seconds:6.3f} s", flush=True)
    return quickest


def _run(command: Sequence[str], place: Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=place, env=environment())


if __name__ == "__main__":
    main()
