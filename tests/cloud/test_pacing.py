from __future__ import annotations

import threading
from random import Random

import pytest
from hypothesis import given, strategies as st

from forensics.cloud.pacing import MINUTE, REQUESTS_PER_MINUTE, Backoff, Pacer


class Clock:
    """Time that passes only when somebody sleeps, and then not as long as asked, or longer."""

    def __init__(self, shares: list[float] | None = None) -> None:
        self.now = 1000.0
        self._shares = shares or []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        share = self._shares.pop() if self._shares else 1.0
        # A millisecond at least passes, as on any computer; else a share of a share would never end.
        self.now += max(seconds * share, 0.001)


def patience(seed: int, seconds: float = 900.0) -> Backoff:
    return Backoff(Random(seed), patience=seconds)  # noqa: S311 - nothing secret in how long to wait


def most_in_any_window(times: list[float], window: float) -> int:
    return max(sum(1 for other in times if time <= other < time + window) for time in times)


@given(
    st.integers(1, 8),
    st.lists(st.floats(0, 100), min_size=1, max_size=60),
    st.lists(st.floats(0.1, 3), max_size=30),
)
def test_never_more_than_the_limit_in_any_minute(limit: int, pauses: list[float], shares: list[float]) -> None:
    clock = Clock(shares)
    pacer = Pacer(clock, clock.sleep, limit)
    times = []
    for pause in pauses:
        clock.now += pause
        before = clock.now
        waited = pacer.wait()
        assert waited == clock.now - before
        times.append(clock.now)
    assert most_in_any_window(times, MINUTE) <= limit


def test_bursts_pass_at_once() -> None:
    clock = Clock()
    pacer = Pacer(clock, clock.sleep)
    assert sum(pacer.wait() for _ in range(REQUESTS_PER_MINUTE)) == 0
    assert pacer.wait() == MINUTE
    assert sum(pacer.wait() for _ in range(REQUESTS_PER_MINUTE - 1)) == 0
    assert pacer.waited == MINUTE


def test_readers_of_a_run_share_the_quota() -> None:
    clock = Clock()
    pacer = Pacer(clock, clock.sleep, 10)
    times: list[float] = []
    lock = threading.Lock()

    def read() -> None:
        for _ in range(20):
            pacer.wait()
            with lock:
                times.append(clock())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now == 1000.0 + 7 * MINUTE
    assert len(times) == 80


def test_a_pacer_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(ValueError, match="none"):
        Pacer(Clock(), Clock().sleep, 0)


asked = st.lists(st.none() | st.floats(0, 200), max_size=200)


@given(st.integers(), asked)
def test_waits_grow_are_honoured_and_end(seed: int, waits: list[float | None]) -> None:
    backoff = patience(seed)
    total = 0.0
    for tries, wait in enumerate(waits):
        delay = backoff.after_failure(wait)
        if delay is None:
            assert total + max(90.0, (wait or 0.0) + 6.0) > 900.0
            break
        usual = min(60.0, 2.0**tries)
        assert delay >= max(usual / 2, wait or 0.0)
        assert delay <= max(usual, (wait or 0.0) + 6.0)
        total += delay
    assert backoff.waited == pytest.approx(total)
    assert total <= 900.0


def test_the_same_seed_waits_the_same_and_another_does_not() -> None:
    def row(seed: int) -> list[float | None]:
        backoff = patience(seed)
        return [backoff.after_failure() for _ in range(5)]

    assert row(1) == row(1) != row(2)


def test_success_begins_anew() -> None:
    backoff = patience(0, 10.0)
    while backoff.after_failure() is not None:
        pass
    backoff.succeeded()
    delay = backoff.after_failure()
    assert delay is not None
    assert delay <= 1.0


def test_a_quota_that_is_exhausted_for_minutes_is_waited_for() -> None:
    backoff = patience(0)
    for _ in range(6):
        backoff.after_failure()
    assert backoff.after_failure() is not None
    assert backoff.waited > 90


def test_who_is_asked_to_wait_longer_than_patience_gives_up_at_once() -> None:
    assert patience(0).after_failure(3600.0) is None
