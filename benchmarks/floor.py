"""A log in, the least that any reader in Python must spend on it out: what is left above that is forensics' own.

python benchmarks/floor.py build/bench/mixed

Each step does what the one before does, and a little more, in two processes; none of them sorts, drops duplicates,
classifies, explains or writes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec
import stringzilla
from forensics.workers import in_processes

from corpus import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PART = 8 * 2**20
_SMALL = 200_000


class _Labels(msgspec.Struct, gc=False):
    revision_name: str = ""


class _Resource(msgspec.Struct, gc=False):
    labels: _Labels


class _Entry(msgspec.Struct, gc=False):
    timestamp: str
    resource: _Resource
    severity: str | None = None


def main() -> None:
    """Print the steps with their seconds."""
    parser = argparse.ArgumentParser(description="Show the least that reading a log in Python takes.")
    parser.add_argument("folder", type=Path, help="a log and its truth.json, made by generate.py")
    parser.add_argument("--runs", type=int, default=3, help="runs of each step; the median counts [3]")
    given = parser.parse_args()
    truth = json.loads((given.folder / "truth.json").read_text())
    log, name = given.folder / truth["file"], truth["asked"]["revision"].encode()
    with tempfile.TemporaryDirectory() as temporary:
        small = Path(temporary) / "small"
        write("mixed", _SMALL, 1, small)
        steps: list[tuple[str, Callable[[], object]]] = [
            ("Python starts", lambda: _run([sys.executable, "-c", "pass"])),
            ("forensics --help", lambda: _run(_forensics("--help"))),
            ("a whole run on a log of 200 kB", lambda: _run(_analyze(small, truth, Path(temporary) / "out"))),
            ("read the log", lambda: _in_two(log, len)),
            ("… and find the lines with the name", lambda: _in_two(log, lambda block: len(_lines(block, name)))),
            ("… and decode three fields of each", lambda: _in_two(log, lambda block: _decoded(block, name))),
        ]
        for words, step in steps:
            print(f"{words:<40} {_seconds(step, given.runs):6.3f} s")


def _forensics(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "forensics", *arguments]


def _analyze(folder: Path, truth: dict[str, dict[str, str]], out: Path) -> Sequence[str]:
    asked = truth["asked"]["revision"]
    return _forensics("analyze", "--revision", asked, "--logs", str(folder / "mixed.ndjson"), "--out", str(out))


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _seconds(step: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return median(taken)


def _in_two(log: Path, work: Callable[[bytes], int]) -> int:
    """Cut a log into parts, carelessly at their ends, and do some work on each."""

    def one(start: int) -> int:
        with log.open("rb", buffering=0) as file:
            file.seek(start)
            return work(file.read(_PART))

    return sum(in_processes(one, range(0, log.stat().st_size, _PART), 2))


def _lines(block: bytes, name: bytes) -> list[bytes]:
    lines = []
    at = stringzilla.find(block, name)
    while at >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
        lines.append(block[start : end if end >= 0 else len(block)])
        at = stringzilla.find(block, name, end) if end >= 0 else -1
    return lines


def _decoded(block: bytes, name: bytes) -> int:
    decode = msgspec.json.Decoder(_Entry).decode
    good = 0
    for line in _lines(block, name):
        try:
            good += decode(line).resource.labels.revision_name.encode() == name
        except msgspec.DecodeError:
            continue
    return good


if __name__ == "__main__":
    main()
