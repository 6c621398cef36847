"""Read the arguments of the front door: paths, times, words with fixed values, and `previous:5`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TypedDict, TypeVar

from forensics.errors import UsageError
from forensics.model import Level, Priority
from forensics.text.timestamps import read_moment, to_utc

AnyPath = str | PathLike[str]
Paths = AnyPath | Sequence[AnyPath]
PREVIOUS = "previous"
_MOST_PREVIOUS = 20
_Word = TypeVar("_Word", Level, Priority)


class AnalyzeOptions(TypedDict, total=False):
    """What `compare` and `gate` hand on to `analyze`."""

    logs: Paths | None
    case: AnyPath | None
    service: str | None
    project: str | None
    region: str | None
    from_time: str | datetime | None
    to_time: str | datetime | None
    level: Level | str
    baseline_logs: Paths | None
    tests: Paths
    baseline_tests: Paths
    repo: AnyPath | None
    commit: str | None
    baseline_commit: str | None
    rules: Paths
    jobs: int | None


def paths_of(given: Paths) -> tuple[Path, ...]:
    """Return one path or several as a tuple."""
    return (Path(given),) if isinstance(given, str | PathLike) else tuple(map(Path, given))


def number_of_previous(name: str) -> int | None:
    """Return the number of revisions that `previous` or `previous:5` means, None for any other name."""
    word, colon, number = name.partition(":")
    if word != PREVIOUS:
        return None
    if not colon:
        return 1
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= _MOST_PREVIOUS):
        raise UsageError(
            f"{name!r} is no number of revisions: write {PREVIOUS}:5, or up to {PREVIOUS}:{_MOST_PREVIOUS}"
        )
    return int(number)


def rfc3339(name: str, moment: str | datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC; `name` is the argument that an error speaks of."""
    if moment is None or isinstance(moment, datetime):
        return None if moment is None else to_utc(moment)
    try:
        return to_utc(read_moment(moment))
    except ValueError as error:
        raise UsageError(f"{name} {moment!r} is no time: write 2025-09-08T14:00:00Z") from error


def member(kinds: type[_Word], word: str) -> _Word:
    """Return the value that a word stands for, in any case of letters."""
    try:
        return kinds(word.upper())
    except ValueError as error:
        raise UsageError(f"{word!r} is none of {', '.join(kinds)}") from error
