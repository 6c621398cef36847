"""What was asked for and what was read: Query, raw records, LogIndex, Revision."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct, field

from forensics.model.enums import Level, Nanoseconds, ReadOrder


class Query(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    revision: str
    """A full name, a prefix at a word boundary, a number, `latest` or `all`."""
    service: str | None = None
    project: str | None = None
    region: str | None = None
    from_time: str | None = field(default=None, name="from")
    """RFC 3339 UTC, inclusive."""
    to_time: str | None = field(default=None, name="to")
    """RFC 3339 UTC, exclusive."""
    level: Level = Level.ERROR
    """Entries of this level or above are analysed even when no rule knows them."""
    logs: tuple[str, ...] = ()
    """The paths as they were given; `-` is standard input."""
    case: str | None = None
    """The case that is read instead, as it was given."""


class UnreadSpan(Struct, frozen=True, kw_only=True):
    """A span of time whose entries a watch may have missed, and why."""

    from_time: str = field(name="from")
    """RFC 3339 UTC."""
    to_time: str = field(name="to")
    """RFC 3339 UTC."""
    reason: str
    """One line, for a reader."""


class Pulled(Struct, frozen=True, kw_only=True):
    """One listing of Cloud Logging that a case was filled by, and how far it came."""

    revision: str
    """Its full name, or `all`; "" when unknown."""
    part: str
    """everything, or errors, neighbourhood, first entries, platform, requests, refused requests, sampled requests."""
    level: str = ""
    from_time: str | None = None
    to_time: str | None = None
    entries: int = 0
    listed: int = 0
    """Of a sample: all that the listing brought, what was had before included."""
    one_in: int = 1
    """Of a sample: one of so many was asked for."""
    done: bool = False
    capped: bool = False
    """Left at its limit: there are more."""
    last_time: str | None = None
    """The latest timestamp had."""
    left_out: int = 0
    """Stretches around errors that were not asked for."""
    watched: bool = False
    """Entries were taken as they came."""
    suppressed: int = 0
    """Entries that Cloud Logging left out of what it sent by itself; asked for afterwards, except in `gaps`."""
    gaps: tuple[UnreadSpan, ...] = ()


class Place(Struct, frozen=True, kw_only=True):
    """Where a record was found."""

    source: str
    """A path as it was given, or `-`."""
    record: int
    """The line, or the number of the element where there are no lines; from 1."""

    def __str__(self) -> str:
        return f"{self.source}:{self.record}"


class RawEntry(Struct, frozen=True, kw_only=True):
    """One Cloud Logging record as it came, keys spelled as in the API (`insertId`, `logName`, …)."""

    record: dict[str, Any]
    place: Place
    stored_at: int | None = None
    """Where a store finds the record, when it lies there already."""


class Unreadable(Struct, frozen=True, kw_only=True):
    """Something in an input that is no log entry. It is counted; it stops nothing."""

    place: Place
    reason: str
    is_end: bool = False
    """True where the input itself is damaged: what stood behind it could not be read either."""


class PassedOver(Struct, frozen=True, kw_only=True):
    """Lines of an input that were counted and not parsed, because they cannot speak of the revision asked for."""

    place: Place
    """The last of them."""
    lines: int


class LabelSet(Struct, frozen=True, gc=False):
    """What many entries have in common: whose they are, and which log they stand in."""

    revision: str
    """From the resource, or from what an audit entry speaks of; "" when neither tells."""
    service: str
    project: str
    location: str
    instance: str
    """`labels.instanceId`, "" when unknown."""
    log_name: str
    severity: str | None
    """As received; None when the entry has none."""
    is_audit: bool = False
    """True when it has a `protoPayload`, so that it may concern a revision that it does not name."""
    routine: Level | None = None
    """The level of a request that went well and that no rule can claim: nobody need decode it. None for all others."""


class IndexBatch(Struct, kw_only=True):
    """Many entries of one input as columns of equal length, in the order they were read."""

    source: str
    times: array[int]
    """Nanoseconds; 0 for an entry without a time."""
    identities: array[int]
    """Equal for two copies of one entry."""
    places: array[int]
    """Where a store finds the record again."""
    label_ids: array[int]
    """Positions in `label_sets`."""
    label_sets: list[LabelSet]


class Lines(Struct, kw_only=True):
    """Lines of an input, cut and not parsed yet."""

    data: bytes
    spans: list[tuple[int, int]]
    """Where in `data` each line begins and ends, without its line break."""
    place: int = 0
    """Where a store finds the first byte of `data`."""
    keep: Callable[[bytes], int] | None = None
    """Puts a line away and returns its place, where `data` itself is not kept."""


SlowPathSpan = tuple[int, int, int]
"""Where a line that must be read otherwise begins and ends, and how many rows of the same lines stand before it."""


class IndexReader(Protocol):
    """Reads lines into columns; it is told whose entries are wanted."""

    def read(self, lines: Lines) -> tuple[int, list[SlowPathSpan]]:
        """Read lines; return how many became rows, and those that must be read otherwise, in order."""

    def batch(self, source: str) -> IndexBatch:
        """Return what was read since the last batch."""


class RecordStore(Protocol):
    """Where records are kept while only an index of them is in memory."""

    def keep(self, record: dict[str, Any]) -> int:
        """Put a record away and return its place."""

    def keep_line(self, line: bytes) -> int:
        """Put bytes without a line break away and return their place."""

    def line(self, place: int) -> bytes:
        """Return the bytes at a place."""

    def record(self, place: int) -> dict[str, Any] | None:
        """Return the record at a place, None when its input has changed since."""


class LogIndex(Struct, frozen=True, kw_only=True):
    """Everything that was read, once, as columns: sorted by (time, insertId, logName), without duplicates."""

    times: array[int]
    places: array[int]
    label_ids: array[int]
    label_sets: tuple[LabelSet, ...]
    read: int
    """Records read, duplicates included."""
    passed_over: int
    """Lines that were counted only."""
    duplicates: int
    unreadable: int
    first_unreadable: Unreadable | None
    broken_off: tuple[Unreadable, ...]
    """Where inputs ended before their time, each once."""
    order: ReadOrder
    sources: tuple[str, ...]
    """Inputs in the order they were read, those without an entry too."""

    def __len__(self) -> int:
        return len(self.times)

    def label_set(self, row: int) -> LabelSet:
        """Return what a row has in common with others."""
        return self.label_sets[self.label_ids[row]]


class RevisionSpan(Struct, frozen=True, kw_only=True):
    """One revision as the entries show it."""

    name: str
    service: str
    project: str
    location: str
    entries: int
    first: Nanoseconds
    last: Nanoseconds


class Revision(Struct, frozen=True, kw_only=True):
    """The revision that was analysed; `name` is `all` when every entry was."""

    name: str
    asked: str
    service: str = ""
    project: str = ""
    location: str = ""
