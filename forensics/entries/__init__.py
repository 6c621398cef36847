"""Turn raw records into decoded, stitched log entries, and find the entries of a revision; no I/O.

`collect` sorts and counts records into a LogIndex; `revision_spans`, `resolve_revision` and `select` find the rows of a
revision; `decode_entry` decodes one record; `stitch` joins messages that Cloud Run split.
"""

from __future__ import annotations

from forensics.entries.decode.decoding import decode_entry, decode_record
from forensics.entries.decode.resource import revision_of, service_of
from forensics.entries.find_entries import all_entries, entries_with_id
from forensics.entries.index.fast_index import FastIndexReader
from forensics.entries.index.log_index import MemoryRecordStore, collect
from forensics.entries.index.revisions import resolve_revision, revision_spans, select
from forensics.entries.raw_fields import SWITCHING_PROTOCOLS, may_be_handshake
from forensics.entries.stitch.fragments import join, runs, shape_of
from forensics.entries.stitch.stitching import stitch

__all__ = [
    "SWITCHING_PROTOCOLS",
    "FastIndexReader",
    "MemoryRecordStore",
    "all_entries",
    "collect",
    "decode_entry",
    "decode_record",
    "entries_with_id",
    "join",
    "may_be_handshake",
    "resolve_revision",
    "revision_of",
    "revision_spans",
    "runs",
    "select",
    "service_of",
    "shape_of",
    "stitch",
]
