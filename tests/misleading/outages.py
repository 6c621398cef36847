"""Several causes of one status, one cause of many symptoms, and cascades whose loudest part comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incidents.scenario import MALFORMED_OOM, MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from misleading.stage import Stage

KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
REDIS = python_error("redis.exceptions.TimeoutError: Timeout reading from socket", "/app/orders/cart.py", 77, "load")
STRIPE = python_error(
    "stripe.error.APIConnectionError: Unexpected error communicating with Stripe.", "/app/orders/pay.py"
)
POOL = "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"
SHUTDOWN = "psycopg2.errors.AdminShutdown: terminating connection due to administrator command"
LOST = "psycopg2.OperationalError: server closed the connection unexpectedly"
READ_ONLY = "psycopg2.errors.ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction"
BREAKER = "circuit breaker 'orders-db' is open, rejecting call"
DEADLOCK = python_error("psycopg2.errors.DeadlockDetected: deadlock detected", "/app/orders/stock.py", 30, "reserve")
DNS = python_error(
    "socket.gaierror: [Errno -3] Temporary failure in name resolution", "/app/orders/geo.py", 9, "locate"
)
EXPIRED = python_error(
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
    "(_ssl.c:1006)"
)
QUOTA = (
    "google.api_core.exceptions.ResourceExhausted: 429 Quota exceeded for quota metric 'Read requests' and limit "
    "'Read requests per minute' of service 'sheets.googleapis.com' for consumer 'project_number:881'."
)
NO_MEMORY = (
    "Memory limit of 512 MiB exceeded with 529 MiB used. Consider increasing the memory limit, see "
    "https://cloud.google.com/run/docs/configuring/memory-limits"
)
SLOW = "slow request: 2.4 s"


@case("several causes")
def three_causes_of_one_status(stage: Stage) -> Truth:
    """Ten failures each by a KeyError, a cache and a provider: three links, each to its own requests."""
    stage.serve()
    texts = [("key", KEY), ("redis", REDIS), ("stripe", STRIPE)] * 10
    stage.rng.shuffle(texts)
    for (one, end, trace), (part, text) in zip(stage.failures(stage.moments(30)), texts, strict=True):
        stage.say(part, one, end - 9 * MILLISECOND, text, trace=trace)
    pairs = tuple((part, "failure") for part in ("key", "redis", "stripe"))
    return Truth(cause=("key", "redis", "stripe"), found=pairs, most=dict.fromkeys(pairs, 10))


@case("several causes")
def a_common_and_a_rare_cause(stage: Stage) -> Truth:
    """Twenty-two failures by one error and four by another; both stand in the traces."""
    stage.serve()
    texts = [("cause", KEY)] * 22 + [("rare", REDIS)] * 4
    stage.rng.shuffle(texts)
    for (one, end, trace), (part, text) in zip(stage.failures(stage.moments(26)), texts, strict=True):
        stage.say(part, one, end - 9 * MILLISECOND, text, trace=trace)
    most = {CAUSES: 22, ("rare", "failure"): 4}
    return explained(("rare", "failure"), most=most)


@case("several causes")
def two_causes_and_a_bystander(stage: Stage) -> Truth:
    """Two errors share the failures by their traces; a warning of the instance stands near all of them."""
    up = stage.serve()
    texts = [("key", KEY), ("redis", REDIS)] * 9
    for (one, end, trace), (part, text) in zip(stage.failures(stage.moments(18)), texts, strict=True):
        stage.say(part, one, end - 9 * MILLISECOND, text, trace=trace)
    for at in stage.anywhen(240):
        stage.say("decoy", stage.rng.choice(up), at, SLOW, "WARNING")
    pairs = (("key", "failure"), ("redis", "failure"))
    return Truth(cause=("key", "redis"), found=pairs, most=dict.fromkeys(pairs, 9), never=("decoy",))


@case("several causes")
def half_of_it_explained(stage: Stage) -> Truth:
    """Half of the failures have an error in their trace, the others are silent; it is not shown to be their cause."""
    stage.serve()
    for number, (one, end, trace) in enumerate(stage.failures(stage.moments(20))):
        if number % 2:
            stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    return explained(CAUSES, found=(), most={CAUSES: 10})


@case("cascade")
def loudest_last(stage: Stage) -> Truth:
    """The database goes, then the pool is exhausted, then requests fail, then a breaker shouts two hundred times."""
    up = stage.serve()
    for at in stage.moments(6, last=18 * MINUTE):
        for one in up:
            stage.say("cause", one, at + stage.between(0, 60) * MILLISECOND, SHUTDOWN)
        for one, end, trace in stage.failures(
            stage.anywhen(5, at + SECOND, at + 6 * SECOND), latency=900 * MILLISECOND
        ):
            stage.say("pool", one, end - 5 * MILLISECOND, POOL, trace=trace)
        for moment in stage.anywhen(33, at + 6 * SECOND, at + 20 * SECOND):
            stage.say("breaker", stage.rng.choice(up), moment, BREAKER)
    pairs = (("cause", "pool"), ("pool", "failure"), ("cause", "breaker"), ("pool", "breaker"), ("failure", "breaker"))
    return explained(*pairs, CAUSES, found=(), never=("breaker",))


@case("cascade")
def database_before_its_failures(stage: Stage) -> Truth:
    """A failover ends the connections of the pool; two seconds later the requests on them fail, and say so shortly."""
    up = stage.serve()
    for at in stage.moments(7, last=18 * MINUTE):
        for one in up:
            stage.say("cause", one, at + stage.between(0, 30) * MILLISECOND, SHUTDOWN)
            times = [at + 2 * SECOND + stage.between(0, 80) * MILLISECOND + n * 400 * MILLISECOND for n in range(4)]
            for _, end, trace in stage.failures(times, instances=[one], latency=500 * MILLISECOND):
                stage.say("echo", one, end - 2 * MILLISECOND, "order not saved", trace=trace)
    return explained(
        ("cause", "echo"), ("echo", "failure"), found=(), true=(CAUSES, ("cause", "echo"), ("echo", "failure"))
    )


@case("cascade")
def one_outage_many_symptoms(stage: Stage) -> Truth:
    """The cache is away for three minutes: three routes fail, workers time out, and warnings of fallback abound."""
    up = stage.serve()
    start = stage.between(5, 9) * MINUTE
    for path in ("/api/cart", "/api/checkout", "/api/search"):
        for one, end, trace in stage.failures(stage.anywhen(9, start, start + 3 * MINUTE), path=path):
            stage.say("cause", one, end - stage.between(4, 30) * MILLISECOND, REDIS, trace=trace)
    for at in stage.anywhen(60, start, start + 3 * MINUTE):
        stage.say("fallback", stage.rng.choice(up), at, "cache unavailable, using database", "WARNING")
    for at in stage.anywhen(4, start + MINUTE, start + 3 * MINUTE):
        stage.say("slow", stage.rng.choice(up), at, "[CRITICAL] WORKER TIMEOUT (pid:14)", "CRITICAL")
    pairs = (("cause", "fallback"), ("cause", "slow"))
    return explained(*pairs, never=("fallback",), once="cause")


def traced(stage: Stage, text: str, count: int = 16, *, before: int = 12 * MILLISECOND, **how: Any) -> None:
    for one, end, trace in stage.failures(stage.moments(count), **how):
        stage.say("cause", one, end - before, text, trace=trace)


@case("database")
def deadlocks(stage: Stage) -> Truth:
    """Deadlocks fail requests; warnings about long waits stand all over the log, and often nearer."""
    up = stage.serve()
    traced(stage, DEADLOCK)
    for at in stage.anywhen(150):
        stage.say("decoy", stage.rng.choice(up), at, "lock wait of 1.2 s on stock_items", "WARNING")
    return explained(never=("decoy",))


@case("database")
def exhausted_pool(stage: Stage) -> Truth:
    """The pool gives up after 30 s, and the request ends a little later; other requests were slow as well."""
    up = stage.serve(span=30 * MINUTE)
    for one, end, trace in stage.failures(stage.moments(12, last=28 * MINUTE), latency=31 * SECOND):
        stage.say("cause", one, end - 700 * MILLISECOND, POOL, trace=trace)
    for at in stage.anywhen(60, last=30 * MINUTE):
        stage.say("decoy", stage.rng.choice(up), at, SLOW, "WARNING")
    return explained(never=("decoy",))


@case("database")
def failover(stage: Stage) -> Truth:
    """After a failover connections lead to the replica, which takes no writes; lost connections are the echo before."""
    stage.serve()
    for at in stage.moments(5, last=18 * MINUTE):
        for number, (one, end, trace) in enumerate(stage.failures(stage.anywhen(5, at, at + 9 * SECOND))):
            part, text = ("lost", LOST) if number < 1 else ("cause", READ_ONLY)
            stage.say(part, one, end - 8 * MILLISECOND, text, trace=trace)
    pairs = (("lost", "failure"), ("lost", "cause"))
    return explained(*pairs, cause=("cause", "lost"), most={CAUSES: 20, ("lost", "failure"): 5})


@case("dependency")
def names_that_are_not_found(stage: Stage) -> Truth:
    """DNS fails; the client's words about retries stand nearer to the answer."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(17), path="/api/locate"):
        stage.say("cause", one, end - 60 * MILLISECOND, DNS, trace=trace)
        text = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='geo.example.com', port=443): Max retries"
        stage.say("echo", one, end - 5 * MILLISECOND, text, trace=trace)
    return explained(("cause", "echo"))


@case("dependency")
def an_expired_certificate(stage: Stage) -> Truth:
    """A partner's certificate has expired; what the page says of it is that payments are not to be had."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(15), path="/api/pay", status=502):
        stage.say("cause", one, end - 40 * MILLISECOND, EXPIRED, trace=trace)
        stage.say(
            "echo",
            one,
            end - 5 * MILLISECOND,
            "payments are unavailable, showing the sorry page",
            "WARNING",
            trace=trace,
        )
    return explained(("cause", "echo"))


@case("dependency")
def a_quota(stage: Stage) -> Truth:
    """A quota is used up; a timer's complaint about statistics is on the same minutes."""
    one = stage.serve(instances=1)[0]
    for n in range(6):
        start = MINUTE + n * 3 * MINUTE
        stage.say("decoy", one, start + stage.between(0, 300) * MILLISECOND, "statsd: 3 packets dropped")
        for _, end, trace in stage.failures(stage.anywhen(4, start, start + 20 * SECOND), path="/api/sheet"):
            stage.say("cause", one, end - 9 * MILLISECOND, QUOTA, trace=trace)
    return explained()


@case("memory")
def memory_grows_until_the_kill(stage: Stage) -> Truth:
    """Memory grows over minutes, the platform kills the instance, and the requests in flight are broken."""
    stage.serve()
    for at in stage.moments(6, first=3 * MINUTE):
        one = stage.started(at - 110 * SECOND)
        for n in range(6):
            text = f"rss {180 + 60 * n} MiB"
            stage.say("growth", one, at - (96 - 16 * n) * SECOND, text, "WARNING")
        stage.answer([one], at - 100 * SECOND, at - SECOND, 14)
        stage.platform("cause", one, at, NO_MEMORY)
        times = [at + stage.between(15, 120) * MILLISECOND for _ in range(3)]
        list(stage.failures(times, instances=[one], status=503, latency=3 * SECOND, text=MALFORMED_OOM))
    return explained(("growth", "cause"), ("growth", "failure"), never=("growth",))


@case("memory")
def memory_warnings_and_another_cause(stage: Stage) -> Truth:
    """Every instance warns of its memory all the time and none is killed; the failures have their own error."""
    up = stage.serve()
    traced(stage, KEY)
    for at in range(0, 20 * MINUTE, 15 * SECOND):
        for one in up:
            stage.say(
                "decoy",
                one,
                at + stage.between(0, 900) * MILLISECOND,
                "memory usage is above 80 % (414 MiB)",
                "WARNING",
            )
    return explained(never=("decoy",), words=(r"memory limit .*exceeded", r"out of memory"))


@case("server")
def workers_time_out(stage: Stage) -> Truth:
    """Workers are killed after 30 s and their requests break; the arbiter's own line about the boot follows each."""
    stage.serve(span=30 * MINUTE)
    for one, end, _ in stage.failures(stage.moments(11, last=28 * MINUTE), status=503, latency=31 * SECOND):
        stage.say("cause", one, end - 40 * MILLISECOND, "[CRITICAL] WORKER TIMEOUT (pid:14)", "CRITICAL")
        stage.say("echo", one, end + 600 * MILLISECOND, "[INFO] Booting worker with pid: 22", None)
    return explained(("cause", "echo"), ("failure", "echo"))


@case("absent")
def an_outage_that_nobody_logs(stage: Stage) -> Truth:
    """All fails for two minutes; what is logged in them is what is always logged."""
    up = stage.serve()
    start = stage.between(5, 12) * MINUTE
    list(stage.failures(stage.anywhen(40, start, start + 2 * MINUTE)))
    for at in stage.anywhen(200):
        stage.say("decoy", stage.rng.choice(up), at, "thumbnail of 4 kB skipped")
    return unexplained()
