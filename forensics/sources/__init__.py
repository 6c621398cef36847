"""The edge that reads: paths in, raw records out; what is no log entry comes out as `Unreadable` and stops nothing.

One module per concern: `finding` (paths to files), `opening` (compression and encoding), `json_values` (bytes to
values), `shapes` (how entries lie in a file, one module each), `files` (all of these together).
"""

from __future__ import annotations

from forensics.sources.files import read_records

__all__ = ["read_records"]
