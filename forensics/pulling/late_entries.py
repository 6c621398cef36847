"""Look for entries that arrived after the pull of their time: Cloud Logging keeps when it received each. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.cloud.filters import TimeSpan, errors, everything, received_since
from forensics.model import Level, Nanoseconds, PullPart
from forensics.pulling.pull_groups import LATE, groups_of, missing, new_record, span_of, time_of
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.cases import Manifest, PullRecord
    from forensics.cloud.filters import Target
    from forensics.pulling.pull_groups import PullGroup, PullRequest

_CLOCKS = 60 * SECOND
"""Nanoseconds by which this computer's clock may be ahead of Google's."""


def late_listings(manifest: Manifest, request: PullRequest, started: str) -> tuple[PullRecord, ...]:
    """Return listings for what arrived after earlier pulls of the span, where no time is pulled again anyway."""
    found: dict[str, list[tuple[TimeSpan, int]]] = {}
    for group in groups_of(manifest, request.target):
        span = group.span
        if span is None or not group.is_whole:
            continue
        start, end = max(span.start, request.span.start), min(span.end, request.span.end)
        again = [gap for gap in missing(manifest, request) if gap.start < end and gap.end > start]
        end = min([end, *(gap.start for gap in again)])
        if start < end:
            within = TimeSpan(Nanoseconds(start), Nanoseconds(end))
            found.setdefault(group.level, []).append((within, _asked_last(manifest, request.target, group, within)))
    return tuple(_late_listing(request, level, spans, started=started) for level, spans in sorted(found.items()))


def _asked_last(manifest: Manifest, target: Target, group: PullGroup, span: TimeSpan) -> int:
    """Return since when arrivals of a pulled span are unknown: its own pull, or a later look for late entries."""
    times = [time_of(group.lead.finished if group.lead.watched else group.lead.started) or 0]
    records = [record for other in groups_of(manifest, target) for _, record in other.records]
    times += [time_of(record.started) or 0 for record in records if _looked_through(record, group.level, span)]
    return max(times)


def _looked_through(record: PullRecord, level: str, span: TimeSpan) -> bool:
    """Tell whether a listing looked for late entries of a span; its last minutes are pulled again at first."""
    at = span_of(record)
    if record.part is not PullPart.LATE_ENTRIES or record.level != level or not record.checkpoint.done or at is None:
        return False
    return at.start <= span.start and at.end >= span.end - LATE


def _late_listing(
    request: PullRequest, level: str, spans: Sequence[tuple[TimeSpan, int]], *, started: str
) -> PullRecord:
    hull = TimeSpan(min(span.start for span, _ in spans), max(span.end for span, _ in spans))
    text = errors(request.target, hull, Level(level)) if level else everything(request.target, hull)
    since = Nanoseconds(max(0, min(time for _, time in spans) - _CLOCKS))
    late = new_record(request.target, PullPart.LATE_ENTRIES, received_since(text, since), hull, level=level)
    return replace(late, started=started, transport=request.transport)
