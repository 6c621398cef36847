"""Clusters and their members in, the table of entries behind them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Classified, Cluster, EntryRow, LogEntry, Members
from forensics.redact import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def entry_rows(clusters: Sequence[Cluster], members: Sequence[Members]) -> tuple[EntryRow, ...]:
    """List every original entry behind a cluster, in order of time."""
    rows: list[tuple[tuple[int, str, str], EntryRow]] = []
    for cluster, group_ in zip(clusters, members, strict=True):
        of_entry = {id(entry): o.id for o in group_.occurrences for entry in o.entries}
        for item in group_.classified:
            rows += [
                (original.sort_key, _row(original, item, cluster, of_entry[id(item.entry)]))
                for original in item.entry.originals
            ]
    rows.sort(key=lambda pair: (pair[0], pair[1].cluster))
    return tuple(row for _, row in rows)


def _row(entry: LogEntry, item: Classified, cluster: Cluster, occurrence: str) -> EntryRow:
    return EntryRow(
        timestamp=entry.timestamp,
        insert_id=entry.insert_id,
        level=entry.level,
        severity=entry.severity or "",
        stream=entry.stream,
        revision=entry.revision,
        instance=entry.instance,
        signature=item.primary.rule if item.primary else "",
        cluster=cluster.id,
        occurrence=occurrence,
        message=first_line(entry.message),
    )
