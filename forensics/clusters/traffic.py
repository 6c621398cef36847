"""Count requests by minute, status and client, and list when instances started: what a page may draw."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from forensics.clusters.clients import logged_requests
from forensics.model import RequestMinute, Traffic
from forensics.text.timestamps import SECOND, format_time
from forensics.text.user_agents import client_kind, product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import ClientKind, Life

MOST = 2_000
"""Requests that are decoded for the counts; of more, none are."""
ROWS = 1_000
"""Counts that a report keeps, the first ones."""
STARTS = 500
_MINUTE = 60 * SECOND


def traffic_of(table: EntryTable, lives: Sequence[Life]) -> Traffic:
    """Count the logged requests by minute, and list the starts of instances that were logged."""
    rows = [row for row, mark in enumerate(table.marks) if mark]
    found: Counter[tuple[int, int, str, ClientKind]] = Counter()
    for row, http in logged_requests(rows, table) if len(rows) <= MOST else ():
        if time := table.times[row]:
            client = product(http.user_agent), client_kind(http.user_agent)
            found[time - time % _MINUTE, http.status or 0, *client] += 1
    started = sorted(life.start for life in lives if life.started and life.start)
    return Traffic(
        minutes=tuple(
            RequestMinute(minute=format_time(minute), status=status or None, client=client, kind=kind, requests=count)
            for (minute, status, client, kind), count in sorted(found.items())[:ROWS]
        ),
        starts=tuple(format_time(start) for start in started[:STARTS]),
    )
