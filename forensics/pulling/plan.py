"""What is asked for and what a case notes of earlier pulls in; the listings still to be asked for out. Pure."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from forensics.cases import PullRecord
from forensics.cloud.filters import Target, TimeSpan, errors, everything, refused, requests, sample, service_logs
from forensics.model import Level, Nanoseconds, Pulled
from forensics.pulling.neighbourhoods import ErrorNeighbourhoods, neighbours_of
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.cases import Manifest

EVERYTHING, ERRORS, NEIGHBOURHOOD, FIRST, PLATFORM, REQUESTS, REFUSED, SAMPLE = (
    "everything", "errors", "neighbourhood", "first entries", "platform", "requests", "refused requests",
    "sampled requests",
)  # fmt: skip
_MOST_FIRST = 1_000
"""Of a revision without errors: enough to see that it was there, and what it said when it started."""
_MOST_NEIGHBOURS = 60_000
_MOST_PLATFORM = 50_000
_MOST_REQUESTS = 20_000
"""Entries: a minute of the quota gives 50,000, and requests that went well serve as exposure only. Later ones are
counted in a sample."""
_MOST_REFUSED = 60_000
_SAMPLE = 10_000
"""Entries that a sample is to have: their number is that of all within two in a hundred, 19 times of 20."""
_THINNER = 10
"""A sample that comes to more than twice that goes on with so many times fewer."""
_LATE = 5 * 60 * SECOND
"""Nanoseconds that an entry may come behind others with its time."""
_EDGE = 5 * 60 * SECOND
"""An error so near to the start of a span may have begun before it; in short spans a tenth of them."""


class PullRequest(Struct, frozen=True, kw_only=True):
    """What is to be in a case at the end."""

    target: Target
    span: TimeSpan
    level: Level | None = None
    """Of the errors that are asked for with what stands around them; None asks for everything."""
    floor: Nanoseconds | None = None
    """How far back the span may be widened when errors stand at its edge; None: the span is meant as it is."""
    is_open: bool = False
    """Nobody said where the span starts: between it and earlier pulls nothing may be missing."""
    transport: str = "rest"


class PullGroup(Struct, frozen=True, kw_only=True):
    """The listings of one pull."""

    number: int
    records: tuple[tuple[int, PullRecord], ...]
    """With their ids."""

    @property
    def lead(self) -> PullRecord:
        """The first listing."""
        return self.records[0][1]

    @property
    def span(self) -> TimeSpan | None:
        """The time that it is about; None when a bound is not known."""
        leads = [record for _, record in self.records if record.part in {EVERYTHING, ERRORS}]
        starts = [time for record in leads if (time := _time(record.from_time)) is not None]
        ends = [time for record in leads if (time := _time(record.to_time)) is not None]
        return TimeSpan(min(starts), max(ends)) if starts and ends else None

    @property
    def is_planned(self) -> bool:
        """Whether no listing will be added to it."""
        return any(record.part in {EVERYTHING, REQUESTS, SAMPLE} for _, record in self.records)

    @property
    def uncounted(self) -> PullRecord | None:
        """The listing of requests that was left at its limit, where no sample of the later ones follows it."""
        counting = [record for _, record in self.records if record.part in {REQUESTS, SAMPLE}]
        return counting[-1] if counting and counting[-1].checkpoint.capped else None

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end."""
        return self.is_planned and self.uncounted is None and all(record.checkpoint.done for _, record in self.records)


def _time(text: str | None) -> Nanoseconds | None:
    """Read a time of a manifest, which may come from anywhere."""
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def groups(manifest: Manifest) -> tuple[PullGroup, ...]:
    """Gather the listings of a case into pulls."""
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


def missing(manifest: Manifest, order: PullRequest) -> tuple[TimeSpan, ...]:
    """Say which parts of the span asked for a case does not hold yet; last minutes are asked for again.

    Entries may arrive late, so that a pull that ended at its own present is not taken at its word for its last minutes.
    """
    had = sorted(_covered(manifest, order))
    start, end = order.span.start, order.span.end
    if order.is_open and had and (last := max(span.end for span, _ in had)) < end:
        start = Nanoseconds(min(start, last - _LATE))
    gaps: list[TimeSpan] = []
    for span, started in had:
        if span.start >= end or span.end <= start:
            continue
        if span.start > start:
            gaps.append(TimeSpan(start, span.start))
        is_sure = span.end >= end and started >= span.end + _LATE
        start = Nanoseconds(max(start, span.end if is_sure else span.end - _LATE))
    return (*gaps, TimeSpan(start, end)) if start < end else tuple(gaps)


def _covered(manifest: Manifest, order: PullRequest) -> Iterator[tuple[TimeSpan, int]]:
    for group in groups_of(manifest, order.target):
        level = group.lead.level
        is_enough = not level or (order.level is not None and Level(level).rank <= order.level.rank)
        if is_enough and group.is_whole and group.span is not None:
            started = _time(group.lead.started) or 0
            yield from ((span, started) for span in _without_gaps(group.span, group.lead))


def _without_gaps(span: TimeSpan, record: PullRecord) -> Iterator[TimeSpan]:
    """Yield the parts of a span of which a watch missed nothing."""
    start = span.start
    for gap in sorted(record.gaps, key=lambda gap: gap.from_time):
        first, last = _time(gap.from_time), _time(gap.to_time)
        if first is not None and last is not None:
            if start < first:
                yield TimeSpan(start, first)
            start = Nanoseconds(max(start, last))
    if start < span.end:
        yield TimeSpan(start, span.end)


def first_listing(order: PullRequest, span: TimeSpan, started: str, number: int) -> PullRecord:
    """Begin a pull: everything in one listing, or the errors first."""
    level, floor = order.level, order.floor if span.start == order.span.start else None
    part, text = (
        (EVERYTHING, everything(order.target, span)) if level is None else (ERRORS, errors(order.target, span, level))
    )
    return _record(
        order.target,
        part,
        text,
        span,
        started=started,
        group=number,
        level="" if level is None else level.value,
        floor=None if level is None or floor is None else format_time(floor),
        transport=order.transport,
    )


def _record(target: Target, part: str, text: str, span: TimeSpan, **more: object) -> PullRecord:
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
    """Ask for errors before the span, as far again, when the first of them stand at its edge; None when not."""
    span, lead = group.span, group.lead
    floor = _time(lead.floor)
    if span is None or floor is None or around.first is None:
        return None
    length = span.end - span.start
    if around.first >= span.start + min(_EDGE, length // 10) or floor >= span.start:
        return None
    before = TimeSpan(Nanoseconds(max(floor, span.start - length)), span.start)
    text = errors(target, before, Level(lead.level))
    return _like(lead, _record(target, ERRORS, text, before))


def rest(
    group: PullGroup, around: ErrorNeighbourhoods, target: Target, earlier: Sequence[PullRecord] = ()
) -> tuple[PullRecord, ...]:
    """Ask for what stands around the errors, for what the platform says, and for requests as exposure.

    `earlier` are samples of requests by which earlier pulls counted (`samples_before`).
    """
    span, lead = group.span, group.lead
    if span is None:
        return ()
    filters, left_out = neighbours_of(target, around.windows)
    hulls = TimeSpan(around.windows[0].span.start, max(w.span.end for w in around.windows)) if filters else span
    limit = _MOST_NEIGHBOURS // max(1, len(filters))
    parts = [
        _record(target, NEIGHBOURHOOD, text, hulls, limit=limit, left_out=0 if number else left_out)
        for number, text in enumerate(filters)
    ]
    if not filters:
        parts.append(_record(target, FIRST, everything(target, span), span, limit=_MOST_FIRST))
    parts.append(_record(target, PLATFORM, service_logs(target, span), span, limit=_MOST_PLATFORM))
    if earlier:
        parts += _counted_again(target, span, earlier)
    else:
        parts.append(_record(target, REQUESTS, requests(target, span), span, limit=_MOST_REQUESTS))
    return tuple(_like(lead, part) for part in parts)


def _counted_again(target: Target, span: TimeSpan, earlier: Sequence[PullRecord]) -> list[PullRecord]:
    """Count in one sample from where earlier ones began: what came late is in it, and nothing is counted twice."""
    spans = [found for record in earlier if (found := _span_of(record)) is not None]
    start, until = min(one.start for one in spans), max(one.end for one in spans)
    so_far = sum(record.listed * record.one_in for record in earlier)
    return [
        _record(target, REFUSED, refused(target, span), span, limit=_MOST_REFUSED),
        _sample(target, TimeSpan(start, span.end), so_far * (span.end - start) / max(1, until - start)),
    ]


def samples_before(manifest: Manifest, target: Target, span: TimeSpan | None) -> tuple[PullRecord, ...]:
    """Return the samples of the latest pull of a revision that counted by them and comes up to a span."""
    for group in reversed([*groups_of(manifest, target)]):
        samples = [(record, _span_of(record)) for _, record in group.records if record.part == SAMPLE]
        near = [record for record, at in samples if at and span and at.start < span.end and at.end >= span.start]
        if near:
            return tuple(near)
    return ()


def _span_of(record: PullRecord) -> TimeSpan | None:
    start, end = _time(record.from_time), _time(record.to_time)
    return None if start is None or end is None else TimeSpan(start, end)


def sampled(group: PullGroup, target: Target) -> tuple[PullRecord, ...]:
    """Ask for a sample of the requests that came after a limit, and for all of them that did not go well; else nothing.

    What one in so many is goes by how many came until then, and where these were a sample, that was too large.
    """
    record = group.uncounted
    if record is None:
        return ()
    span, last = _span_of(record), _time(record.checkpoint.last_timestamp)
    if span is None or last is None or last >= span.end:
        return ()
    later, took = TimeSpan(last, span.end), max(1, last - span.start)
    if record.part == SAMPLE:
        parts = [_sample(target, later, record.listed * record.one_in * _THINNER)]
    else:
        parts = [
            _record(target, REFUSED, refused(target, later), later, limit=_MOST_REFUSED),
            _sample(target, later, record.entries * (later.end - last) / took),
        ]
    return tuple(_like(group.lead, part) for part in parts)


def _sample(target: Target, span: TimeSpan, expected: float) -> PullRecord:
    """Ask for a sample where so many requests are expected: one in 2, 5, 10, 20, 50 and so on."""
    steps = (digit * 10**power // 10 for power in count(1) for digit in (2, 5, 10))
    one_in = next(step for step in steps if expected <= step * _SAMPLE)
    return _record(target, SAMPLE, sample(target, span, one_in), span, limit=2 * _SAMPLE, one_in=one_in)


def _like(lead: PullRecord, record: PullRecord) -> PullRecord:
    return replace(record, started=lead.started, group=lead.group, level=lead.level, transport=lead.transport)


def pulled_of(manifest: Manifest) -> tuple[Pulled, ...]:
    """Say of each listing of a case what a report must know of it."""
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
        # Errors without what belongs to them are a pull that was stopped in between.
        done=record.checkpoint.done and group.is_planned,
        capped=record.checkpoint.capped,
        last_time=record.checkpoint.last_timestamp,
        left_out=record.left_out,
        watched=record.watched,
        suppressed=sum(record.suppressed.values()),
        gaps=tuple(gap for gap in record.gaps if _time(gap.from_time) is not None and _time(gap.to_time) is not None),
    )


def entries_of(manifest: Manifest, numbers: Sequence[int]) -> int:
    """Count the entries that some pulls brought."""
    return sum(record.entries for group in groups(manifest) if group.number in numbers for _, record in group.records)
