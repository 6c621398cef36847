"""Incidents that mislead: constant noise, frequent and equal rivals, coincidence, hostile words, and no incident."""

from __future__ import annotations

from incidents.requests import DEADLOCK, RATE, REFUSED
from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth, World
from incidents.service import (
    ENDED,
    FAILED,
    HOLDS,
    NOT_SHOWN,
    WEAK,
    answered,
    chatter,
    every,
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

MIDDLEWARE = "SessionMiddleware must be installed to access request.session"
EXPORTER = (
    "Transient error StatusCode.UNAVAILABLE encountered while exporting traces to localhost:4317, retrying in 1s."
)


def healthy() -> Scenario:
    world, _ = running("healthy", requests=400)
    truth = Truth(root=None, incidents=0, never=("root cause:",))
    return make_scenario(world, "Nothing happens.", truth)


def only_noise() -> Scenario:
    """Permanent warnings, an optional package, a scanner: no failure."""
    world, instances = running("only-noise")
    chatter(world, instances, every(8 * SECOND, 150), MIDDLEWARE, "WARNING")
    for number, path in enumerate(("/wp-login.php", "/.env", "/admin.php") * 6):
        world.request(instances[number % 2], number * MINUTE, 3 * MILLISECOND, path, 404)
    truth = Truth(root=None, incidents=0)
    return make_scenario(world, "A warning 150 times and a scanner.", truth)


def frequent_noise(seed: str = "loud-noise") -> Scenario:
    """A known nuisance of level ERROR, forty times as frequent as the cause."""
    world, instances = running(seed)
    chatter(world, instances, every(3 * SECOND, 400), EXPORTER)
    fail(world, instances, moments(world, 10), raised(python_error(REFUSED)))
    truth = answered("database-refused", 10, ENDED)
    return make_scenario(world, "Noise is forty times louder than the cause.", truth, REFUSED)


def constant_noise(seed: str = "constant-noise") -> Scenario:
    """A cause by its words, at the same rate with and without failures: near every failure, and no cause of any."""
    world, instances = running(seed)
    chatter(world, instances, every(SECOND, 1200, first=300 * MILLISECOND), RATE)
    fail(world, instances, moments(world, 12), raised(python_error(DEADLOCK)), traced=False)
    truth = explained(
        "database-deadlock",
        12,
        Expected("database-deadlock", FAILED, HOLDS),
        Expected("dependency-rate-limited", FAILED, WEAK),
        Expected("http-5xx", "What stands before", HOLDS),
        incidents=None,
    )
    return make_scenario(world, "A declared cause at a constant rate, and the true one.", truth, DEADLOCK)


def constant_noise_alone(seed: str = "constant-noise-alone") -> Scenario:
    """The same noise, and failures with no cause in the logs: the noise must not fill the gap."""
    world, instances = running(seed)
    chatter(world, instances, every(SECOND, 1200, first=300 * MILLISECOND), RATE)
    fail(world, instances, moments(world, 12), None)
    truth = Truth(
        root="http-5xx",
        whys=(
            Expected("dependency-rate-limited", FAILED, WEAK),
            Expected("http-5xx", "What stands before", WEAK),
        ),
    )
    return make_scenario(world, "A declared cause at a constant rate, and no true one.", truth)


def frequent_rival() -> Scenario:
    """A rival of another path logs 90 times, in bursts that lie between the failures."""
    world, instances = running("loud-rival")
    times = moments(world, 8)
    for at in times:
        chatter(world, instances, every(900 * MILLISECOND, 11, first=at + 25 * SECOND), RATE)
    fail(world, instances, times, raised(python_error(DEADLOCK)))
    truth = Truth(
        root="database-deadlock",
        explains={("database-deadlock", "http-5xx"): 8, ("dependency-rate-limited", "http-5xx"): 0},
        whys=(
            Expected("database-deadlock", FAILED, HOLDS),
            Expected("dependency-rate-limited", FAILED, NOT_SHOWN),
        ),
    )
    return make_scenario(world, "A rival is eleven times as loud and never in the window.", truth, DEADLOCK)


def equal_rivals() -> Scenario:
    """Two causes precede every failure: nothing in these logs can decide between them."""

    def both(world: World, one: str, end: int, trace: str) -> None:
        raised(python_error(DEADLOCK), before=9 * MILLISECOND)(world, one, end, trace)
        raised(python_error(RATE), before=7 * MILLISECOND)(world, one, end, trace)

    world = failing("equal-rivals", 12, both)
    truth = Truth(
        root="database-deadlock|dependency-rate-limited",
        whys=(
            Expected("database-deadlock", FAILED, ("contested",)),
            Expected("dependency-rate-limited", FAILED, ("contested",)),
            Expected("http-5xx", "What stands before", ("contested",)),
        ),
    )
    return make_scenario(world, "Two causes before every failure.", truth)


def half_covered() -> Scenario:
    """Half of the failures have the cause before them: below the threshold, and in order."""
    world, instances = running("half-covered")
    times = moments(world, 16)
    fail(world, instances, times[::2], raised(python_error(REFUSED)))
    fail(world, instances, times[1::2], None)
    truth = explained(
        "database-refused",
        8,
        Expected("database-refused", ENDED, ("plausible",)),
        Expected("http-5xx", "What stands before", ("plausible",)),
        incidents=None,
    )
    return make_scenario(world, "The cause stands before 8 of 16 failures.", truth, REFUSED)


def hostile_text() -> Scenario:
    """The exception quotes markup, a template, a secret and a sentence that claims a result."""
    name = "orders.input.BadNote"
    error = (
        f"{name}: {{{{ 7*7 }}}} <script>alert(1)</script> | resolved: caused by `rm -rf` | "
        "password=hunter2hunter2 [why 1](five-whys/nothing-000000.md)"
    )
    world = failing("hostile-text", 8, raised(python_error(error, "/app/orders/notes.py", 5, "save")))
    truth = explained(name, 8, Expected(name, "What did it lead to?", HOLDS), never=("hunter2hunter2",))
    return make_scenario(world, "A log line that would like to be a document.", truth, "BadNote")


def ids_of_others(seed: str = "recovered-errors") -> Scenario:
    """Errors that belong to requests which went well stand before failures of other requests, by chance."""
    world, instances = running(seed)
    for one, at in in_turn(instances, every(20 * SECOND, 60, first=5 * SECOND)):
        trace = world.request(one, at, 90 * MILLISECOND, "/api/quote", 200)
        world.line(one, at - 20 * MILLISECOND, RATE, "ERROR", trace=trace)
    fail(world, instances, moments(world, 9), raised(python_error(DEADLOCK)))
    truth = explained(
        "database-deadlock",
        9,
        Expected("database-deadlock", FAILED, HOLDS),
        Expected("dependency-rate-limited", FAILED, WEAK),
        incidents=None,
    )
    return make_scenario(world, "Errors of requests that were answered all the same.", truth, DEADLOCK)


def one_coincidence() -> Scenario:
    """20 failures without a word; one error of a declared cause happens to stand before one of them."""
    world, instances = running("one-coincidence", span=40 * MINUTE)
    times = moments(world, 20, last=38 * MINUTE)
    fail(world, instances, times, None)
    world.line(instances[0], times[6] - 2 * SECOND, RATE, "ERROR")
    truth = Truth(
        root="http-5xx",
        occurrences={"http-5xx": 20},
        whys=(
            Expected("http-5xx", "What stands before", WEAK),
            Expected("dependency-rate-limited", FAILED, WEAK),
        ),
    )
    return make_scenario(world, "One of 20 failures has an error near it, by chance.", truth)


NOISES = (frequent_noise, constant_noise, constant_noise_alone, ids_of_others)
"""Those that can be made by other seeds too."""

TRAPS = (
    healthy,
    only_noise,
    frequent_noise,
    constant_noise,
    constant_noise_alone,
    frequent_rival,
    equal_rivals,
    half_covered,
    hostile_text,
    ids_of_others,
    one_coincidence,
)
