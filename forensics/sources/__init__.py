"""The edge that reads: paths in, records or rows of an index out; what is no log entry comes out as `Unreadable`.

One module per concern: `finding` (paths to files), `packing`, `parts` and `archives` (gzip, zstd, zip, tar), `opening`
(encoding), `blocks` (bytes to lines), `windows`, `runs` and `wrappers` (JSON too large to be held), `json_values` and
`yaml_values` (text to values), `columns` (cells to records), `keys` and `spelling` (names of fields), `shapes` (how
entries lie in a file, one module each), `files` (all of these together). Of NDJSON, `sieve` finds the lines that
matter, `indexing` makes rows of them, and `store` fetches their records again.
"""

from __future__ import annotations

from forensics.sources.files import read_records
from forensics.sources.index.indexing import Indexing
from forensics.sources.index.record_store import FileRecordStore

__all__ = ["FileRecordStore", "Indexing", "read_records"]
