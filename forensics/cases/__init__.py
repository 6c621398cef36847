"""The evidence store: raw entries in, a folder out that says where they come from and that none has changed.

A case holds the entries as received in zstd-packed NDJSON under `segments/`, and in `manifest.json` what was asked,
how far each pull got, and the SHA-256 of every segment. `manifest` (the records, and their seal), `segments` (one file
of entries), `lock` (one writer at a time), `case` (all of these together),
`verifying` (is it still as it was written?).
"""

from __future__ import annotations

from forensics.cases.case import Case
from forensics.cases.manifest import Checkpoint, Manifest, PullRecord, Segment
from forensics.cases.verify_case import check_hashes, verify

__all__ = ["Case", "Checkpoint", "Manifest", "PullRecord", "Segment", "check_hashes", "verify"]
