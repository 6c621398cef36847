"""The history of each signature over the cycles of a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.comparison.denominators import preferred
from forensics.model import ExposureKind, Priority, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cluster, Cycle


class HistoryRow(Struct, frozen=True, kw_only=True):
    """The counts of one signature in each cycle."""

    name: str
    priority: Priority
    measure: ExposureKind
    counts: tuple[tuple[int, int | None], ...]
    """(occurrences, exposure) of each cycle; the exposure is None when it was not counted."""


def history(cycles: Sequence[Cycle]) -> list[HistoryRow]:
    """List all signatures that a cycle saw, without noise, the most urgent first."""
    seen: dict[str, list[Cluster]] = {}
    for cycle in cycles:
        for cluster in cycle.clusters:
            if cluster.role is not Role.NOISE:
                seen.setdefault(_key(cluster), []).append(cluster)
    ordered = sorted(seen, key=lambda key: (seen[key][-1].priority, seen[key][-1].role.rank, key))
    return [_row(key, seen[key], cycles) for key in ordered]


def _row(key: str, clusters: Sequence[Cluster], cycles: Sequence[Cycle]) -> HistoryRow:
    measure = preferred(clusters)[0]
    counts = tuple(
        (
            sum(cluster.occurrences for cluster in cycle.clusters if _key(cluster) == key),
            cycle.exposure.of(measure) if cycle.exposure else None,
        )
        for cycle in cycles
    )
    name = clusters[-1].signature or clusters[-1].title
    return HistoryRow(name=name, priority=clusters[-1].priority, measure=measure, counts=counts)


def _key(cluster: Cluster) -> str:
    return cluster.signature or cluster.fingerprint
