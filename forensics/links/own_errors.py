"""Which errors stand in a failed request's own trace, or just before a life's own end: they alone may explain it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING

from forensics.links.chance import against_traces
from forensics.model import DEFAULT_THRESHOLDS, Cluster, ClusterId, Level, OccurrenceUnit, Role
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forensics.links.chance import Chance
    from forensics.links.control_groups import ControlGroups
    from forensics.log.entry_table import ClusterEntries, EntryTable

OwnErrors = dict[int, set[ClusterId]]
"""Trace of a failed request, or number of an end of a life → its errors."""

_KINDS = 4
"""Ends that are looked at behind an entry: one life can end in more than one symptom."""
BEFORE_END = 5 * SECOND
"""Nanoseconds before the end of a life in which its own errors stand."""


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


def give_to_lives(
    clusters: Sequence[Cluster], members: Mapping[ClusterId, ClusterEntries], table: EntryTable
) -> dict[ClusterId, OwnErrors]:
    """Find for each kind of end of a life the errors just before each end.

    A job that fails for one reason, is mended, and fails for another has two causes, each with ends of its own. Where
    one error stands before most ends, others that stand before some of them divide nothing.
    """
    ends = _ends_of_lives(clusters, members)
    given: dict[ClusterId, OwnErrors] = defaultdict(lambda: defaultdict(set))
    for cause in filter(_is_error, clusters) if ends else ():
        for row in members[cause.id].rows:
            for time, symptom, number in _next_ends(ends, cause, row, table):
                if symptom != cause.id and time - table.times[row] <= BEFORE_END:
                    given[symptom][number].add(cause.id)
    sizes = {symptom: len(members[symptom].occurrences) for symptom in given}
    return {symptom: own for symptom, own in given.items() if not _is_of_one(own, sizes[symptom])}


_Ends = dict[tuple[str, str], list[tuple[int, ClusterId, int]]]
"""Revision and instance → time, symptom and number of each end."""


def _ends_of_lives(clusters: Sequence[Cluster], members: Mapping[ClusterId, ClusterEntries]) -> _Ends:
    ends: _Ends = defaultdict(list)
    for symptom in clusters:
        if symptom.role is Role.SYMPTOM and symptom.unit is OccurrenceUnit.LIFE:
            for number, occurrence in enumerate(members[symptom.id].occurrences):
                ends[symptom.revision, occurrence.instance].append((occurrence.start, symptom.id, number))
    for of_instance in ends.values():
        of_instance.sort()
    return ends


def _next_ends(ends: _Ends, cause: Cluster, row: int, table: EntryTable) -> list[tuple[int, ClusterId, int]]:
    """Return the ends of an entry's instance that come next, one for each symptom."""
    of_instance = ends.get((cause.revision, table.instance(row)), [])
    found: dict[ClusterId, tuple[int, ClusterId, int]] = {}
    for end in of_instance[bisect_left(of_instance, table.times[row], key=itemgetter(0)) :][:_KINDS]:
        found.setdefault(end[1], end)
    return list(found.values())


def _is_of_one(own: OwnErrors, ends: int) -> bool:
    """Tell whether one error stands before as many ends as an answer takes."""
    counts = Counter(cause for causes in own.values() for cause in causes)
    return max(counts.values()) >= DEFAULT_THRESHOLDS.coverage * ends


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
