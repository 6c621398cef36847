"""Measure the exposure of a revision: how many requests, sessions and instance starts could have failed."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil, sqrt
from typing import TYPE_CHECKING

from forensics.model import Exposure
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Life, Sampled


_USUAL = 1.96
"""Standard deviations on both sides of a mean that cover 95 %."""


def measure_exposure(
    table: EntryTable, lives: Sequence[Life], logs: Mapping[str, int], sampled: Sequence[Sampled] = ()
) -> Exposure:
    """Count requests, WebSocket sessions and instance starts; `logs` has the number of entries by log.

    If requests were sampled, their number is an estimate, and sessions are unknown. In the entries of one revision, no
    traffic and a missing request log look alike: both give None, not 0.
    """
    requests = sum(n for code, n in table.counts.items() if table.distinct_facts[code].is_request)
    margin = 0
    if sampled and requests:
        requests += sum(_beyond(one, table) for one in sampled)
        margin = ceil(_USUAL * sqrt(sum(one.listed * (one.one_in - 1) * one.one_in for one in sampled)))
    starts = sum(life.started or life.number > 1 for life in lives)
    return Exposure(
        requests=requests or None,
        requests_margin=margin,
        sessions=_sessions(table.handshakes) if requests and not sampled else None,
        starts=starts if starts or logs.get("system") else None,
        lives=len(lives) or None,
    )


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
