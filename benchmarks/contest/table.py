"""Print measured runs as a Markdown table."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contest.measure import Run

FLOOR = "wc -l"
"""What the others are compared with: nothing that looks at every byte is faster."""
_HEAD = (
    "| asked | s | CPU s | MB/s | × `wc -l` | peak MiB | right? |",
    "|---|---:|---:|---:|---:|---:|---|",
)


@dataclass(slots=True)
class Row:
    """A contestant, its runs, and the verdict on its answer; "" until that is known."""

    name: str
    runs: list[Run] = field(default_factory=list)
    verdict: str = ""


def table(rows: Sequence[Row], size: int) -> str:
    """Return the table of medians; the ratio is to `wc -l` of the same round."""
    floor = next((row.runs for row in rows if row.name == FLOOR), [])
    return "\n".join([*_HEAD, *(_line(row, size, floor) for row in rows)])


def _line(row: Row, size: int, floor: Sequence[Run]) -> str:
    good = [run for run in row.runs if run.exit_code == 0]
    if not good:
        return f"| {row.name} | – | – | – | – | – | {row.verdict} |"
    seconds = median(run.seconds for run in good)
    ratios = [run.seconds / base.seconds for run, base in zip(row.runs, floor, strict=False) if run.exit_code == 0]
    peaks = [run.peak for run in good if run.peak is not None]
    cells = (
        _shown(seconds),
        _shown(median(run.cpu for run in good)),
        f"{size / seconds / 1e6:,.0f}",
        f"{median(ratios):.1f}" if ratios else "–",
        f"{median(peaks):,.0f}" if peaks else "–",
    )
    return f"| {row.name} | {' | '.join(cells)} | {row.verdict} |"


def _shown(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 0.1 else f"{seconds:.2f}"  # noqa: PLR2004  (two figures that mean something)
