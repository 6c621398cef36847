"""Open a generated log and its truth."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_USAGE_ERROR = 2


@dataclass(frozen=True, slots=True)
class Log:
    """A generated log and its truth."""

    path: Path
    truth: Mapping[str, Any]

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return the truth about the revision in question."""
        return self.truth["asked"]  # type: ignore[no-any-return]  # undecoded JSON


def open_log(folder: Path) -> Log:
    """Return the log of a folder; exit with one line and code 2 if there is none."""
    try:
        truth = json.loads((folder / "truth.json").read_bytes())
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no JSON"
        _stop(f"{folder / 'truth.json'}: {what}; run: python benchmarks/generate.py --out {folder}")
    path = folder / truth["file"]
    if not path.is_file():
        _stop(f"{path}: No such file; run: python benchmarks/generate.py --kind {truth['kind']} --out {folder}")
    return Log(path.resolve(), truth)


def _stop(line: str) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(_USAGE_ERROR)
