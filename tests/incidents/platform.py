"""Incidents that the platform or a closed socket tells of: refusals, memory, probes, broken answers, sessions."""

from __future__ import annotations

from incidents.scenario import (
    MALFORMED,
    MALFORMED_OOM,
    MILLISECOND,
    MINUTE,
    NO_INSTANCE,
    NOT_AUTHENTICATED,
    SECOND,
    Expected,
    Scenario,
    Truth,
    World,
)
from incidents.service import (
    HOLDS,
    NOT_ASKED,
    NOT_READ,
    NOT_SHOWN,
    OPEN,
    every,
    explained,
    fail,
    in_turn,
    make_scenario,
    moments,
    running,
)


def not_authenticated() -> Scenario:
    """The platform refuses by IAM: no instance is involved, and no application entry can stand before it."""
    world, _ = running("not-authenticated")
    for at in moments(world, 9):
        world.request("", at, 0, "/internal/sync", 403, method="POST", text=NOT_AUTHENTICATED)
    truth = Truth(root="request-not-authenticated", incidents=1, occurrences={"request-not-authenticated": 9})
    return make_scenario(world, "A caller without a token is refused by the platform.", truth, "not authenticated")


def out_of_memory() -> Scenario:
    world, _ = running("out-of-memory")
    for at in moments(world, 6):
        one = world.started(at - 30 * SECOND)
        world.healthy([one], at - 25 * SECOND, at - 5 * SECOND, 4, "/api/export")
        world.system(one, at - 90 * MILLISECOND, "Memory limit of 512 MiB exceeded with 531 MiB used.", "ERROR")
        for number in range(2):
            took = (3 + number) * SECOND
            world.request(one, at + number * 4 * MILLISECOND, took, "/api/export", 503, text=MALFORMED_OOM)
    truth = explained(
        "container-oom",
        12,
        Expected("container-oom", "What did callers see?", HOLDS),
        Expected("container-oom", "Why were the instances terminated?", HOLDS),
        Expected("container-oom", "What was the instance handling", HOLDS),
        Expected("container-oom", "Is it new", NOT_ASKED),
        symptoms=("malformed-response-oom",),
        occurrences={"container-oom": 6, "malformed-response-oom": 12},
    )
    return make_scenario(world, "Six instances run out of memory, two requests each.", truth, "Memory limit")


def worker_timeout() -> Scenario:
    world, instances = running("worker-timeout")
    for number, (one, at) in enumerate(in_turn(instances, moments(world, 7))):
        stamp = "2026-02-03 09:10:01 +0000"
        world.line(one, at - 60 * MILLISECOND, f"[{stamp}] [1] [CRITICAL] WORKER TIMEOUT (pid:{7 + number})")
        world.request(one, at, 30 * SECOND, "/api/report", 503, text=MALFORMED)
    truth = explained(
        "worker-timeout",
        7,
        Expected("worker-timeout", "What did callers see?", HOLDS),
        Expected("worker-timeout", "Where was it when the time was up?", OPEN),
        Expected("malformed-response-503", "What stands before the break?", HOLDS),
        Expected("malformed-response-503", "Did the process end", NOT_SHOWN),
        symptoms=("malformed-response-503",),
    )
    return make_scenario(world, "The server kills a worker after 30 s.", truth, "WORKER TIMEOUT")


def no_instance() -> Scenario:
    """429 at the maximum of instances: the requests log says that, and nothing says why."""
    world, _ = running("no-instance", requests=400)
    for at in every(700 * MILLISECOND, 40, first=8 * MINUTE):
        world.request("", at, 0, "/api/orders", 429, text=NO_INSTANCE)
    truth = Truth(
        root="no-available-instance",
        occurrences={"no-available-instance": 40},
        incidents=1,
        whys=(
            Expected("no-available-instance", "Why were the requests refused?", HOLDS),
            Expected("no-available-instance", "Were instances lost", NOT_SHOWN),
            Expected("no-available-instance", "Were new instances being started?", NOT_SHOWN),
        ),
    )
    return make_scenario(world, "The service stands at its maximum of instances.", truth)


def broken_answers() -> Scenario:
    """The connection breaks; no log of the platform, no word of the application."""
    world, instances = running("broken-answers", deployed=False)
    fail(world, instances, moments(world, 9), None, status=503, text=MALFORMED)
    world.without("system")
    truth = Truth(
        root="malformed-response-503",
        occurrences={"malformed-response-503": 9},
        incidents=1,
        whys=(
            Expected("malformed-response-503", "What stands before the break?", OPEN),
            Expected("malformed-response-503", "Did the process end", NOT_READ),
            Expected("malformed-response-503", "Which deployment", NOT_ASKED),
        ),
    )
    return make_scenario(world, "Answers break off and nothing says why.", truth)


def _session(world: World, instance: str, end: int, error: str, close: str) -> None:
    """A WebSocket session: opened, an error, closed with a code that the server's library writes."""
    trace = world.request(instance, end, 12 * SECOND, "/ws", 101)
    world.payload(instance, end - 12 * SECOND, "INFO", {"message": "WebSocket accepted"}, trace=trace)
    if error:
        context = {"name": "orders.routes.websocket"}
        record = {"message": error, "context": context}
        world.payload(instance, end - 40 * MILLISECOND, "ERROR", record, trace=trace)
    world.line(instance, end - 2 * MILLISECOND, close, "ERROR", trace=trace)


CLOSED = (
    "websockets.exceptions.ConnectionClosedError: received 1011 (internal error) Internal error; then sent 1011 "
    "(internal error) Internal error"
)


def serialization() -> Scenario:
    world, instances = running("serialization")
    error = "WebSocket error: Object of type WebSocketState is not JSON serializable"
    for one, at in in_turn(instances, moments(world, 10)):
        _session(world, one, at, error, CLOSED)
    truth = explained(
        "websocket-1011-serialization",
        10,
        Expected("websocket-1011-serialization", "Why did WebSocket sessions break off?", HOLDS),
        Expected("websocket-1011-serialization", "Which value could not", HOLDS),
        Expected("websocket-1011-serialization", "Is it new", NOT_ASKED),
        Expected("websocket-close-1011", "What stands before the close?", HOLDS),
        Expected("websocket-close-1011", "Did the instance end", NOT_SHOWN),
        symptoms=("websocket-close-1011",),
        occurrences={"websocket-close-1011": 10},
    )
    return make_scenario(world, "An enum cannot be sent; sessions close with 1011.", truth, "WebSocketState")


def closes_without_cause() -> Scenario:
    world, instances = running("closes-without-cause")
    for one, at in in_turn(instances, moments(world, 8)):
        _session(world, one, at, "", CLOSED)
    truth = Truth(
        root="websocket-close-1011",
        occurrences={"websocket-close-1011": 8},
        incidents=1,
        whys=(
            Expected("websocket-close-1011", "What stands before the close?", OPEN),
            Expected("websocket-close-1011", "Did the instance end", NOT_SHOWN),
        ),
    )
    return make_scenario(world, "Sessions close with 1011 and the server says nothing else.", truth)


def liveness() -> Scenario:
    """The platform ends instances that do not answer; why they do not is not in the logs."""
    world, _ = running("liveness")
    for at in moments(world, 5):
        one = world.started(at - 70 * SECOND)
        text = (
            'LIVENESS HTTP probe failed 3 times consecutively for container "orders-api-1" on port 8080 path "/live".'
        )
        world.system(one, at - 900 * MILLISECOND, f"{text} The instance has been shut down.", "ERROR")
        world.system(one, at, "Container terminated on signal 9.", "WARNING")
    why = Expected("liveness-probe-failed", "What kept the instance from answering?", OPEN)
    truth = explained("liveness-probe-failed", 5, why, symptoms=("container-signal",))
    return make_scenario(world, "Five instances stop to answer and are killed.", truth)


PLATFORM = (
    not_authenticated,
    out_of_memory,
    worker_timeout,
    no_instance,
    broken_answers,
    serialization,
    closes_without_cause,
    liveness,
)
