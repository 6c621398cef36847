"""True causes among what misleads, and failures that come from outside of the code."""

from __future__ import annotations

from math import pi, sin
from typing import TYPE_CHECKING

from incidents.scenario import MALFORMED, MILLISECOND, MINUTE, NO_INSTANCE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained
from misleading.clocks import CONNECTIONS, PROVIDER, STATSD

if TYPE_CHECKING:
    from misleading.stage import Stage

KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
SESSIONS = "SessionMiddleware must be installed to access request.session"
STALE = "price feed is stale: last tick 41 s ago"
LATE = "report 8812 was ready after 312 s, nobody is waiting for it"
DUPLICATE = 'psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint "orders_pkey"'
BLOCKED = "event loop was blocked for 34.2 s"
LIVENESS = 'LIVENESS HTTP probe failed 3 times consecutively for container "orders-api-1" on port 8080 path "/healthz".'
SEGFAULT = (
    'Fatal Python error: Segmentation fault\n\nThread 0x00007f1c (most recent call first):\n  File "/app/orders/img.py"'
)
SUMMARY = "import finished: 0 failed, 0 errors, 12 exceptions were skipped by rule"


@case("always there")
def every_request_warns_and_one_error_counts(stage: Stage) -> Truth:
    """Every request logs a warning as its first line; those that fail log an error as well, as their last."""
    up = stage.serve(requests=0)
    for at in stage.moments(140):
        one = stage.rng.choice(up)
        if stage.rng.random() < 0.14:
            for _, end, trace in stage.failures([at], instances=[one]):
                stage.say("decoy", one, end - 280 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
                stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
        else:
            trace = stage.ask(one, at, "/api/checkout", method="POST")
            stage.say("decoy", one, at - 7 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
    return explained(never=("decoy",))


@case("timers")
def a_timer_beside_a_true_cause(stage: Stage) -> Truth:
    """A job of a scheduler fails, with its error in its trace; a timer of the same period complains before it."""
    one = stage.serve(instances=1)[0]
    for n in range(30):
        at = MINUTE + n * 35 * SECOND
        stage.say("decoy", one, at - 2 * SECOND, STATSD)
        for _, end, trace in stage.failures([at], path="/tasks/sync"):
            stage.say("cause", one, end - 12 * MILLISECOND, KEY, trace=trace)
    return explained()


@case("bad windows")
def bad_windows_and_a_true_cause(stage: Stage) -> Truth:
    """Time-outs of a provider share the bad windows; what fails the requests stands in their traces."""
    up = stage.serve()
    for start in stage.moments(8):
        end = start + 25 * SECOND
        for one, moment, trace in stage.failures(stage.anywhen(3, start, end)):
            stage.say("cause", one, moment - 12 * MILLISECOND, KEY, trace=trace)
        for at in stage.anywhen(9, start, end):
            stage.say("decoy", stage.rng.choice(up), at, PROVIDER)
    return explained()


@case("instance")
def a_bad_instance_and_a_true_cause(stage: Stage) -> Truth:
    """One instance has all errors of the provider and all failures; 300 ms before each failure stands another error."""
    up = stage.serve(instances=3)
    for one, end, _ in stage.failures(stage.moments(22), instances=up[:1], latency=700 * MILLISECOND):
        stage.say("cause", one, end - stage.between(290, 330) * MILLISECOND, STALE)
    for at in stage.anywhen(70):
        stage.say("decoy", up[0] if stage.rng.random() < 0.9 else up[1], at, PROVIDER)
    return explained()


@case("load")
def a_load_wave_and_a_true_cause(stage: Stage) -> Truth:
    """Warnings of a full pool follow the load; failures do so too, each half a second after an error."""
    up = stage.serve(requests=60)
    busy = [at for at in stage.anywhen(1300) if stage.rng.random() < (1 + sin(at * 4 * pi / (20 * MINUTE))) ** 3 / 8]
    for at in busy:
        luck = stage.rng.random()
        if luck < 0.07:
            for one, end, _ in stage.failures([at], latency=SECOND):
                stage.say("cause", one, end - stage.between(480, 520) * MILLISECOND, STALE)
        elif luck < 0.3:
            stage.say("decoy", stage.rng.choice(up), at, CONNECTIONS, "WARNING")
        else:
            stage.ask(stage.rng.choice(up), at, "/api/orders")
    return explained(never=("decoy",))


@case("platform")
def no_instance_at_the_peak(stage: Stage) -> Truth:
    """The limit of instances is reached; the platform refuses requests, and says so on the request itself."""
    up = stage.serve()
    for start in stage.moments(5):
        stage.answer(up, start, start + 20 * SECOND, 25)
        for at in stage.anywhen(6, start, start + 20 * SECOND):
            with stage.playing("failure"):
                stage.request("", at, 0, "/api/orders", 429, text=NO_INSTANCE)
    for at in stage.anywhen(60):
        stage.say("decoy", stage.rng.choice(up), at, "slow request: 2.4 s", "WARNING")
    return unexplained(never=("decoy",))


@case("platform")
def told_after_the_time_limit(stage: Stage) -> Truth:
    """Requests end by the platform's limit of 300 s; the application notices some seconds later. Why is not logged."""
    stage.serve(span=60 * MINUTE)
    for one, end, trace in stage.failures(
        stage.moments(14, first=6 * MINUTE, last=58 * MINUTE), status=504, latency=300 * SECOND, path="/api/report"
    ):
        stage.say("decoy", one, end + stage.between(1000, 12000) * MILLISECOND, LATE, trace=trace)
    return unexplained(true=(("failure", "decoy"),))


@case("retries")
def a_duplicate_by_a_retry(stage: Stage) -> Truth:
    """An order times out in silence; the client sends it again, and the database knows it already."""
    stage.serve()
    for at in stage.moments(15, last=18 * MINUTE):
        list(stage.failures([at], status=504, latency=30 * SECOND))
        for one, end, trace in stage.failures([at + 2 * SECOND], status=409, part="second"):
            stage.say("decoy", one, end - 9 * MILLISECOND, DUPLICATE, trace=trace)
    more = (("failure", "decoy"), ("failure", "second"), ("decoy", "second"))
    return unexplained("failure", "second", true=more)


@case("platform")
def killed_by_its_liveness_probe(stage: Stage) -> Truth:
    """The loop is blocked, the liveness probe fails, the platform ends the instance, and requests in flight break."""
    stage.serve()
    for at in stage.moments(8, first=2 * MINUTE):
        one = stage.started(at - 100 * SECOND)
        stage.answer([one], at - 95 * SECOND, at - 35 * SECOND, 9)
        stage.say("blocked", one, at - 400 * MILLISECOND, BLOCKED, "WARNING")
        stage.platform("probe", one, at, LIVENESS)
        with stage.playing("exit"):
            stage.system(one, at + 300 * MILLISECOND, "Container terminated on signal 9.", "WARNING")
        times = [at + stage.between(310, 400) * MILLISECOND for _ in range(2)]
        list(stage.failures(times, instances=[one], status=503, latency=30 * SECOND, text=MALFORMED))
    chain = ("blocked", "probe", "exit", "failure")
    pairs = tuple((a, b) for n, a in enumerate(chain) for b in chain[n + 1 :])
    return Truth(cause=("blocked", "probe"), effects=("exit", "failure"), found=(("probe", "exit"),), true=pairs)


@case("ends")
def a_fault_in_native_code(stage: Stage) -> Truth:
    """A library in C takes the process down: its words stand before the signal, the broken request after."""
    stage.serve()
    for at in stage.moments(8, first=2 * MINUTE):
        one = stage.started(at - 60 * SECOND)
        stage.answer([one], at - 55 * SECOND, at - SECOND, 8)
        stage.say("cause", one, at, SEGFAULT)
        with stage.playing("exit"):
            stage.system(one, at + 40 * MILLISECOND, "Container terminated on signal 11.", "WARNING")
        list(stage.failures([at + 60 * MILLISECOND], instances=[one], status=503, latency=SECOND, text=MALFORMED))
    more = (CAUSES, ("exit", "failure"))
    return explained(found=(("cause", "exit"),), true=more)


@case("quotes")
def a_summary_that_speaks_of_errors(stage: Stage) -> Truth:
    """Every import ends with a line that counts errors, and has none; later requests fail by an error of their own."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(15)):
        stage.say("decoy", one, end - stage.between(400, 900) * MILLISECOND, SUMMARY, "INFO", stream="stdout")
        stage.say("cause", one, end - 12 * MILLISECOND, KEY, trace=trace)
    for at in stage.anywhen(50):
        stage.say("decoy", stage.rng.choice(up), at, SUMMARY, "INFO", stream="stdout")
    return explained(never=("decoy",))
