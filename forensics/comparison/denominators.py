"""Choose the denominator of a rate: requests, sessions, instance starts or lives, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.comparison.failures import routes_of
from forensics.model import Exposure, ExposureKind, OccurrenceUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cluster

_STAND_INS = {ExposureKind.SESSIONS: ExposureKind.REQUESTS, ExposureKind.STARTS: ExposureKind.LIVES}
"""Measure → the measure to use when it was counted on neither side. Requests have none: lives do not follow them."""


class Denominator(NamedTuple):
    """The exposures of both sides in one measure."""

    measure: ExposureKind
    reason: str
    before: int | None
    after: int | None
    obstacle: str | None
    """Why rates over these exposures say nothing; None when they are usable."""


def choose(
    clusters: Sequence[Cluster], counts: tuple[int, int], before: Exposure | None, after: Exposure | None
) -> Denominator:
    """Choose the denominator for a signature by the unit of its occurrences, else by its class.

    `counts` are its occurrences before and after.
    """
    measure, reason = preferred(clusters)
    first, second = _counted(before or Exposure(), after or Exposure(), routes_of(clusters))
    usual = _denominator(measure, reason, first, second)
    stand_in = _STAND_INS.get(measure)
    # A sample of requests does not show which of the others opened a session.
    is_sampled = measure is ExposureKind.SESSIONS and bool(first.requests_margin or second.requests_margin)
    if stand_in is None or not (is_sampled or _is_unusable(usual, counts)):
        return usual
    other = _denominator(stand_in, f"{reason}; {measure} could not be counted, so {stand_in} stand in", first, second)
    return usual if other.obstacle else other


def _counted(before: Exposure, after: Exposure, routes: frozenset[int]) -> tuple[Exposure, Exposure]:
    """Leave out requests that could not have failed so, where both sides tell them apart."""
    if not (before.routes and after.routes):
        return before, after
    return replace(before, requests=before.requests_of(routes)), replace(after, requests=after.requests_of(routes))


def measure_of(cluster: Cluster) -> ExposureKind:
    """Say what the occurrences of one cluster are held against."""
    return preferred([cluster])[0]


def preferred(clusters: Sequence[Cluster]) -> tuple[ExposureKind, str]:
    """Return the measure that fits the occurrences of a signature, and the reason in words."""
    largest = max(clusters, key=lambda cluster: (cluster.occurrences, cluster.id))
    unit, failure_class = largest.unit, largest.failure_class
    if unit is OccurrenceUnit.SESSION:
        return ExposureKind.SESSIONS, "an occurrence is a session"
    if unit is OccurrenceUnit.REQUEST:
        return ExposureKind.REQUESTS, "an occurrence is a request"
    if unit is OccurrenceUnit.LIFE:
        return ExposureKind.STARTS, "an occurrence is an instance life"
    if failure_class.is_of_start:
        return ExposureKind.STARTS, f"class {failure_class} belongs to the start of an instance"
    return ExposureKind.REQUESTS, "an occurrence belongs to no one request, and traffic is what an application works on"


def _denominator(measure: ExposureKind, reason: str, before: Exposure, after: Exposure) -> Denominator:
    first, second = before.of(measure), after.of(measure)
    return Denominator(measure, reason, first, second, _obstacle(measure, first, second))


def _obstacle(measure: ExposureKind, before: int | None, after: int | None) -> str | None:
    sides = [name for name, n in (("before", before), ("now", after)) if n is None]
    if sides:
        return f"the log that counts {measure} is absent {' and '.join(sides)}"
    sides = [name for name, n in (("before", before), ("now", after)) if n == 0]
    return f"no {measure} {' and '.join(sides)}, so nothing could have shown it" if sides else None


def _is_unusable(denominator: Denominator, counts: tuple[int, int]) -> bool:
    """Tell whether an exposure is zero or unknown on both sides, or on a side with occurrences."""
    sides = list(zip((denominator.before, denominator.after), counts, strict=True))
    return not any(n for n, _ in sides) or any(not n and count for n, count in sides)
