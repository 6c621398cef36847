"""Run the program as a user does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def run(
    *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, check: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `forensics` with arguments in a folder; with `check` it must exit with 0."""
    command = [sys.executable, "-m", "forensics", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=check)
