"""The pulls that a case records: their listings, the time they cover, and what a request still lacks. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.cases import PullRecord
from forensics.cloud.filters import Target, TimeSpan
from forensics.model import Level, Nanoseconds, Pulled, PulledWindow, PullPart
from forensics.pulling.neighbourhoods import whole_windows
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.cases import Manifest

COUNTING = frozenset({PullPart.REQUESTS, PullPart.SAMPLED_REQUESTS})
"""Listings that count requests."""
_LAST_PARTS = COUNTING | {PullPart.EVERYTHING}
_LEADS = frozenset({PullPart.EVERYTHING, PullPart.ERRORS})
_WINDOWED = frozenset({PullPart.NEIGHBOURHOOD, PullPart.CONTROLS})
LATE = 5 * 60 * SECOND
"""Nanoseconds by which an entry may arrive later than others of the same time; what is later still is asked for by when
it arrived."""


class PullRequest(Struct, frozen=True, kw_only=True):
    """The entries that a case should hold after a pull."""

    target: Target
    span: TimeSpan
    level: Level | None = None
    """Pull errors of this level and the entries around them; None pulls everything."""
    floor: Nanoseconds | None = None
    """How far back the span may be widened when errors lie at its start; None: the span is fixed."""
    is_open: bool = False
    """True when the user gave no start: the time since earlier pulls must be covered as well."""
    transport: str = "rest"
    whole_up_to: int = 0
    """Number of entries up to which everything is pulled, errors or not."""


class PullGroup(Struct, frozen=True, kw_only=True):
    """The listings of one pull."""

    number: int
    records: tuple[tuple[int, PullRecord], ...]
    """Pairs of id and record."""

    @property
    def lead(self) -> PullRecord:
        """The first listing."""
        return self.records[0][1]

    @property
    def span(self) -> TimeSpan | None:
        """The time that it is about; None when a bound is not known."""
        return _hull(record for _, record in self.records if record.part in _LEADS)

    @property
    def reach(self) -> TimeSpan | None:
        """The time of all entries that it can bring, late ones of earlier pulls included."""
        return _hull(record for _, record in self.records if record.part in _LEADS | {PullPart.LATE_ENTRIES})

    @property
    def level(self) -> str:
        """The level of its errors; empty where everything was pulled."""
        is_everything = any(record.part is PullPart.EVERYTHING for _, record in self.records)
        return "" if is_everything else self.lead.level

    @property
    def is_planned(self) -> bool:
        """Whether no listing will be added to it."""
        parts = {record.part for _, record in self.records}
        if parts & _LAST_PARTS:
            return True
        if parts & _LEADS:
            return False
        # Late entries alone: what stands around errors among them follows.
        brought = any(record.entries for _, record in self.records)
        return all(record.checkpoint.done for _, record in self.records) and (
            not (brought and self.lead.level) or PullPart.PLATFORM in parts
        )

    @property
    def uncounted(self) -> PullRecord | None:
        """The listing of requests that was left at its limit, where no sample of the later ones follows it."""
        counting = [record for _, record in self.records if record.part in COUNTING]
        return counting[-1] if counting and counting[-1].checkpoint.capped else None

    @property
    def is_whole(self) -> bool:
        """Whether every listing of the pull came to its end."""
        return self.is_planned and self.uncounted is None and all(record.checkpoint.done for _, record in self.records)


def time_of(text: str | None) -> Nanoseconds | None:
    """Read a time of a manifest, which may come from anywhere."""
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def _hull(records: Iterable[PullRecord]) -> TimeSpan | None:
    spans = [span for record in records if (span := span_of(record)) is not None]
    return TimeSpan(min(span.start for span in spans), max(span.end for span in spans)) if spans else None


def groups(manifest: Manifest) -> tuple[PullGroup, ...]:
    """Group the listings of a case by pull."""
    gathered: dict[int, list[tuple[int, PullRecord]]] = {}
    for number, record in enumerate(manifest.pulls, 1):
        gathered.setdefault(record.group or number, []).append((number, record))
    return tuple(PullGroup(number=number, records=tuple(records)) for number, records in gathered.items())


def groups_of(manifest: Manifest, target: Target) -> Iterator[PullGroup]:
    """Yield the pulls about a revision."""
    return (
        group
        for group in groups(manifest)
        if group.lead.project == target.project and group.lead.revision == target.revision
    )


def missing(manifest: Manifest, request: PullRequest) -> tuple[TimeSpan, ...]:
    """Return the parts of the requested span that a case does not hold yet.

    Entries may arrive late, so the last minutes of a pull that ended in its own present are pulled again.
    """
    covered = sorted(_covered(manifest, request))
    start, end = request.span.start, request.span.end
    if request.is_open and covered and (last := max(span.end for span, _ in covered)) < end:
        start = Nanoseconds(min(start, last - LATE))
    gaps: list[TimeSpan] = []
    for span, started in covered:
        if span.start >= end or span.end <= start:
            continue
        if span.start > start:
            gaps.append(TimeSpan(start, span.start))
        is_sure = span.end >= end and started >= span.end + LATE
        start = Nanoseconds(max(start, span.end if is_sure else span.end - LATE))
    return (*gaps, TimeSpan(start, end)) if start < end else tuple(gaps)


def _covered(manifest: Manifest, request: PullRequest) -> Iterator[tuple[TimeSpan, int]]:
    for group in groups_of(manifest, request.target):
        level = group.level
        is_enough = not level or (request.level is not None and Level(level).rank <= request.level.rank)
        if is_enough and group.is_whole and group.span is not None:
            started = time_of(group.lead.started) or 0
            yield from ((span, started) for span in _without_gaps(group.span, group.lead))


def _without_gaps(span: TimeSpan, record: PullRecord) -> Iterator[TimeSpan]:
    """Yield the parts of a span in which a watch missed nothing."""
    start = span.start
    for gap in sorted(record.gaps, key=lambda gap: gap.from_time):
        first, last = time_of(gap.from_time), time_of(gap.to_time)
        if first is not None and last is not None:
            if start < first:
                yield TimeSpan(start, first)
            start = Nanoseconds(max(start, last))
    if start < span.end:
        yield TimeSpan(start, span.end)


def span_of(record: PullRecord) -> TimeSpan | None:
    """Return the span that a listing is about; None where a bound cannot be read."""
    start, end = time_of(record.from_time), time_of(record.to_time)
    return None if start is None or end is None else TimeSpan(start, end)


def pulled_of(manifest: Manifest) -> tuple[Pulled, ...]:
    """Return the facts about each listing of a case that a report needs."""
    return tuple(_pulled(record, group) for group in groups(manifest) for _, record in group.records)


def _pulled(record: PullRecord, group: PullGroup) -> Pulled:
    return Pulled(
        revision=record.revision,
        part=record.part,
        level=record.level,
        from_time=record.from_time if time_of(record.from_time) is not None else None,
        to_time=record.to_time if time_of(record.to_time) is not None else None,
        entries=record.entries,
        listed=record.listed,
        one_in=record.one_in,
        # A listing of errors without those that follow it belongs to a pull that was stopped.
        done=record.checkpoint.done and group.is_planned,
        capped=record.checkpoint.capped,
        last_time=record.checkpoint.last_timestamp,
        left_out=record.left_out,
        watched=record.watched,
        suppressed=sum(record.suppressed.values()),
        gaps=tuple(
            gap for gap in record.gaps if time_of(gap.from_time) is not None and time_of(gap.to_time) is not None
        ),
        windows=_windows(record),
        drawn=tuple(time for text in record.drawn if (time := time_of(text)) is not None),
        stands_for=record.stands_for,
    )


def _windows(record: PullRecord) -> tuple[PulledWindow, ...]:
    """Return the windows that a listing brought whole."""
    if record.part not in _WINDOWED or not record.checkpoint.done:
        return ()
    last = time_of(record.checkpoint.last_timestamp)
    if record.checkpoint.capped and last is None:
        return ()
    return whole_windows(record.filter, last if record.checkpoint.capped else None)


def entries_of(manifest: Manifest, numbers: Sequence[int]) -> int:
    """Count the entries of the pulls with these numbers."""
    return sum(record.entries for group in groups(manifest) if group.number in numbers for _, record in group.records)


def new_record(target: Target, part: PullPart, text: str, span: TimeSpan, **more: object) -> PullRecord:
    """Make the record of a listing that has not begun."""
    record = PullRecord(
        filter=text,
        from_time=format_time(span.start),
        to_time=format_time(span.end),
        project=target.project,
        revision=target.revision,
        part=part,
        started="",
    )
    return replace(record, **more)
