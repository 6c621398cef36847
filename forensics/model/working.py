"""What clusters are made of inside a run; a report counts these and does not hold them."""

from __future__ import annotations

from msgspec import Struct

from forensics.model.entry import LogEntry
from forensics.model.rule import Classified
from forensics.model.words import ClusterId, Nanoseconds, OccurrenceUnit


class Life(Struct, frozen=True, kw_only=True):
    """One life of an instance: from its first entry, or the exit before, to its exit or its last entry."""

    instance: str
    number: int
    """From 1, within the instance."""
    revision: str
    start: Nanoseconds
    end: Nanoseconds
    ended: bool
    """True when an exit was logged. Otherwise the entries merely stop."""
    started: bool
    """True when the start was logged ("Starting new instance", a probe, a server's first words)."""
    exit: LogEntry | None = None


class Occurrence(Struct, frozen=True, kw_only=True):
    """One time it happened."""

    id: str
    """Unique within its cluster: `1`, `2`, … in order of time."""
    unit: OccurrenceUnit
    start: Nanoseconds
    end: Nanoseconds
    """For requests the end of the request: links are joined on it."""
    instance: str
    trace: str
    entries: tuple[LogEntry, ...]


class Members(Struct, frozen=True, kw_only=True):
    """The entries of one cluster, which a report counts and does not hold."""

    cluster: ClusterId
    speaker: LogEntry
    """The entry that says most: the first with frames, else with an exception, else the first."""
    classified: tuple[Classified, ...]
    occurrences: tuple[Occurrence, ...]
