"""Marks for tests of what a platform lacks, and what a terminal was sent."""

from __future__ import annotations

import os
import select
import sys

import pytest

locks = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no lock on a case and syncs no folder")
pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither named pipes nor a shell of POSIX")
signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that asks a process to end")
terminals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


def open_terminal() -> tuple[int, int]:
    """Open a pseudo-terminal; return our end and that of a program."""
    import pty  # noqa: PLC0415 - Windows has no such module

    return pty.openpty()


def read_terminal(ours: int) -> bytes:
    """Read what a terminal is sent until nobody writes to it any more, and close our end."""
    seen = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            block = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed; macOS sends nothing
            break
        if not block:
            break
        seen += block
    os.close(ours)
    return seen
