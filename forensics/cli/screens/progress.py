"""Progress bars on a terminal: bytes read with rate and time left, then entries analysed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress, TaskID

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class ReadingProgress:
    """Progress bars for reading and analysing; does nothing without a terminal."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._reading: TaskID | None = None

    def expect(self, size: int) -> None:
        """Set the number of bytes that will be read."""
        if self._progress is not None:
            self._reading = self._progress.add_task("reading", total=size or None, rate="")

    def advance(self, size: int) -> None:
        """Add bytes to those read."""
        if self._progress is not None and self._reading is not None:
            self._progress.advance(self._reading, size)
            speed = self._progress.tasks[self._reading].speed
            self._progress.update(self._reading, rate=f"{speed / 1e6:,.0f} MB/s" if speed else "")

    def parallel_map(
        self, parallel_map: Callable[[Callable[[Argument], Result], Sequence[Argument]], Iterator[Result]]
    ) -> Callable[[Callable[[Argument], Result], Sequence[Argument]], Iterator[Result]]:
        """Wrap a parallel map so that it shows how many of its parts are done."""

        def watched(function: Callable[[Argument], Result], arguments: Sequence[Argument]) -> Iterator[Result]:
            if self._progress is None:
                yield from parallel_map(function, arguments)
                return
            task = self._progress.add_task("looking at the entries", total=len(arguments), rate="")
            for result in parallel_map(function, arguments):
                self._progress.advance(task)
                yield result

        return watched


@contextmanager
def watching() -> Iterator[ReadingProgress]:
    """Show progress on stderr while a run lasts, when a terminal is there."""
    if not sys.stderr.isatty():
        yield ReadingProgress(None)
        return
    from rich import progress as bars  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415 - a pipe need not wait for it

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield ReadingProgress(progress)
