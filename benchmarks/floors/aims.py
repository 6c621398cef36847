"""Target times for reading a log, and whether the least time leaves room for them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from contest.contestants import contestants
from contest.measure import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contest.logs import Log

_HUGE = 3_000_000_000
"""Bytes from which on another aim holds, and jq is not waited for."""
_LIMIT = 600
_PROCESSES = 2
Aim = tuple[float, str]
"""How many times as long as a program may be taken, and its key."""


def aims_of(log: Log) -> list[Aim]:
    """Return the targets for a kind and a size of log."""
    kind, size = log.truth["kind"], log.truth["bytes"]
    if kind == "mixed":
        return [(3, "wc")] if size >= _HUGE else [(4, "wc"), (1 / 1.5, "duckdb"), (1 / 20, "jq")]
    return {"all-errors": [(1.5, "duckdb")], "gz": [(1.8, "igzip")]}.get(kind, [])


class Least(Struct, frozen=True, kw_only=True):
    """The least time for reading a log, in seconds."""

    bare: float
    """Of any program."""
    started: float
    """Of one that starts and writes its documents as forensics does."""
    claimable: int
    """Entries that a rule might claim: what is left of the time is theirs, in two processes."""


def verdicts(log: Log, least: Least, runs: int) -> Iterator[str]:
    """Yield a line for each target."""
    if not aims_of(log):
        yield f"nothing is aimed at for {log.truth['kind']}"
    for times, key in aims_of(log):
        name, seconds = _measured(key, log, runs)
        if seconds is None:
            yield f"{times:.2f} x {name}: {name} is not here"
            continue
        aim = times * seconds
        yield f"{times:.2f} x {name} ({seconds:.3f} s) = {aim:.3f} s: {describe(aim, least)}"


def describe(aim: float, least: Least) -> str:
    """Say whether a target time in seconds can be reached, and what it leaves for the rest of the work."""
    if least.bare > aim:
        return f"out of reach: {least.bare - aim:.3f} s too little"
    room = f"room: {aim - least.bare:.3f} s"
    if least.claimable:
        room += f", {(aim - least.bare) * _PROCESSES / least.claimable * 1e6:.1f} us for each entry"
    left = aim - least.started
    return f"{room}; with such a start {abs(left):.3f} s{' too little' if left < 0 else ''}"


def _measured(key: str, log: Log, runs: int) -> tuple[str, float | None]:
    name, command = _command(key, log)
    if shutil.which(command[0]) is None:
        return name, None
    with tempfile.TemporaryDirectory() as place:
        runs_done = [run(command, Path(place), _LIMIT) for _ in range(runs)]
    good = [one.seconds for one in runs_done if one.exit_code == 0]
    return name, min(good, default=None)


def _command(key: str, log: Log) -> tuple[str, Sequence[str]]:
    if key == "igzip":
        return key, [key, "-dc", str(log.path)]
    one = next(one for one in contestants([sys.executable, "-m", "forensics"]) if one.key == key)
    return one.name, one.command(log)
