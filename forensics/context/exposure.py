"""Measure the exposure of a revision: how many requests, sessions and instance starts could have failed."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import compress
from math import ceil, sqrt
from typing import TYPE_CHECKING

from forensics.model import Exposure, Level, RequestMark
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Life, Sampled


_USUAL = 1.96
"""Standard deviations on both sides of a mean that cover 95 %."""
MOST_INSTANCES = 500
"""More are not listed one by one."""


def measure_exposure(
    table: EntryTable,
    lives: Sequence[Life],
    logs: Mapping[str, int],
    sampled: Sequence[Sampled] = (),
    retries: Sequence[int] = (),
) -> Exposure:
    """Count requests, WebSocket sessions and instance starts; `logs` has the number of entries by log.

    If requests were sampled, their number is an estimate, and sessions are unknown. In the entries of one revision, no
    traffic and a missing request log look alike: both give None, not 0. `retries` has the rows of requests that were
    sent again after a failure.
    """
    requests = sum(n for code, n in table.counts.items() if table.distinct_facts[code].is_request)
    margin = 0
    if sampled and requests:
        requests += sum(_beyond(one, table) for one in sampled)
        margin = ceil(_USUAL * sqrt(sum(one.listed * (one.one_in - 1) * one.one_in for one in sampled)))
    starts = sum(life.started or life.number > 1 for life in lives)
    marks = Counter(table.marks)
    marks.subtract(table.marks[row] for row in retries)
    refused = strangers(marks)
    return Exposure(
        requests=requests or None,
        requests_margin=margin,
        sessions=_sessions(table.handshakes) if requests and not sampled else None,
        starts=starts if starts or logs.get("system") else None,
        lives=len(lives) or None,
        failed=_failed(table),
        probes=sum(n for mark, n in marks.items() if mark & RequestMark.PROBE),
        refused=sum(n for mark, n in marks.items() if mark in refused),
        retries=len(retries),
        # Which routes the requests took that are not in a sample is not known.
        routes={} if sampled else _routes(marks),
        instances=_by_instance(table),
    )


def _failed(table: EntryTable) -> int:
    facts = table.distinct_facts
    is_failed = (facts[code].is_request and facts[code].level.rank >= Level.WARNING.rank for code in table.counts)
    return sum(n for n, failed in zip(table.counts.values(), is_failed, strict=True) if failed)


def strangers(marks: Mapping[int, int]) -> set[int]:
    """Return the marks of requests that were refused on routes on which nobody was ever answered otherwise."""
    answered = {mark & RequestMark.ROUTE for mark, n in marks.items() if n and not mark & RequestMark.REFUSED}
    return {mark for mark in marks if mark & RequestMark.REFUSED and mark & RequestMark.ROUTE not in answered}


def _routes(marks: Mapping[int, int]) -> dict[str, int]:
    counts: Counter[int] = Counter()
    for mark, n in marks.items():
        if mark:
            counts[mark & RequestMark.KIND] += n
    return {str(route): n for route, n in sorted(counts.items()) if n > 0}


def _by_instance(table: EntryTable) -> tuple[int, ...]:
    numbers = number_instances(table)
    is_counted = {mark: bool(mark) and not mark & RequestMark.PROBE for mark in set(table.marks)}
    counts = Counter(compress(table.label_ids, map(is_counted.__getitem__, table.marks)))
    found = [0] * len(numbers)
    for code, n in counts.items():
        place = (table.label_sets[code].revision, table.label_sets[code].instance)
        if place in numbers:
            found[numbers[place]] += n
    return tuple(found)


def number_instances(table: EntryTable) -> dict[tuple[str, str], int]:
    """Number the instances that answered requests, in order of their names; none where there are very many."""
    label_sets = [table.label_sets[code] for code in set(compress(table.label_ids, table.marks))]
    names = sorted({(one.revision, one.instance) for one in label_sets if one.instance})
    return {place: number for number, place in enumerate(names)} if len(names) <= MOST_INSTANCES else {}


def _beyond(one: Sampled, table: EntryTable) -> int:
    """Estimate the requests of a sampled span that were not pulled: the sample's total, less those that were."""
    first, last = (
        bisect_left(table.times, parse_time(one.from_time)),
        bisect_left(table.times, parse_time(one.to_time)),
    )
    here = sum(table.distinct_facts[code].is_request for code in table.fact_ids[first:last])
    return max(0, one.listed * one.one_in - here)


def _sessions(handshakes: Mapping[tuple[int, bool], int]) -> int:
    """Count sessions: opened WebSockets, and failed handshakes on a path where another one opened."""
    paths = {path for path, opened in handshakes if opened}
    return sum(n for (path, _), n in handshakes.items() if path in paths)
