"""Listings of Cloud Logging in, what a case lacks of what was asked for out; of an export one can only guess."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from forensics.model import Level, Sampled, Span
from forensics.text.plurals import counted
from forensics.text.redact import quote
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Pulled, Query

SAMPLE = "sampled requests"
_EDGE = 300 * 1_000_000_000
"""So near to the start of a pull an error may be an old one; in short pulls a tenth of them."""


def pulled_spans(pulled: Sequence[Pulled]) -> list[tuple[int, int]]:
    """The times that pulls were about, in order, joined where they touch."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(
        (parse_time(one.from_time), parse_time(one.to_time))
        for one in pulled
        if one.from_time and one.to_time and one.part in {"everything", "errors"}
    ):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def asked(query: Query, pulled: Sequence[Pulled]) -> Span:
    """Say what was asked for; where the query says nothing, what the pulls asked for."""
    spans = pulled_spans(pulled)
    return Span(
        from_time=query.from_time or (format_time(spans[0][0]) if spans else None),
        to_time=query.to_time or (format_time(spans[-1][1]) if spans else None),
    )


def cut_pull(pulled: Sequence[Pulled], query: Query) -> tuple[str | None, str | None]:
    """Say by what a case is cut, and what it is known to lack of what was asked for; None when nothing."""
    unfinished = next((one for one in pulled if not one.done), None)
    if unfinished is not None:
        come = f" it came to {quote(unfinished.last_time, 40)};" if unfinished.last_time else ""
        what = "watch" if unfinished.watched else "pull"
        return (
            "time",
            f"the {what} into this case was stopped before its end:{come} give the same command again to go on",
        )
    missed = _missed(pulled)
    if missed:
        return "time", missed
    beyond = _beyond(pulled_spans(pulled), query)
    if beyond:
        return "time", beyond
    # That a healthy revision's other entries were left out is said of the pull as a whole.
    capped = [one for one in pulled if one.capped and one.part not in {"first entries", SAMPLE}]
    counted = sampled(pulled, query)
    reason = "; ".join(dict.fromkeys(_capped(one, counted) for one in capped))
    if counted and all(one.part == "requests" for one in capped):
        return "sample", reason
    return ("limit", reason) if reason else (None, None)


def sampled(pulled: Sequence[Pulled], query: Query) -> tuple[Sampled, ...]:
    """Say where requests were counted in a sample, in order; nothing where that does not tell how many there were.

    It does when every listing of requests that was left at its limit is followed by a sample, no time is counted twice,
    and what is asked for begins and ends within none of them. A later sample takes the place of those that it covers.
    """
    counting = [one for one in pulled if one.part in {"requests", SAMPLE}]
    begins = {one.from_time for one in counting if one.part == SAMPLE}
    if any(one.capped and one.last_time not in begins for one in counting):
        return ()
    spans: dict[tuple[int, int], Pulled] = {}
    for one in counting:
        if one.part == SAMPLE and one.from_time and one.to_time:
            start, end = parse_time(one.from_time), parse_time(one.to_time)
            spans = {span: kept for span, kept in spans.items() if span[0] < start or span[1] > end}
            spans[start, parse_time(one.last_time) if one.capped and one.last_time else end] = one
    first, last = (parse_time(time) if time else None for time in (query.from_time, query.to_time))
    bounds = [time for time in (first, last) if time is not None]
    spans = {
        span: one
        for span, one in spans.items()
        if (first is None or span[1] > first) and (last is None or span[0] < last)
    }
    is_twice = any(one[1] > after[0] for one, after in pairwise(sorted(spans)))
    is_split = any(start < bound < end for start, end in spans for bound in bounds)
    return () if is_twice or is_split else tuple(_sampled(span, spans[span]) for span in sorted(spans))


def _sampled(span: tuple[int, int], one: Pulled) -> Sampled:
    start, end = map(format_time, span)
    return Sampled(from_time=start, to_time=end, one_in=one.one_in, listed=one.listed)


def _missed(pulled: Sequence[Pulled]) -> str | None:
    """Say which times a watch missed and no pull brought since, None when none."""
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
    """Say that entries were left out of what a watch was sent."""
    count = sum(one.suppressed for one in pulled)
    if count:
        yield (
            f"While it was watched, Cloud Logging left {counted(count, 'entry')} out of what it sent: they were asked "
            "for by listing those times again, and what a listing did not bring either is lost"
        )


def of_others(pulled: Sequence[Pulled]) -> tuple[str | None, str | None]:
    """Say that a case was pulled for other revisions; None when it was not pulled at all."""
    if not pulled:
        return None, None
    names = ", ".join(sorted({quote(one.revision, 80) for one in pulled}))
    return "limit", f"the case was pulled for {names}: of this revision it holds only what came along"


def _beyond(spans: Sequence[tuple[int, int]], query: Query) -> str | None:
    """Say which part of what is asked for was never pulled."""
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
    "requests": "requests",
    "refused requests": "requests that were refused or failed",
    "neighbourhood": "entries around errors",
    "platform": "entries of the platform",
}


def _capped(one: Pulled, counted: Sequence[Sampled]) -> str:
    what = _WORDS_OF_PARTS.get(one.part, "entries")
    until = f" up to {quote(one.last_time, 40)}" if one.last_time else ""
    if one.part != "requests":
        return f"of the {what} only {one.entries:,} were pulled,{until}"
    share = ", ".join(f"one in {one_in:,}" for one_in in sorted({sample.one_in for sample in counted}))
    only = f", and counted in a sample of {share}" if counted else ""
    return (
        f"of the {what} only {one.entries:,} were pulled,{until}; later ones only where they failed or stand around an "
        f"error{only}"
    )


def left_out(pulled: Sequence[Pulled]) -> Iterator[str]:
    """Say what a pull of errors did not ask for."""
    levels = sorted({one.level for one in pulled if one.level})
    if levels:
        yield (
            f"Pulled were errors ({', '.join(quote(level, 20) for level in levels)} and above), what stands within "
            "seconds of them on the same instance, requests, and what the platform logged: other entries are not here "
            "(--everything pulls them)"
        )
    stretches = sum(one.left_out for one in pulled)
    if stretches:
        yield (
            f"Errors stand in too many places to ask for what is around all of them: {stretches:,} stretches of time "
            "were left out, evenly over the span"
        )


def at_edge(table: EntryTable, pulled: Sequence[Pulled]) -> Iterator[str]:
    """Say that what failed at the very start of what was pulled may have begun before it."""
    spans = pulled_spans(pulled)
    errors = {code for code, facts in enumerate(table.distinct_facts) if facts.level.rank >= Level.ERROR.rank}
    first = next((time for time, code in zip(table.times, table.fact_ids, strict=True) if code in errors), None)
    if first is not None and spans:
        start, end = spans[0]
        if start <= first < start + min(_EDGE, (end - start) // 10):
            yield "The first error stands at the start of what was pulled: it may have begun before; see --from"
