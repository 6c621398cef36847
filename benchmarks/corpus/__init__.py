"""Generate a Cloud Run log of a kind and size, and the truth about it; the same seed gives the same bytes.

`templates` has the contents of entries, `shapes` encodes each as a line with holes, `mix` fills and mixes the lines,
`tally` counts them, `files` writes log and truth.
"""

from __future__ import annotations

from corpus.files import KINDS, write

__all__ = ["KINDS", "write"]
