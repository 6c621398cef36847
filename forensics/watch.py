"""Entries in as they arrive; how often each failure has been seen, and what is worth a line, out. No I/O, no clock.

It counts entries and not occurrences, and joins the pieces of a message only where they arrive together: a first look,
by the same rules as the analysis, which has the last word.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.clusters.mask import template
from forensics.entries import decode_record, stitch
from forensics.extract import FactsExtractor
from forensics.model import Level, LogEntry, Priority, Role
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.model import Report, Rule

MINUTE = 60 * SECOND
_MOST = 500
"""Failures that are told apart; whatever else fails is counted together, since log text decides how many there are."""
_REST = "(others)"
_ROW_ORDER = {role: rank for rank, role in enumerate(Role)}


class SightingState(StrEnum):
    """Whether a failure is in the report that a rollout is compared with."""

    NEW = "new"
    KNOWN = "known"
    UNTOLD = ""
    """There is no such report."""


class Sighting(Struct, kw_only=True):
    """One failure, as far as it has been seen."""

    key: str
    """The signature, or the fingerprint of what no rule knows."""
    name: str
    """The signature or the template, redacted."""
    role: Role | None
    """None when no rule knows it: the analysis tells."""
    priority: Priority
    state: SightingState
    first: int
    """Nanoseconds, as are all times here."""
    last: int
    entries: int = 0
    recent: deque[tuple[int, int]] = msgspec.field(default_factory=deque)
    """(second, entries) of the last minute."""

    def per_minute(self, now: int) -> int:
        """Count the entries of the minute before now."""
        return sum(count for second, count in self.recent if (now - MINUTE) // SECOND < second <= now // SECOND)

    def add(self, time: int) -> None:
        """Count one more entry."""
        self.entries += 1
        self.first, self.last = min(self.first, time), max(self.last, time)
        second = time // SECOND
        if self.recent and self.recent[-1][0] == second:
            self.recent[-1] = (second, self.recent[-1][1] + 1)
        else:
            self.recent.append((second, 1))
        # By the latest time seen, and not by a clock: a listing brings what is old.
        while self.recent and self.recent[0][0] * SECOND <= self.last - 2 * MINUTE:
            self.recent.popleft()


class Tally:
    """Counts the failures of a revision, `all` for every one."""

    def __init__(self, rules: Sequence[Rule], level: Level, revision: str, before: Report | None = None) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._digester = FactsExtractor(rules, level)
        self._revision = revision
        self._before = None if before is None else _keys(before)
        self._sightings: dict[str, Sighting] = {}
        self.entries = 0
        """Entries of the revision, whatever they say."""
        self.errors = 0
        """Those of level ERROR or above."""
        self.latest = 0
        """The latest time of an entry."""
        self.first_p0: Sighting | None = None

    def add(self, lines: Iterable[bytes]) -> tuple[Sighting, ...]:
        """Count raw entries; return the failures that were not seen before. What is no entry is passed over."""
        found = []
        for entry in stitch(_decoded(lines)):
            if self._revision not in {"all", entry.revision}:
                continue
            self.entries += len(entry.originals)
            self.errors += entry.level.rank >= Level.ERROR.rank
            self.latest = max(self.latest, entry.time)
            sighting, is_first = self._see(entry)
            if sighting is not None and is_first:
                found.append(sighting)
                if sighting.priority is Priority.P0 and sighting.role is not Role.NOISE and self.first_p0 is None:
                    self.first_p0 = sighting
        return tuple(found)

    def _see(self, entry: LogEntry) -> tuple[Sighting | None, bool]:
        facts = self._digester.facts(entry)
        if not facts.analysed:
            return None, False
        key = facts.signature or facts.group[0]
        if key not in self._sightings and len(self._sightings) >= _MOST and not facts.signature:
            key = _REST
        sighting = self._sightings.get(key)
        is_first = sighting is None
        if sighting is None:
            sighting = self._sightings[key] = self._new(key, facts.signature, entry)
        for original in entry.originals:
            sighting.add(original.time)
        return sighting, is_first

    def _new(self, key: str, signature: str, entry: LogEntry) -> Sighting:
        rule = self._rules.get(signature)
        name = signature or (quote(template(entry), 120) if key != _REST else _REST)
        state = SightingState.UNTOLD
        if self._before is not None:
            state = SightingState.KNOWN if key in self._before else SightingState.NEW
        return Sighting(
            key=key,
            name=name,
            role=rule.role if rule else None,
            priority=rule.priority if rule else Priority.P2,
            state=state,
            first=entry.time,
            last=entry.time,
        )

    def sightings(self) -> list[Sighting]:
        """List what was seen: by priority, noise last, the most frequent first."""
        return sorted(self._sightings.values(), key=_rank)


def _rank(sighting: Sighting) -> tuple[bool, str, int, int, str]:
    role = _ROW_ORDER[sighting.role] if sighting.role is not None else _ROW_ORDER[Role.MECHANISM]
    return sighting.role is Role.NOISE, sighting.priority.value, role, -sighting.entries, sighting.key


def _keys(report: Report) -> frozenset[str]:
    return frozenset(cluster.signature or cluster.fingerprint for cluster in report.clusters)


def _decoded(lines: Iterable[bytes]) -> Iterator[LogEntry]:
    for line in lines:
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(record, dict):
            yield decode_record(record)
