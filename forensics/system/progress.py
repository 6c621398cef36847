"""Whoever wants to know how far a long run is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

ParallelMap = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]
"""`map` over arguments that are all there, perhaps in several processes."""


class Progress(Protocol):
    """Shows how far a run is: bytes read first, then parts of the entries looked at."""

    def expect(self, size: int) -> None:
        """Announce how many bytes will be read."""

    def advance(self, size: int) -> None:
        """Note that bytes were read."""

    def parallel_map(self, parallel_map: ParallelMap) -> ParallelMap:
        """Wrap a map, to see each part of the work end."""


class Silent:
    """Progress that nobody sees."""

    def expect(self, size: int) -> None:
        """Say nothing."""

    def advance(self, size: int) -> None:
        """Say nothing."""

    def parallel_map(self, parallel_map: ParallelMap) -> ParallelMap:
        """Leave the map as it is."""
        return parallel_map
