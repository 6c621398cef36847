"""Answered requests that are like the failed ones: of the same routes, or of the same clients.

What every request of a route logs, or every request of a client, stands in the trace of each that fails there, and
explains none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.errors import SourceError
from forensics.links.control_groups import evenly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.links.control_groups import ControlGroups, TestedSymptom
    from forensics.log.entry_table import EntryTable
    from forensics.model import HttpRequest

FAILED = 60
"""Failed requests whose routes and clients are looked up, evenly spread."""
READ = 2_000
"""Answered requests that are read at most, evenly spread."""
FEWEST_ALIKE = 20
"""Answered requests below which they tell nothing."""
_NAMED_BY_ID = re.compile(r"(?<![^/])[^/]*\d[^/]*")
"""The part of a path that differs from request to request: 17 in /orders/17"""


class AlikeRequests:
    """Traces of answered requests, by symptom; looked up when first needed."""

    def __init__(self, table: EntryTable, groups: ControlGroups) -> None:
        self._table, self._groups = table, groups
        self._known: dict[str, list[set[int]]] = {}

    def traces(self, symptom: TestedSymptom) -> list[set[int]]:
        """Return the traces of answered requests of the symptom's routes, and those of its clients.

        A set is left out that is too small to tell anything; there are none where the symptom is of no requests.
        """
        if symptom.symptom not in self._known:
            self._known[symptom.symptom] = [found for found in self._look_up(symptom) if len(found) >= FEWEST_ALIKE]
        return self._known[symptom.symptom]

    def _look_up(self, symptom: TestedSymptom) -> Iterator[set[int]]:
        if not self._table.facts(symptom.rows[0]).is_request:
            return
        failed = list(self._requests(evenly(symptom.rows, FAILED)))
        answered = list(self._requests(self._groups.other_requests(symptom, "", READ)))
        for trait in _TRAITS:
            own = {trait(http) for http, _ in failed}
            yield {trace for http, trace in answered if trace and trait(http) in own}

    def _requests(self, rows: Iterable[int]) -> Iterator[tuple[HttpRequest, int]]:
        for row in rows:
            try:
                entry = self._table.original(row)
            except SourceError:  # the input changed meanwhile
                continue
            if entry.http is not None:
                yield entry.http, hash(entry.trace) if entry.trace else 0


def _route(http: HttpRequest) -> str:
    return f"{http.method} {_NAMED_BY_ID.sub('*', http.path)}"


def _client(http: HttpRequest) -> str:
    return http.user_agent


_TRAITS: tuple[Callable[[HttpRequest], str], ...] = (_route, _client)
