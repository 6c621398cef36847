"""The clusters of one signature on one side, as failures in the order of what could have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.episodes import Failure, Failures
from forensics.model import ExposureKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cluster, Exposure

_OF_REQUESTS = frozenset({ExposureKind.REQUESTS, ExposureKind.SESSIONS})


def count_failures(clusters: Sequence[Cluster]) -> int:
    """Count occurrences; a request that was tried again counts once, where the report tells."""
    return sum(cluster.spread.count if cluster.spread else cluster.occurrences for cluster in clusters)


def routes_of(clusters: Sequence[Cluster]) -> frozenset[int]:
    """Return the routes on which a signature's requests failed; none where some are not known."""
    routes = [cluster.spread.routes if cluster.spread else () for cluster in clusters]
    return frozenset(route for own in routes for route in own) if all(routes) else frozenset()


def is_spread_known(clusters: Sequence[Cluster]) -> bool:
    """Tell whether the report says where the failures lie."""
    return all(cluster.spread is not None for cluster in clusters)


def failures_of(clusters: Sequence[Cluster], exposure: int, whole: Exposure | None) -> Failures:
    """Put the failures of all clusters in one order, in units of the exposure that they are held against."""
    found = [
        Failure(position * exposure / spread.of, count, instance if spread.measure in _OF_REQUESTS else None)
        for cluster in clusters
        if (spread := cluster.spread) is not None
        for position, count, instance in spread.places()
    ]
    found.sort(key=lambda failure: failure.position)
    return Failures(tuple(found), exposure, whole.instances if whole else ())
