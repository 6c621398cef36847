"""Which errors stand in a failed request's own trace, and so are the only ones that may explain it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.links.chance import against_traces
from forensics.model import DEFAULT_THRESHOLDS, Cluster, ClusterId, Level, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forensics.links.chance import Chance
    from forensics.links.control_groups import ControlGroups
    from forensics.log.entry_table import ClusterEntries, EntryTable

OwnErrors = dict[int, set[ClusterId]]
"""Trace of a failed request → the errors in it."""


def give_to_traces(
    clusters: Sequence[Cluster],
    members: Mapping[ClusterId, ClusterEntries],
    table: EntryTable,
    controls: ControlGroups,
) -> dict[ClusterId, OwnErrors]:
    """Find for each symptom the errors in the traces of its requests.

    An error counts that stands there more often than in other traces: what every request logs explains none of them.
    """
    symptoms_in, sizes = _symptoms_by_trace(clusters, members, table)
    given: dict[ClusterId, OwnErrors] = defaultdict(lambda: defaultdict(set))
    for cause in filter(_is_error, clusters) if symptoms_in else ():
        traces = _traces(members[cause.id], table)
        for symptom, shared in _shared(traces & symptoms_in.keys(), symptoms_in).items():
            chance = against_traces(len(shared), sizes[symptom], len(traces), controls.traces(cause.revision))
            if symptom != cause.id and not _is_likely(chance):
                for trace in shared:
                    given[symptom][trace].add(cause.id)
    return given


def _symptoms_by_trace(
    clusters: Sequence[Cluster], members: Mapping[ClusterId, ClusterEntries], table: EntryTable
) -> tuple[dict[int, list[ClusterId]], dict[ClusterId, int]]:
    """Return the symptoms in each trace, and the number of traces of each symptom."""
    symptoms_in: dict[int, list[ClusterId]] = defaultdict(list)
    sizes: dict[ClusterId, int] = {}
    for symptom in clusters:
        if symptom.role is Role.SYMPTOM:
            traces = _traces(members[symptom.id], table)
            sizes[symptom.id] = len(traces)
            for trace in traces:
                symptoms_in[trace].append(symptom.id)
    return symptoms_in, sizes


def _shared(traces: Iterable[int], symptoms_in: Mapping[int, Sequence[ClusterId]]) -> dict[ClusterId, list[int]]:
    """Return for each symptom those of the traces that hold it."""
    shared: dict[ClusterId, list[int]] = defaultdict(list)
    for trace in traces:
        for symptom in symptoms_in[trace]:
            shared[symptom].append(trace)
    return shared


def _traces(members: ClusterEntries, table: EntryTable) -> set[int]:
    return set(map(table.traces.__getitem__, members.rows)) - {0}


def _is_error(cluster: Cluster) -> bool:
    is_severe = cluster.level.rank >= Level.ERROR.rank or cluster.signature is not None
    return cluster.role.rank <= Role.MECHANISM.rank and is_severe


def _is_likely(chance: Chance) -> bool:
    """Tell whether chance puts an error into so many of the traces; what cannot be tested is taken as it stands."""
    if chance.p_value is None or chance.lift is None:
        return False
    return chance.p_value > DEFAULT_THRESHOLDS.p_value or chance.lift < DEFAULT_THRESHOLDS.lift
