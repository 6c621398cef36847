"""What was asked for and what was read: Query, raw records, Intake, Revision."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from forensics.model.words import Level, Nanoseconds, ReadOrder


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


class Unreadable(Struct, frozen=True, kw_only=True):
    """Something in an input that is no log entry. It is counted; it stops nothing."""

    place: Place
    reason: str


class PassedOver(Struct, frozen=True, kw_only=True):
    """Lines of an input that were counted and not parsed, because they cannot speak of the revision asked for."""

    place: Place
    """The last of them."""
    lines: int


class Intake(Struct, frozen=True, kw_only=True):
    """Everything that was read, once: sorted by (time, insertId, logName), without duplicates."""

    entries: tuple[RawEntry, ...]
    read: int
    """Records read, duplicates included."""
    passed_over: int
    """Lines that were counted only."""
    duplicates: int
    unreadable: int
    first_unreadable: Unreadable | None
    order: ReadOrder
    sources: tuple[str, ...]
    """Inputs in the order they were read, those without an entry too."""


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
