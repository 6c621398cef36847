"""Where the failures of a cluster lie in the order of what could have failed: comparisons count bursts by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.model.comparison import ExposureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_PLACES = 2_000
"""Places that are written one by one; more are added up in equal parts of the exposure."""
PARTS = 1_000


class Spread(Struct, frozen=True, kw_only=True):
    """The failures of one cluster in order; a request that was tried again counts once."""

    measure: ExposureKind
    """In the order of what they are counted."""
    of: int
    """How much of it there was."""
    failures: str
    """Place after place, `DISTANCE*COUNT@INSTANCE`: from the place before; `*1` and the same instance are left out."""
    count: int
    """Failures in all: occurrences without those that were tried again."""
    routes: tuple[int, ...] = ()
    """The routes of the requests that failed, as numbered in `exposure.routes`; empty where some are not known."""

    def places(self) -> Iterator[tuple[int, int, int | None]]:
        """Yield position, number of failures and instance, in order."""
        position, instance = 0, None
        for item in self.failures.split():
            place, _, name = item.partition("@")
            distance, _, count = place.partition("*")
            if name:
                instance = int(name) if name != "?" else None
            position += int(distance)
            yield position, int(count or 1), instance


def write_places(places: Iterable[tuple[int, int, int | None]]) -> str:
    """Write what `Spread.places` reads."""
    items, last, known = [], 0, None
    for position, count, instance in places:
        item = f"{position - last}" + (f"*{count}" if count != 1 else "")
        if instance != known:
            item += "@?" if instance is None else f"@{instance}"
        items.append(item)
        last, known = position, instance
    return " ".join(items)
