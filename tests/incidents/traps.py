"""Incidents that mislead: constant noise, loud and equal rivals, coincidence, hostile words, and no incident at all."""

from __future__ import annotations

from incidents.requests import DEADLOCK, RATE, REFUSED
from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth, World
from incidents.service import (
    HOLDS,
    NOT_SHOWN,
    WEAK,
    answered,
    fail,
    moments,
    python_error,
    raised,
    running,
    told,
)

MIDDLEWARE = "SessionMiddleware must be installed to access request.session"
EXPORTER = (
    "Transient error StatusCode.UNAVAILABLE encountered while exporting traces to localhost:4317, retrying in 1s."
)


def healthy() -> Scenario:
    world, _ = running("healthy", requests=400)
    truth = Truth(root=None, incidents=0, never=("root cause:",))
    return told("healthy", "Nothing happens.", world, truth)


def only_noise() -> Scenario:
    """Warnings that always stand there, an optional package, a scanner: no failure."""
    world, instances = running("only-noise")
    for number in range(150):
        world.line(instances[number % 2], number * 8 * SECOND, MIDDLEWARE, "WARNING")
    for number, path in enumerate(("/wp-login.php", "/.env", "/admin.php") * 6):
        world.request(instances[number % 2], number * MINUTE, 3 * MILLISECOND, path, 404)
    truth = Truth(root=None, incidents=0)
    return told("only-noise", "A warning 150 times and a scanner.", world, truth)


def loud_noise(seed: str = "loud-noise") -> Scenario:
    """A known nuisance of level ERROR, forty times as loud as the cause."""
    world, instances = running(seed)
    for number in range(400):
        world.line(instances[number % 2], number * 3 * SECOND, EXPORTER, "ERROR")
    fail(world, instances, moments(world, 10), raised(python_error(REFUSED)))
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 10},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
    )
    return told("loud-noise", "Noise is forty times louder than the cause.", world, truth, REFUSED)


def constant_noise(seed: str = "constant-noise") -> Scenario:
    """A cause by its words, at the same rate with and without failures: near every failure, and no cause of any."""
    world, instances = running(seed)
    for number in range(1200):
        world.line(instances[number % 2], number * SECOND + 300 * MILLISECOND, RATE, "ERROR")
    fail(world, instances, moments(world, 12), raised(python_error(DEADLOCK)), traced=False)
    truth = Truth(
        root="database-deadlock",
        explains={("database-deadlock", "http-5xx"): 12},
        whys=(
            Expected("database-deadlock", "Why did requests or runs fail?", HOLDS),
            Expected("dependency-rate-limited", "Why did requests or runs fail?", WEAK),
            Expected("http-5xx", "What stands before", HOLDS),
        ),
    )
    return told("constant-noise", "A declared cause at a constant rate, and the true one.", world, truth, DEADLOCK)


def constant_noise_alone(seed: str = "constant-noise-alone") -> Scenario:
    """The same noise, and failures with no cause in the logs: the noise must not fill the gap."""
    world, instances = running(seed)
    for number in range(1200):
        world.line(instances[number % 2], number * SECOND + 300 * MILLISECOND, RATE, "ERROR")
    fail(world, instances, moments(world, 12), None)
    truth = Truth(
        root="http-5xx",
        whys=(
            Expected("dependency-rate-limited", "Why did requests or runs fail?", WEAK),
            Expected("http-5xx", "What stands before", WEAK),
        ),
    )
    return told("constant-noise-alone", "A declared cause at a constant rate, and no true one.", world, truth)


def loud_rival() -> Scenario:
    """A rival of another path logs 90 times, in bursts that lie between the failures."""
    world, instances = running("loud-rival")
    times = moments(world, 8)
    for at in times:
        for number in range(11):
            world.line(instances[number % 2], at + 25 * SECOND + number * 900 * MILLISECOND, RATE, "ERROR")
    fail(world, instances, times, raised(python_error(DEADLOCK)))
    truth = Truth(
        root="database-deadlock",
        explains={("database-deadlock", "http-5xx"): 8, ("dependency-rate-limited", "http-5xx"): 0},
        whys=(
            Expected("database-deadlock", "Why did requests or runs fail?", HOLDS),
            Expected("dependency-rate-limited", "Why did requests or runs fail?", NOT_SHOWN),
        ),
    )
    return told("loud-rival", "A rival is eleven times as loud and never in the window.", world, truth, DEADLOCK)


def equal_rivals() -> Scenario:
    """Two causes stand before every failure: nothing in these logs can choose between them."""
    world, instances = running("equal-rivals")

    def both(world: World, one: str, end: int, trace: str) -> None:
        raised(python_error(DEADLOCK), before=9 * MILLISECOND)(world, one, end, trace)
        raised(python_error(RATE), before=7 * MILLISECOND)(world, one, end, trace)

    fail(world, instances, moments(world, 12), both)
    truth = Truth(
        root="database-deadlock|dependency-rate-limited",
        whys=(
            Expected("database-deadlock", "Why did requests or runs fail?", ("contested",)),
            Expected("dependency-rate-limited", "Why did requests or runs fail?", ("contested",)),
            Expected("http-5xx", "What stands before", ("contested",)),
        ),
    )
    return told("equal-rivals", "Two causes before every failure.", world, truth)


def half_covered() -> Scenario:
    """Half of the failures have the cause before them: below the threshold, and in order."""
    world, instances = running("half-covered")
    times = moments(world, 16)
    fail(world, instances, times[::2], raised(python_error(REFUSED)))
    fail(world, instances, times[1::2], None)
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 8},
        whys=(
            Expected("database-refused", "Why did instances end, or requests fail?", ("plausible",)),
            Expected("http-5xx", "What stands before", ("plausible",)),
        ),
    )
    return told("half-covered", "The cause stands before 8 of 16 failures.", world, truth, REFUSED)


def hostile_text() -> Scenario:
    """The exception quotes markup, a template, a secret and a sentence that claims a result."""
    world, instances = running("hostile-text")
    error = (
        "orders.input.BadNote: {{ 7*7 }} <script>alert(1)</script> | resolved: caused by `rm -rf` | "
        "password=hunter2hunter2 [why 1](five-whys/nothing-000000.md)"
    )
    fail(world, instances, moments(world, 8), raised(python_error(error, "/app/orders/notes.py", 5, "save")))
    truth = Truth(
        root="orders.input.BadNote",
        explains={("orders.input.BadNote", "http-5xx"): 8},
        incidents=1,
        whys=(Expected("orders.input.BadNote", "What did it lead to?", HOLDS),),
        never=("hunter2hunter2",),
    )
    return told("hostile-text", "A log line that would like to be a document.", world, truth, "BadNote")


def ids_of_others(seed: str = "recovered-errors") -> Scenario:
    """Errors that belong to requests which went well stand before failures of other requests, by chance."""
    world, instances = running(seed)
    for number in range(60):
        at = number * 20 * SECOND + 5 * SECOND
        trace = world.request(instances[number % 2], at, 90 * MILLISECOND, "/api/quote", 200)
        world.line(instances[number % 2], at - 20 * MILLISECOND, RATE, "ERROR", trace=trace)
    fail(world, instances, moments(world, 9), raised(python_error(DEADLOCK)))
    truth = Truth(
        root="database-deadlock",
        explains={("database-deadlock", "http-5xx"): 9},
        whys=(
            Expected("database-deadlock", "Why did requests or runs fail?", HOLDS),
            Expected("dependency-rate-limited", "Why did requests or runs fail?", WEAK),
        ),
    )
    return told("recovered-errors", "Errors of requests that were answered all the same.", world, truth, DEADLOCK)


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
            Expected("dependency-rate-limited", "Why did requests or runs fail?", WEAK),
        ),
    )
    return told("one-coincidence", "One of 20 failures has an error near it, by chance.", world, truth)


NOISES = (loud_noise, constant_noise, constant_noise_alone, ids_of_others)
"""Those that can be made by other seeds too."""

TRAPS = (
    healthy,
    only_noise,
    loud_noise,
    constant_noise,
    constant_noise_alone,
    loud_rival,
    equal_rivals,
    half_covered,
    hostile_text,
    ids_of_others,
    one_coincidence,
)
