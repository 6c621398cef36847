"""Rate limit and backoff for requests to Cloud Logging. Clock, sleep and randomness are passed in."""

from __future__ import annotations

import math
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MINUTE = 60.0
REQUESTS_PER_MINUTE = 50
"""Default rate; the quota is 60 reads a minute for a project, and other readers may share it."""


class Pacer:
    """Allows at most `limit` requests in any `window` seconds, in bursts; all readers of a run share one."""

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        limit: int = REQUESTS_PER_MINUTE,
        window: float = MINUTE,
    ) -> None:
        if limit < 1:
            raise ValueError(f"{limit} requests are none")
        self._clock = clock
        self.sleep = sleep
        self._window = window
        self._passed: deque[float] = deque(maxlen=limit)
        self._lock = Lock()
        self.waited = 0.0
        """Total seconds for which requests were held back."""

    def wait(self) -> float:
        """Sleep until one more request may be sent, and count it; return the seconds waited."""
        # Held while sleeping as well: what counts is when a request leaves, not when it was promised.
        with self._lock:
            began = now = self._clock()
            while (due := self._due()) > now:
                self.sleep(due - now)
                now = self._clock()
            self._passed.append(now)
            self.waited += now - began
            return now - began

    def _due(self) -> float:
        """Return when the next request may be sent; compared as it is, since differences of clocks are rounded."""
        full = len(self._passed) == self._passed.maxlen
        return self._passed[0] + self._window if full else -math.inf


class Backoff:
    """Exponential backoff with jitter for failures in a row."""

    def __init__(self, random: Random, *, first: float = 1.0, longest: float = 60.0, patience: float = 900.0) -> None:
        self._random = random
        self._first = first
        self._longest = longest
        self._patience = patience
        self._failures = 0
        self._spent = 0.0
        self.waited = 0.0
        """Total seconds waited, over all rows of failures."""

    def after_failure(self, minimum: float | None = None) -> float | None:
        """Return the seconds to wait before the next try, at least `minimum`; None when `patience` is spent."""
        usual = min(self._longest, self._first * 2.0 ** min(self._failures, 30))
        delay = usual * self._random.uniform(0.5, 1.0)
        if minimum is not None and minimum > delay:
            # All clients that were given the same time would otherwise come back at the same moment.
            delay = minimum + self._random.uniform(0.0, min(usual, self._longest / 10))
        if self._spent + delay > self._patience:
            return None
        self._failures += 1
        self._spent += delay
        self.waited += delay
        return delay

    def succeeded(self) -> None:
        """Reset: the next failure waits shortly again."""
        self._failures = 0
        self._spent = 0.0
