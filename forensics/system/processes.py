"""Call a function with many arguments in several processes, with results in order.

Workers are forks of this process, so the function may be a closure over anything in memory; arguments and results are
sent between processes and should be small. Where the platform cannot fork, this process does the work.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from forensics.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Argument = TypeVar("Argument")
Result = TypeVar("Result")

_AHEAD = 2
"""Arguments per worker that are sent before results are taken: more would accumulate results in memory."""

_function: Callable[[Any], Any] | None = None


def default_jobs() -> int:
    """Return the default number of processes: the number of processors that this one may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every platform
        return os.cpu_count() or 1


def can_fork() -> bool:
    """Tell whether workers can be forks of this process; on macOS forking is unsafe with system libraries."""
    return sys.platform == "linux"


def in_processes(
    function: Callable[[Argument], Result],
    arguments: Iterable[Argument],
    jobs: int,
    before: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Call a function with each argument in `jobs` processes; raise SourceError when one of them is killed.

    `before` is called before the first fork.
    """
    if jobs < 2 or not can_fork():  # noqa: PLR2004 - one process is this one
        yield from map(function, arguments)
        return
    import multiprocessing  # noqa: PLC0415 - small inputs need not wait for it
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - as above
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above

    global _function  # noqa: PLW0603 - what a forked worker finds, since a closure cannot be sent to it
    _function = function
    if before is not None:
        before()
    gc.freeze()
    waiting: deque[Future[Any]] = deque()
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            for argument in arguments:
                waiting.append(pool.submit(_call, argument))
                if len(waiting) >= jobs * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise SourceError(
                "a worker process was killed, perhaps because memory ran out; run again with --jobs 1"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _call(argument: object) -> object:
    assert _function is not None  # noqa: S101 - set before the workers were forked
    return _function(argument)
