"""Incidents in which requests or sessions fail: one of every class of failure that a running service meets."""

from __future__ import annotations

from incidents.scenario import (
    MILLISECOND,
    MINUTE,
    SECOND,
    Expected,
    Scenario,
    Truth,
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


def chain_of_three() -> Scenario:
    """The platform says why there is no database; the driver says that there is none; the request fails."""
    world, instances = running("chain-of-three")
    platform = (
        "Cloud SQL connection failed. Please see https://cloud.google.com/sql/docs/postgres/connect-run: "
        "failed to get instance: Possibly missing permission cloudsql.instances.get on resource instances/orders-db., "
        "forbidden"
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
    silent_errors,
    chain_of_three,
    two_causes,
)
