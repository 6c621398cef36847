"""The records from which clusters are made inside a run: facts of entries, instance lives, occurrences."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag

from msgspec import Struct

from forensics.model.entry import Frame
from forensics.model.enums import Level, Nanoseconds, OccurrenceUnit

Row = int
"""The index of an entry in the table, which is sorted by (time, insertId, logName)."""


class RequestMark(IntFlag):
    """What counting needs of a request, as bits of one number; the lowest twelve are its route, at least 1."""

    ROUTE = 0xFFF
    PROBE = 0x1000
    """A health check: by its user agent, or by its route, which the platform says it probes."""
    OPENED = 0x2000
    """A WebSocket was opened."""
    NOT_OPENED = 0x4000
    """A GET that failed: it may have been a handshake."""
    REFUSED = 0x8000
    """Answered 4xx: what a client asked wrongly."""
    KIND = 0x1FFF
    """Route and health check: what `Exposure.routes` counts."""


class EntryFacts(Struct, frozen=True, kw_only=True):
    """The facts of an entry that counting, grouping and linking need; equal facts are kept once."""

    level: Level
    severity: str | None
    stream: str
    has_payload: bool
    is_request: bool = False
    is_line: bool = False
    """True for a line that may be a fragment of a longer message."""
    awaits: bool = False
    """True for a line after which the rest of a traceback may follow late."""
    is_typed: bool = False
    """True for a line that begins with an exception."""
    exits: bool = False
    """True when the platform reports that the container's process ended."""
    starts: bool = False
    """True when the platform reports that the instance was starting."""
    fails: bool = False
    """True when it is an exit with a code or a signal of failure, or a start-up probe that failed."""
    analysed: bool = False
    """True when a rule claims the entry, or its level is analysed even without a rule."""
    signature: str = ""
    group: tuple[str, ...] = ()
    """The group key of the entry's cluster; without a signature, its fingerprint."""
    captures: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    """Other rules that claim the entry."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that the whys of its rule ask for."""
    answers: tuple[int, ...] = ()
    """Numbers of the conditions, from whys of any rule, that are true of the entry."""
    frame: Frame | None = None
    """The application's innermost frame."""
    weight: int = 0
    """How informative the entry is: 2 with frames, 1 with an exception, else 0."""


class Life(Struct, frozen=True, kw_only=True):
    """One life of an instance: from its first entry, or the previous exit, to its exit or its last entry."""

    instance: str
    number: int
    """The number of the life within its instance, from 1."""
    revision: str
    start: Nanoseconds
    end: Nanoseconds
    ended: bool
    """True when an exit was logged; otherwise the entries merely stop."""
    started: bool
    """True when the start was logged ("Starting new instance", a probe, a server's first words)."""
    exit: Row | None = None
    failed: bool = False
    """True when it ended with an exit code other than 0, a signal or a failed start-up probe; SIGTERM is no failure."""
    answered: bool = False
    """True when it answered a request."""

    @property
    def died_unused(self) -> bool:
        """Whether it ended in failure before it had answered a request."""
        return self.failed and not self.answered


class Occurrence(Struct, frozen=True, kw_only=True):
    """One occurrence of a failure."""

    id: str
    """Unique within the cluster: `1`, `2`, … in order of time."""
    unit: OccurrenceUnit
    start: Nanoseconds
    end: Nanoseconds
    """The end; for a request the end of the request, on which links are joined."""
    instance: str
    trace: int
    """A number for the trace; 0 when there is none."""
    rows: Sequence[Row]
