"""Classified entries in, clusters with their occurrences out."""

from __future__ import annotations

from forensics.clusters.group import group
from forensics.clusters.lives import find_lives
from forensics.clusters.mask import fingerprint, mask
from forensics.clusters.rows import entry_rows

__all__ = ["entry_rows", "find_lives", "fingerprint", "group", "mask"]
