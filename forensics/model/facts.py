"""What clusters are made of inside a run: an entry is a row of the table here, and comes down to its facts."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from forensics.model.entry import Frame
from forensics.model.enums import Level, Nanoseconds, OccurrenceUnit

Row = int
"""The place of an entry in the table, which is in order of (time, insertId, logName)."""


class EntryFacts(Struct, frozen=True, kw_only=True):
    """What an entry comes down to for counting, grouping and linking; equal ones are kept once."""

    level: Level
    severity: str | None
    stream: str
    has_payload: bool
    is_request: bool = False
    is_line: bool = False
    """True for a text that may be a piece of a longer one."""
    awaits: bool = False
    """True for a line behind which the rest of a traceback may follow late."""
    is_typed: bool = False
    """True for a line that begins with an exception."""
    exits: bool = False
    """True where the platform says that the container's process ended."""
    starts: bool = False
    """True where the platform says that the instance was starting."""
    analysed: bool = False
    """True when a rule claims it, or when its level is one that is analysed without a rule."""
    signature: str = ""
    group: tuple[str, ...] = ()
    """What clusters of its signature are split by; without a signature its fingerprint."""
    captures: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    """Other rules that claim it."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that whys of its rule ask for."""
    answers: tuple[int, ...] = ()
    """Numbers of the conditions of whys, of any rule, that are true of it."""
    frame: Frame | None = None
    """The application's innermost frame."""
    weight: int = 0
    """How much it says: 2 with frames, 1 with an exception, else 0."""


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
    exit: Row | None = None


class Occurrence(Struct, frozen=True, kw_only=True):
    """One time it happened."""

    id: str
    """Unique within its cluster: `1`, `2`, … in order of time."""
    unit: OccurrenceUnit
    start: Nanoseconds
    end: Nanoseconds
    """For requests the end of the request: links are joined on it."""
    instance: str
    trace: int
    """Stands for the trace; 0 when there is none."""
    rows: Sequence[Row]
