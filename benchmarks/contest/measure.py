"""Run a command and measure its time, processor time and peak memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """The measurements of one process, its children included."""

    seconds: float
    cpu: float
    """User and system time."""
    peak: float | None
    """MiB of the largest process; None where it is not above what this measuring process takes itself."""
    exit_code: int
    output: str
    errors: str
    timed_out: bool


def run(command: Sequence[str], folder: Path, limit: int) -> Run:
    """Run a command in a folder, where its output is stored; kill it after `limit` seconds."""
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        status, usage, timed_out = _wait(process, limit)
        seconds = time.perf_counter() - start
    return Run(
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=_peak(usage.ru_maxrss),
        exit_code=status,
        output=out.read_text(encoding="utf-8", errors="replace"),
        errors=err.read_text(encoding="utf-8", errors="replace"),
        timed_out=timed_out,
    )


def environment() -> dict[str, str]:
    """Return this environment, but let Python cache bytecode, as it is cached for an installed program."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _wait(process: subprocess.Popen[bytes], limit: int) -> tuple[int, resource.struct_rusage, bool]:
    """Wait for one child by `wait4`, which alone returns the resource use of a child and its own children."""
    timed_out = False

    def end(_signal: int, _frame: object) -> None:
        nonlocal timed_out
        timed_out = True
        os.killpg(process.pid, signal.SIGKILL)  # the group is the child's own

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(limit)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage, timed_out


def _peak(kib: int) -> float | None:
    # A child starts as a copy of this process, and Linux counts that copy in the child's peak.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / _KIB_PER_MIB if kib > own + _KIB_PER_MIB else None
