"""Parts that most scenarios share: a healthy service with two instances, and requests that fail after an error."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Record, Scenario, Truth, World
from incidents.source import leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HOLDS = ("supported",)
OPEN = ("no evidence",)
NOT_ASKED = ("not observable",)
NOT_SHOWN = ("no evidence", "refuted")
"""The log that would show it was read, and shows nothing: `no evidence` is modest, `refuted` as right."""
NOT_READ = ("no evidence", "not observable")
"""The log that would show it was not read."""
WEAK = ("no evidence", "plausible", "refuted")
"""It stands near, and no more often than it always does."""

FAILED = "Why did requests or runs fail?"
ENDED = "Why did instances end, or requests fail?"
"""What the shipped rules ask most often."""


def running(
    name: str, *, span: int = 20 * MINUTE, requests: int = 240, deployed: bool = True
) -> tuple[World, list[str]]:
    """Make a service with two instances that answers requests."""
    world = World(name)
    if deployed:
        world.deploy(-2 * MINUTE, -2 * MINUTE + 9 * SECOND)
    instances = [world.started(-2 * MINUTE + 2 * SECOND, reason="DEPLOYMENT_ROLLOUT"), world.started(-MINUTE)]
    world.healthy(instances, 0, span, requests)
    return world, instances


def moments(world: World, count: int, *, first: int = 2 * MINUTE, last: int = 18 * MINUTE) -> list[int]:
    """Choose times that are far apart and not periodic."""
    step = (last - first) // count
    return [first + step * number + world.between(0, step // 2) for number in range(count)]


def every(step: int, count: int, *, first: int = 0) -> range:
    """Choose periodic times."""
    return range(first, first + count * step, step)


def in_turn(instances: list[str], times: Iterable[int]) -> Iterator[tuple[str, int]]:
    """Give each time an instance, one after the other."""
    return zip(cycle(instances), times, strict=False)


def chatter(
    world: World, instances: list[str], times: Iterable[int], text: str, severity: str | None = "ERROR"
) -> None:
    """Let instances write the same line, one at each time, in turn."""
    for one, at in in_turn(instances, times):
        world.line(one, at, text, severity)


def fail(
    world: World,
    instances: list[str],
    times: list[int],
    says: Callable[[World, str, int, str], None] | None,
    *,
    path: str = "/api/checkout",
    status: int = 500,
    latency: int = 310 * MILLISECOND,
    text: str | None = None,
    traced: bool = True,
) -> None:
    """Let requests fail, one at each time (its end), in turn on the instances; the application says why."""
    for one, end in in_turn(instances, times):
        took = latency + world.between(0, 60) * MILLISECOND
        trace = world.request(one, end, took, path, status, method="POST", text=text)
        if says:
            says(world, one, end, trace if traced else "")


def failing(name: str, count: int, says: Callable[[World, str, int, str], None] | None, **how: Any) -> World:
    """Make a service that answers requests, and some that fail; `how` is as for `fail`."""
    world, instances = running(name)
    fail(world, instances, moments(world, count), says, **how)
    return world


def raised(
    text: str, *, severity: str | None = "ERROR", before: int = 8 * MILLISECOND, split: bool = False
) -> Callable[[World, str, int, str], None]:
    """Make the application write a text shortly before the end of the request (negative: after it)."""

    def say(world: World, instance: str, end: int, trace: str) -> None:
        at = end - before - world.between(0, 900) * 1000
        if split:
            world.traceback(instance, at, text, split=True, trace=trace)
        else:
            world.line(instance, at, text, severity, trace=trace)

    return say


def python_error(
    error: str, place: str = "/app/orders/checkout.py", line: int = 88, function: str = "create_order"
) -> str:
    """Write a traceback as Python does."""
    return (
        "Traceback (most recent call last):\n"
        '  File "/usr/local/lib/python3.11/site-packages/starlette/routing.py", line 715, in __call__\n'
        "    await self.middleware_stack(scope, receive, send)\n"
        f'  File "{place}", line {line}, in {function}\n'
        "    return await self._repository.save(order)\n"
        f"{error}"
    )


def holds(text: str) -> Callable[[Record], bool]:
    """Return a predicate: does the payload of an entry contain a text?"""
    payloads = ("textPayload", "jsonPayload", "protoPayload")
    return lambda record: any(text in leaf for payload in payloads for leaf in leaves(record.get(payload)))


def make_scenario(
    world: World,
    story: str,
    truth: Truth,
    cause: str | None = None,
    *,
    name: str = "",
    revision: str = "",
    records: tuple[Record, ...] = (),
) -> Scenario:
    """Make the scenario; by default with all records, newest first, of the revision that wrote them."""
    records, revision = records or world.newest_first(), revision or world.revision
    return Scenario(name or world.name, story, records, revision, truth, holds(cause) if cause else None)


def explained(
    cause: str,
    times: int,
    *whys: Expected,
    symptoms: tuple[str, ...] = ("http-5xx",),
    incidents: int | None = 1,
    **more: Any,
) -> Truth:
    """Expect one incident; its cause explains each symptom the given number of times; `more` is as for `Truth`."""
    explains = {(cause, symptom): times for symptom in symptoms}
    return Truth(root=cause, explains=explains, incidents=incidents, whys=whys, **more)


def answered(cause: str, times: int, ask: str, *whys: Expected, **more: Any) -> Truth:
    """Expect that cause and failed requests point at each other, and that what no log shows stays open."""
    pointing = (
        Expected(cause, ask, HOLDS),
        Expected("http-5xx", "What stands before", HOLDS),
        Expected("http-5xx", "Is it new in this revision?", NOT_ASKED),
    )
    return explained(cause, times, *pointing, *whys, **more)
