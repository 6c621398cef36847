"""Rows of a log index in, a table out: every entry decoded once, classified, and boiled down to its facts.

Decoded entries are large and live for a moment only. What counting, grouping and linking need stays, as columns; who
wants to quote an entry later fetches it again by its row.
"""

from __future__ import annotations

from forensics.extract.build_table import extract, trace_of
from forensics.extract.facts_extractor import FactsExtractor

__all__ = ["FactsExtractor", "extract", "trace_of"]
