"""Profile one run of forensics."""

from __future__ import annotations

import pstats
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 25


def profile(forensics: Sequence[str], arguments: Sequence[str], folder: Path) -> None:
    """Run a command once under cProfile and print what takes longest; child processes are not profiled."""
    profile_file = folder / "profile"
    command = [*_under_profile(forensics, profile_file), *arguments]
    code = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode
    if code:
        raise SystemExit(f"forensics ended with exit code {code}")
    stats = pstats.Stats(str(profile_file))
    for order, title in (("tottime", "in the function itself"), ("cumtime", "with all that it calls")):
        print(f"\nTime {title}:")
        stats.sort_stats(order).print_stats(_SHOWN)


def _under_profile(forensics: Sequence[str], profile_file: Path) -> list[str]:
    options = ["-m", "cProfile", "-o", str(profile_file)]
    program, *rest = forensics
    if "-m" in rest:  # python -m forensics
        return [program, *options, *rest]
    shebang = Path(program).read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    if not shebang.startswith("#!"):
        raise SystemExit(f"{program!r} is no script: give --forensics 'PYTHON -m forensics' to see inside")
    return [*shebang.removeprefix("#!").split(), *options, program, *rest]
