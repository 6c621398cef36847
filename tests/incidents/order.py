"""Incidents of time and place: late lines, ties, cut pulls, other instances, other revisions, split messages."""

from __future__ import annotations

from incidents.requests import FULL, RATE, REFUSED
from incidents.scenario import MILLISECOND, MINUTE, SECOND, Expected, Scenario, Truth, World
from incidents.service import (
    ENDED,
    FAILED,
    HOLDS,
    NOT_ASKED,
    NOT_SHOWN,
    OPEN,
    answered,
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


def without_severity() -> Scenario:
    world = failing("without-severity", 11, raised(REFUSED, severity=None))
    return make_scenario(world, "The cause carries no severity.", answered("database-refused", 11, ENDED), REFUSED)


def late_logging() -> Scenario:
    """The application logs 5 to 200 ms after the answer has left."""
    world, instances = running("late-logging")
    for number, (one, at) in enumerate(in_turn(instances, moments(world, 12))):
        late = (5 + 17 * number) * MILLISECOND
        fail(world, [one], [at], raised(python_error(REFUSED), before=-late), traced=False)
    truth = answered("database-refused", 12, ENDED)
    return make_scenario(world, "The cause is logged up to 200 ms after the end.", truth, REFUSED)


def too_late() -> Scenario:
    """What is logged a second after the answer cannot be its cause."""
    world, instances = running("too-late")
    for one, at in in_turn(instances, moments(world, 12)):
        fail(world, [one], [at], None)
        world.line(one, at + 1200 * MILLISECOND, RATE, "ERROR")
    truth = Truth(
        root="dependency-rate-limited|http-5xx",
        explains={("dependency-rate-limited", "http-5xx"): 0},
        incidents=2,
        whys=(
            Expected("http-5xx", "What stands before", OPEN),
            Expected("dependency-rate-limited", FAILED, NOT_SHOWN),
        ),
    )
    return make_scenario(world, "An error always follows the failure by 1.2 s.", truth)


def clock_ties() -> Scenario:
    """Everything of a failure has the same timestamp, and the requests take no time."""
    world, instances = running("clock-ties")
    for one, at in in_turn(instances, every(MINUTE, 10, first=2 * MINUTE)):
        trace = world.request(one, at, 0, "/api/checkout", 500, method="POST")
        world.line(one, at, python_error(REFUSED), "ERROR", trace=trace)
        world.line(one, at, "order refused", "WARNING", trace=trace)
    truth = answered("database-refused", 10, ENDED)
    return make_scenario(world, "Cause and failure have the same time.", truth, REFUSED)


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
            Expected("database-refused", ENDED, NOT_SHOWN),
        ),
    )
    return make_scenario(world, "Errors of one instance, failures of another.", truth)


def _interleaved() -> tuple[str, World]:
    """Let a revision that is well and one that fails run at the same time; return the name of the first, and both."""
    old, _ = running("interleaved-old")
    old.revision = "orders-api-00016-abc"
    for record in old.records:
        labels = record["resource"]["labels"]
        if labels["revision_name"]:
            labels["revision_name"] = old.revision
    world = failing("interleaved-new", 9, raised(python_error(REFUSED)))
    world.records += [r for r in old.records if "cloudaudit" not in r["logName"]]
    return old.revision, world


def two_revisions() -> Scenario:
    """One export, two revisions at the same time; the one asked for fails."""
    well, world = _interleaved()
    truth = answered("database-refused", 9, ENDED, occurrences={"http-5xx": 9}, never=(well,))
    return make_scenario(world, "Two revisions interleaved; one fails.", truth, REFUSED, name="two-revisions")


def the_other_revision() -> Scenario:
    """The same export; the revision asked for is the one that is well."""
    well, world = _interleaved()
    truth = Truth(root=None, incidents=0, never=(REFUSED,))
    story = "Two revisions interleaved; the other fails."
    return make_scenario(world, story, truth, name="the-other-revision", revision=well)


def split_traceback() -> Scenario:
    """One ERROR entry, then a line each without severity; the last one says what it is."""
    world = failing("split-traceback", 9, raised(python_error(FULL), split=True), path="/api/upload")
    truth = explained(
        "disk-full",
        9,
        Expected("disk-full", "What was seen of it?", HOLDS),
        Expected("disk-full", "Where was it written?", HOLDS),
        Expected("disk-full", "Is it new", NOT_ASKED),
        occurrences={"disk-full": 9},
    )
    return make_scenario(world, "A traceback over six entries.", truth, "No space left")


def truncated_pull() -> Scenario:
    """A pull of 1,000 entries, newest first: its window is cut, and the first failures' causes lie outside."""
    world, instances = running("truncated-pull", requests=520)
    fail(world, instances, moments(world, 10), raised(python_error(REFUSED)))
    records = world.newest_first()[:1000]
    assert len(records) == 1000
    truth = Truth(
        root="database-refused",
        incidents=1,
        whys=(Expected("database-refused", ENDED, HOLDS),),
        said=("1,000",),
    )
    return make_scenario(world, "A limit of 1,000 cuts the window in silence.", truth, REFUSED, records=records)


def late_by_hours() -> Scenario:
    """Entries that arrive out of order: the export lists them by arrival."""
    world = failing("by-arrival", 9, raised(python_error(REFUSED)))
    world.rng.shuffle(world.records)
    truth = answered("database-refused", 9, ENDED)
    return make_scenario(world, "The entries lie in no order.", truth, REFUSED, records=tuple(world.records))


def slow_start() -> Scenario:
    """The process lives and does not listen in time; no exit, no word of the application."""
    world = World("slow-start")
    for at in every(5 * MINUTE, 4):
        one = world.instance()
        world.starting(one, at)
        world.line(one, at + 3 * SECOND, "INFO:     Loading the model", stream="stdout")
        world.probe_failed(one, at + 4 * MINUTE, "DEADLINE_EXCEEDED")
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
    return make_scenario(world, "Instances do not listen in time.", truth)


def next_life() -> Scenario:
    """Instances end in silence; an error is always logged by the next instance, after the exit."""
    world, _ = running("next-life", span=30 * MINUTE)
    for at in every(3 * MINUTE, 8, first=2 * MINUTE):
        one = world.started(at)
        world.exit(one, at + 40 * SECOND, 1)
        other = world.started(at + 41 * SECOND)
        world.line(other, at + 44 * SECOND, REFUSED, "ERROR")
    truth = Truth(
        root="database-refused|container-exit",
        explains={("database-refused", "container-exit"): 0},
        whys=(
            Expected("container-exit", "What stands before the exit", NOT_SHOWN),
            Expected("database-refused", ENDED, NOT_SHOWN),
        ),
    )
    return make_scenario(world, "The error is logged by the instance after the one that ended.", truth)


def one_path_of_two() -> Scenario:
    """Two paths fail; the cause is logged for one of them only."""
    world, instances = running("one-path-of-two")
    times = moments(world, 9)
    fail(world, instances, times, raised(python_error(REFUSED)), path="/api/checkout")
    fail(world, instances, [at + 37 * SECOND for at in times], None, path="/api/upload")
    truth = explained("database-refused", 9, Expected("database-refused", ENDED, HOLDS), incidents=2)
    return make_scenario(world, "Two paths fail; the logs explain one.", truth, REFUSED)


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
