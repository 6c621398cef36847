"""Incidents in which requests or sessions fail: one of every class of failure that a running service meets."""

from __future__ import annotations

from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth
from incidents.service import (
    ENDED,
    FAILED,
    HOLDS,
    NOT_ASKED,
    NOT_SHOWN,
    OPEN,
    answered,
    explained,
    fail,
    failing,
    in_turn,
    make_scenario,
    moments,
    python_error,
    raised,
    running,
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
    world = failing("database-refused", 14, raised(python_error(REFUSED)))
    truth = answered(
        "database-refused",
        14,
        ENDED,
        Expected("database-refused", "Where was it raised?", HOLDS),
        Expected("database-refused", "What changed with the deployment?", HOLDS),
        Expected("http-5xx", "Did the instance end", NOT_SHOWN),
        occurrences={"database-refused": 14, "http-5xx": 14},
    )
    return make_scenario(world, "The database takes no connections; 14 requests fail.", truth, REFUSED)


def slow_request() -> Scenario:
    """The pool gives up waiting 40 s before the request ends, which a join on the start would put after it."""
    world, instances = running("slow-request", span=30 * MINUTE)
    times = moments(world, 9, last=28 * MINUTE)
    fail(world, instances, times, raised(python_error(POOL), before=40 * SECOND), latency=71 * SECOND)
    truth = answered("database-pool-exhausted", 9, FAILED, occurrences={"http-5xx": 9})
    return make_scenario(world, "The cause is logged 40 s before a slow request ends.", truth, POOL)


def rate_limited() -> Scenario:
    world = failing("rate-limited", 11, raised(python_error(RATE), before=120 * MILLISECOND))
    truth = answered("dependency-rate-limited", 11, FAILED)
    return make_scenario(world, "A provider refuses calls; the requests behind them fail.", truth, RATE)


def permission_denied() -> Scenario:
    world = failing("permission-denied", 10, raised(python_error(DENIED)), path="/api/reports")
    changed = Expected("permission-denied", "What changed with the deployment?", HOLDS)
    truth = answered("permission-denied", 10, "What came of it?", changed)
    return make_scenario(world, "The service account may not run queries.", truth, DENIED)


def disk_full() -> Scenario:
    world = failing("disk-full", 8, raised(python_error(FULL)), path="/api/upload")
    truth = answered("disk-full", 8, "What was seen of it?")
    return make_scenario(world, "The file system of the instances is full.", truth, FULL)


def unknown_exception() -> Scenario:
    name = "orders.ledger.LedgerImbalanceError"
    world = failing("unknown-exception", 12, raised(python_error(UNKNOWN, "/app/orders/ledger.py", 41, "close")))
    truth = explained(
        name,
        12,
        Expected(name, "What did it lead to?", HOLDS),
        Expected(name, "Where was it raised?", HOLDS),
        Expected(name, "What changed there?", NOT_ASKED),
        Expected(name, "Why did no test catch it?", NOT_ASKED),
        Expected("http-5xx", "What stands before", HOLDS),
    )
    return make_scenario(world, "An exception that no rule knows.", truth, "LedgerImbalanceError")


def programming_error() -> Scenario:
    text = "TypeError: Cannot read properties of undefined (reading 'total')\n    at sum (/app/dist/cart.js:14:22)"
    world = failing("programming-error", 13, raised(text), path="/api/cart")
    truth = answered("node-programming-error", 13, FAILED)
    return make_scenario(world, "A value is undefined where the code wants an object.", truth, "Cannot read")


def token_invalid() -> Scenario:
    text = "jwt.exceptions.InvalidAudienceError: Audience does not match"
    world = failing("token-invalid", 16, raised(text, severity="WARNING"), path="/api/orders", status=401)
    truth = explained(
        "jwt-invalid",
        16,
        Expected("jwt-invalid", "What did callers see?", HOLDS),
        Expected("http-401-403", "What stands before", HOLDS),
        Expected("jwt-invalid", "Is it new", NOT_ASKED),
        symptoms=("http-401-403",),
    )
    return make_scenario(world, "Tokens for another audience are refused.", truth, "InvalidAudienceError")


def silent_errors() -> Scenario:
    world = failing("silent-errors", 15, None)
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
    return make_scenario(world, "Requests fail and the application logs nothing.", truth)


def chain_of_three() -> Scenario:
    """The platform says why there is no database; the driver says that there is none; the request fails."""
    world, instances = running("chain-of-three")
    platform = (
        "Cloud SQL connection failed. Please see https://cloud.google.com/sql/docs/postgres/connect-run: "
        "failed to get instance: Possibly missing permission cloudsql.instances.get on resource instances/orders-db., "
        "forbidden"
    )
    for one, at in in_turn(instances, moments(world, 10)):
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
    return make_scenario(world, "A missing permission, no database, failed requests.", truth, "cloudsql.instances")


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
            Expected("database-refused", ENDED, HOLDS),
            Expected("disk-full", "What was seen of it?", HOLDS),
        ),
    )
    return make_scenario(world, "Two failures on two paths at the same time.", truth, REFUSED)


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
