"""What a case holds whole, by time, instance, log and level; elsewhere entries may be missing, and nothing follows.

A pull of errors brings these everywhere, with requests and what the platform logged. What the application logged below
that level is here only around failures, and around requests that were drawn from those that went well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Level, PullPart
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Pulled

_PLATFORM = ("%2Fvarlog%2Fsystem", "cloudaudit.googleapis.com%2Factivity", "cloudaudit.googleapis.com%2Fsystem_event")
_Spans = list[tuple[int, int]]
"""Start and end, nanoseconds; sorted, and none touches another."""


class Control(NamedTuple):
    """A request that went well, with which failures are compared."""

    row: int
    instance: str
    stands_for: int
    """About how many requests."""


class PulledWhole:
    """The parts of a revision's log that were pulled whole; all of it for an export and for a pull of everything."""

    def __init__(self, pulled: Sequence[Pulled] = (), revision: str = "all") -> None:
        about = [one for one in pulled if revision == "all" or one.revision in {"", "all", revision}]
        spans = {name: _everything(about, name) for name in {one.revision for one in about}}
        # Where a case holds several revisions, what is whole of one says nothing of the others.
        self._spans = next(iter(spans.values())) if len(spans) == 1 else _everything(about, "all")
        errors = [one for one in about if one.part is PullPart.ERRORS]
        lacking = [one for one in errors if not _is_within(spans[one.revision], *_span(one))]
        self.level = max((Level(one.level) for one in lacking if one.level), key=lambda level: level.rank, default=None)
        """The level down to which everything is here; None where lower ones are, too."""
        self.is_partial = self.level is not None or bool(pulled and not about)
        self._windows = _windows(about) if self.is_partial else {}
        self._drawn: dict[int, int] = {time: one.stands_for for one in about for time in one.drawn}
        self._is_capped = any(one.capped and one.part is PullPart.PLATFORM for one in about)

    def has_all(self, table: EntryTable, rows: Iterable[int]) -> bool:
        """Tell whether entries like these are here wherever they were logged: errors, and what the platform logged."""
        if not self.is_partial:
            return True
        least = self.level.rank if self.level else Level.EMERGENCY.rank + 1
        codes = Counter((table.label_ids[row], table.fact_ids[row]) for row in rows)
        return all(self._is_asked_for(table, label_set, facts, least) for label_set, facts in codes)

    def _is_asked_for(self, table: EntryTable, label_id: int, fact_id: int, least: int) -> bool:
        label_set, facts = table.label_sets[label_id], table.distinct_facts[fact_id]
        if label_set.log_name.endswith(_PLATFORM):
            return not self._is_capped
        if facts.is_request:
            return facts.level.rank >= Level.WARNING.rank
        severity = label_set.severity
        return severity in Level.__members__ and Level[str(severity)].rank >= least

    def holds(self, instance: str, start: int, end: int) -> bool:
        """Tell whether every entry of an instance (of the revision, for "") between two times is here."""
        if not self.is_partial:
            return True
        places = (self._spans, self._windows.get(instance, []), self._windows.get("", []))
        return any(_is_within(spans, start, end) for spans in places)

    def controls(self, table: EntryTable) -> list[Control]:
        """Return the requests that were drawn, in order of time."""
        found = []
        for row, time in enumerate(table.times):
            if time in self._drawn and table.facts(row).is_request and table.facts(row).level.rank < Level.WARNING.rank:
                found.append(Control(row, table.instance(row), self._drawn[time]))
        return found


def _everything(pulled: Sequence[Pulled], revision: str) -> _Spans:
    """Return the spans of which all entries of a revision came."""
    own = [one for one in pulled if one.done and one.part is PullPart.EVERYTHING and one.revision in {revision, "all"}]
    return _joined(span for one in own for span in _without([_span(one)], _gaps(one)))


def _span(one: Pulled) -> tuple[int, int]:
    if not one.from_time or not one.to_time:
        return (0, 0)
    return parse_time(one.from_time), parse_time(one.to_time)


def _gaps(one: Pulled) -> list[tuple[int, int]]:
    return [(parse_time(gap.from_time), parse_time(gap.to_time)) for gap in one.gaps]


def _joined(spans: Iterable[tuple[int, int]]) -> _Spans:
    joined: _Spans = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(spans: _Spans, gaps: Sequence[tuple[int, int]]) -> _Spans:
    """Cut gaps out of spans."""
    left: _Spans = []
    for start, end in spans:
        edges = [start, *(edge for gap in _joined(gaps) for edge in gap if start < edge < end), end]
        left += [(a, b) for a, b in pairwise(edges) if not any(first <= a and b <= last for first, last in gaps)]
    return left


def _is_within(spans: _Spans, start: int, end: int) -> bool:
    at = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return at >= 0 and end <= spans[at][1]


def _windows(pulled: Sequence[Pulled]) -> dict[str, _Spans]:
    by_instance: dict[str, _Spans] = {}
    for one in pulled:
        for window in one.windows:
            by_instance.setdefault(window.instance, []).append((window.start, window.end))
    return {instance: _joined(spans) for instance, spans in by_instance.items()}


EVERYTHING = PulledWhole()
"""Of an export, or of a pull of everything."""
