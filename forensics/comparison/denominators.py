"""A signature's clusters and two exposures in, what its occurrences are held against, and why, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Exposure, ExposureKind, OccurrenceUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cluster

_STAND_INS = {ExposureKind.SESSIONS: ExposureKind.REQUESTS, ExposureKind.STARTS: ExposureKind.LIVES}
"""What may stand in where a measure was counted on neither side. Nothing may for requests: lives do not follow them."""


class Denominator(NamedTuple):
    """Two exposures of one measure."""

    measure: ExposureKind
    reason: str
    before: int | None
    after: int | None
    obstacle: str | None
    """Why the two tell nothing; None where they are usable."""


def choose(
    clusters: Sequence[Cluster], counts: tuple[int, int], before: Exposure | None, after: Exposure | None
) -> Denominator:
    """Choose the exposure of a signature by what one occurrence of it is, else by its class."""
    measure, reason = preferred(clusters)
    first, second = before or Exposure(), after or Exposure()
    held = _held(measure, reason, first, second)
    stand_in = _STAND_INS.get(measure)
    # A sample of requests does not tell which of the others opened a session.
    is_sampled = measure is ExposureKind.SESSIONS and bool(first.requests_margin or second.requests_margin)
    if stand_in is None or not (is_sampled or _is_unusable(held, counts)):
        return held
    other = _held(stand_in, f"{reason}; {measure} could not be counted, so {stand_in} stand in", first, second)
    return held if other.obstacle else other


def preferred(clusters: Sequence[Cluster]) -> tuple[ExposureKind, str]:
    """Say what the occurrences of a signature should be held against, and why."""
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


def _held(measure: ExposureKind, reason: str, before: Exposure, after: Exposure) -> Denominator:
    first, second = before.of(measure), after.of(measure)
    return Denominator(measure, reason, first, second, _obstacle(measure, first, second))


def _obstacle(measure: ExposureKind, before: int | None, after: int | None) -> str | None:
    sides = [name for name, n in (("before", before), ("now", after)) if n is None]
    if sides:
        return f"the log that counts {measure} is absent {' and '.join(sides)}"
    sides = [name for name, n in (("before", before), ("now", after)) if n == 0]
    return f"no {measure} {' and '.join(sides)}, so nothing could have shown it" if sides else None


def _is_unusable(held: Denominator, counts: tuple[int, int]) -> bool:
    """Tell whether a measure misses what it should count: on both sides, or on one where it happened all the same."""
    sides = list(zip((held.before, held.after), counts, strict=True))
    return not any(n for n, _ in sides) or any(not n and count for n, count in sides)
