"""Link symptoms to their causes, adjust priorities, and group linked clusters into incidents."""

from __future__ import annotations

from forensics.links.incidents import Explained, find_incidents, roots_of
from forensics.links.join import link
from forensics.links.owners import parents, prioritise
from forensics.links.priorities import adjust_priorities, extent_of
from forensics.links.warnings import fewest_to_explain, idle_warnings, without_causes

__all__ = [
    "Explained",
    "adjust_priorities",
    "extent_of",
    "fewest_to_explain",
    "find_incidents",
    "idle_warnings",
    "link",
    "parents",
    "prioritise",
    "roots_of",
    "without_causes",
]
