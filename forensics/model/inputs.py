"""The query and the input of a run: raw records, the index of a log, revisions."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct, field

from forensics.model.enums import Level, Nanoseconds, PullPart, ReadOrder


class Query(Struct, frozen=True, kw_only=True):
    """The user's query."""

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
    """The paths as the user wrote them; `-` is standard input."""
    case: str | None = None
    """The folder of the case that is read instead, as the user wrote it."""


class UnreadSpan(Struct, frozen=True, kw_only=True):
    """A span of time whose entries a watch may have missed, and why."""

    from_time: str = field(name="from")
    """RFC 3339 UTC."""
    to_time: str = field(name="to")
    """RFC 3339 UTC."""
    reason: str
    """One line, for a reader."""


class PulledWindow(Struct, frozen=True):
    """A span of time of which every entry of an instance was asked for."""

    instance: str
    """Empty for the whole revision."""
    start: Nanoseconds
    end: Nanoseconds


class Pulled(Struct, frozen=True, kw_only=True):
    """One listing of Cloud Logging in a case, and how far it came."""

    revision: str
    """The full name of the revision, or `all`; "" when unknown."""
    part: PullPart
    level: str = ""
    from_time: str | None = None
    to_time: str | None = None
    entries: int = 0
    listed: int = 0
    """For a sample: all entries that the listing returned, known ones included."""
    one_in: int = 1
    """For a sample: one of this many was requested."""
    done: bool = False
    capped: bool = False
    """True when the listing stopped at its limit, and there are more entries."""
    last_time: str | None = None
    """The latest timestamp that was received."""
    left_out: int = 0
    """Number of periods around errors that were not requested."""
    watched: bool = False
    """True when entries were received live."""
    suppressed: int = 0
    """Entries that Cloud Logging left out of the live stream; listed afterwards, except in `gaps`."""
    gaps: tuple[UnreadSpan, ...] = ()
    windows: tuple[PulledWindow, ...] = ()
    """For neighbourhoods and controls: the windows whose entries all came."""
    drawn: tuple[Nanoseconds, ...] = ()
    """For controls: the times of the requests in them that were drawn."""
    stands_for: int = 0
    """For controls: about how many requests one that was drawn stands for."""


class Place(Struct, frozen=True, kw_only=True):
    """The position of a record in the input."""

    source: str
    """The path as the user wrote it, or `-`."""
    record: int
    """The number of the line, or of the element in a format without lines; from 1."""

    def __str__(self) -> str:
        return f"{self.source}:{self.record}"


class RawEntry(Struct, frozen=True, kw_only=True):
    """One Cloud Logging record as received, with keys as in the API (`insertId`, `logName`, …)."""

    record: dict[str, Any]
    place: Place
    stored_at: int | None = None
    """The record's place in the store, when it is already kept there."""


class Unreadable(Struct, frozen=True, kw_only=True):
    """A part of an input that is no log entry. It is counted and does not stop the reading."""

    place: Place
    reason: str
    is_end: bool = False
    """True when the input is damaged, and everything after this place could not be read either."""


class PassedOver(Struct, frozen=True, kw_only=True):
    """Lines of an input that were counted and not parsed, because they cannot belong to the queried revision."""

    place: Place
    """The place of the last of these lines."""
    lines: int


class LabelSet(Struct, frozen=True, gc=False):
    """Labels that many entries share: their revision, service, instance, log and so on."""

    revision: str
    """The revision, from the resource labels or the content of an audit entry; "" when unknown."""
    service: str
    project: str
    location: str
    instance: str
    """`labels.instanceId`, "" when unknown."""
    log_name: str
    severity: str | None
    """The severity as received; None when the entry has none."""
    is_audit: bool = False
    """True with a `protoPayload`: such an entry may concern a revision that it does not name."""
    routine: Level | None = None
    """The level of routine requests, which match no rule and are never decoded; None for all other entries."""
    mark: int = 0
    """The `RequestMark` of routine requests."""


class IndexBatch(Struct, kw_only=True):
    """Entries of one input as columns of equal length, in the order they were read."""

    source: str
    times: array[int]
    """Times in nanoseconds; 0 for an entry without a time."""
    identities: array[int]
    """Deduplication keys, equal for two copies of one entry."""
    places: array[int]
    """The records' places in the store."""
    label_ids: array[int]
    """Positions in `label_sets`."""
    label_sets: list[LabelSet]


class Lines(Struct, kw_only=True):
    """Lines of an input that are not parsed yet."""

    data: bytes
    spans: list[tuple[int, int]]
    """The bounds of each line in `data`, without its line break."""
    place: int = 0
    """The place of the first byte of `data` in the store."""
    keep: Callable[[bytes], int] | None = None
    """Stores a line and returns its place; None when `data` itself is kept."""


SlowPathSpan = tuple[int, int, int]
"""The bounds of a line that needs the slow path, and the number of rows from the lines before it."""


class IndexReader(Protocol):
    """Reads lines into the columns of an index."""

    def read(self, lines: Lines) -> tuple[int, list[SlowPathSpan]]:
        """Read lines; return the number of new rows, and the lines that need the slow path, in order."""

    def batch(self, source: str) -> IndexBatch:
        """Return the rows since the last batch."""


class RecordStore(Protocol):
    """The store of records while only their index is in memory."""

    def keep(self, record: dict[str, Any]) -> int:
        """Store a record and return its place."""

    def keep_line(self, line: bytes) -> int:
        """Store bytes without a line break and return their place."""

    def line(self, place: int) -> bytes:
        """Return the bytes at a place."""

    def record(self, place: int) -> dict[str, Any] | None:
        """Return the record at a place, None when its input has changed since."""


class LogIndex(Struct, frozen=True, kw_only=True):
    """The index of all entries as columns: sorted by (time, insertId, logName), without duplicates."""

    times: array[int]
    places: array[int]
    label_ids: array[int]
    label_sets: tuple[LabelSet, ...]
    read: int
    """Number of records read, duplicates included."""
    passed_over: int
    """Number of lines that were counted and not parsed."""
    duplicates: int
    unreadable: int
    first_unreadable: Unreadable | None
    broken_off: tuple[Unreadable, ...]
    """The places where damaged inputs end, one for each input."""
    order: ReadOrder
    sources: tuple[str, ...]
    """Inputs in the order they were read, including those without an entry."""

    def __len__(self) -> int:
        return len(self.times)

    def label_set(self, row: int) -> LabelSet:
        """Return the labels of a row."""
        return self.label_sets[self.label_ids[row]]


class RevisionSpan(Struct, frozen=True, kw_only=True):
    """One revision that occurs in the entries, with its time span."""

    name: str
    service: str
    project: str
    location: str
    entries: int
    first: Nanoseconds
    last: Nanoseconds


class Revision(Struct, frozen=True, kw_only=True):
    """The analysed revision; `name` is `all` when every entry was analysed."""

    name: str
    asked: str
    service: str = ""
    project: str = ""
    location: str = ""
