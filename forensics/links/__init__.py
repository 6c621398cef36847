"""Link symptoms to their causes, adjust priorities, and group linked clusters into incidents."""

from __future__ import annotations

from forensics.links.incidents import find_incidents, parents, prioritise, roots_of
from forensics.links.join import link
from forensics.links.priorities import adjust_priorities, extent_of

__all__ = ["adjust_priorities", "extent_of", "find_incidents", "link", "parents", "prioritise", "roots_of"]
