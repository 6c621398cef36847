"""Whether a cause stands at the very end of the requests that failed, and of no others.

Where requests are a few milliseconds apart, as when a page loads, everything is near everything within seconds, and
the usual test finds chance. An application that logs in the middle of a request logs just before its end, though, and
the end of the next request is another. So the last 50 ms of failed requests are compared with those of others, exactly
(hypergeometric). How long a request took plays no part: a slow one has no more of a last moment than a quick one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.links.chance import CONTROLS, UNTESTABLE, Chance, against_traces
from forensics.model import DEFAULT_THRESHOLDS

if TYPE_CHECKING:
    from forensics.links.control_groups import ControlGroups, TestedSymptom
    from forensics.links.nearest import CauseEvents

BEFORE = 50_000_000
"""Nanoseconds before the end of a request in which what it logs at last stands."""
AFTER = 30_000_000
"""Nanoseconds after it: many applications log 5 to 25 ms behind the answer."""
_TESTS = 2
"""The p-value is corrected for the usual test, which was made before."""


def against_ends(case: TestedSymptom, causes: CauseEvents, groups: ControlGroups) -> Chance:
    """Test whether a cause stands at the ends of failed requests more often than at those of others, by instance."""
    ends = [(event.instance, event.time) for event in case.events]
    instances = sorted({instance for instance, _ in ends})
    most = max(CONTROLS // len(instances), 1)
    others = [
        (instance, groups.end_of_request(row))
        for instance in instances
        for row in groups.other_requests(case, instance, most)
    ]

    def stands_at(instance: str, end: int) -> bool:
        return causes.stands_between(instance, end - BEFORE - 1, end + AFTER)

    failed, answered = sum(stands_at(*one) for one in ends), sum(stands_at(*one) for one in others)
    if failed < DEFAULT_THRESHOLDS.coverage * len(ends):  # a few stand there by luck
        return UNTESTABLE
    found = against_traces(failed, len(ends), failed + answered, len(ends) + len(others))
    return found if found.p_value is None else found._replace(p_value=found.p_value * _TESTS)
