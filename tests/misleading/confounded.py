"""What a route, a client, a deployment or sheer number makes stand beside failures, and what restates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from incidents.scenario import Record
    from misleading.stage import Stage

KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
ASGI = "Exception in ASGI application\n" + KEY
RESTATED = "POST /api/checkout 500 312 ms"
VERSION = "client uses version 1 of the interface, which ends in June"
CART = "cart has items without a weight, assuming 1 kg"
SHUTDOWN = "psycopg2.errors.AdminShutdown: terminating connection due to administrator command"
WORDS = ("ledger", "parcel", "coupon", "avatar", "mirror", "ticket", "banner", "folder")
ENDS = ("was skipped", "is out of date", "could not be sorted", "has no owner", "came twice")
FIVE = {
    "/api/cart": "redis.exceptions.TimeoutError: Timeout reading from socket",
    "/api/pay": "stripe.error.APIConnectionError: Unexpected error communicating with Stripe.",
    "/api/report": "openpyxl.utils.exceptions.InvalidFileException: openpyxl does not support the old .xls file format",
    "/api/upload": "OSError: [Errno 28] No space left on device: '/tmp/upload.bin'",
    "/api/labels": "labels: printer 7 answered 'paper out'",
}


def one_route(stage: Stage, severity: str) -> Truth:
    """Let every request to one route say something, and a third of them fail in silence."""
    up = stage.serve(requests=220)
    for at in stage.moments(54):
        one = stage.rng.choice(up)
        if stage.rng.random() < 0.33:
            for _, end, trace in stage.failures([at], instances=[one]):
                stage.say("decoy", one, end - 150 * MILLISECOND, CART, severity, trace=trace)
        else:
            trace = stage.ask(one, at, "/api/checkout", method="POST")
            stage.say("decoy", one, at - 6 * MILLISECOND, CART, severity, trace=trace)
    return unexplained(never=("decoy",))


@case("route")
def a_warning_of_the_route(stage: Stage) -> Truth:
    """Every request to one route logs a warning, and only requests to that route fail, a third of them and silently."""
    return one_route(stage, "WARNING")


@case("route")
def an_error_of_the_route(stage: Stage) -> Truth:
    """The same, logged as an error."""
    return one_route(stage, "ERROR")


@case("route")
def a_warning_of_the_client(stage: Stage) -> Truth:
    """Requests of one client log that its version is old; a third of them fail silently, on several routes."""
    up = stage.serve(requests=220)
    for at in stage.moments(60):
        one, path = stage.rng.choice(up), stage.rng.choice(("/api/orders", "/api/cart", "/api/search"))
        if stage.rng.random() < 0.33:
            for _, end, trace in stage.failures([at], instances=[one], path=path, method="GET"):
                stage.records[-1]["httpRequest"]["userAgent"] = "warehouse/0.9"
                stage.say("decoy", one, end - 150 * MILLISECOND, VERSION, "WARNING", trace=trace)
        else:
            trace = stage.ask(one, at, path)
            stage.records[-1]["httpRequest"]["userAgent"] = "warehouse/0.9"
            stage.say("decoy", one, at - 6 * MILLISECOND, VERSION, "WARNING", trace=trace)
    return unexplained(never=("decoy",))


@case("restated")
def the_failure_again_at_level_error(stage: Stage) -> Truth:
    """A line of a middleware names method, path, status and time of each failure: the failure again, and no cause."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(17)):
        stage.say("again", one, end - MILLISECOND, RESTATED, trace=trace)
    return unexplained("failure", "again", true=(("failure", "again"),))


@case("restated")
def the_failure_again_and_its_cause(stage: Stage) -> Truth:
    """The same line, with the error before it."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(17)):
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
        stage.say("again", one, end - MILLISECOND, RESTATED, trace=trace)
    return explained(("failure", "again"), ("cause", "again"))


@case("restated")
def one_error_logged_twice(stage: Stage) -> Truth:
    """The application logs its error, and the server logs it again with its own words before: one thing."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(15)):
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
        stage.say("cause", one, end - 2 * MILLISECOND, ASGI)
    return explained()


@case("timers")
def a_heartbeat_beside_a_job(stage: Stage) -> Truth:
    """A job fails every minute on the second; a heartbeat complains every five seconds, at one distance from it."""
    one = stage.serve(instances=1)[0]
    phase = stage.between(400, 4600) * MILLISECOND
    for at in range(MINUTE, 19 * MINUTE, 60 * SECOND):
        list(stage.failures([at], path="/tasks/sync"))
    for at in range(0, 20 * MINUTE, 5 * SECOND):
        stage.say("decoy", one, at + phase, "heartbeat to the broker was refused")
    return unexplained()


@case("many")
def forty_kinds_of_errors(stage: Stage) -> Truth:
    """Forty errors of different words, at moments of their own: near some of the failures some of them are."""
    up = stage.serve()
    list(stage.failures(stage.moments(10)))
    for word in WORDS:
        for end in ENDS:
            for at in stage.anywhen(12):
                stage.say("decoy", stage.rng.choice(up), at, f"{word} {end}")
    return unexplained()


@case("many")
def five_failures_at_once(stage: Stage) -> Truth:
    """Five routes fail in the same minutes, each by an error of its own in its trace: five links, and none across."""
    stage.serve()
    for path, text in FIVE.items():
        for one, end, trace in stage.failures(
            stage.anywhen(9, 4 * MINUTE, 12 * MINUTE), path=path, part=f"failed{path}"
        ):
            stage.say(f"cause{path}", one, end - stage.between(6, 20) * MILLISECOND, text, trace=trace)
    pairs = tuple((f"cause{path}", f"failed{path}") for path in FIVE)
    return Truth(cause=tuple(a for a, _ in pairs), effects=tuple(b for _, b in pairs), found=pairs)


@case("deploy")
def both_since_the_deploy(stage: Stage) -> Truth:
    """Since a deployment requests fail, and a background task complains: both are new, neither explains the other."""
    stage.deploy(-2 * MINUTE, -2 * MINUTE + 9 * SECOND)
    up = stage.serve()
    list(stage.failures(stage.anywhen(26)))
    for at in stage.anywhen(55):
        stage.say("decoy", stage.rng.choice(up), at, "thumbnail worker: queue 'small' is unknown")
    return unexplained()


@case("one burst")
def one_burst_after_an_ordinary_line(stage: Stage) -> Truth:
    """Forty silent failures within half a minute; a warning stands two seconds before, as it does at other times."""
    up = stage.serve()
    start = stage.between(6, 12) * MINUTE
    list(stage.failures(stage.anywhen(40, start, start + 30 * SECOND)))
    for one in up:
        stage.say("decoy", one, start - 2 * SECOND, "cache evicted 40 entries", "WARNING")
        for at in stage.anywhen(3):
            stage.say("decoy", one, at, "cache evicted 38 entries", "WARNING")
    return unexplained(never=("decoy",))


@case("one burst")
def one_burst_after_a_shutdown(stage: Stage) -> Truth:
    """The database ends all connections once; what fails in the next half minute is silent. It leads, as plausible."""
    up = stage.serve()
    start = stage.between(6, 12) * MINUTE
    for one in up:
        stage.say("cause", one, start - 300 * MILLISECOND, SHUTDOWN)
    list(stage.failures(stage.anywhen(40, start, start + 30 * SECOND)))
    return Truth(cause=("cause",), true=(CAUSES,))


def without_labels(records: list[Record]) -> list[Record]:
    """Take the instance away, as some sinks and views do."""
    return [{key: value for key, value in record.items() if key != "labels"} for record in records]


@case("cut", arrange=without_labels)
def no_instances_in_the_export(stage: Stage) -> Truth:
    """The export has no labels: only traces join, and a noisy neighbour is everywhere."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(16)):
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    for at in stage.anywhen(120):
        stage.say("decoy", stage.rng.choice(up), at, CART, "WARNING")
    return explained(never=("decoy",))
