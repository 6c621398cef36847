"""Faults of one rule file in, as they are found; lines that name file, line and what to do out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Spot = tuple[str | int, ...]
    """Where in a document: `("whys", 1, "ask")`."""


_NEAR = 0.7
"""Share of letters in common from which a word may have been misspelt."""


class Diagnostics:
    """What is wrong with one file."""

    def __init__(self, source: str, lines: Mapping[Spot, int]) -> None:
        self.source = source
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, location: Spot, words: str) -> None:
        """Note a fault at a spot, or, if the document has no such spot, at the nearest one around it."""
        while location and location not in self._lines:
            location = location[:-1]
        self.add_line(self._lines.get(location, 1), words)

    def add_line(self, line: int, words: str) -> None:
        """Note a fault of a text that is no document, and so has no spots."""
        self._found.append((line, words))

    def messages(self) -> list[str]:
        """List the faults by line, `rules/run/oom.yaml:12: unknown field 'titl'`."""
        return [f"{self.source}:{line}: {words}" for line, words in sorted(set(self._found))]


def nearest(word: str, known: Iterable[str]) -> str:
    """Ask whether a known word was meant; "" when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a slip only

    close = get_close_matches(word, sorted(known), n=1, cutoff=_NEAR)
    return f" (did you mean {close[0]!r}?)" if close else ""
