"""What a tail brings in; a case that holds each entry once, and knows what it missed, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.cases import Checkpoint, Missing, PullRecord
from forensics.cloud.filters import Target, TimeSpan, everything
from forensics.cloud.pages import Cursor
from forensics.cloud.tailing import OVERLAP
from forensics.model import Nanoseconds, PullPart
from forensics.pulling.known_entries import KnownEntries
from forensics.pulling.plan import groups_of
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forensics.cases import Case
    from forensics.cloud.tailing import Arrival, Hole, Tailing

FLUSH = 2.0
"""Seconds that an entry is in memory only: a kill loses no more, and the next watch asks for it again."""
_MOST_WAITING = 1_000
"""Entries from which on a segment is written at once."""
_CURSOR = msgspec.json.Decoder(Cursor)


class WatchRecord(Struct, frozen=True):
    """A watch as it is noted in a case."""

    pull_id: int
    filter: str
    """What is asked for, of the tail and of listings."""
    start: Nanoseconds
    """From here on; earlier than asked for where an earlier watch was killed."""


def begin(case: Case, target: Target, span: TimeSpan, *, transport: str, started: str) -> WatchRecord:
    """Note a watch in a case, up to the latest time that it may end; it takes over from one that was killed."""
    killed = list(_unfinished(case, target))
    start = Nanoseconds(min([span.start, *(since for _, since in killed)]))
    text = everything(target, TimeSpan(start, span.end))
    number = case.begin(
        PullRecord(
            filter=text,
            from_time=format_time(start),
            to_time=format_time(start),
            project=target.project,
            revision=target.revision,
            part=PullPart.EVERYTHING,
            group=len(case.manifest.pulls) + 1,
            held=case.manifest.entries,
            transport=transport,
            watched=True,
            started=started,
        ),
        (target.revision,),
    )
    for pull_id, _ in killed:
        last = case.checkpoint(pull_id).last_timestamp
        case.append((), Checkpoint(last_timestamp=last, done=True), pull_id)
    return WatchRecord(number, text, start)


def _unfinished(case: Case, target: Target) -> Iterator[tuple[int, int]]:
    """Yield the watches that were killed, and from when on entries may be missing."""
    for group in groups_of(case.manifest, target):
        for number, record in group.records:
            if record.watched and not record.checkpoint.done:
                cursor = _CURSOR.decode(record.checkpoint.cursor) if record.checkpoint.cursor else Cursor()
                since = cursor.since if cursor.since is not None else parse_time(record.from_time or record.started)
                yield number, since


class Follower:
    """Puts away what a tail brings, every few seconds."""

    def __init__(
        self, case: Case, begun: WatchRecord, tailing: Tailing, *, clock: Callable[[], float], now: Callable[[], int]
    ) -> None:
        self._case, self._pull, self._tailing = case, begun.pull_id, tailing
        self._clock, self._now = clock, now
        self._known = KnownEntries(case, Nanoseconds(begun.start - OVERLAP), keeps=True)
        self._forget_from = now()
        self._waiting: list[bytes] = []
        self._flush_at = 0.0
        self.entries = 0
        """Put away by this watch, or about to be."""

    def take(self, arrival: Arrival) -> list[bytes]:
        """Keep what the case does not hold yet, and return it; CaseError when the disk refuses."""
        fresh = self._known.new(arrival.entries)
        if fresh and not self._waiting:
            self._flush_at = self._clock() + FLUSH
        self._waiting += fresh
        self.entries += len(fresh)
        if self._waiting and (len(self._waiting) >= _MOST_WAITING or self._clock() >= self._flush_at):
            self._flush()
        return fresh

    def finish(self, end: int) -> tuple[Missing, ...]:
        """Put away the rest; return what is missing up to the end."""
        gaps = tuple(_missing(hole, end) for hole in self._tailing.holes)
        self._put(Checkpoint(last_timestamp=format_time(self._tailing.whole_until), done=True), end, gaps)
        return gaps

    def _flush(self) -> None:
        sure = self._tailing.whole_until
        cursor = msgspec.json.encode(Cursor(since=Nanoseconds(sure - OVERLAP))).decode()
        self._put(Checkpoint(last_timestamp=format_time(sure), cursor=cursor), sure)
        # What came before the last time is too old now to be listed again.
        if sure - OVERLAP > self._forget_from:
            self._known.forget()
            self._forget_from = self._now()

    def _put(self, checkpoint: Checkpoint, until: int, gaps: Sequence[Missing] = ()) -> None:
        suppressed = dict(sorted(self._tailing.suppressed.items()))
        waiting, self._waiting = self._waiting, []
        self._case.append(waiting, checkpoint, self._pull, to_time=format_time(until), suppressed=suppressed, gaps=gaps)


def _missing(hole: Hole, end: int) -> Missing:
    last = min(hole.end, end) if hole.end is not None else end
    return Missing(from_time=format_time(hole.start), to_time=format_time(max(hole.start, last)), reason=hole.reason)
