"""Work for several processes: results in order, errors come through, and a killed worker is one clear line."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from forensics.errors import SourceError
from forensics.system import processes as workers
from forensics.system.processes import can_fork, default_jobs, in_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

forks = pytest.mark.skipif(not can_fork(), reason="workers are forked on Linux only")


def slow_first(number: int) -> tuple[int, int]:
    """Take longest for the first of them."""
    time.sleep(0.05 if number == 0 else 0)
    return number, os.getpid()


@forks
def test_results_come_in_order_from_other_processes() -> None:
    found = list(in_processes(slow_first, range(40), 2))
    assert [number for number, _ in found] == list(range(40))
    assert os.getpid() not in {process for _, process in found}
    assert len({process for _, process in found}) <= 2


@pytest.mark.parametrize("jobs", [0, 1])
def test_one_process_is_this_one(jobs: int) -> None:
    before: list[str] = []
    found = list(in_processes(slow_first, range(3), jobs, before=lambda: before.append("called")))
    assert found == [(number, os.getpid()) for number in range(3)]
    assert before == []


def test_where_nothing_can_fork_all_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "can_fork", lambda: False)
    assert {process for _, process in in_processes(slow_first, range(3), 4)} == {os.getpid()}


@forks
def test_a_function_may_be_a_closure_over_anything() -> None:
    beside = [lambda: 40]
    assert list(in_processes(lambda number: number + beside[0](), [1, 2], 2)) == [41, 42]


@forks
def test_the_function_sees_what_was_done_before_the_copy() -> None:
    seen: list[int] = []
    assert list(in_processes(lambda _: list(seen), [0, 1], 2, before=lambda: seen.append(7))) == [[7], [7]]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=forks)])
def test_an_error_comes_through_behind_the_results_before_it(jobs: int) -> None:
    def fail(number: int) -> int:
        if number == 5:
            raise ZeroDivisionError("five")
        return number

    found = []
    with pytest.raises(ZeroDivisionError, match="five"):  # noqa: PT012 - what came before it counts
        for result in in_processes(fail, range(20), jobs):
            found.append(result)  # noqa: PERF402 - extend would lose what came before the error
    assert found == list(range(5))


@forks
def test_a_mendable_error_comes_through_as_such() -> None:
    def fail(_: int) -> None:
        raise SourceError("cannot read 'x'")

    with pytest.raises(SourceError, match=r"^cannot read 'x'$"):
        list(in_processes(fail, [1], 2))


@forks
def test_a_killed_worker_is_one_clear_line() -> None:
    def die(number: int) -> int:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(SourceError, match=r"^a worker process was killed, .*--jobs 1$"):
        list(in_processes(die, range(50), 2))


@forks
def test_arguments_are_given_out_as_results_are_taken() -> None:
    given: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            given.append(number)
            yield number

    results = in_processes(abs, numbers(), 2)
    next(results)
    assert len(given) < 10
    results.close()  # type: ignore[attr-defined]  # it is a generator, and who reads it may stop


@forks
def test_one_work_after_another_finds_its_own_function() -> None:
    assert list(in_processes(lambda number: number + 1, range(3), 2)) == [1, 2, 3]
    assert list(in_processes(lambda number: number * 10, range(3), 2)) == [0, 10, 20]


@forks
def test_one_work_may_begin_before_another_ends() -> None:
    first = in_processes(lambda number: number + 1, range(20), 2)
    assert next(first) == 1
    assert list(in_processes(lambda number: number * 10, range(3), 2)) == [0, 10, 20]
    assert list(first) == list(range(2, 21))


def test_there_is_a_processor() -> None:
    assert default_jobs() >= 1
