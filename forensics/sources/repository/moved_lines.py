"""Find where a line of a file was in the previous version of that file."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import takewhile

_MIDDLE = 3000
"""Differing lines between the equal parts at both ends; comparing more of them takes seconds."""


def place_before(new: list[str], old: list[str], at: int) -> int | None:
    """Return the index in `old` of the line at index `at` of `new`; None when it is a new line."""
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(new, old, strict=False)))
    if at < start:
        return at
    room = min(len(new), len(old)) - start
    tail = zip(reversed(new[len(new) - room :]), reversed(old[len(old) - room :]), strict=True) if room else ()
    end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tail))
    if at >= len(new) - end:
        return at - len(new) + len(old)
    left, right = new[start : len(new) - end], old[start : len(old) - end]
    if max(len(left), len(right)) > _MIDDLE:
        return None
    for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        if block.a <= at - start < block.a + block.size:
            return start + block.b + (at - start - block.a)
    return None
