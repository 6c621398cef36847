"""Find the entry of a cause that stands nearest before an occurrence."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forensics.model import Link, Occurrence
    from forensics.whys.contexts import RunContext

_LATE = SECOND // 4
"""Applications log this long after the end of what their entry is about."""


def nearest_cause(link: Link, symptom: Occurrence, run: RunContext) -> int | None:
    """Return the row of the cause that stands nearest in the link's window; None where none stands in it.

    The window is the one that the link was made with: from `within` before the occurrence's end (before the first entry
    of what is no request) to a quarter of a second after its end, in the closest place that holds one.
    """
    table, rows = run.table, run.members[link.cause].rows
    is_request = any(table.facts(row).is_request for row in symptom.rows)
    base = symptom.end if is_request else symptom.start
    time = table.times.__getitem__
    # Rows are in order of time: those within a time are those between two rows.
    first, behind = (
        bisect_left(table.times, base - round(link.within * SECOND)),
        bisect_right(table.times, symptom.end + _LATE),
    )
    near = rows[bisect_left(rows, first) : bisect_left(rows, behind)]
    for is_there in _places(symptom, run):
        found = [row for row in near if is_there(row)]
        if found:
            return min(found, key=lambda row: (abs(time(row) - base), row))
    return None


def _places(symptom: Occurrence, run: RunContext) -> Iterator[Callable[[int], bool]]:
    """Yield where a cause may stand, the closest first: its trace, its instance, or where no instance is named."""
    table = run.table
    if symptom.trace:
        yield lambda row: table.traces[row] == symptom.trace
    if symptom.instance:
        yield lambda row: table.instance(row) == symptom.instance
        yield lambda row: not table.instance(row)
    else:
        yield lambda _: True
