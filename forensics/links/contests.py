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

SAME_TIME = 5_000_000
"""Nanoseconds; loggers and clocks may swap what is this near."""
SHARED = 0.5
"""Least share of a link's occurrences that a rival must explain as well."""
MOST = 20
"""Rivals that each cause is compared with, those that explain most; more would not be read."""


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
    noted: dict[tuple[str, str], Link] = {}
    for group in by_symptom.values():
        compared = sorted(group, key=lambda x: (-x.link.explained, x.link.cause))[:MOST]
        for own in group:
            others = [x for x in compared if x is not own and _explains_the_same(x, own)]
            noted[own.link.symptom, own.link.cause] = replace(
                own.link,
                rivals=tuple(sorted(x.link.cause for x in others if _contests(x, own))),
                behind=tuple(sorted(x.link.cause for x in others if _is_before(x, own))),
            )
    return [noted.get((link.symptom, link.cause), link) for link in links]


def _explains_the_same(rival: Explanation, own: Explanation) -> bool:
    return len(rival.times.keys() & own.times.keys()) >= len(own.times) * SHARED


def _is_before(rival: Explanation, own: Explanation, late: int = -SAME_TIME) -> bool:
    """Tell whether a rival mostly stands before a cause, or at most `late` nanoseconds behind it."""
    shared = rival.times.keys() & own.times.keys()
    return sum(rival.times[at] <= own.times[at] + late for at in shared) * 2 > len(shared)


def _contests(rival: Explanation, own: Explanation) -> bool:
    """Tell whether a rival that explains the same may be the cause as well.

    It stands before the cause or at the same time, or it is an error and the cause only a warning, or a rule knows it
    for a cause and no trace tells which is whose.
    """
    if _is_before(rival, own, SAME_TIME) or (rival.is_error and not own.is_error):
        return True
    return rival.link.declared and own.link.by is not JoinKey.TRACE
