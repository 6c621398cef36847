"""The edge that reads: paths in, raw records out; what is no log entry comes out as `Unreadable` and stops nothing.

One module per concern: `finding` (paths to files), `packing` and `archives` (gzip, zstd, zip, tar), `opening`
(encoding), `blocks` (bytes to lines), `sieve` (which lines matter), `json_values` and `yaml_values` (text to values),
`columns` (cells to records), `keys` and `spelling` (names of fields), `shapes` (how entries lie in a file, one module
each), `files` (all of these together).
"""

from __future__ import annotations

from forensics.sources.files import read_records
from forensics.sources.indexing import Indexing
from forensics.sources.shelf import FileShelf

__all__ = ["FileShelf", "Indexing", "read_records"]
