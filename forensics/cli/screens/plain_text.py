"""Lay out the report's screen as plain text for a pipe, exactly as rich would, without importing rich.

Importing rich and letting it measure every cell takes longer than the rest of printing. Text that needs rich all the
same (characters that are not one cell wide, words wider than their column) makes `lay_out` return None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.cli.screens import summary_cells as screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Report

WIDTH = 160
"""Cells of a line in a pipe."""
_MARGIN = "  "
_GAP = 2
"""Cells between two columns."""
_ONE_CELL = re.compile("[ -~¡-¬®-ʯͰ-ͳΑ-ΡΣ-ҁ─-◼–—‘’“”…→←✓✗]*")
"""Text whose characters are one cell wide each, by themselves and beside each other."""
_WORD = re.compile(r"(?:(?<!\s)|(?=\S))\s*+\S+\s*")


class _NeedsRichError(Exception):
    """Only rich can measure or wrap this text."""


def lay_out(report: Report) -> str | None:
    """Return the screen as lines without trailing blanks; None where only rich can lay it out."""
    try:
        lines = list(_lines(report))
    except _NeedsRichError:
        return None
    if not all(map(_ONE_CELL.fullmatch, lines)):
        return None
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield _short(screen.title(report))
    yield ""
    yield screen.bullet(screen.mark(report).sign, report.headline)
    if (said := screen.as_logged(report)) is not None:
        yield said
    rhythm = screen.rhythm(report)
    if rhythm is not None:
        yield _short(rhythm)
    if report.clusters:
        right = frozenset(i for i, name in enumerate(screen.COLUMNS) if name in screen.NUMBERS)
        yield ""
        yield from _table([screen.COLUMNS, *screen.cluster_rows(report)], right, [screen.COLUMNS.index("signature")])
        yield ""
    if report.incidents:
        whys = [(row.number, row.ask, row.answer, row.verdict.value, row.counts) for row in screen.why_rows(report)]
        yield from _table(whys, frozenset({0}), [1, 2])
        yield ""
    yield from screen.comparison_lines(report)
    for warning in screen.notes(report):
        yield screen.bullet("!", warning)


def _short(line: str) -> str:
    """Return the line if it fits the width; else raise _NeedsRichError."""
    if len(line) > WIDTH:
        raise _NeedsRichError
    return line


def _table(rows: Sequence[tuple[str, ...]], right: frozenset[int], wrapped: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a table; `right` are right-aligned columns, `wrapped` those that may become narrower."""
    if not rows:
        return
    widths = _widths(rows, wrapped)
    for row in rows:
        cells = [
            _wrap(cell, width) if i in wrapped else [cell]
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for number in range(max(map(len, cells))):
            texts = [cell[number] if number < len(cell) else "" for cell in cells]
            parts = [
                text.rstrip().rjust(width) if i in right else text.ljust(width)
                for i, (text, width) in enumerate(zip(texts, widths, strict=True))
            ]
            yield _MARGIN + (" " * _GAP).join(parts)


def _widths(rows: Sequence[tuple[str, ...]], wrapped: Sequence[int]) -> list[int]:
    """Return the width of each column: that of its longest cell, if the line has room."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for i in wrapped:
        # Rich limits the measured width of a column to that of the line.
        widths[i] = min(widths[i], WIDTH - len(_MARGIN) - _GAP)
    # The last column is never narrower than a cell.
    taken = sum(widths) + (len(widths) - 1) * _GAP + (not widths[-1])
    return _narrowed(widths, wrapped, taken - (WIDTH - len(_MARGIN)))


def _narrowed(widths: list[int], wrapped: Sequence[int], excess: int) -> list[int]:
    """Take the excess from the widest column, and from all of them once they are equally wide."""
    while excess > 0:
        widest = max(widths[i] for i in wrapped)
        if widest <= 0:
            raise _NeedsRichError
        alike = [i for i in wrapped if widths[i] == widest]
        most = min(excess, widest - max((widths[i] for i in wrapped if i not in alike), default=0))
        left = excess
        for position, i in enumerate(alike):
            cut = min(most, round(left / (len(alike) - position)))
            widths[i] -= cut
            left -= cut
        excess = left
    return widths


def _wrap(text: str, width: int) -> list[str]:
    """Break a text between words."""
    lines, start, taken = [], 0, 0
    for match in _WORD.finditer(text):
        word = match.group()
        length = len(word.rstrip())
        if length > width:
            raise _NeedsRichError
        if length > width - taken and taken and match.start():
            lines.append(text[start : match.start()].rstrip())
            start, taken = match.start(), 0
        taken += len(word)
    return [*lines, text[start:].rstrip()]
