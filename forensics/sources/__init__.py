"""Read log files: `read_records` turns paths into raw records, or into rows of an index.

Whatever is no log entry becomes an `Unreadable`. `find_inputs` expands paths; `containers` unpacks archives,
compression and encodings; `line_blocks` cuts bytes into lines; `json` reads values that are too large to be held in
memory; `values` turns cells, YAML scalars and foreign spellings into records (`api_keys` lists the names of fields);
`formats` has one module for each file format; `files` ties these together. `index` handles large NDJSON: the prefilter
finds the lines that matter, `indexing` makes rows of them, and `record_store` fetches their records again.
"""

from __future__ import annotations

from forensics.sources.files import read_records
from forensics.sources.index.indexing import Indexing
from forensics.sources.index.record_store import FileRecordStore

__all__ = ["FileRecordStore", "Indexing", "read_records"]
