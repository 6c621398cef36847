"""Entries of a revision in, the lives of its instances out."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.model import Life, LogEntry, Nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECOND = 1_000_000_000
LATE = _SECOND
"""What an instance's streams still deliver this long after the exit belongs to the life that ended."""

_EXIT = re.compile(r"Container called exit\(\d+\)|Container terminated on signal|Uncaught signal: \d+")
_START = re.compile(r"Starting new instance|STARTUP \w+ probe (?:succeeded|failed)")


def find_lives(entries: Iterable[LogEntry]) -> tuple[Life, ...]:
    """Cut the entries of each instance at its exits; ordered by start, then instance."""
    by_instance: dict[tuple[str, str], list[LogEntry]] = defaultdict(list)
    for entry in entries:
        if entry.instance:
            by_instance[entry.revision, entry.instance].append(entry)
    lives = [
        life for (revision, instance), group in by_instance.items() for life in _lives_of(revision, instance, group)
    ]
    return tuple(sorted(lives, key=lambda life: (life.start, life.revision, life.instance, life.number)))


def is_exit(entry: LogEntry) -> bool:
    """Tell whether the platform says here that the container's process ended."""
    return entry.stream in {"system", ""} and _EXIT.match(entry.message) is not None


def is_start(entry: LogEntry) -> bool:
    """Tell whether the platform says here that the instance was starting."""
    return entry.stream in {"system", ""} and _START.search(entry.message[:200]) is not None


def _lives_of(revision: str, instance: str, entries: Sequence[LogEntry]) -> list[Life]:
    lives: list[list[LogEntry]] = [[]]
    ended: int | None = None
    for entry in entries:
        exits = is_exit(entry)
        if ended is not None and (exits or entry.time > ended + LATE or is_start(entry)):
            lives.append([])
            ended = None
        lives[-1].append(entry)
        ended = entry.time if exits else ended
    return [_life(revision, instance, number, group) for number, group in enumerate(lives, 1)]


def _life(revision: str, instance: str, number: int, entries: Sequence[LogEntry]) -> Life:
    exit_ = next((e for e in entries if is_exit(e)), None)
    last = max(e.time for e in entries)
    return Life(
        instance=instance,
        number=number,
        revision=revision,
        start=entries[0].time,
        end=exit_.time if exit_ else Nanoseconds(last),
        ended=exit_ is not None,
        started=any(is_start(e) for e in entries),
        exit=exit_,
    )
