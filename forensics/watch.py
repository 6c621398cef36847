"""Count failures live, as entries arrive: how often each was seen, which are new, the first P0. No I/O, no clock.

It applies the rules of the analysis, but counts entries instead of occurrences, and joins the pieces of a message only
where they arrive together. It is a first look; the analysis decides.
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
"""Failures with a row of their own; all others share one, since the text of a log decides how many there are."""
_REST = "(others)"
_ROW_ORDER = {role: rank for rank, role in enumerate(Role)}


class SightingState(StrEnum):
    """Whether a failure is in the baseline report."""

    NEW = "new"
    KNOWN = "known"
    NO_BASELINE = ""
    """There is no baseline report."""


class Sighting(Struct, kw_only=True):
    """One failure and its counts so far."""

    key: str
    """The signature, or the fingerprint where no rule matches."""
    name: str
    """The signature or the template, redacted."""
    role: Role | None
    """None when no rule matches; the analysis decides."""
    priority: Priority
    state: SightingState
    first: int
    """Time of the first entry, nanoseconds."""
    last: int
    """Time of the last entry, nanoseconds."""
    entries: int = 0
    recent: deque[tuple[int, int]] = msgspec.field(default_factory=deque)
    """Pairs of second and number of entries, for the last two minutes."""

    def per_minute(self, now: int) -> int:
        """Count the entries of the minute before `now`, nanoseconds."""
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
        # By the latest time seen, not by a clock: a listing brings old entries.
        while self.recent and self.recent[0][0] * SECOND <= self.last - 2 * MINUTE:
            self.recent.popleft()


class Tally:
    """Counts the failures of one revision, or of every one (`all`)."""

    def __init__(self, rules: Sequence[Rule], level: Level, revision: str, baseline: Report | None = None) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._extractor = FactsExtractor(rules, level)
        self._revision = revision
        self._baseline = None if baseline is None else _keys(baseline)
        self._sightings: dict[str, Sighting] = {}
        self.entries = 0
        """Number of all entries of the revision."""
        self.errors = 0
        """Number of entries of level ERROR or above."""
        self.latest = 0
        """Time of the latest entry, nanoseconds; 0 before the first."""
        self.first_p0: Sighting | None = None

    def add(self, lines: Iterable[bytes]) -> tuple[Sighting, ...]:
        """Count raw entries, each a JSON object; return the failures that were not seen before."""
        new = []
        for entry in stitch(_decoded(lines)):
            if self._revision not in {"all", entry.revision}:
                continue
            self.entries += len(entry.originals)
            self.errors += entry.level.rank >= Level.ERROR.rank
            self.latest = max(self.latest, entry.time)
            sighting, is_first = self._see(entry)
            if sighting is not None and is_first:
                new.append(sighting)
                if sighting.priority is Priority.P0 and sighting.role is not Role.NOISE and self.first_p0 is None:
                    self.first_p0 = sighting
        return tuple(new)

    def _see(self, entry: LogEntry) -> tuple[Sighting | None, bool]:
        facts = self._extractor.facts(entry)
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
        state = SightingState.NO_BASELINE
        if self._baseline is not None:
            state = SightingState.KNOWN if key in self._baseline else SightingState.NEW
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
        """List the failures by priority, the most frequent first, noise last."""
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
