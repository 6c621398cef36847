"""Which warnings that no rule knows are told: those that stand before failures as a cause does.

Most warnings return all day long and explain nothing. One that stands in every failed request, and in no other, is the
best that a log without an error has; and where it stands before an error, it may be what that error comes from.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.model import DEFAULT_THRESHOLDS, FEWEST, Cluster, ClusterId, Link, Role

if TYPE_CHECKING:
    from collections.abc import Sequence


def fewest_to_explain(clusters: Sequence[Cluster]) -> int | None:
    """Return how many entries a warning takes to explain any symptom; None where there is none to explain."""
    sizes = [c.occurrences for c in clusters if c.role is Role.SYMPTOM and c.occurrences >= FEWEST]
    return max(FEWEST, ceil(min(sizes) * DEFAULT_THRESHOLDS.coverage)) if sizes else None


def idle_warnings(warnings: Sequence[Cluster], links: Sequence[Link]) -> set[ClusterId]:
    """Return the warnings that explain nothing, or only what an error before them explains."""
    ids = {cluster.id for cluster in warnings}
    strong = [link for link in links if link.meets(DEFAULT_THRESHOLDS)]
    explained = {link.symptom for link in strong if link.cause not in ids}
    contested = {rival for link in strong if link.cause not in ids for rival in link.rivals}
    told = {link.cause for link in strong if link.symptom not in explained or link.cause in contested}
    return ids - told


def without_causes(links: Sequence[Link], idle: set[ClusterId]) -> tuple[Link, ...]:
    """Leave out the links of causes that are not told, also where another link names them as rivals."""
    return tuple(_without_rivals(link, idle) for link in links if link.cause not in idle)


def _without_rivals(link: Link, idle: set[ClusterId]) -> Link:
    if idle.isdisjoint(link.rivals) and idle.isdisjoint(link.behind):
        return link
    rivals, behind = (tuple(x for x in names if x not in idle) for names in (link.rivals, link.behind))
    return replace(link, rivals=rivals, behind=behind)
