"""Group the entries of a revision into clusters, and count how often each failure occurred."""

from __future__ import annotations

from forensics.clusters.entry_rows import entry_rows, said
from forensics.clusters.group import group, group_warnings
from forensics.clusters.lives import find_lives, is_exit, is_failure, is_start
from forensics.clusters.mask import fingerprint, mask
from forensics.clusters.traffic import traffic_of

__all__ = [
    "entry_rows",
    "find_lives",
    "fingerprint",
    "group",
    "group_warnings",
    "is_exit",
    "is_failure",
    "is_start",
    "mask",
    "said",
    "traffic_of",
]
