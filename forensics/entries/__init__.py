"""The room that decodes: raw records in, sorted, selected, decoded and stitched log entries out; no I/O.

`collect` sorts and counts, `revision_spans`, `resolve_revision` and `select` find what was asked for, `decode_entry`
reads one record, and `stitch` joins what Cloud Run split.
"""

from __future__ import annotations

from forensics.entries.decode.decoding import decode_entry, decode_record
from forensics.entries.find_entries import all_entries, entries_with_id
from forensics.entries.index.fast_index import FastIndexReader
from forensics.entries.index.log_index import MemoryRecordStore, collect
from forensics.entries.index.revisions import resolve_revision, revision_of, revision_spans, select, service_of
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
