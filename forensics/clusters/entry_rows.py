"""The rows of entries.csv: every entry behind a cluster."""

from __future__ import annotations

from array import array
from itertools import compress
from typing import TYPE_CHECKING

from msgspec import json

from forensics.model import Cluster, EntryRow, LogEntry
from forensics.text.redact import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.log.entry_table import ClusterEntries, EntryTable


_encode = json.Encoder().encode
_decode = json.Decoder(tuple[str, str, str]).decode


def entry_rows(clusters: Sequence[Cluster], members: Sequence[ClusterEntries], table: EntryTable) -> Iterator[EntryRow]:
    """Yield every original entry behind a cluster, in order of time; each is fetched when it is needed."""
    cluster_of = array("I", bytes(4 * len(table)))
    occurrence_of = array("I", bytes(4 * len(table)))
    for number, group in enumerate(members, 1):
        for place, rows in enumerate(group.occurrences.groups(), 1):
            for row in rows:
                cluster_of[row], occurrence_of[row] = number, place
    for piece, head in table.heads.items():
        cluster_of[piece], occurrence_of[piece] = cluster_of[head], occurrence_of[head]
    for row in compress(range(len(table)), cluster_of):
        yield _row(row, table, clusters[cluster_of[row] - 1], occurrence_of[row])


def said(entry: LogEntry) -> bytes:
    """Encode what the table prints of an entry, so that it need not be decoded again."""
    return _encode((entry.timestamp, entry.insert_id, first_line(entry.message)))


def _row(row: int, table: EntryTable, cluster: Cluster, occurrence: int) -> EntryRow:
    label_set, facts = table.label_set(row), table.facts(row)
    encoded = table.cells(row) if row not in table.pieces else None
    if encoded is not None:
        timestamp, insert_id, message = _decode(encoded)
        level = facts.level
    else:
        entry = table.original(row)
        timestamp, insert_id, message, level = entry.timestamp, entry.insert_id, first_line(entry.message), entry.level
    return EntryRow(
        timestamp=timestamp,
        insert_id=insert_id,
        level=level,
        severity=facts.severity or "",
        stream=facts.stream,
        revision=label_set.revision,
        instance=label_set.instance,
        signature=cluster.signature or "",
        cluster=cluster.id,
        occurrence=str(occurrence),
        message=message,
    )
