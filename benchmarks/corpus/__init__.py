"""A kind, a size and a seed in; a Cloud Run log of that size and the truth about it out.

`templates` holds what the entries say, `shapes` turns each into encoded lines with holes, `mix` fills and mixes them,
`tally` counts what was written, `files` writes it down.
"""

from __future__ import annotations

from corpus.files import KINDS, write

__all__ = ["KINDS", "write"]
