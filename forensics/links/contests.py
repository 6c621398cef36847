"""Which causes of the same symptom contest each other.

A cause that stands behind another one, in the same requests, is its echo and no rival: an error while a transaction is
rolled back, an alert that cannot be sent. The one before contests the one behind.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.model import DEFAULT_THRESHOLDS, JoinKey, Link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHARED = 0.5
"""Least share of a link's occurrences that a rival must explain as well."""
MOST = 20
"""Causes of one symptom that are compared with each other; more than these would not be read."""


class Explanation(NamedTuple):
    """A link with the times that it rests on."""

    link: Link
    times: Mapping[int, int]
    """Occurrence of the symptom → time of the cause's nearest entry, nanoseconds."""
    is_error: bool
    """Whether the cause was logged as an ERROR or worse."""


def contest(found: Iterable[Explanation]) -> list[Link]:
    """Note on each link the rivals of its cause."""
    by_symptom: dict[str, list[Explanation]] = defaultdict(list)
    links = []
    for one in found:
        links.append(one.link)
        if one.link.meets(DEFAULT_THRESHOLDS):
            by_symptom[one.link.symptom].append(one)
    rivals = {}
    for rival_group in by_symptom.values():
        compared = sorted(rival_group, key=lambda x: (-x.link.explained, x.link.cause))[:MOST]
        for own in compared:
            names = sorted(x.link.cause for x in compared if x is not own and _contests(x, own))
            rivals[own.link.symptom, own.link.cause] = tuple(names)
    return [
        replace(link, rivals=rivals[link.symptom, link.cause]) if rivals.get((link.symptom, link.cause)) else link
        for link in links
    ]


def _contests(rival: Explanation, own: Explanation) -> bool:
    """Tell whether a rival explains as much of what a cause explains.

    The rival stands before the cause or at the same time, or a rule says of it what it says of the cause, or it is an error and the cause
    only a warning.
    """
    shared = rival.times.keys() & own.times.keys()
    if len(shared) < len(own.times) * SHARED:
        return False
    if sum(rival.times[at] <= own.times[at] for at in shared) * 2 > len(shared):
        return True
    if rival.is_error and not own.is_error:
        return True
    in_one_trace = rival.link.by is own.link.by is JoinKey.TRACE
    return rival.link.declared and (own.link.declared or not in_one_trace)
