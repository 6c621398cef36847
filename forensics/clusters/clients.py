"""Tell who sent the requests that failed, and count them by route, status and client."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from forensics.errors import SourceError
from forensics.model import FailedRoute, RequestMark
from forensics.text.redact import quote
from forensics.text.user_agents import client_kind, product

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forensics.log.entry_table import EntryTable
    from forensics.model import ClientKind, HttpRequest

_VERSION = re.compile(r"v\d{1,2}")
ROUTES = 10
"""Kinds of failed requests that a cluster lists, the most frequent ones."""
MOST = 300
"""Requests of one route that are decoded to count those with the same method."""
FAILED = 5_000
"""Failed requests of a cluster that are decoded."""
DECODED = 600
"""Requests that are decoded for such counts in one run."""


class RouteCounts:
    """Counts the logged requests of a method and route; each route is decoded once."""

    def __init__(self, table: EntryTable) -> None:
        self._table = table
        self._left = DECODED
        self._counts: dict[int, Counter[tuple[str, str]]] = {}
        self._rows: dict[int, list[int]] | None = None

    def of(self, row: int, http: HttpRequest) -> int | None:
        """Return how many requests with the method and route of one were logged; None when there are too many."""
        mark = self._table.marks[row] & RequestMark.ROUTE
        if mark not in self._counts:
            rows = self._rows_of(mark)
            if len(rows) > min(MOST, self._left):
                return None
            self._left -= len(rows)
            self._counts[mark] = Counter(_route(one) for _, one in logged_requests(rows, self._table))
        return self._counts[mark][_route(http)] or None

    def _rows_of(self, mark: int) -> list[int]:
        if self._rows is None:
            self._rows = defaultdict(list)
            for row, found in enumerate(self._table.marks):
                if found:
                    self._rows[found & RequestMark.ROUTE].append(row)
        return self._rows.get(mark, [])


def logged_requests(rows: Iterable[int], table: EntryTable) -> Iterable[tuple[int, HttpRequest]]:
    """Yield the requests of rows that are one."""
    for row in rows:
        try:
            http = table.original(row).http
        except SourceError:  # the input changed meanwhile
            continue
        if http is not None:
            yield row, http


def _route(http: HttpRequest) -> tuple[str, str]:
    return http.method, "/".join("*" if _differs(part) else part for part in http.path.split("/")) or "/"


def _differs(part: str) -> bool:
    """Tell whether a part of a path differs from request to request: it holds a digit and is no version."""
    return any(char.isdigit() or char == "@" for char in part) and _VERSION.fullmatch(part) is None


def failed_routes(rows: Iterable[int], table: EntryTable, counts: RouteCounts) -> tuple[FailedRoute, ...]:
    """Count failed requests by method, route, status and client."""
    rows = sorted(set(rows))
    if len(rows) > FAILED:
        return ()
    found: Counter[tuple[str, str, int | None, str, ClientKind]] = Counter()
    examples: dict[tuple[str, str], tuple[int, HttpRequest]] = {}
    for row, http in logged_requests(rows, table):
        route = _route(http)
        examples.setdefault(route, (row, http))
        found[(*route, http.status, product(http.user_agent), client_kind(http.user_agent))] += 1
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], str(pair[0])))[:ROUTES]
    return tuple(
        FailedRoute(
            method=quote(method, 20),
            route=quote(route, 200),
            status=status,
            client=client,
            kind=kind,
            requests=count,
            of=counts.of(*examples[method, route]),
        )
        for (method, route, status, client, kind), count in ordered
    )
