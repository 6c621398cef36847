"""Incidents of time and place: late lines, ties, cut pulls, other instances, other revisions, split messages."""

from __future__ import annotations

from incidents.requests import FULL, RATE, REFUSED
from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth, World
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


ORDER = (
    without_severity,
    late_logging,
    too_late,
    clock_ties,
    other_instance,
    two_revisions,
    the_other_revision,
    split_traceback,
    truncated_pull,
    late_by_hours,
    slow_start,
    next_life,
    one_path_of_two,
)
