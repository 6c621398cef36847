"""The journal of a revision in, the lives of its instances out."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.model import Life, LogEntry, Nanoseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.journal import Journal

_SECOND = 1_000_000_000
LATE = _SECOND
"""What an instance's streams still deliver this long after the exit belongs to the life that ended."""

_EXIT = re.compile(r"Container called exit\(\d+\)|Container terminated on signal|Uncaught signal: \d+")
_START = re.compile(r"Starting new instance|STARTUP \w+ probe (?:succeeded|failed)")


def find_lives(journal: Journal) -> tuple[Life, ...]:
    """Cut the entries of each instance at its exits; ordered by start, then instance."""
    places = [(kind.revision, kind.instance) for kind in journal.table]
    by_instance: dict[tuple[str, str], array[int]] = defaultdict(lambda: array("I"))
    for row in journal.rows():
        by_instance[places[journal.kinds[row]]].append(row)
    lives = [
        life
        for (revision, instance), rows in by_instance.items()
        if instance
        for life in _lives_of(revision, instance, rows, journal)
    ]
    return tuple(sorted(lives, key=lambda life: (life.start, life.revision, life.instance, life.number)))


def is_exit(entry: LogEntry) -> bool:
    """Tell whether the platform says here that the container's process ended."""
    return entry.stream in {"system", ""} and _EXIT.match(entry.message) is not None


def is_start(entry: LogEntry) -> bool:
    """Tell whether the platform says here that the instance was starting."""
    return entry.stream in {"system", ""} and _START.search(entry.message[:200]) is not None


def _lives_of(revision: str, instance: str, rows: Sequence[int], journal: Journal) -> list[Life]:
    """Cut behind each exit, where the next entry is another exit, a start, or comes late."""
    exits = [gist.exits for gist in journal.gist_table]
    starts = [gist.starts for gist in journal.gist_table]
    cuts = [0]
    ended: int | None = None
    for at, row in enumerate(rows):
        gist, time = journal.gists[row], journal.times[row]
        if ended is not None and (exits[gist] or time > ended + LATE or starts[gist]):
            cuts.append(at)
            ended = None
        if exits[gist]:
            ended = time
    lives = (rows[start:end] for start, end in zip(cuts, [*cuts[1:], len(rows)], strict=True))
    return [_life(revision, instance, number, life, journal) for number, life in enumerate(lives, 1)]


def _life(revision: str, instance: str, number: int, rows: Sequence[int], journal: Journal) -> Life:
    exit_ = next((row for row in rows if journal.gist(row).exits), None)
    return Life(
        instance=instance,
        number=number,
        revision=revision,
        start=Nanoseconds(journal.times[rows[0]]),
        end=Nanoseconds(journal.times[rows[-1] if exit_ is None else exit_]),
        ended=exit_ is not None,
        started=any(journal.gist(row).starts for row in rows),
        exit=exit_,
    )
