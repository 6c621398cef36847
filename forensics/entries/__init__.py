"""The room that decodes: raw records in, sorted, selected, decoded and stitched log entries out; no I/O.

`collect` sorts and counts, `revision_spans`, `resolve_revision` and `select` find what was asked for, `decode_entry`
reads one record, and `stitch` joins what Cloud Run split.
"""

from __future__ import annotations

from forensics.entries.decoding import decode_entry
from forensics.entries.intake import collect
from forensics.entries.revisions import resolve_revision, revision_of, revision_spans, select, service_of
from forensics.entries.stitching import stitch

__all__ = [
    "collect",
    "decode_entry",
    "resolve_revision",
    "revision_of",
    "revision_spans",
    "select",
    "service_of",
    "stitch",
]
