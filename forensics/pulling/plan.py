"""Decide which listings a case still needs for a pull request, from what it records of earlier pulls. No I/O."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.cases import PullRecord
from forensics.cloud.filters import Target, TimeSpan, errors, everything, refused, requests, sample, service_logs
from forensics.model import Level, Nanoseconds, Pulled, PullPart
from forensics.pulling.neighbourhoods import ErrorNeighbourhoods, neighbours_of
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.cases import Manifest

_COUNTING = frozenset({PullPart.REQUESTS, PullPart.SAMPLED_REQUESTS})
"""Listings that count requests."""
_LAST_PARTS = _COUNTING | {PullPart.EVERYTHING}
_MOST_FIRST = 1_000
"""Entries of a revision without errors: enough to see that it ran, and what it logged when it started."""
_MOST_NEIGHBOURS = 60_000
_MOST_PLATFORM = 50_000
_MOST_REQUESTS = 20_000
"""Entries: a minute of the quota gives 50,000, and successful requests serve as exposure only. Later ones are counted
in a sample."""
_MOST_REFUSED = 60_000
_SAMPLE = 10_000
"""Target size of a sample; at this size the estimated total is within 2 % of the real one, 19 times of 20."""
_THINNER = 10
"""Factor by which a sample is thinned when it exceeds twice its target size."""
_LATE = 5 * 60 * SECOND
"""Nanoseconds by which an entry may arrive later than others of the same time."""
_EDGE = 5 * 60 * SECOND
"""Nanoseconds from the start of a span in which errors may have begun before it; in short spans a tenth of the span."""


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
        leads = [record for _, record in self.records if record.part in {PullPart.EVERYTHING, PullPart.ERRORS}]
        starts = [time for record in leads if (time := _time(record.from_time)) is not None]
        ends = [time for record in leads if (time := _time(record.to_time)) is not None]
        return TimeSpan(min(starts), max(ends)) if starts and ends else None

    @property
    def is_planned(self) -> bool:
        """Whether no listing will be added to it."""
        return any(record.part in _LAST_PARTS for _, record in self.records)

    @property
    def uncounted(self) -> PullRecord | None:
        """The listing of requests that was left at its limit, where no sample of the later ones follows it."""
        counting = [record for _, record in self.records if record.part in _COUNTING]
        return counting[-1] if counting and counting[-1].checkpoint.capped else None

    @property
    def is_whole(self) -> bool:
        """Whether every listing of the pull came to its end."""
        return self.is_planned and self.uncounted is None and all(record.checkpoint.done for _, record in self.records)


def _time(text: str | None) -> Nanoseconds | None:
    """Read a time of a manifest, which may come from anywhere."""
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


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
        start = Nanoseconds(min(start, last - _LATE))
    gaps: list[TimeSpan] = []
    for span, started in covered:
        if span.start >= end or span.end <= start:
            continue
        if span.start > start:
            gaps.append(TimeSpan(start, span.start))
        is_sure = span.end >= end and started >= span.end + _LATE
        start = Nanoseconds(max(start, span.end if is_sure else span.end - _LATE))
    return (*gaps, TimeSpan(start, end)) if start < end else tuple(gaps)


def _covered(manifest: Manifest, request: PullRequest) -> Iterator[tuple[TimeSpan, int]]:
    for group in groups_of(manifest, request.target):
        level = group.lead.level
        is_enough = not level or (request.level is not None and Level(level).rank <= request.level.rank)
        if is_enough and group.is_whole and group.span is not None:
            started = _time(group.lead.started) or 0
            yield from ((span, started) for span in _without_gaps(group.span, group.lead))


def _without_gaps(span: TimeSpan, record: PullRecord) -> Iterator[TimeSpan]:
    """Yield the parts of a span in which a watch missed nothing."""
    start = span.start
    for gap in sorted(record.gaps, key=lambda gap: gap.from_time):
        first, last = _time(gap.from_time), _time(gap.to_time)
        if first is not None and last is not None:
            if start < first:
                yield TimeSpan(start, first)
            start = Nanoseconds(max(start, last))
    if start < span.end:
        yield TimeSpan(start, span.end)


def first_listing(request: PullRequest, span: TimeSpan, started: str, number: int) -> PullRecord:
    """Return the first listing of a pull: everything, or the errors."""
    level, floor = request.level, request.floor if span.start == request.span.start else None
    target = request.target
    part, text = (
        (PullPart.EVERYTHING, everything(target, span))
        if level is None
        else (PullPart.ERRORS, errors(target, span, level))
    )
    return _record(
        target,
        part,
        text,
        span,
        started=started,
        group=number,
        level="" if level is None else level.value,
        floor=None if level is None or floor is None else format_time(floor),
        transport=request.transport,
    )


def _record(target: Target, part: PullPart, text: str, span: TimeSpan, **more: object) -> PullRecord:
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


def widened(group: PullGroup, around: ErrorNeighbourhoods, target: Target) -> PullRecord | None:
    """Return a listing of errors before the span, as long again, if errors lie at its start; else None."""
    span, lead = group.span, group.lead
    floor = _time(lead.floor)
    if span is None or floor is None or around.first is None:
        return None
    length = span.end - span.start
    if around.first >= span.start + min(_EDGE, length // 10) or floor >= span.start:
        return None
    before = TimeSpan(Nanoseconds(max(floor, span.start - length)), span.start)
    text = errors(target, before, Level(lead.level))
    return _like(lead, _record(target, PullPart.ERRORS, text, before))


def rest(
    group: PullGroup, around: ErrorNeighbourhoods, target: Target, earlier: Sequence[PullRecord] = ()
) -> tuple[PullRecord, ...]:
    """Return the listings that follow the errors: entries around them, platform logs, and requests as exposure.

    `earlier` are the samples of requests by which earlier pulls counted (`samples_before`).
    """
    span, lead = group.span, group.lead
    if span is None:
        return ()
    filters, left_out = neighbours_of(target, around.windows)
    hulls = TimeSpan(around.windows[0].span.start, max(w.span.end for w in around.windows)) if filters else span
    limit = _MOST_NEIGHBOURS // max(1, len(filters))
    parts = [
        _record(target, PullPart.NEIGHBOURHOOD, text, hulls, limit=limit, left_out=0 if number else left_out)
        for number, text in enumerate(filters)
    ]
    if not filters:
        parts.append(_record(target, PullPart.FIRST_ENTRIES, everything(target, span), span, limit=_MOST_FIRST))
    parts.append(_record(target, PullPart.PLATFORM, service_logs(target, span), span, limit=_MOST_PLATFORM))
    if earlier:
        parts += _counted_again(target, span, earlier)
    else:
        parts.append(_record(target, PullPart.REQUESTS, requests(target, span), span, limit=_MOST_REQUESTS))
    return tuple(_like(lead, part) for part in parts)


def _counted_again(target: Target, span: TimeSpan, earlier: Sequence[PullRecord]) -> list[PullRecord]:
    """Return one sample from where earlier ones began: it includes late entries, and nothing is counted twice."""
    spans = [at for record in earlier if (at := _span_of(record)) is not None]
    start, until = min(one.start for one in spans), max(one.end for one in spans)
    so_far = sum(record.listed * record.one_in for record in earlier)
    return [
        _record(target, PullPart.REFUSED_REQUESTS, refused(target, span), span, limit=_MOST_REFUSED),
        _sample(target, TimeSpan(start, span.end), so_far * (span.end - start) / max(1, until - start)),
    ]


def samples_before(manifest: Manifest, target: Target, span: TimeSpan | None) -> tuple[PullRecord, ...]:
    """Return the samples of a revision's latest sampled pull that reaches a span; empty without one."""
    for group in reversed([*groups_of(manifest, target)]):
        samples = [
            (record, _span_of(record)) for _, record in group.records if record.part is PullPart.SAMPLED_REQUESTS
        ]
        near = [record for record, at in samples if at and span and at.start < span.end and at.end >= span.start]
        if near:
            return tuple(near)
    return ()


def _span_of(record: PullRecord) -> TimeSpan | None:
    start, end = _time(record.from_time), _time(record.to_time)
    return None if start is None or end is None else TimeSpan(start, end)


def sampled(group: PullGroup, target: Target) -> tuple[PullRecord, ...]:
    """Return listings for the requests after a limit: a sample of all, and every failed one; empty without a limit.

    The sampling rate follows from the request rate so far, or from the size of a sample that was too large.
    """
    record = group.uncounted
    if record is None:
        return ()
    span, last = _span_of(record), _time(record.checkpoint.last_timestamp)
    if span is None or last is None or last >= span.end:
        return ()
    later, took = TimeSpan(last, span.end), max(1, last - span.start)
    if record.part is PullPart.SAMPLED_REQUESTS:
        parts = [_sample(target, later, record.listed * record.one_in * _THINNER)]
    else:
        parts = [
            _record(target, PullPart.REFUSED_REQUESTS, refused(target, later), later, limit=_MOST_REFUSED),
            _sample(target, later, record.entries * (later.end - last) / took),
        ]
    return tuple(_like(group.lead, part) for part in parts)


def _sample(target: Target, span: TimeSpan, expected: float) -> PullRecord:
    """Return a sample for an expected number of requests: one in 2, 5, 10, 20, 50 and so on."""
    steps = (digit * 10**power // 10 for power in count(1) for digit in (2, 5, 10))
    one_in = next(step for step in steps if expected <= step * _SAMPLE)
    return _record(
        target, PullPart.SAMPLED_REQUESTS, sample(target, span, one_in), span, limit=2 * _SAMPLE, one_in=one_in
    )


def _like(lead: PullRecord, record: PullRecord) -> PullRecord:
    return replace(record, started=lead.started, group=lead.group, level=lead.level, transport=lead.transport)


def pulled_of(manifest: Manifest) -> tuple[Pulled, ...]:
    """Return the facts about each listing of a case that a report needs."""
    return tuple(_pulled(record, group) for group in groups(manifest) for _, record in group.records)


def _pulled(record: PullRecord, group: PullGroup) -> Pulled:
    return Pulled(
        revision=record.revision,
        part=record.part,
        level=record.level,
        from_time=record.from_time if _time(record.from_time) is not None else None,
        to_time=record.to_time if _time(record.to_time) is not None else None,
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
        gaps=tuple(gap for gap in record.gaps if _time(gap.from_time) is not None and _time(gap.to_time) is not None),
    )


def entries_of(manifest: Manifest, numbers: Sequence[int]) -> int:
    """Count the entries of the pulls with these numbers."""
    return sum(record.entries for group in groups(manifest) if group.number in numbers for _, record in group.records)
