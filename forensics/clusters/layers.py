"""Join what several layers of a program logged of one failure: its message, its traceback, the framework's wrapper."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from forensics.log.root_exception import root_exception
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forensics.log.entry_table import EntryTable

WITHIN = SECOND
"""Longest time between what two layers log of one failure, nanoseconds."""
MOST = 2_000
"""Entries of a group that is held against others."""
_SHORTEST = 12
"""Characters of a text that two messages do not share by accident."""
_READ = 4_000
_NEAR = 50
"""Entries around one that are looked at."""
_COMPARED = 8
"""Entries of a group whose texts are compared."""

Key = tuple[str, str, tuple[str, ...]]
"""(revision, signature or fingerprint, group values)."""


def join_layers(
    groups: Mapping[Key, array[int]], table: EntryTable
) -> tuple[dict[Key, array[int]], dict[Key, list[Key]]]:
    """Join each group without a rule with the group whose failure it repeats; return also which joined which."""
    if all(signature for _, signature, _ in groups):
        return dict(groups), {}
    layers = _Layers(groups, table)
    into = {key: target for key in groups if (target := layers.target(key)) is not None}
    joined = {key: rows for key, rows in groups.items() if key not in into}
    repeated: dict[Key, list[Key]] = {}
    for key, nearest in into.items():
        target = nearest
        while target in into:  # each target tells more than what joins it, so this ends
            target = into[target]
        joined[target] = array("I", sorted([*joined[target], *groups[key]]))
        repeated.setdefault(target, []).append(key)
    return joined, repeated


class _Layers:
    """The entries that are no requests in order of time, each with its group."""

    def __init__(self, groups: Mapping[Key, array[int]], table: EntryTable) -> None:
        self._groups = groups
        self._table = table
        spoken = {key: rows for key, rows in groups.items() if not table.facts(rows[0]).is_request}
        rows = sorted((row, key) for key, rows in spoken.items() for row in rows)
        self._rows = [row for row, _ in rows]
        self._keys = [key for _, key in rows]
        self._times = array("q", [table.times[row] for row in self._rows])
        self._ranks = {key: self._rank(key, rows) for key, rows in spoken.items()}

    def _rank(self, key: Key, rows: Sequence[int]) -> tuple[bool, int, int]:
        """Rank how much a group tells: a rule knows it, it has a stack, it came first."""
        weights = {
            code: self._table.distinct_facts[code].weight for code in {self._table.fact_ids[row] for row in rows}
        }
        return bool(key[1]), max(weights.values()), -rows[0]

    def target(self, key: Key) -> Key | None:
        """Return the group that tells most of the failure that this one repeats each time; None when it is its own."""
        rows = self._groups[key]
        if key[1] or key not in self._ranks or len(rows) > MOST:
            return None
        near = {other for row, other in self._around(rows[0]) if self._ranks[other] > self._ranks[key]}
        same = [
            other for other in sorted(near, key=self._ranks.__getitem__, reverse=True) if self._repeats(rows, other)
        ]
        return same[0] if same else None

    def _around(self, row: int) -> Iterator[tuple[int, Key]]:
        """Yield the entries of the same trace, or instance, within a second, with their groups."""
        time = self._table.times[row]
        first = bisect_left(self._times, time - WITHIN)
        last = bisect_right(self._times, time + WITHIN)
        own = bisect_left(self._rows, row)
        near = range(max(first, own - _NEAR), min(last, own + _NEAR))
        return ((self._rows[at], self._keys[at]) for at in near if self._is_of_one(row, self._rows[at]))

    def _is_of_one(self, row: int, other: int) -> bool:
        """Tell whether two entries are of one trace; without traces, of one instance."""
        table = self._table
        if table.traces[row] and table.traces[other]:
            return table.traces[row] == table.traces[other]
        one, two = table.label_set(row), table.label_set(other)
        return bool(one.instance) and (one.instance, one.revision) == (two.instance, two.revision)

    def _repeats(self, rows: Sequence[int], key: Key) -> bool:
        """Tell whether each entry stands beside one of a group, and the texts of some hold one another's value."""
        beside = ((row, next((at for at, other in self._around(row) if other == key), None)) for row in rows)
        step = max(len(rows) // _COMPARED, 1)
        for n, (row, other) in enumerate(beside):
            if other is None or (n % step == 0 and not self._holds(row, key)):
                return False
        return True

    def _holds(self, row: int, key: Key) -> bool:
        others = (at for at, other in self._around(row) if other == key)
        return any(_is_within(self._said(row), self._said(other)) for other in islice(others, _COMPARED))

    def _said(self, row: int) -> tuple[str, str]:
        """Return what an entry says, and the value of it: of its exception, else its first line."""
        entry = self._table.entry(row)
        root = root_exception(entry)
        message = entry.message[:_READ]
        value = root.value if root is not None and root.value else message.lstrip().split("\n", 1)[0]
        return message, value.strip()[:_READ]


def _is_within(one: tuple[str, str], two: tuple[str, str]) -> bool:
    """Tell whether one message holds the other's whole value."""
    return any(len(value) >= _SHORTEST and value in message for (message, _), (_, value) in ((one, two), (two, one)))
