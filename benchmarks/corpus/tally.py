"""Count the entries of a generated log: the truth that a reader has to find."""

from __future__ import annotations

from collections import Counter
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any

from corpus.templates import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from corpus.shapes import Shape

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


class Tally:
    """Counts while a log is written; its memory depends on the kinds of entries, not on their number."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.unreadable = 0
        self._shapes = shapes
        self._written = [0] * len(shapes)
        self._repeated = [0] * len(shapes)
        self._minutes: Counter[int] = Counter()
        self._repeated_minutes: Counter[int] = Counter()
        self._first: tuple[int, int] | None = None
        self._last: tuple[int, int] | None = None
        """Time and number of fractional digits."""

    def add(self, shape: Shape, time: int) -> None:
        """Count an entry."""
        self._written[shape.number] += 1
        if shape.is_asked:
            if self._first is None or time < self._first[0]:
                self._first = (time, shape.digits)
            if self._last is None or time > self._last[0]:
                self._last = (time, shape.digits)
            if shape.is_error:
                self._minutes[time // _MINUTE] += 1

    def repeat(self, shape: Shape, time: int) -> None:
        """Count a duplicate of an entry."""
        self._repeated[shape.number] += 1
        if shape.is_asked and shape.is_error:
            self._repeated_minutes[time // _MINUTE] += 1

    def truth(self) -> dict[str, Any]:
        """Return all figures; a repeated entry counts once."""
        revisions = sorted({shape.revision for shape in self._shapes})
        return {
            "entries": sum(self._written),
            "duplicates": sum(self._repeated),
            "unreadable": self.unreadable,
            "severities": _sums((_severity(shape), count) for shape, count in self._counted(self._written)),
            "revisions": {name: self._revision(name) for name in revisions},
            "asked": self._asked(),
        }

    def _asked(self) -> dict[str, Any]:
        own = [(shape, count) for shape, count in self._counted(self._written) if shape.is_asked]
        errors = [(shape.template, count) for shape, count in own if shape.is_error]
        entries = sum(count for _, count in own)
        repeated = sum(count for shape, count in self._counted(self._repeated) if shape.is_asked)
        minutes = self._minutes + self._repeated_minutes
        return {
            "revision": ASKED,
            "entries": entries,
            "errors": self._minutes.total(),
            "first": _text(self._first),
            "last": _text(self._last),
            "templates": _sums((template.name, count) for template, count in errors),
            "signatures": _sums((template.signature or "(none)", count) for template, count in errors),
            "errors_per_minute": _histogram(self._minutes),
            "duplicates_counted": {
                "entries": entries + repeated,
                "errors": minutes.total(),
                "errors_per_minute": _histogram(minutes),
            },
        }

    def _revision(self, name: str) -> dict[str, Any]:
        own = [(shape, count) for shape, count in self._counted(self._written) if shape.revision == name]
        return {
            "entries": sum(count for _, count in own),
            "errors": sum(count for shape, count in own if shape.is_error),
            "severities": _sums((_severity(shape), count) for shape, count in own),
        }

    def _counted(self, counts: Sequence[int]) -> Iterator[tuple[Shape, int]]:
        return ((shape, count) for shape, count in zip(self._shapes, counts, strict=True) if count)


def _severity(shape: Shape) -> str:
    return shape.template.severity or "(none)"


def _sums(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, count in counts:
        sums[name] += count
    return dict(sorted(sums.items()))


def _histogram(minutes: Counter[int]) -> dict[str, int]:
    return {strftime("%Y-%m-%dT%H:%M", gmtime(minute * 60)): count for minute, count in sorted(minutes.items())}


def _text(moment: tuple[int, int] | None) -> str | None:
    """Write a time with the digits that it has in the log."""
    if moment is None:
        return None
    time, digits = moment
    seconds, fraction = divmod(time, _SECOND)
    point = "." if digits else ""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)) + point + f"{fraction:09d}"[:digits] + "Z"
