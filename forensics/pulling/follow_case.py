"""Store what a live watch receives in a case: each entry once, with the times whose entries it may have missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.cases import Checkpoint, PullRecord
from forensics.cloud.filters import Target, TimeSpan, everything
from forensics.cloud.pages import Cursor
from forensics.cloud.tailing import OVERLAP
from forensics.model import Nanoseconds, PullPart
from forensics.pulling.known_entries import KnownEntries
from forensics.pulling.pull_groups import groups_of
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.cases import Case
    from forensics.cloud.tailing import Arrival, Tailing, WatchClock
    from forensics.model import UnreadSpan

FLUSH = 2.0
"""Seconds for which an entry is only in memory; a kill loses no more, and the next watch asks for it again."""
_MOST_WAITING = 1_000
"""Number of waiting entries at which a segment is written at once."""
_CURSOR = msgspec.json.Decoder(Cursor)


class WatchRecord(Struct, frozen=True):
    """A watch as recorded in a case."""

    pull_id: int
    filter: str
    """The filter sent to the tail and to listings."""
    start: Nanoseconds
    """Where it begins; earlier than requested if an earlier watch was killed."""


def begin(case: Case, target: Target, span: TimeSpan, *, transport: str, started: str) -> WatchRecord:
    """Record a watch in a case, up to the latest time at which it may end; it continues one that was killed."""
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
    """Yield the watches that were killed, with the time from which their entries may be missing."""
    for group in groups_of(case.manifest, target):
        for number, record in group.records:
            if record.watched and not record.checkpoint.done:
                cursor = _CURSOR.decode(record.checkpoint.cursor) if record.checkpoint.cursor else Cursor()
                since = cursor.since if cursor.since is not None else parse_time(record.from_time or record.started)
                yield number, since


class Follower:
    """Writes the arrivals of a watch to its case every few seconds."""

    def __init__(self, case: Case, begun: WatchRecord, tailing: Tailing, clock: WatchClock) -> None:
        self._case, self._pull, self._tailing = case, begun.pull_id, tailing
        self._clock, self._now = clock.monotonic, clock.now
        self._known = KnownEntries(case, Nanoseconds(begun.start - OVERLAP), keeps=True)
        self._forget_from = clock.now()
        self._waiting: list[bytes] = []
        self._flush_at = 0.0
        self.entries = 0
        """Number of entries that this watch wrote, or will write with the next flush."""

    def take(self, arrival: Arrival) -> list[bytes]:
        """Keep the entries that the case does not hold yet, and return them; CaseError when writing fails."""
        fresh = self._known.new(arrival.entries)
        if fresh and not self._waiting:
            self._flush_at = self._clock() + FLUSH
        self._waiting += fresh
        self.entries += len(fresh)
        if self._waiting and (len(self._waiting) >= _MOST_WAITING or self._clock() >= self._flush_at):
            self._flush()
        return fresh

    def finish(self, end: int) -> tuple[UnreadSpan, ...]:
        """Write the rest; return the spans up to `end` (nanoseconds) whose entries may be missing."""
        gaps = self._tailing.unread.spans(end)
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

    def _put(self, checkpoint: Checkpoint, until: int, gaps: Sequence[UnreadSpan] = ()) -> None:
        suppressed = dict(sorted(self._tailing.suppressed.items()))
        waiting, self._waiting = self._waiting, []
        self._case.append(waiting, checkpoint, self._pull, to_time=format_time(until), suppressed=suppressed, gaps=gaps)
