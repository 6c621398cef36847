"""Incidents that mislead: loud rivals, constant noise, swapped clocks, cut windows, other instances and revisions."""

from __future__ import annotations

from incidents.requests import DEADLOCK, FULL, RATE, REFUSED
from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth, World
from incidents.service import (
    HOLDS,
    NOT_ASKED,
    NOT_SHOWN,
    OPEN,
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


def loud_noise() -> Scenario:
    """A known nuisance of level ERROR, forty times as loud as the cause."""
    world, instances = running("loud-noise")
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


def constant_noise() -> Scenario:
    """A cause by its words, at the same rate with and without failures: near every failure, and no cause of any."""
    world, instances = running("constant-noise")
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


def constant_noise_alone() -> Scenario:
    """The same noise, and failures with no cause in the logs: the noise must not fill the gap."""
    world, instances = running("constant-noise-alone")
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


def without_severity() -> Scenario:
    world, instances = running("without-severity")
    fail(world, instances, moments(world, 11), raised(REFUSED, severity=None))
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 11},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
    )
    return told("without-severity", "The cause carries no severity.", world, truth, REFUSED)


def late_logging() -> Scenario:
    """The application logs 5 to 200 ms after the answer has left."""
    world, instances = running("late-logging")
    for number, at in enumerate(moments(world, 12)):
        late = (5 + 17 * number) * MILLISECOND
        fail(world, [instances[number % 2]], [at], raised(python_error(REFUSED), before=-late), traced=False)
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 12},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
    )
    return told("late-logging", "The cause is logged up to 200 ms after the end.", world, truth, REFUSED)


def too_late() -> Scenario:
    """What is logged a second after the answer cannot be its cause."""
    world, instances = running("too-late")
    for number, at in enumerate(moments(world, 12)):
        fail(world, [instances[number % 2]], [at], None)
        world.line(instances[number % 2], at + 1200 * MILLISECOND, RATE, "ERROR")
    truth = Truth(
        root="dependency-rate-limited|http-5xx",
        explains={("dependency-rate-limited", "http-5xx"): 0},
        incidents=2,
        whys=(
            Expected("http-5xx", "What stands before", OPEN),
            Expected("dependency-rate-limited", "Why did requests or runs fail?", NOT_SHOWN),
        ),
    )
    return told("too-late", "An error always follows the failure by 1.2 s.", world, truth)


def clock_ties() -> Scenario:
    """Everything of a failure has the same timestamp, and the requests take no time."""
    world, instances = running("clock-ties")
    times = [2 * MINUTE + number * MINUTE for number in range(10)]
    for number, at in enumerate(times):
        one = instances[number % 2]
        trace = world.request(one, at, 0, "/api/checkout", 500, method="POST")
        world.line(one, at, python_error(REFUSED), "ERROR", trace=trace)
        world.line(one, at, "order refused", "WARNING", trace=trace)
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 10},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
    )
    return told("clock-ties", "Cause and failure have the same time.", world, truth, REFUSED)


def other_instance() -> Scenario:
    """The errors stand on one instance, the failures on the other, at the same times."""
    world, instances = running("other-instance")
    times = moments(world, 12)
    fail(world, instances[:1], times, None)
    for at in times:
        world.line(instances[1], at - 9 * MILLISECOND, python_error(REFUSED), "ERROR", trace=world.trace())
    truth = Truth(
        root="database-refused|http-5xx",
        explains={("database-refused", "http-5xx"): 0},
        incidents=2,
        whys=(
            Expected("http-5xx", "What stands before", OPEN),
            Expected("database-refused", "Why did instances end, or requests fail?", NOT_SHOWN),
        ),
    )
    return told("other-instance", "Errors of one instance, failures of another.", world, truth)


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


def _interleaved() -> tuple[World, World]:
    old, instances = running("interleaved-old")
    old.revision = "orders-api-00016-abc"
    for record in old.records:
        labels = record["resource"]["labels"]
        if labels["revision_name"]:
            labels["revision_name"] = old.revision
    del instances
    new, both = running("interleaved-new")
    fail(new, both, moments(new, 9), raised(python_error(REFUSED)))
    return old, new


def two_revisions() -> Scenario:
    """One export, two revisions at the same time; the one asked for fails."""
    old, new = _interleaved()
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 9},
        occurrences={"http-5xx": 9},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
        never=("orders-api-00016-abc",),
    )
    new.records += [r for r in old.records if "cloudaudit" not in r["logName"]]
    return told("two-revisions", "Two revisions interleaved; one fails.", new, truth, REFUSED)


def the_other_revision() -> Scenario:
    """The same export; the revision asked for is the one that is well."""
    old, new = _interleaved()
    new.records += [r for r in old.records if "cloudaudit" not in r["logName"]]
    records = new.newest_first()
    truth = Truth(root=None, incidents=0, never=(REFUSED,))
    return Scenario("the-other-revision", "Two revisions interleaved; the other fails.", records, old.revision, truth)


def split_traceback() -> Scenario:
    """One ERROR entry, then a line each without severity; the last one says what it is."""
    world, instances = running("split-traceback")
    fail(world, instances, moments(world, 9), raised(python_error(FULL), split=True), path="/api/upload")
    truth = Truth(
        root="disk-full",
        explains={("disk-full", "http-5xx"): 9},
        occurrences={"disk-full": 9},
        incidents=1,
        whys=(
            Expected("disk-full", "What was seen of it?", HOLDS),
            Expected("disk-full", "Where was it written?", HOLDS),
            Expected("disk-full", "Is it new", NOT_ASKED),
        ),
    )
    return told("split-traceback", "A traceback over six entries.", world, truth, "No space left")


def truncated_pull() -> Scenario:
    """A pull of 1,000 entries, newest first: its window is cut, and the first failures' causes lie outside."""
    world, instances = running("truncated-pull", requests=520)
    times = moments(world, 10)
    fail(world, instances, times, raised(python_error(REFUSED)))
    records = world.newest_first()[:1000]
    truth = Truth(
        root="database-refused",
        incidents=1,
        whys=(Expected("database-refused", "Why did instances end, or requests fail?", HOLDS),),
        said=("1,000",),
    )
    name, story = "truncated-pull", "A limit of 1,000 cuts the window in silence."
    assert len(records) == 1000
    return Scenario(name, story, records, world.revision, truth, lambda r: REFUSED in str(r.get("textPayload")))


def late_by_hours() -> Scenario:
    """Entries that arrive out of order: the export lists them by arrival."""
    world, instances = running("by-arrival")
    fail(world, instances, moments(world, 9), raised(python_error(REFUSED)))
    world.rng.shuffle(world.records)
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 9},
        incidents=1,
        whys=answered("database-refused", "Why did instances end, or requests fail?"),
    )
    return Scenario(
        "by-arrival",
        "The entries lie in no order.",
        tuple(world.records),
        world.revision,
        truth,
        lambda r: REFUSED in str(r.get("textPayload")),
    )


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


def ids_of_others() -> Scenario:
    """Errors that belong to requests which went well stand before failures of other requests, by chance."""
    world, instances = running("recovered-errors")
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


def slow_start() -> Scenario:
    """The process lives and does not listen in time; no exit, no word of the application."""
    world = World("slow-start")
    for number in range(4):
        one = world.instance()
        world.starting(one, number * 5 * MINUTE)
        world.line(one, number * 5 * MINUTE + 3 * SECOND, "INFO:     Loading the model", stream="stdout")
        world.probe_failed(one, number * 5 * MINUTE + 4 * MINUTE, "DEADLINE_EXCEEDED")
    truth = Truth(
        root="startup-probe-failed",
        occurrences={"startup-probe-failed": 4},
        incidents=1,
        whys=(
            Expected("startup-probe-failed", "Why was the instance not started?", HOLDS),
            Expected("startup-probe-failed", "What stands before it", OPEN),
            Expected("startup-probe-failed", "Did the process end", NOT_SHOWN),
            Expected("startup-probe-failed", "Which deployment", NOT_ASKED),
        ),
    )
    return told("slow-start", "Instances do not listen in time.", world, truth)


def next_life() -> Scenario:
    """Instances end in silence; an error is always logged by the next instance, after the exit."""
    world, _ = running("next-life", span=30 * MINUTE)
    for number in range(8):
        at = (2 + 3 * number) * MINUTE
        one = world.started(at)
        world.exit(one, at + 40 * SECOND, 1)
        other = world.started(at + 41 * SECOND)
        world.line(other, at + 44 * SECOND, REFUSED, "ERROR")
    truth = Truth(
        root="database-refused|container-exit",
        explains={("database-refused", "container-exit"): 0},
        whys=(
            Expected("container-exit", "What stands before the exit", NOT_SHOWN),
            Expected("database-refused", "Why did instances end, or requests fail?", NOT_SHOWN),
        ),
    )
    return told("next-life", "The error is logged by the instance after the one that ended.", world, truth)


def one_path_of_two() -> Scenario:
    """Two paths fail; the cause is logged for one of them only."""
    world, instances = running("one-path-of-two")
    times = moments(world, 9)
    fail(world, instances, times, raised(python_error(REFUSED)), path="/api/checkout")
    fail(world, instances, [at + 37 * SECOND for at in times], None, path="/api/upload")
    truth = Truth(
        root="database-refused",
        explains={("database-refused", "http-5xx"): 9},
        incidents=2,
        whys=(Expected("database-refused", "Why did instances end, or requests fail?", HOLDS),),
    )
    return told("one-path-of-two", "Two paths fail; the logs explain one.", world, truth, REFUSED)


TRAPS = (
    one_coincidence,
    slow_start,
    next_life,
    one_path_of_two,
    healthy,
    only_noise,
    loud_noise,
    constant_noise,
    constant_noise_alone,
    loud_rival,
    equal_rivals,
    without_severity,
    late_logging,
    too_late,
    clock_ties,
    other_instance,
    half_covered,
    two_revisions,
    the_other_revision,
    split_traceback,
    truncated_pull,
    late_by_hours,
    hostile_text,
    ids_of_others,
)
