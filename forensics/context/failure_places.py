"""The occurrences of a cluster as places in the order of what could have failed."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.context.order import Attempts, Order
from forensics.model import ExposureKind, Level, RequestMark, Spread
from forensics.model.spread import MOST_PLACES, PARTS, write_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forensics.log.entry_table import ClusterEntries, EntryTable
    from forensics.model import Cluster, ClusterId

    _Place = tuple[int, int, int | None]


class _Ground(NamedTuple):
    """What is the same for every cluster of a run."""

    table: EntryTable
    order: Order
    requests: Mapping[int, int]
    """Trace → the last row of a request that failed in it."""
    attempts: Attempts


def with_spreads(
    clusters: Sequence[Cluster],
    members: Mapping[ClusterId, ClusterEntries],
    table: EntryTable,
    order: Order,
    measure_of: Callable[[Cluster], ExposureKind],
) -> tuple[Cluster, ...]:
    """Note of each cluster where its failures lie; `measure_of` says what they are held against."""
    requests = {table.traces[row]: row for row in compress(range(len(table)), table.clients) if table.traces[row]}
    ground = _Ground(table, order, requests, Attempts(table))
    return tuple(
        replace(cluster, spread=_spread(cluster, members[cluster.id], ground, measure_of(cluster)))
        for cluster in clusters
    )


def is_refusal(cluster: Cluster, rows: Sequence[int], table: EntryTable) -> bool:
    """Tell whether a cluster is of requests that were answered 4xx."""
    return cluster.level is Level.WARNING and any(table.marks[row] & RequestMark.REFUSED for row in rows[:1])


def _spread(cluster: Cluster, members: ClusterEntries, ground: _Ground, measure: ExposureKind) -> Spread:
    table, order, requests, attempts = ground
    first_rows = members.occurrences.first_rows()
    own = [row if table.marks[row] else requests.get(table.traces[row], -1) for row in first_rows]
    attempts.forget()
    kept = [at for at, row in enumerate(own) if not attempts.is_again(row if row >= 0 else first_rows[at])]
    with_refused = is_refusal(cluster, members.rows, table)
    of = max(1, order.length(measure, with_refused=with_refused))
    places: list[_Place] = []
    for at in kept:
        label_set = table.label_set(first_rows[at])
        place = (label_set.revision, label_set.instance)
        position = order.position(measure, table.times[first_rows[at]], place, with_refused=with_refused)
        places.append((min(position, of - 1), 1, order.instances.get(place)))
    routes = {table.marks[own[at]] & RequestMark.KIND if own[at] >= 0 else 0 for at in kept}
    return Spread(
        measure=measure,
        of=of,
        failures=write_places(_shortened(places, of)),
        count=len(places),
        routes=() if 0 in routes or measure is not ExposureKind.REQUESTS else tuple(sorted(routes)),
    )


def _shortened(places: Sequence[_Place], of: int) -> list[_Place]:
    """Sort places, and add up very many in equal parts of the exposure, where they count as if they came together."""
    ordered = sorted(places, key=lambda place: (place[0], -1 if place[2] is None else place[2]))
    if len(ordered) <= MOST_PLACES:
        return ordered
    parts: dict[int, Counter[int | None]] = {}
    for position, count, instance in ordered:
        parts.setdefault(position * PARTS // of, Counter())[instance] += count
    return [
        (
            part * of // PARTS,
            sum(found.values()),
            max(found, key=lambda name: (found[name], -1 if name is None else name)),
        )
        for part, found in sorted(parts.items())
    ]
