"""The entries that both transports serve, in the order of Cloud Logging; more may arrive at any time."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from cloud.comparisons import parse_nanoseconds
from cloud.filters import parse_filter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud.contract import Place, Question

_KEPT_ANSWERS = 16
_place = attrgetter("place")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry in REST form, encoded once, because encoding is what limits how fast pages go out."""

    place: Place
    entry: dict[str, Any]
    encoded: bytes

    @property
    def owner(self) -> str:
        """The first two parts of its logName, as in `projects/p`."""
        return "/".join(str(self.entry["logName"]).split("/")[:2])


class Store:
    """Entries sorted by (timestamp, insertId); `changed` tells who waits that more arrived."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.arrived: list[Kept] = []
        self._sorted: list[Kept] = []
        self._identities: set[tuple[str, int, str]] = set()
        self._answers: dict[tuple[str, tuple[str, ...]], list[Kept]] = {}

    def add(self, entries: Iterable[dict[str, Any]]) -> None:
        """Take entries in; one with the logName, timestamp and insertId of another is the same entry."""
        with self.changed:
            for entry in entries:
                self._take_in(entry)
            self._sorted = sorted(self.arrived, key=_place)
            self._answers.clear()
            self.changed.notify_all()

    def find(self, question: Question) -> list[Kept]:
        """All entries that the question's filter lets pass, oldest first; not to be changed."""
        key = (question.filter, question.resource_names)
        with self.changed:
            found = self._answers.get(key)
            if found is None:
                found = self._search(*key)
                while len(self._answers) >= _KEPT_ANSWERS:
                    self._answers.pop(next(iter(self._answers)))
                self._answers[key] = found
            return found

    def _take_in(self, entry: dict[str, Any]) -> None:
        nanoseconds, insert_id = parse_nanoseconds(entry["timestamp"]), str(entry["insertId"])
        identity = (str(entry["logName"]), nanoseconds, insert_id)
        if identity in self._identities:
            return
        self._identities.add(identity)
        place = (nanoseconds, insert_id, len(self.arrived))
        self.arrived.append(Kept(place, entry, msgspec.json.encode(entry)))

    def _search(self, text: str, resource_names: tuple[str, ...]) -> list[Kept]:
        wanted = parse_filter(text)
        owners = {"/".join(name.split("/")[:2]) for name in resource_names}
        start = bisect_left(self._sorted, wanted.earliest, key=_nanoseconds)
        end = bisect_right(self._sorted, wanted.latest, key=_nanoseconds)
        return [kept for kept in self._sorted[start:end] if kept.owner in owners and wanted.test(kept.entry)]


def _nanoseconds(kept: Kept) -> float:
    return kept.place[0]


def find_start(found: list[Kept], after: Place | None, *, newest_first: bool) -> int:
    """How many of the entries found were served by the pages up to this place."""
    if after is None:
        return 0
    if newest_first:
        return len(found) - bisect_left(found, after, key=_place)
    return bisect_right(found, after, key=_place)
