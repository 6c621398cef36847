"""Causes that are logged in odd ways, and that a good tool finds: with no severity, as JSON, line by line, quietly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incidents.scenario import MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained

if TYPE_CHECKING:
    from misleading.stage import Stage

QUIET = "Error: connect ECONNREFUSED 10.8.0.3:6379"
RATE = "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o'}}"
NAMELESS = "pricing: table EUR_2026 has no row for zone 7"
CONSUMER = (
    "google.api_core.exceptions.PermissionDenied: 403 Permission denied on resource project acme-shp. "
    '[reason: "CONSUMER_INVALID" domain: "googleapis.com" metadata { key: "consumer" value: "projects/acme-shp" }]'
)
FULL = "OSError: [Errno 28] No space left on device: '/tmp/upload.bin'"
THREADS = python_error("RuntimeError: can't start new thread", "/app/orders/pool.py", 15, "submit")
SOCKET = "WebSocket error: Object of type WebSocketState is not JSON serializable"
FILES = "OSError: [Errno 24] Too many open files"
TOKEN = "jwt.exceptions.ExpiredSignatureError: Signature has expired"  # noqa: S105 - an error's words
SLOW = "slow request: 2.4 s"


def told(stage: Stage, text: str, severity: str | None = "ERROR", *, traced: bool = True, **how: Any) -> None:
    """Fail requests after an error, on a service that also warns of slow requests now and then."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(stage.between(13, 20)), **how):
        before = stage.between(6, 30) * MILLISECOND
        stage.say("cause", one, end - before, text, severity, trace=trace if traced else "")
    for at in stage.anywhen(40):
        stage.say("decoy", stage.rng.choice(up), at, SLOW, "WARNING")


@case("plain")
def no_severity(stage: Stage) -> Truth:
    """The cause is printed, without a severity and without a trace."""
    told(stage, QUIET, None, traced=False)
    return explained(never=("decoy",))


@case("plain")
def a_known_warning(stage: Stage) -> Truth:
    """A provider's limit is logged as a warning."""
    told(stage, RATE, "WARNING")
    return explained(never=("decoy",))


@case("plain")
def a_nameless_error(stage: Stage) -> Truth:
    """An error in the words of the team, which no rule knows."""
    told(stage, NAMELESS)
    return explained(never=("decoy",))


@case("plain")
def a_nameless_error_without_a_trace(stage: Stage) -> Truth:
    """The same, known by its instance and its lag alone."""
    told(stage, NAMELESS, traced=False)
    return explained(never=("decoy",))


@case("plain")
def a_nameless_warning(stage: Stage) -> Truth:
    """A warning that no rule knows stands in every failed trace and in no other."""
    told(stage, NAMELESS, "WARNING")
    return explained(never=("decoy",))


@case("plain")
def a_level_inside_json(stage: Stage) -> Truth:
    """A structured line has its level in its payload, and no severity."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(15)):
        payload = {"level": "error", "msg": "TypeError: Cannot read properties of undefined (reading 'sku')", "pid": 7}
        stage.say_json("cause", one, end - 11 * MILLISECOND, payload, None, trace=trace, stream="stdout")
    return explained()


@case("plain")
def line_by_line(stage: Stage) -> Truth:
    """A traceback arrives line by line; only its first line is an ERROR, only its last says what happened."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(14), path="/api/upload"):
        with stage.playing("cause"):
            stage.traceback(one, end - 20 * MILLISECOND, python_error(FULL, "/app/files.py"), split=True, trace=trace)
    return explained()


@case("plain")
def a_project_of_another_name(stage: Stage) -> Truth:
    """A permission is denied since the project's name is misspelt; no role would help."""
    told(stage, CONSUMER)
    return explained(never=("decoy",), words=(r"grant .{0,80}role", r"add-iam-policy-binding"))


@case("plain")
def no_more_threads(stage: Stage) -> Truth:
    """No thread can be started."""
    told(stage, THREADS, path="/api/render")
    return explained(never=("decoy",))


@case("plain")
def no_more_files(stage: Stage) -> Truth:
    """Too many files are open, in two bursts."""
    up = stage.serve()
    for at in stage.moments(5):
        for one, end, trace in stage.failures(stage.anywhen(4, at, at + 8 * SECOND)):
            stage.say("cause", one, end - 5 * MILLISECOND, FILES, trace=trace)
    for at in stage.anywhen(60):
        stage.say("decoy", stage.rng.choice(up), at, SLOW, "WARNING")
    return explained(never=("decoy",))


@case("plain")
def expired_tokens(stage: Stage) -> Truth:
    """Callers come with expired tokens and get 401, among successes."""
    told(stage, TOKEN, "WARNING", status=401, path="/api/me")
    return explained(never=("decoy",))


@case("plain")
def sockets_that_close(stage: Stage) -> Truth:
    """Sessions end since a value is no JSON; the handshake fails with 500."""
    told(stage, SOCKET, path="/ws", method="GET")
    return explained(never=("decoy",))


@case("plain")
def a_slow_question(stage: Stage) -> Truth:
    """A statement is cancelled after ten seconds; the request ends at once."""
    text = "psycopg2.errors.QueryCanceled: canceling statement due to statement timeout"
    told(stage, text, latency=10 * SECOND + 40 * MILLISECOND, path="/api/report")
    return explained(never=("decoy",))


@case("plain")
def an_hour_of_quiet_and_a_burst(stage: Stage) -> Truth:
    """Twelve failures within a minute, each with its error in its trace."""
    stage.serve()
    start = stage.between(6, 12) * MINUTE
    for one, end, trace in stage.failures(stage.anywhen(12, start, start + MINUTE)):
        stage.say("cause", one, end - 6 * MILLISECOND, NAMELESS, trace=trace)
    return explained()


@case("plain")
def an_error_that_sometimes_does_no_harm(stage: Stage) -> Truth:
    """The error fails a request three times in four; else a second attempt within the request is answered."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(16)):
        stage.say("cause", one, end - 12 * MILLISECOND, QUIET, trace=trace)
    for at in stage.anywhen(5):
        one = stage.rng.choice(up)
        stage.say("cause", one, at - 50 * MILLISECOND, QUIET, trace=stage.ask(one, at, "/api/checkout", method="POST"))
    return explained()


@case("plain")
def the_first_of_three(stage: Stage) -> Truth:
    """An error, what is made of it, what is said of that: each an ERROR in the same trace; the first is the cause."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(15)):
        stage.say("cause", one, end - 60 * MILLISECOND, NAMELESS, trace=trace)
        stage.say("echo", one, end - 40 * MILLISECOND, "price of the cart is unknown", trace=trace)
        stage.say("echo", one, end - 8 * MILLISECOND, "request failed: PriceError", trace=trace)
    return explained(
        ("cause", "echo"), ("echo", "failure"), found=(), true=(CAUSES, ("cause", "echo"), ("echo", "failure"))
    )
