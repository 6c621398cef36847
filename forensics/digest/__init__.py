"""Rows of an intake in, a journal out: every entry decoded once, classified, and boiled down to its gist.

Decoded entries are large and live for a moment only. What counting, grouping and linking need stays, as columns; who
wants to quote an entry later fetches it again by its row.
"""

from __future__ import annotations

from forensics.digest.boiling import digest, trace_of
from forensics.digest.digester import Digester

__all__ = ["Digester", "digest", "trace_of"]
