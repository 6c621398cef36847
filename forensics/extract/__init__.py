"""Turn rows of a log index into an EntryTable: decode each entry once, classify it and keep its facts.

Decoded entries are large and live only for a moment. The facts needed for counting, grouping and linking stay, as
columns; code that quotes an entry later fetches it again by its row.
"""

from __future__ import annotations

from forensics.extract.build_table import extract, trace_of
from forensics.extract.facts_extractor import FactsExtractor
from forensics.extract.last_lines import take_up_last_lines

__all__ = ["FactsExtractor", "extract", "take_up_last_lines", "trace_of"]
