"""Collect the faults of one rule file, and print each as one line with its file and line number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Location = tuple[str | int, ...]
"""Where in a document: `("whys", 1, "ask")`."""
_NEAR = 0.7
"""Least similarity (0 to 1) at which one word may be a misspelling of another."""


class Diagnostics:
    """The faults of one file; true when there are any."""

    def __init__(self, source: str, lines: Mapping[Location, int]) -> None:
        self.source = source
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, location: Location, words: str) -> None:
        """Note a fault at a location; a location that the document lacks stands for the nearest one around it."""
        while location and location not in self._lines:
            location = location[:-1]
        self.add_line(self._lines.get(location, 1), words)

    def add_line(self, line: int, words: str) -> None:
        """Note a fault at a line: for texts that do not parse, and so have no locations."""
        self._found.append((line, words))

    def messages(self) -> list[str]:
        """List the faults by line, `rules/run/oom.yaml:12: unknown field 'titl'`."""
        return [f"{self.source}:{line}: {words}" for line, words in sorted(set(self._found))]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'WORD'?)` with the most similar known word; "" when none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a slip only

    close = get_close_matches(word, sorted(known), n=1, cutoff=_NEAR)
    return f" (did you mean {close[0]!r}?)" if close else ""
