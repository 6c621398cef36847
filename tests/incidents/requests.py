"""Incidents in which requests or sessions fail: one of every class of failure that a running service meets."""

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
    NOT_SHOWN,
    OPEN,
    answered,
    fail,
    moments,
    python_error,
    raised,
    running,
    told,
)

REFUSED = 'psycopg2.OperationalError: connection to server at "10.12.0.3", port 5432 failed: Connection refused'
POOL = "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"
RATE = "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o'}}"
DENIED = (
    "google.api_core.exceptions.PermissionDenied: 403 Permission 'bigquery.jobs.create' denied on resource 'acme-shop'"
)
FULL = "OSError: [Errno 28] No space left on device: '/tmp/upload.bin'"
UNKNOWN = "orders.ledger.LedgerImbalanceError: ledger 41 does not balance: debit 1200, credit 1180"
DEADLOCK = "psycopg2.errors.DeadlockDetected: deadlock detected"


def database_refused() -> Scenario:
    world, instances = running("database-refused")
    fail(world, instances, moments(world, 14), raised(python_error(REFUSED)))
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 14},
        occurrences={"database-refused": 14, "http-5xx": 14},
        incidents=1,
        whys=(
            *answered("database-refused", "Why did instances end, or requests fail?"),
            Expected("database-refused", "Where was it raised?", HOLDS),
            Expected("database-refused", "What changed with the deployment?", HOLDS),
            Expected("http-5xx", "Did the instance end", NOT_SHOWN),
        ),
    )
    return told("database-refused", "The database takes no connections; 14 requests fail.", world, truth, REFUSED)


def slow_request() -> Scenario:
    """The pool gives up waiting 40 s before the request ends, which a join on the start would put after it."""
    world, instances = running("slow-request", span=30 * MINUTE)
    times = moments(world, 9, last=28 * MINUTE)
    fail(world, instances, times, raised(python_error(POOL), before=40 * SECOND), latency=71 * SECOND)
    truth = Truth(
        root="database-pool-exhausted",
        explains={("database-pool-exhausted", "http-5xx"): 9},
        occurrences={"http-5xx": 9},
        incidents=1,
        whys=answered("database-pool-exhausted", "Why did requests or runs fail?"),
    )
    return told("slow-request", "The cause is logged 40 s before a slow request ends.", world, truth, POOL)


def rate_limited() -> Scenario:
    world, instances = running("rate-limited")
    fail(world, instances, moments(world, 11), raised(python_error(RATE), before=120 * MILLISECOND))
    truth = Truth(
        root="dependency-rate-limited",
        explains={("dependency-rate-limited", "http-5xx"): 11},
        incidents=1,
        whys=answered("dependency-rate-limited", "Why did requests or runs fail?"),
    )
    return told("rate-limited", "A provider refuses calls; the requests behind them fail.", world, truth, RATE)


def permission_denied() -> Scenario:
    world, instances = running("permission-denied")
    fail(world, instances, moments(world, 10), raised(python_error(DENIED)), path="/api/reports")
    truth = Truth(
        root="permission-denied",
        explains={("permission-denied", "http-5xx"): 10},
        incidents=1,
        whys=(
            *answered("permission-denied", "What came of it?"),
            Expected("permission-denied", "What changed with the deployment?", HOLDS),
        ),
    )
    return told("permission-denied", "The service account may not run queries.", world, truth, DENIED)


def disk_full() -> Scenario:
    world, instances = running("disk-full")
    fail(world, instances, moments(world, 8), raised(python_error(FULL)), path="/api/upload")
    truth = Truth(
        root="disk-full",
        explains={("disk-full", "http-5xx"): 8},
        incidents=1,
        whys=answered("disk-full", "What was seen of it?"),
    )
    return told("disk-full", "The file system of the instances is full.", world, truth, FULL)


def unknown_exception() -> Scenario:
    world, instances = running("unknown-exception")
    fail(world, instances, moments(world, 12), raised(python_error(UNKNOWN, "/app/orders/ledger.py", 41, "close")))
    truth = Truth(
        root="orders.ledger.LedgerImbalanceError",
        explains={("orders.ledger.LedgerImbalanceError", "http-5xx"): 12},
        incidents=1,
        whys=(
            Expected("orders.ledger.LedgerImbalanceError", "What did it lead to?", HOLDS),
            Expected("orders.ledger.LedgerImbalanceError", "Where was it raised?", HOLDS),
            Expected("orders.ledger.LedgerImbalanceError", "What changed there?", NOT_ASKED),
            Expected("orders.ledger.LedgerImbalanceError", "Why did no test catch it?", NOT_ASKED),
            Expected("http-5xx", "What stands before", HOLDS),
        ),
    )
    return told("unknown-exception", "An exception that no rule knows.", world, truth, "LedgerImbalanceError")


def programming_error() -> Scenario:
    text = "TypeError: Cannot read properties of undefined (reading 'total')\n    at sum (/app/dist/cart.js:14:22)"
    world, instances = running("programming-error")
    fail(world, instances, moments(world, 13), raised(text), path="/api/cart")
    truth = Truth(
        root="node-programming-error",
        explains={("node-programming-error", "http-5xx"): 13},
        incidents=1,
        whys=(*answered("node-programming-error", "Why did requests or runs fail?"),),
    )
    return told(
        "programming-error", "A value is undefined where the code wants an object.", world, truth, "Cannot read"
    )


def token_invalid() -> Scenario:
    world, instances = running("token-invalid")
    text = "jwt.exceptions.InvalidAudienceError: Audience does not match"
    fail(world, instances, moments(world, 16), raised(text, severity="WARNING"), path="/api/orders", status=401)
    truth = Truth(
        root="jwt-invalid",
        explains={("jwt-invalid", "http-401-403"): 16},
        incidents=1,
        whys=(
            Expected("jwt-invalid", "What did callers see?", HOLDS),
            Expected("http-401-403", "What stands before", HOLDS),
            Expected("jwt-invalid", "Is it new", NOT_ASKED),
        ),
    )
    return told("token-invalid", "Tokens for another audience are refused.", world, truth, "InvalidAudienceError")


def not_authenticated() -> Scenario:
    """The platform refuses by IAM: no instance is involved, and no application entry can stand before it."""
    world, _ = running("not-authenticated")
    for at in moments(world, 9):
        world.request("", at, 0, "/internal/sync", 403, method="POST", text=NOT_AUTHENTICATED)
    truth = Truth(root="request-not-authenticated", incidents=1, occurrences={"request-not-authenticated": 9})
    return told(
        "not-authenticated", "A caller without a token is refused by the platform.", world, truth, "not authenticated"
    )


def out_of_memory() -> Scenario:
    world, _ = running("out-of-memory")
    for at in moments(world, 6):
        one = world.started(at - 30 * SECOND)
        world.healthy([one], at - 25 * SECOND, at - 5 * SECOND, 4, "/api/export")
        world.system(one, at - 90 * MILLISECOND, "Memory limit of 512 MiB exceeded with 531 MiB used.", "ERROR")
        for number in range(2):
            took = (3 + number) * SECOND
            world.request(one, at + number * 4 * MILLISECOND, took, "/api/export", 503, text=MALFORMED_OOM)
    truth = Truth(
        root="container-oom",
        explains={("container-oom", "malformed-response-oom"): 12},
        occurrences={"container-oom": 6, "malformed-response-oom": 12},
        incidents=1,
        whys=(
            Expected("container-oom", "What did callers see?", HOLDS),
            Expected("container-oom", "Why were the instances terminated?", HOLDS),
            Expected("container-oom", "What was the instance handling", HOLDS),
            Expected("container-oom", "Is it new", NOT_ASKED),
        ),
    )
    return told("out-of-memory", "Six instances run out of memory, two requests each.", world, truth, "Memory limit")


def worker_timeout() -> Scenario:
    world, instances = running("worker-timeout")
    for number, at in enumerate(moments(world, 7)):
        one = instances[number % 2]
        stamp = "2026-02-03 09:10:01 +0000"
        world.line(one, at - 60 * MILLISECOND, f"[{stamp}] [1] [CRITICAL] WORKER TIMEOUT (pid:{7 + number})")
        world.request(one, at, 30 * SECOND, "/api/report", 503, text=MALFORMED)
    truth = Truth(
        root="worker-timeout",
        explains={("worker-timeout", "malformed-response-503"): 7},
        incidents=1,
        whys=(
            Expected("worker-timeout", "What did callers see?", HOLDS),
            Expected("worker-timeout", "Where was it when the time was up?", OPEN),
            Expected("malformed-response-503", "What stands before the break?", HOLDS),
            Expected("malformed-response-503", "Did the process end", NOT_SHOWN),
        ),
    )
    return told("worker-timeout", "The server kills a worker after 30 s.", world, truth, "WORKER TIMEOUT")


def no_instance() -> Scenario:
    """429 at the maximum of instances: the requests log says that, and nothing says why."""
    world, _ = running("no-instance", requests=400)
    for number in range(40):
        world.request("", 8 * MINUTE + number * 700 * MILLISECOND, 0, "/api/orders", 429, text=NO_INSTANCE)
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
    return told("no-instance", "The service stands at its maximum of instances.", world, truth)


def broken_answers() -> Scenario:
    """The connection breaks; no log of the platform, no word of the application."""
    world, instances = running("broken-answers", deployed=False)
    fail(world, instances, moments(world, 9), None, status=503, text=MALFORMED)
    world.without("system")
    truth = Truth(
        root="malformed-response-503",
        explains={},
        occurrences={"malformed-response-503": 9},
        incidents=1,
        whys=(
            Expected("malformed-response-503", "What stands before the break?", OPEN),
            Expected("malformed-response-503", "Did the process end", ("no evidence", "not observable")),
            Expected("malformed-response-503", "Which deployment", NOT_ASKED),
        ),
    )
    return told("broken-answers", "Answers break off and nothing says why.", world, truth)


def silent_errors() -> Scenario:
    world, instances = running("silent-errors")
    fail(world, instances, moments(world, 15), None)
    truth = Truth(
        root="http-5xx",
        occurrences={"http-5xx": 15},
        incidents=1,
        whys=(
            Expected("http-5xx", "Which requests failed?", HOLDS),
            Expected("http-5xx", "What stands before", OPEN),
            Expected("http-5xx", "Did the instance end", NOT_SHOWN),
            Expected("http-5xx", "Which deployment", HOLDS),
        ),
        never=("caused by",),
    )
    return told("silent-errors", "Requests fail and the application logs nothing.", world, truth)


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
    for number, at in enumerate(moments(world, 10)):
        _session(world, instances[number % 2], at, error, CLOSED)
    truth = Truth(
        root="websocket-1011-serialization",
        explains={("websocket-1011-serialization", "websocket-close-1011"): 10},
        occurrences={"websocket-close-1011": 10},
        incidents=1,
        whys=(
            Expected("websocket-1011-serialization", "Why did WebSocket sessions break off?", HOLDS),
            Expected("websocket-1011-serialization", "Which value could not", HOLDS),
            Expected("websocket-1011-serialization", "Is it new", NOT_ASKED),
            Expected("websocket-close-1011", "What stands before the close?", HOLDS),
            Expected("websocket-close-1011", "Did the instance end", NOT_SHOWN),
        ),
    )
    return told("serialization", "An enum cannot be sent; sessions close with 1011.", world, truth, "WebSocketState")


def closes_without_cause() -> Scenario:
    world, instances = running("closes-without-cause")
    for number, at in enumerate(moments(world, 8)):
        _session(world, instances[number % 2], at, "", CLOSED)
    truth = Truth(
        root="websocket-close-1011",
        occurrences={"websocket-close-1011": 8},
        incidents=1,
        whys=(
            Expected("websocket-close-1011", "What stands before the close?", OPEN),
            Expected("websocket-close-1011", "Did the instance end", NOT_SHOWN),
        ),
    )
    return told("closes-without-cause", "Sessions close with 1011 and the server says nothing else.", world, truth)


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
    truth = Truth(
        root="liveness-probe-failed",
        explains={("liveness-probe-failed", "container-signal"): 5},
        incidents=1,
        whys=(Expected("liveness-probe-failed", "What kept the instance from answering?", OPEN),),
    )
    return told("liveness", "Five instances stop to answer and are killed.", world, truth)


def chain_of_three() -> Scenario:
    """The platform says why there is no database; the driver says that there is none; the request fails."""
    world, instances = running("chain-of-three")
    platform = (
        "Cloud SQL connection failed. Please see https://cloud.google.com/sql/docs/postgres/connect-run: "
        "failed to get instance: Possibly missing permission cloudsql.instances.get on resource instances/orders-db., forbidden"
    )
    for number, at in enumerate(moments(world, 10)):
        one = instances[number % 2]
        world.system(one, at - 800 * MILLISECOND, platform, "ERROR")
        fail(world, [one], [at], raised(python_error(REFUSED)), traced=False)
    truth = Truth(
        root="cloudsql-permission-missing",
        explains={
            ("cloudsql-permission-missing", "database-refused"): 10,
            ("database-refused", "http-5xx"): 10,
        },
        incidents=1,
        whys=(
            Expected("cloudsql-permission-missing", "What was seen of it?", HOLDS),
            Expected("database-refused", "Does the platform say why?", HOLDS),
            Expected("http-5xx", "What stands before", HOLDS),
        ),
    )
    return told(
        "chain-of-three", "A missing permission, no database, failed requests.", world, truth, "cloudsql.instances"
    )


def two_causes() -> Scenario:
    world, instances = running("two-causes")
    times = moments(world, 9)
    fail(world, instances, times, raised(python_error(REFUSED)), path="/api/checkout")
    later = [at + 37 * SECOND for at in times[:7]]
    fail(world, instances, later, raised(python_error(FULL)), path="/api/upload")
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 9, ("disk-full", "http-5xx"): 7},
        incidents=2,
        whys=(
            Expected("database-refused", "Why did instances end, or requests fail?", HOLDS),
            Expected("disk-full", "What was seen of it?", HOLDS),
        ),
    )
    return told("two-causes", "Two failures on two paths at the same time.", world, truth, REFUSED)


REQUESTS = (
    database_refused,
    slow_request,
    rate_limited,
    permission_denied,
    disk_full,
    unknown_exception,
    programming_error,
    token_invalid,
    not_authenticated,
    out_of_memory,
    worker_timeout,
    no_instance,
    broken_answers,
    silent_errors,
    serialization,
    closes_without_cause,
    liveness,
    chain_of_three,
    two_causes,
)
