"""Answered requests of the same routes as the failed ones: what every request of a route logs explains none of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.errors import SourceError
from forensics.links.control_groups import evenly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.links.control_groups import ControlGroups, TestedSymptom
    from forensics.log.entry_table import EntryTable
    from forensics.model import LogEntry

ROUTES_OF = 60
"""Failed requests whose routes are looked up, evenly spread."""
READ = 2_000
"""Other requests that are read at most."""
ENOUGH = 200
"""Controls that are enough."""
_NAMED_BY_ID = re.compile(r"(?<![^/])[^/]*\d[^/]*")
"""The part of a path that differs from request to request: 17 in /orders/17"""

Route = tuple[str, str]
"""Method and path, without what differs from request to request."""


class RouteControls:
    """Traces of answered requests, by symptom; looked up when first needed."""

    def __init__(self, table: EntryTable, groups: ControlGroups) -> None:
        self._table, self._groups = table, groups
        self._known: dict[str, set[int]] = {}

    def traces(self, symptom: TestedSymptom) -> set[int]:
        """Return the traces of answered requests of the symptom's routes; none where it is of no requests."""
        if symptom.symptom not in self._known:
            self._known[symptom.symptom] = set(self._look_up(symptom))
        return self._known[symptom.symptom]

    def _look_up(self, symptom: TestedSymptom) -> Iterator[int]:
        if not self._table.facts(symptom.rows[0]).is_request:
            return
        routes = {route_of(entry) for entry in self._entries(evenly(symptom.rows, ROUTES_OF))}
        found = 0
        for entry in self._entries(self._groups.other_requests(symptom, "", READ)):
            if entry.trace and route_of(entry) in routes:
                yield hash(entry.trace)
                found += 1
                if found == ENOUGH:
                    return

    def _entries(self, rows: Iterable[int]) -> Iterator[LogEntry]:
        for row in rows:
            try:
                yield self._table.original(row)
            except SourceError:  # the input changed meanwhile
                continue


def route_of(entry: LogEntry) -> Route | None:
    """Return the route of a request; None for another entry."""
    return (entry.http.method, _NAMED_BY_ID.sub("*", entry.http.path)) if entry.http else None
