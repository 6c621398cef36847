"""Measure the memory per entry by a small and a large log, and what an index on disk would cost.

python benchmarks/memory.py build/bench/100MB-mixed build/bench/5GB-mixed
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from contest.contestants import forensics_command
from contest.logs import Log, open_log
from contest.measure import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_MIB = 2**20
_LIMIT = 600
_EQUAL = 0.15
_PLACE_BITS = 40
_AT_ONCE = 50_000
"""Rows that are sorted together."""
_READ = 4_000
"""Rows of each sorted run that are in memory while runs are merged."""
_MOMENT = 10**7
"""Nanoseconds by which an entry may stand before an earlier one."""


def main() -> None:
    """Print the peaks, and the bytes for each entry."""
    parser = argparse.ArgumentParser(description="Show what memory grows by, and what an index on disk would cost.")
    parser.add_argument("small", type=Path, help="a log and its truth.json, made by generate.py")
    parser.add_argument("large", type=Path, help="one that is larger")
    arguments = parser.parse_args()
    small, large = open_log(arguments.small), open_log(arguments.large)
    more = large.asked["entries"] - small.asked["entries"]
    if more <= 0:
        parser.error(f"{arguments.large} holds no more entries of the revision than {arguments.small}")
    low, high = _peak(small), _peak(large)
    print(f"{small.asked['entries']:>10,} entries: {low / _MIB:6.1f} MiB")
    print(f"{large.asked['entries']:>10,} entries: {high / _MIB:6.1f} MiB")
    print(f"it grows by {(high - low) / more:.1f} bytes for each entry")
    print(f"{1 + _EQUAL:.2f} times the peak of the small log leaves {low * _EQUAL / more:.1f} bytes for each;")
    print(f"its time (8) and its place ({_PLACE_BITS // 8}) alone are {8 + _PLACE_BITS // 8}")
    taken, peak = _on_disk(large.asked["entries"])
    print(f"an index on disk: {taken:.2f} s to write, sort and read once, {peak / _MIB:.1f} MiB at a time")


def _peak(log: Log) -> float:
    """Return the peak memory of the largest process of an analysis, in bytes."""
    with tempfile.TemporaryDirectory() as place:
        finished = run(forensics_command([sys.executable, "-m", "forensics"], log), Path(place), _LIMIT)
    if finished.exit_code or finished.peak is None:
        print(finished.errors, file=sys.stderr)
        sys.exit(1)
    return finished.peak * _MIB


def _on_disk(entries: int) -> tuple[float, float]:
    """Sort times and places on disk: write sorted runs, merge and read them; return (seconds, bytes at most)."""
    shaken = random.Random(1)
    times = array("q", (at * 10**8 + shaken.randrange(_MOMENT) for at in range(entries)))
    with tempfile.TemporaryFile() as runs, tempfile.TemporaryFile() as whole:
        start = time.perf_counter()
        bounds = _write_runs(times, runs)
        merged = heapq.merge(*(_rows(runs, first, last) for first, last in bounds))
        block: list[int] = []
        for row in merged:
            block += row
            if len(block) >= 2 * _AT_ONCE:
                array("q", block).tofile(whole)
                block.clear()
        array("q", block).tofile(whole)
        read = sum(1 for _ in _rows(whole, 0, entries))
        seconds = time.perf_counter() - start
    if read != entries:
        raise AssertionError("rows were lost on the way")
    return seconds, len(bounds) * _READ * 16 + 16 * _AT_ONCE


def _write_runs(times: array[int], file: BinaryIO) -> list[tuple[int, int]]:
    bounds = []
    for first in range(0, len(times), _AT_ONCE):
        last = min(first + _AT_ONCE, len(times))
        rows = sorted((times[at], at) for at in range(first, last))
        array("q", [value for row in rows for value in row]).tofile(file)
        bounds.append((first, last))
    file.flush()
    return bounds


def _rows(file: BinaryIO, first: int, last: int) -> Iterator[tuple[int, int]]:
    for at in range(first, last, _READ):
        block = array("q")
        file.seek(at * 16)
        block.fromfile(file, 2 * min(_READ, last - at))
        yield from zip(block[::2], block[1::2], strict=True)


if __name__ == "__main__":
    main()
