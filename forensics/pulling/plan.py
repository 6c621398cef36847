"""Decide which listings a pull needs, from what a case records of it and of earlier pulls. No I/O."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.cloud.filters import (
    Target,
    TimeSpan,
    errors,
    everything,
    neighbourhood,
    refused,
    requests,
    sample,
    service_logs,
    windows_in,
)
from forensics.model import Level, Nanoseconds, PullPart
from forensics.pulling.neighbourhoods import ErrorNeighbourhoods, neighbours_of
from forensics.pulling.pull_groups import PullGroup, PullRequest, groups_of, new_record, span_of, time_of
from forensics.text.timestamps import SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.cases import Manifest, PullRecord
    from forensics.pulling.drawing import Drawn

_MOST_FIRST = 1_000
"""Entries of a revision without errors: enough to see that it ran, and what it logged when it started."""
_MOST_NEIGHBOURS = 60_000
_MOST_CONTROLS = 60_000
"""Entries around all requests that were drawn, or around all errors; what does not fit is left out by whole filters."""
_BATCH = 25
"""Requests whose windows one filter selects: those that were drawn first come first."""
_MOST_PLATFORM = 50_000
_MOST_REQUESTS = 20_000
"""Entries: a minute of the quota gives 50,000, and successful requests serve as exposure only. Later ones are counted
in a sample."""
_MOST_REFUSED = 60_000
_SAMPLE = 10_000
"""Target size of a sample; at this size the estimated total is within 2 % of the real one, 19 times of 20."""
_THINNER = 10
"""Factor by which a sample is thinned when it exceeds twice its target size."""
_EDGE = 5 * 60 * SECOND
"""Nanoseconds from the start of a span in which errors may have begun before it; in short spans a tenth of the span."""


def first_listing(request: PullRequest, span: TimeSpan, started: str) -> PullRecord:
    """Return the first listing of a pull: everything, or the errors."""
    level, floor = request.level, request.floor if span.start == request.span.start else None
    target = request.target
    part, text = (
        (PullPart.EVERYTHING, everything(target, span))
        if level is None
        else (PullPart.ERRORS, errors(target, span, level))
    )
    return new_record(
        target,
        part,
        text,
        span,
        started=started,
        level="" if level is None else level.value,
        floor=None if level is None or floor is None else format_time(floor),
        transport=request.transport,
    )


def widened(group: PullGroup, around: ErrorNeighbourhoods, target: Target) -> PullRecord | None:
    """Return a listing of errors before the span, as long again, if errors lie at its start; else None."""
    span, lead = group.span, group.lead
    floor = time_of(lead.floor)
    if span is None or floor is None or around.first is None:
        return None
    length = span.end - span.start
    if around.first >= span.start + min(_EDGE, length // 10) or floor >= span.start:
        return None
    before = TimeSpan(Nanoseconds(max(floor, span.start - length)), span.start)
    text = errors(target, before, Level(lead.level))
    return _like(lead, new_record(target, PullPart.ERRORS, text, before))


def whole(group: PullGroup, target: Target) -> tuple[PullRecord, ...]:
    """Return the listing of everything that follows the errors of a small revision."""
    span = group.span
    record = new_record(target, PullPart.EVERYTHING, everything(target, span), span) if span else None
    return (replace(_like(group.lead, record), level=""),) if record else ()


def rest(
    group: PullGroup,
    around: ErrorNeighbourhoods,
    target: Target,
    earlier: Sequence[PullRecord] = (),
    drawn: Drawn | None = None,
) -> tuple[PullRecord, ...]:
    """Return the listings that follow the errors: entries around them, platform logs, and requests as exposure.

    `drawn` are requests that went well, whose neighbours come too; `earlier` are the samples of requests by which
    earlier pulls counted (`samples_before`).
    """
    span, lead = group.span, group.lead
    parts = _neighbours(target, around)
    if drawn is not None:
        parts += _controls(target, drawn)
    if span is None:  # late entries of earlier pulls alone, which counted the requests
        reach = group.reach
        parts += [new_record(target, PullPart.PLATFORM, service_logs(target, reach), reach)] if reach else []
        return tuple(_like(lead, part) for part in parts)
    if not parts:
        parts.append(new_record(target, PullPart.FIRST_ENTRIES, everything(target, span), span, limit=_MOST_FIRST))
    parts.append(new_record(target, PullPart.PLATFORM, service_logs(target, span), span, limit=_MOST_PLATFORM))
    if earlier:
        parts += _counted_again(target, span, earlier)
    else:
        parts.append(new_record(target, PullPart.REQUESTS, requests(target, span), span, limit=_MOST_REQUESTS))
    return tuple(_like(lead, part) for part in parts)


def _neighbours(target: Target, around: ErrorNeighbourhoods) -> list[PullRecord]:
    filters, left_out = neighbours_of(target, around.windows)
    if not filters:
        return []
    hull = TimeSpan(around.windows[0].span.start, max(w.span.end for w in around.windows))
    return [
        new_record(
            target, PullPart.NEIGHBOURHOOD, text, hull, limit=_MOST_NEIGHBOURS, left_out=0 if number else left_out
        )
        for number, text in enumerate(filters)
    ]


def _controls(target: Target, drawn: Drawn) -> list[PullRecord]:
    """Return listings of what stands around requests that were drawn, a batch each."""
    records = []
    for at in range(0, len(drawn.requests), _BATCH):
        batch = drawn.requests[at : at + _BATCH]
        for text in neighbourhood(target, [window for _, window in batch]):
            windows = windows_in(text)
            times = tuple(
                time
                for time, own in batch
                if any(one.instance == own.instance and _contains(one.span, own.span) for one in windows)
            )
            hull = TimeSpan(min(one.span.start for one in windows), max(one.span.end for one in windows))
            more = {"seed": drawn.seed, "drawn": times, "stands_for": drawn.stands_for, "limit": _MOST_CONTROLS}
            records.append(new_record(target, PullPart.CONTROLS, text, hull, **more))
    return records


def _contains(span: TimeSpan, other: TimeSpan) -> bool:
    return span.start <= other.start and other.end <= span.end


def _counted_again(target: Target, span: TimeSpan, earlier: Sequence[PullRecord]) -> list[PullRecord]:
    """Return one sample from where earlier ones began: it includes late entries, and nothing is counted twice."""
    spans = [at for record in earlier if (at := span_of(record)) is not None]
    start, until = min(one.start for one in spans), max(one.end for one in spans)
    so_far = sum(record.listed * record.one_in for record in earlier)
    return [
        new_record(target, PullPart.REFUSED_REQUESTS, refused(target, span), span, limit=_MOST_REFUSED),
        _sample(target, TimeSpan(start, span.end), so_far * (span.end - start) / max(1, until - start)),
    ]


def samples_before(manifest: Manifest, target: Target, span: TimeSpan | None) -> tuple[PullRecord, ...]:
    """Return the samples of a revision's latest sampled pull that reaches a span; empty without one."""
    for group in reversed([*groups_of(manifest, target)]):
        samples = [(record, span_of(record)) for _, record in group.records if record.part is PullPart.SAMPLED_REQUESTS]
        near = [record for record, at in samples if at and span and at.start < span.end and at.end >= span.start]
        if near:
            return tuple(near)
    return ()


def sampled(group: PullGroup, target: Target) -> tuple[PullRecord, ...]:
    """Return listings for the requests after a limit: a sample of all, and every failed one; empty without a limit.

    The sampling rate follows from the request rate so far, or from the size of a sample that was too large.
    """
    record = group.uncounted
    if record is None:
        return ()
    span, last = span_of(record), time_of(record.checkpoint.last_timestamp)
    if span is None or last is None or last >= span.end:
        return ()
    later, took = TimeSpan(last, span.end), max(1, last - span.start)
    if record.part is PullPart.SAMPLED_REQUESTS:
        parts = [_sample(target, later, record.listed * record.one_in * _THINNER)]
    else:
        parts = [
            new_record(target, PullPart.REFUSED_REQUESTS, refused(target, later), later, limit=_MOST_REFUSED),
            _sample(target, later, max(record.listed, record.entries) * (later.end - last) / took),
        ]
    return tuple(_like(group.lead, part) for part in parts)


def _sample(target: Target, span: TimeSpan, expected: float) -> PullRecord:
    """Return a sample for an expected number of requests: one in 2, 5, 10, 20, 50 and so on."""
    steps = (digit * 10**power // 10 for power in count(1) for digit in (2, 5, 10))
    one_in = next(step for step in steps if expected <= step * _SAMPLE)
    return new_record(
        target, PullPart.SAMPLED_REQUESTS, sample(target, span, one_in), span, limit=2 * _SAMPLE, one_in=one_in
    )


def _like(lead: PullRecord, record: PullRecord) -> PullRecord:
    return replace(record, started=lead.started, group=lead.group, level=lead.level, transport=lead.transport)
