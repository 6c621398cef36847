"""The evidence store: folders of raw entries that record their origin and prove that none has changed.

A case holds the entries as received in zstd-packed NDJSON under `segments/`, and in `manifest.json` the queries, the
progress of each pull, and the SHA-256 of every segment. `manifest` (the records, and their seal), `segments` (one file
of entries), `lock` (one writer at a time), `case` (all of these together), `verify_case` (check that nothing changed).
"""

from __future__ import annotations

from forensics.cases.case import Case
from forensics.cases.manifest import Checkpoint, Manifest, PullRecord, Segment
from forensics.cases.verify_case import check_hashes, verify

__all__ = ["Case", "Checkpoint", "Manifest", "PullRecord", "Segment", "check_hashes", "verify"]
