"""A service on which misleading logs are played: it writes entries as Cloud Run does, and notes what each of them is.

What an entry is (`cause`, `echo`, `decoy`, `failure` …) is its *part*; the log does not hold it, a truth speaks of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from incidents.scenario import MILLISECOND, MINUTE, SECOND, SERVICE, Record, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

GROUND = "ground"
"""The part of what always stands in the log of a service that is well."""
PATHS = ("/api/orders", "/api/orders/8841", "/api/cart", "/api/search?q=lamp", "/healthz")
CHATTER = (
    "INFO:     cart 5518 priced in 12 ms",
    "cache hit ratio 0.93",
    '{"msg": "session restored"}',
    "flushed 40 spans",
)


class Stage(World):
    """Writes entries and notes their parts."""

    def __init__(self, name: str, seed: int, revision: str = "orders-api-00017-xyz", service: str = SERVICE) -> None:
        super().__init__(f"{name}-{seed}", revision)
        self.service = service
        self.part = GROUND
        self.up: list[str] = []
        self._parts: list[tuple[Record, str]] = []

    @contextmanager
    def playing(self, part: str) -> Iterator[None]:
        """Give everything that is written within a part."""
        before, self.part = self.part, part
        try:
            yield
        finally:
            self.part = before

    def say(self, part: str, instance: str, at: int, text: str, severity: str | None = "ERROR", **where: Any) -> None:
        """Let the application write a line."""
        with self.playing(part):
            self.line(instance, at, text, severity, **where)

    def say_json(self, part: str, instance: str, at: int, payload: Record, severity: str | None, **where: Any) -> None:
        """Let the application write a structured line."""
        with self.playing(part):
            self.payload(instance, at, severity, payload, **where)

    def platform(self, part: str, instance: str, at: int, text: str, severity: str = "ERROR") -> None:
        """Let the platform write a line about an instance."""
        with self.playing(part):
            self.system(instance, at, text, severity)

    def serve(self, *, requests: int = 300, instances: int = 2, span: int = 20 * MINUTE, start: int = 0) -> list[str]:
        """Start instances that answer requests until the end of the span; most of a log is this."""
        fresh = [
            self.started(start - 90 * SECOND + n * 7 * SECOND, reason="DEPLOYMENT_ROLLOUT") for n in range(instances)
        ]
        self.up += fresh
        self.answer(fresh, start, start + span, requests)
        for number in range(requests // 12):
            at = start + self.between(0, span)
            self.line(fresh[number % instances], at, CHATTER[number % len(CHATTER)], stream="stdout")
        return fresh

    def answer(self, instances: list[str], start: int, end: int, count: int) -> None:
        """Answer requests at moments without a rhythm."""
        for _ in range(count):
            path, status = self.rng.choice(PATHS), 404 if self.rng.random() < 0.02 else 200
            self.ask(self.rng.choice(instances), self.between(start, end), path, status)

    def ask(self, instance: str, end: int, path: str, status: int = 200, **more: Any) -> str:
        """Write a request that took some milliseconds."""
        return self.request(instance, end, self.between(9, 140) * MILLISECOND, path, status, **more)

    def failures(
        self,
        times: Iterable[int],
        *,
        instances: list[str] | None = None,
        part: str = "failure",
        path: str = "/api/checkout",
        status: int = 500,
        latency: int = 310 * MILLISECOND,
        method: str = "POST",
        text: str | None = None,
    ) -> Iterator[tuple[str, int, str]]:
        """Write a failed request at each time, its end, and yield instance, end and trace."""
        for at in times:
            one, took = self.rng.choice(instances or self.up), latency + self.between(0, 80) * MILLISECOND
            with self.playing(part):
                trace = self.request(one, at, took, path, status, method=method, text=text)
            yield one, at, trace

    def moments(self, count: int, first: int = MINUTE, last: int = 19 * MINUTE) -> list[int]:
        """Choose times without a rhythm, no two of them within a few seconds."""
        step = (last - first) // count
        return [first + step * n + self.between(0, step * 6 // 10) for n in range(count)]

    def anywhen(self, count: int, first: int = 0, last: int = 20 * MINUTE) -> list[int]:
        """Choose times by chance."""
        return sorted(self.between(first, last) for _ in range(count))

    def near(self, at: int, spread: int) -> int:
        """Choose a time around another."""
        return at + self.between(-spread, spread)

    def parts(self) -> dict[str, str]:
        """Return the part of every entry, by its `insertId`."""
        return {record["insertId"]: part for record, part in self._parts}

    def keep(self, holds: Callable[[Record], bool]) -> None:
        """Forget all entries but those that a filter of an export holds."""
        self.records = [record for record in self.records if holds(record)]

    def _add(self, log: str, at: int, instance: str, severity: str | None, **more: Any) -> None:
        super()._add(log, at, instance, severity, **more)
        record = self.records[-1]
        record["resource"]["labels"] |= {"service_name": self.service, "configuration_name": self.service}
        self._parts.append((record, self.part))
