"""Find the lives of instances: from the start of a container's process to its exit.

An instance that restarts has several lives; it is cut into them at the exits that the platform logs.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from forensics.model import Level, Life, LogEntry, Nanoseconds
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.log.entry_table import EntryTable

_Place = tuple[str, str]
"""Revision and instance."""

LATE = SECOND
"""Nanoseconds after an exit in which entries of the instance still belong to the life that ended."""

_EXIT = re.compile(
    r"Container (?:\"[^\"]{1,80}\" )?called exit\(\d+\)|Container terminated on signal|Uncaught signal: \d+"
)
_ORDERLY = re.compile(
    r"Container (?:\"[^\"]{1,80}\" )?called exit\((?:0|143)\)|(?:Container terminated on signal|Uncaught signal:) 15\b"
)
"""An instance that is scaled away is told to stop (SIGTERM), and ends with 0, or with that signal (128 + 15)."""
_START = re.compile(r"Starting new instance|STARTUP \w+ probe (?:succeeded|failed)")
_FAILED_PROBE = re.compile(r"STARTUP \w+ probe failed")


def find_lives(table: EntryTable) -> tuple[Life, ...]:
    """Split the entries of each instance at its exits; ordered by start, then instance."""
    places = [(label_set.revision, label_set.instance) for label_set in table.label_sets]
    by_instance = {place: array("I") for place in places}
    rows_of_label_set = [by_instance[place] for place in places]
    for row in table.rows():
        rows_of_label_set[table.label_ids[row]].append(row)
    # Exits and starts are few, and most entries are neither.
    exits = _by_place(table.rows_with([facts.exits for facts in table.distinct_facts]), places, table)
    starts = _by_place(table.rows_with([facts.starts for facts in table.distinct_facts]), places, table)
    lives = [
        life
        for place, rows in by_instance.items()
        if place[1] and rows
        for life in _lives_of(place, rows, exits.get(place, ()), starts.get(place, ()), table)
    ]
    return tuple(sorted(lives, key=lambda life: (life.start, life.revision, life.instance, life.number)))


def _by_place(rows: Iterable[int], places: Sequence[_Place], table: EntryTable) -> dict[_Place, list[int]]:
    by_place: dict[_Place, list[int]] = defaultdict(list)
    for row in rows:
        by_place[places[table.label_ids[row]]].append(row)
    return by_place


def is_exit(entry: LogEntry) -> bool:
    """Tell whether the platform logs here that the container's process ended."""
    return entry.stream in {"system", ""} and _EXIT.match(entry.message) is not None


def is_start(entry: LogEntry) -> bool:
    """Tell whether the platform logs here that the instance was starting."""
    return entry.stream in {"system", ""} and _START.search(entry.message[:200]) is not None


def is_failure(entry: LogEntry) -> bool:
    """Tell whether the platform logs here that a process failed: by its exit, or by a start-up probe."""
    if is_exit(entry):
        return _ORDERLY.match(entry.message) is None
    return entry.stream in {"system", ""} and _FAILED_PROBE.search(entry.message[:200]) is not None


def _lives_of(
    place: _Place, rows: Sequence[int], exits: Sequence[int], starts: Sequence[int], table: EntryTable
) -> Iterator[Life]:
    """Start a new life behind each exit, at the next entry that is an exit, a start, or late.

    A start-up probe that failed tells of the life that ended: it opens none.
    """
    times, cuts, facts = table.times, [0], table.distinct_facts
    answers = {code for code, one in enumerate(facts) if one.is_request and one.level.rank < Level.ERROR.rank}
    for exit_ in exits:
        late = times[exit_] + LATE
        behind = range(bisect_right(rows, exit_), len(rows))
        cuts += islice(
            (
                at
                for at in behind
                if not _is_failed_probe(rows[at], table) and (times[rows[at]] > late or _cuts(rows[at], table))
            ),
            1,
        )
    for number, (first, end) in enumerate(pairwise([*cuts, len(rows)]), 1):
        life_rows = rows[first:end]
        last = _first_within(life_rows, exits)
        yield Life(
            instance=place[1],
            number=number,
            revision=place[0],
            start=Nanoseconds(times[life_rows[0]]),
            end=Nanoseconds(times[life_rows[-1] if last is None else last]),
            ended=last is not None,
            started=_first_within(life_rows, starts) is not None,
            exit=last,
            failed=_has_failed(life_rows, last, starts, table),
            answered=not answers.isdisjoint(map(table.fact_ids.__getitem__, life_rows)),
        )


def _has_failed(rows: Sequence[int], exit_: int | None, starts: Sequence[int], table: EntryTable) -> bool:
    """Tell whether a life ended in failure: by its exit, or by a start-up probe that no later one made good."""
    if exit_ is not None and table.facts(exit_).fails:
        return True
    behind = bisect_right(starts, rows[-1])
    return behind > 0 and starts[behind - 1] >= rows[0] and table.facts(starts[behind - 1]).fails


def _is_failed_probe(row: int, table: EntryTable) -> bool:
    facts = table.facts(row)
    return facts.starts and facts.fails


def _cuts(row: int, table: EntryTable) -> bool:
    facts = table.facts(row)
    return facts.exits or facts.starts


def _first_within(rows: Sequence[int], marked: Sequence[int]) -> int | None:
    """Return the first of some marked rows (sorted) that lies within the rows of a life."""
    at = bisect_left(marked, rows[0])
    return marked[at] if at < len(marked) and marked[at] <= rows[-1] else None
