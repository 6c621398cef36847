"""What is always there, what is rare, and who alone is hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from misleading.stage import Stage

SESSIONS = "SessionMiddleware must be installed to access request.session"
CACHE = "redis.exceptions.ConnectionError: Error 111 connecting to 10.8.0.3:6379. Connection refused. Using local cache"
NOT_SET = "STRIPE_API_KEY is not set, payments will be refused"
BAD_JSON = python_error(
    "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)", "/app/orders/hook.py"
)
TYPE = python_error(
    "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'", "/app/orders/total.py", 12, "add"
)
INVALID = "WARNING:  Invalid HTTP request received."
GONE = "starlette.requests.ClientDisconnect"
WARM = "model warm-up took 9.2 s"
UNKNOWN = "ledger 41 does not balance: debit 1200, credit 1180"


def every_request_says(stage: Stage, text: str, severity: str, count: int = 135, failing: int = 12) -> None:
    up = stage.serve(requests=0)
    bad = set(stage.rng.sample(range(count), failing))
    for number, at in enumerate(stage.moments(count)):
        one = stage.rng.choice(up)
        if number in bad:
            for _, end, trace in stage.failures([at], instances=[one]):
                stage.say("decoy", one, end - stage.between(3, 90) * MILLISECOND, text, severity, trace=trace)
        else:
            trace = stage.ask(one, at, "/api/checkout", method="POST")
            stage.say("decoy", one, at - stage.between(3, 9) * MILLISECOND, text, severity, trace=trace)


@case("always there")
def every_request_warns(stage: Stage) -> Truth:
    """All of 135 requests log the same warning; 12 of them fail."""
    every_request_says(stage, SESSIONS, "WARNING")
    return unexplained(never=("decoy",))


@case("always there")
def every_request_falls_back(stage: Stage) -> Truth:
    """All of 135 requests log that the cache was refused and go on without it; 12 fail, and do not say why."""
    every_request_says(stage, CACHE, "ERROR")
    return unexplained(never=("decoy",))


@case("always there")
def every_request_fails_and_warns(stage: Stage) -> Truth:
    """All of 135 requests fail, and all of them log the same warning: nothing tells whether it matters."""
    every_request_says(stage, SESSIONS, "WARNING", failing=135)
    return unexplained(never=("decoy",))


@case("always there")
def a_setting_missing_from_the_start(stage: Stage) -> Truth:
    """One warning of each instance at its start says what is not set; later every payment fails without a word."""
    up = stage.serve(instances=3)
    for one in up:
        stage.say("cause", one, -80 * SECOND, NOT_SET, "WARNING")
    list(stage.failures(stage.moments(40), path="/api/pay"))
    return Truth(cause=("cause", "failure"), true=(CAUSES,))


@case("who")
def one_bad_client(stage: Stage) -> Truth:
    """One client sends webhooks that are no JSON; all others are well."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(19), path="/hooks/stock"):
        stage.records[-1]["httpRequest"] |= {"userAgent": "stock-sync/1.2", "remoteIp": "198.51.100.7"}
        stage.say("cause", one, end - 6 * MILLISECOND, BAD_JSON, trace=trace)
    for at in stage.anywhen(40):
        stage.say("decoy", stage.rng.choice(up), at, SESSIONS, "WARNING")
    return explained(never=("decoy",))


@case("who")
def a_scanner_at_the_same_time(stage: Stage) -> Truth:
    """A scanner's storms of 404 and odd bytes fall on minutes in which requests fail; the error is in their trace."""
    up = stage.serve()
    for at in stage.moments(7):
        for _ in range(15):
            stage.ask(stage.rng.choice(up), stage.near(at, 8 * SECOND), "/wp-login.php", 404)
            stage.say("decoy", stage.rng.choice(up), stage.near(at, 8 * SECOND), INVALID, "WARNING")
        for one, end, trace in stage.failures([stage.near(at, 8 * SECOND) for _ in range(3)]):
            stage.say("cause", one, end - 7 * MILLISECOND, TYPE, trace=trace)
    return explained(never=("decoy",))


@case("who")
def callers_leave(stage: Stage) -> Truth:
    """Callers close the tab while a report is made: 499, and the server says that they are gone. Nothing failed."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(20), path="/api/report", status=499, latency=4 * SECOND):
        stage.say("gone", one, end + 20 * MILLISECOND, GONE, trace=trace)
    return unexplained("failure", "gone", true=(("failure", "gone"), ("gone", "failure")), words=(r"bad requests?\b",))


@case("who")
def callers_leave_beside_failures(stage: Stage) -> Truth:
    """Callers who leave are more than the requests that fail; these have their error in their trace."""
    stage.serve()
    for one, end, trace in stage.failures(
        stage.moments(30), part="left", path="/api/report", status=499, latency=3 * SECOND
    ):
        stage.say("gone", one, end + 20 * MILLISECOND, GONE, trace=trace)
    for one, end, trace in stage.failures(stage.moments(14)):
        stage.say("cause", one, end - 9 * MILLISECOND, TYPE, trace=trace)
    return explained(("left", "gone"), ("gone", "left"), never=("left", "gone"), words=(r"bad requests?\b",))


@case("cold starts")
def cold_starts_at_the_peaks(stage: Stage) -> Truth:
    """Peaks bring new instances, which warm up slowly, and failures, whose error is in their trace."""
    stage.serve()
    for at in stage.moments(8):
        fresh = stage.started(at)
        stage.say("decoy", fresh, at + 1500 * MILLISECOND, WARM, "WARNING")
        stage.answer([*stage.up, fresh], at, at + 20 * SECOND, 8)
        where = [*stage.up, fresh]
        for one, end, trace in stage.failures(stage.anywhen(3, at + 2 * SECOND, at + 14 * SECOND), instances=where):
            stage.say("cause", one, end - 6 * MILLISECOND, TYPE, trace=trace)
    return explained(never=("decoy",))


@case("cold starts")
def cold_starts_and_silence(stage: Stage) -> Truth:
    """The same peaks; what fails there says nothing, on old instances and new ones."""
    stage.serve()
    for at in stage.moments(8):
        fresh = stage.started(at)
        stage.say("decoy", fresh, at + 1500 * MILLISECOND, "model could not be warmed up, loading it late")
        stage.answer([*stage.up, fresh], at, at + 20 * SECOND, 8)
        list(stage.failures(stage.anywhen(3, at + 2 * SECOND, at + 14 * SECOND), instances=[*stage.up, fresh]))
    return unexplained()


def few(stage: Stage, count: int) -> Truth:
    """Too few occurrences for a number: the error leads, its link is plausible at most."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(count)):
        stage.say("cause", one, end - 6 * MILLISECOND, TYPE, trace=trace)
    return explained(found=(), true=())


@case("few")
def it_happened_once(stage: Stage) -> Truth:
    """One failure, with its error."""
    return few(stage, 1)


@case("few")
def it_happened_twice(stage: Stage) -> Truth:
    """Two failures, each with its error."""
    return few(stage, 2)


@case("few")
def twice_by_chance(stage: Stage) -> Truth:
    """Two silent failures; one of sixty errors of the provider happens to stand near each."""
    up = stage.serve()
    for one, end, _ in stage.failures(stage.moments(2)):
        stage.say("decoy", one, end - stage.between(500, 3000) * MILLISECOND, UNKNOWN)
    for at in stage.anywhen(58):
        stage.say("decoy", stage.rng.choice(up), at, UNKNOWN)
    return unexplained()


@case("few")
def three_times(stage: Stage) -> Truth:
    """Three failures, each with its error in its trace: enough for a number."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(3)):
        stage.say("cause", one, end - 6 * MILLISECOND, TYPE, trace=trace)
    return explained()


@case("absent")
def cause_absent(stage: Stage) -> Truth:
    """Silent failures, and errors at moments of their own."""
    up = stage.serve()
    list(stage.failures(stage.moments(25)))
    for at in stage.anywhen(40):
        stage.say("decoy", stage.rng.choice(up), at, UNKNOWN)
    return unexplained()


@case("absent")
def cause_absent_beside_recovered_errors(stage: Stage) -> Truth:
    """Errors stand in the traces of requests that were answered; those that fail say nothing."""
    up = stage.serve(requests=150)
    for at in stage.moments(60):
        one = stage.rng.choice(up)
        trace = stage.ask(one, at, "/api/quote")
        stage.say("decoy", one, at - 20 * MILLISECOND, UNKNOWN, trace=trace)
    list(stage.failures(stage.moments(16)))
    return unexplained()


@case("absent")
def silence_on_one_route(stage: Stage) -> Truth:
    """One route fails and is silent; another has its own failures with their own error."""
    stage.serve()
    list(stage.failures(stage.moments(20), part="silent", path="/api/export"))
    for one, end, trace in stage.failures(stage.moments(9, first=30 * SECOND)):
        stage.say("cause", one, end - 6 * MILLISECOND, TYPE, trace=trace)
    return Truth(
        cause=("cause", "silent"), effects=("failure", "silent"), found=(CAUSES,), most={("cause", "failure"): 9}
    )
