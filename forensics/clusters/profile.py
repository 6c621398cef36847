"""Profile of a cluster's occurrences: entries in each, length of lives, exceptions, unusual order."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.clusters.occurrences import LivesOf, life_of
from forensics.log.root_exception import innermost_of
from forensics.model import Lengths, OccurrenceUnit, Raised, Swap
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from forensics.log.entry_table import EntryTable, Occurrences
    from forensics.model import Life, LogEntry

CLOSE = SECOND // 1000
"""Nanoseconds; entries this close in an unusual order may have been swapped in transit."""
COMPARED = 25
"""Occurrences for which exceptions are compared; their entries are decoded for that."""
_SWAPS = 5
_FACTS = 12
"""Distinct entries (by their facts) in one occurrence whose order is compared."""
_OFTEN = 2 / 3
"""Share of occurrences from which an order counts as the usual one."""


class Profile(Struct, frozen=True, kw_only=True):
    """What the occurrences of a cluster have in common; the fields are those of `Cluster`."""

    entries_each: dict[str, int]
    life: Lengths | None
    raised: tuple[Raised, ...]
    raised_in: tuple[int, int] | None
    out_of_order: tuple[Swap, ...]
    is_loop: bool
    """Whether each occurrence ended a life in failure that had answered no request."""


def profile_of(
    occurrences: Occurrences, entries: int, table: EntryTable, lives: LivesOf, representative: LogEntry
) -> Profile:
    """Profile the occurrences; exceptions are compared in no more than `COMPARED` of them.

    `entries` is the number of original entries in all occurrences.
    """
    raised = _raised(representative)
    is_life = occurrences.unit is OccurrenceUnit.LIFE
    own_lives = [life_of(rows[0], table, lives) for rows in occurrences.groups()] if is_life else []
    return Profile(
        entries_each=_entries_each(occurrences, entries, table),
        life=_life(own_lives),
        raised=raised,
        raised_in=_raised_in(raised, occurrences, table) if len(raised) > 1 else None,
        out_of_order=_out_of_order(occurrences, table),
        is_loop=bool(own_lives) and all(life is not None and life.died_unused for life in own_lives),
    )


def _entries_each(occurrences: Occurrences, entries: int, table: EntryTable) -> dict[str, int]:
    """Count the original entries of an occurrence by severity; {} when occurrences differ, or for a single one."""
    if len(occurrences) == 1 or entries % len(occurrences):  # where all are alike, each has the same number
        return {}
    first: dict[str, int] | None = None
    named = lru_cache(64)(lambda severity: quote(severity, 20) if severity else "(none)")
    for codes in occurrences.by_facts_of_pieces():
        counts = Counter(named(table.distinct_facts[code].severity) for code in codes)
        if first is None:
            first = counts
        elif first != counts:
            return {}
    return dict(sorted((first or {}).items()))


def _life(own_lives: Sequence[Life | None]) -> Lengths | None:
    """Measure the lives that the failure ended, if their start and exit were logged."""
    seconds = [(x.end - x.start) / SECOND for x in own_lives if x is not None and x.started and x.ended]
    if not seconds:
        return None
    return Lengths(
        count=len(seconds),
        median=round(median(seconds), 3),
        shortest=round(min(seconds), 3),
        longest=round(max(seconds), 3),
    )


def _raised(entry: LogEntry) -> tuple[Raised, ...]:
    raised = []
    for exception in entry.exceptions:
        frame = innermost_of(exception)
        raised.append(
            Raised(
                type=quote(exception.type, 120),
                value=quote(exception.value.split("\n", 1)[0], 200),
                file=quote(frame.file, 200) if frame else "",
                line=frame.line if frame else None,
                function=quote(frame.function, 120) if frame else "",
            )
        )
    return tuple(raised)


def _raised_in(raised: tuple[Raised, ...], occurrences: Occurrences, table: EntryTable) -> tuple[int, int]:
    """Count (occurrences with the same exceptions at the same places, occurrences compared); values may differ."""
    wanted = [_identity(one) for one in raised]
    step = max(1, -(-len(occurrences) // COMPARED))
    groups = [rows for at, rows in enumerate(occurrences.groups()) if at % step == 0]
    return sum(_has_chain(wanted, rows, table) for rows in groups), len(groups)


def _has_chain(wanted: list[tuple[object, ...]], rows: Sequence[int], table: EntryTable) -> bool:
    heaviest = sorted(rows, key=lambda row: (-table.facts(row).weight, row))[:3]
    return any(wanted == [_identity(one) for one in _raised(table.entry(row))] for row in heaviest)


def _identity(one: Raised) -> tuple[object, ...]:
    return one.type, one.file, one.line, one.function


def _out_of_order(occurrences: Occurrences, table: EntryTable) -> tuple[Swap, ...]:
    """Find occurrences where two distinct entries stand very close, and the other way round than in most."""
    if occurrences.unit is not OccurrenceUnit.LIFE or len(occurrences) < 3:  # noqa: PLR2004 - most of three
        return ()
    places = [_first_of_each(rows, table) for rows in occurrences.groups()]
    usual = _usual_order(places)
    swaps = []
    for number, first in enumerate(places, 1):
        gaps = [
            gap
            for a, b in usual
            if a in first and b in first and first[b] < first[a]
            if (gap := _gap(first[b], first[a], table)) < CLOSE
        ]
        if gaps:
            swaps.append(Swap(occurrence=number, microseconds=round(min(gaps) / 1000, 3)))
    return tuple(swaps[:_SWAPS])


def _first_of_each(rows: array[int], table: EntryTable) -> Mapping[int, int]:
    first: dict[int, int] = {}
    for row in rows:
        if len(first) < _FACTS:
            first.setdefault(table.fact_ids[row], row)
    return first


def _usual_order(places: Sequence[Mapping[int, int]]) -> list[tuple[int, int]]:
    """List pairs (a, b) in which a stands before b in most of the occurrences that have both."""
    before: Counter[tuple[int, int]] = Counter()
    for first in places:
        before.update((a, b) if row_a < row_b else (b, a) for (a, row_a), (b, row_b) in combinations(first.items(), 2))
    return sorted(pair for pair, n in before.items() if n > 1 and n >= _OFTEN * (n + before[pair[1], pair[0]]))


def _gap(early: int, late: int, table: EntryTable) -> int:
    """Return the nanoseconds between the nearest pieces of two entries."""
    times = table.times
    return min(abs(times[late] - times[piece]) for piece in table.originals(early))
