"""What a case lacks of what was requested, by the listings of Cloud Logging that filled it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from forensics.model import FEWEST_CONTROLS, CutBy, Level, PullPart, Sampled, Span
from forensics.text.plurals import counted
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Pulled, Query

_Span = tuple[int, int]
"""Start and end, nanoseconds."""

BEFORE, AFTER = 68, 10
"""Seconds around an error whose entries a pull brings (`pulling/neighbourhoods.py`)."""
_EDGE = 300 * SECOND
"""Nanoseconds after the start of a pull in which the first error may be an older one; at most a tenth of the pull."""


def pulled_spans(pulled: Sequence[Pulled]) -> list[tuple[int, int]]:
    """Return the spans (nanoseconds) that were pulled, in order; touching ones are joined."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(
        (parse_time(one.from_time), parse_time(one.to_time))
        for one in pulled
        if one.from_time and one.to_time and one.part in {PullPart.EVERYTHING, PullPart.ERRORS}
    ):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def asked(query: Query, pulled: Sequence[Pulled]) -> Span:
    """Return the requested span: that of the query, else that of the pulls."""
    spans = pulled_spans(pulled)
    return Span(
        from_time=query.from_time or (format_time(spans[0][0]) if spans else None),
        to_time=query.to_time or (format_time(spans[-1][1]) if spans else None),
    )


def cut_pull(pulled: Sequence[Pulled], query: Query) -> tuple[CutBy | None, str | None]:
    """Return (kind, reason) of what a case lacks, (None, None) when it is complete.

    The kinds are those of `Coverage.cut`: time, sample and limit.
    """
    unfinished = next((one for one in pulled if not one.done), None)
    if unfinished is not None:
        come = f" it came to {quote(unfinished.last_time, 40)};" if unfinished.last_time else ""
        what = "watch" if unfinished.watched else "pull"
        return (
            CutBy.TIME,
            f"the {what} into this case was stopped before its end:{come} give the same command again to go on",
        )
    missed = _missed(pulled)
    if missed:
        return CutBy.TIME, missed
    beyond = _beyond(pulled_spans(pulled), query)
    if beyond:
        return CutBy.TIME, beyond
    # The limit on a healthy revision's entries is stated for the pull as a whole; windows that do not fit are left out
    # whole, and what later came with everything is here.
    whole = pulled_spans([one for one in pulled if one.part is PullPart.EVERYTHING])
    capped = [one for one in pulled if one.capped and one.part not in _STATED_ELSEWHERE and not _is_in(whole, one)]
    samples = sampled(pulled, query)
    reason = "; ".join(dict.fromkeys(_capped(one, samples) for one in capped))
    if samples and all(one.part is PullPart.REQUESTS for one in capped):
        return CutBy.SAMPLE, reason
    return (CutBy.LIMIT, reason) if reason else (None, None)


_STATED_ELSEWHERE = frozenset(
    {PullPart.FIRST_ENTRIES, PullPart.SAMPLED_REQUESTS, PullPart.NEIGHBOURHOOD, PullPart.CONTROLS}
)


def _is_in(spans: Sequence[_Span], one: Pulled) -> bool:
    """Tell whether the time of a listing lies within one of the spans."""
    if not one.from_time or not one.to_time:
        return False
    start, end = parse_time(one.from_time), parse_time(one.to_time)
    return any(first <= start and end <= last for first, last in spans)


def sampled(pulled: Sequence[Pulled], query: Query) -> tuple[Sampled, ...]:
    """Return the spans in which successful requests were sampled, in order; empty when they give no total.

    They give one if every listing of requests that stopped at its limit is followed by a sample, no time is sampled
    twice, and the requested span begins and ends outside of them.
    """
    listings = [one for one in pulled if one.part in {PullPart.REQUESTS, PullPart.SAMPLED_REQUESTS}]
    if _stops_without_sample(listings):
        return ()
    first, last = (parse_time(time) if time else None for time in (query.from_time, query.to_time))
    samples = {span: one for span, one in _samples(listings).items() if _meets(span, first, last)}
    if _overlap(samples) or any(_contains(span, bound) for span in samples for bound in (first, last)):
        return ()
    return tuple(_sampled(span, samples[span]) for span in sorted(samples))


def _stops_without_sample(listings: Sequence[Pulled]) -> bool:
    """Tell whether a listing of requests stopped at its limit, and no sample begins where it stopped."""
    starts = {one.from_time for one in listings if one.part is PullPart.SAMPLED_REQUESTS}
    return any(one.capped and one.last_time not in starts for one in listings)


def _samples(listings: Sequence[Pulled]) -> dict[_Span, Pulled]:
    """Return the samples by the span that each covers; a later sample replaces those within its span."""
    samples: dict[_Span, Pulled] = {}
    for one in listings:
        if one.part is PullPart.SAMPLED_REQUESTS and one.from_time and one.to_time:
            start, end = parse_time(one.from_time), parse_time(one.to_time)
            samples = {span: kept for span, kept in samples.items() if span[0] < start or span[1] > end}
            samples[start, parse_time(one.last_time) if one.capped and one.last_time else end] = one
    return samples


def _meets(span: _Span, first: int | None, last: int | None) -> bool:
    """Tell whether a span meets the requested one; None is an open end."""
    return (first is None or span[1] > first) and (last is None or span[0] < last)


def _overlap(spans: Iterable[_Span]) -> bool:
    """Tell whether two of the spans overlap."""
    return any(one[1] > after[0] for one, after in pairwise(sorted(spans)))


def _contains(span: _Span, bound: int | None) -> bool:
    """Tell whether a bound of the requested span lies inside a span."""
    return bound is not None and span[0] < bound < span[1]


def _sampled(span: _Span, one: Pulled) -> Sampled:
    start, end = map(format_time, span)
    return Sampled(from_time=start, to_time=end, one_in=one.one_in, listed=one.listed)


def _missed(pulled: Sequence[Pulled]) -> str | None:
    """Say which times a watch missed and no later pull brought; None without one."""
    whole = pulled_spans([one for one in pulled if not one.gaps])
    times = [
        f"{gap.from_time} – {gap.to_time} ({quote(gap.reason, 200)})"
        for one in pulled
        for gap in one.gaps
        if not any(start <= parse_time(gap.from_time) and parse_time(gap.to_time) <= end for start, end in whole)
    ]
    if not times:
        return None
    listed = "; ".join(times[:3]) + ("; …" if times[3:] else "")
    return f"while it was watched, entries of {listed} could not be had: what is not seen there may have happened"


def suppressed(pulled: Sequence[Pulled]) -> Iterator[str]:
    """Say that Cloud Logging left entries out of a tail (suppression)."""
    count = sum(one.suppressed for one in pulled)
    if count:
        yield (
            f"While it was watched, Cloud Logging left {counted(count, 'entry')} out of what it sent: they were asked "
            "for by listing those times again, and what a listing did not bring either is lost"
        )


def of_others(pulled: Sequence[Pulled]) -> tuple[CutBy | None, str | None]:
    """Say that a case was pulled for other revisions; (None, None) for an export."""
    if not pulled:
        return None, None
    names = ", ".join(sorted({quote(one.revision, 80) for one in pulled}))
    return CutBy.LIMIT, f"the case was pulled for {names}: of this revision it holds only what came along"


def _beyond(spans: Sequence[tuple[int, int]], query: Query) -> str | None:
    """Say which part of the requested span was never pulled; None when all of it was."""
    if not spans:
        return None
    start = parse_time(query.from_time) if query.from_time else spans[0][0]
    end = parse_time(query.to_time) if query.to_time else spans[-1][1]
    if start >= end:
        return None
    edges = [start, *(edge for span in spans for edge in span if start < edge < end), end]
    lacks = [(a, b) for a, b in pairwise(edges) if not any(first <= a and b <= last for first, last in spans)]
    if not lacks:
        return None
    listed = ", ".join(f"{format_time(a)} – {format_time(b)}" for a, b in lacks[:3]) + (", …" if lacks[3:] else "")
    return f"nothing was pulled of {listed}, which is asked for as well"


_WORDS_OF_PARTS = {
    PullPart.REQUESTS: "requests",
    PullPart.REFUSED_REQUESTS: "requests that were refused or failed",
    PullPart.NEIGHBOURHOOD: "entries around errors",
    PullPart.CONTROLS: "entries around requests that went well",
    PullPart.PLATFORM: "entries of the platform",
}


def _capped(one: Pulled, samples: Sequence[Sampled]) -> str:
    what = _WORDS_OF_PARTS.get(one.part, "entries")
    until = f" up to {quote(one.last_time, 40)}" if one.last_time else ""
    number = max(one.entries, one.listed)
    if one.part is not PullPart.REQUESTS:
        return f"of the {what} only {number:,} were pulled,{until}"
    share = ", ".join(f"one in {one_in:,}" for one_in in sorted({sample.one_in for sample in samples}))
    only = f", and counted in a sample of {share}" if samples else ""
    return (
        f"of the {what} only {number:,} were pulled,{until}; later ones only where they failed or stand around an "
        f"error{only}"
    )


def left_out(pulled: Sequence[Pulled], level: Level | None) -> Iterator[str]:
    """Say what a pull of errors did not request; `level` is that down to which everything is here."""
    if level is not None:
        drawn = sum(len(one.drawn) for one in pulled)
        controls = f", the same around {counted(drawn, 'request')} drawn from those that went well" if drawn else ""
        yield (
            f"Pulled were errors ({level.value} and above), all that the same instance logged from {BEFORE} s before "
            f"to {AFTER} s after them{controls}, requests, and what the platform logged. Lines below {level.value} "
            "elsewhere were not pulled, so their numbers say nothing about the whole revision (--everything pulls them)"
        )
        if 0 < drawn < FEWEST_CONTROLS:
            yield (
                f"Only {counted(drawn, 'request')} could be drawn from those that went well, too few to tell whether "
                f"what was logged below {level.value} stands near failures more often than elsewhere"
            )
    for part in (PullPart.NEIGHBOURHOOD, PullPart.CONTROLS):
        if any(one.capped and one.part is part for one in pulled):
            number = sum(one.entries for one in pulled if one.part is part)
            yield f"Of the {_WORDS_OF_PARTS[part]} {number:,} were pulled; what stands around others was left out"
    stretches = sum(one.left_out for one in pulled)
    if stretches:
        yield (
            f"Errors stand in too many places to ask for what is around all of them: {stretches:,} stretches of time "
            "were left out, evenly over the span"
        )


def at_edge(table: EntryTable, pulled: Sequence[Pulled]) -> Iterator[str]:
    """Warn that a failure at the very start of what was pulled may have begun before it."""
    spans = pulled_spans(pulled)
    errors = {code for code, facts in enumerate(table.distinct_facts) if facts.level.rank >= Level.ERROR.rank}
    first = next((time for time, code in zip(table.times, table.fact_ids, strict=True) if code in errors), None)
    if first is not None and spans:
        start, end = spans[0]
        if start <= first < start + min(_EDGE, (end - start) // 10):
            yield "The first error stands at the start of what was pulled: it may have begun before; see --from"
