"""Exports that do not hold everything, or hold it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from incidents.scenario import Record
    from misleading.cases import Arrange
    from misleading.stage import Stage

KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
ROLLBACK = (
    "sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a previous exception "
    "during flush. To begin a new transaction with this Session, first issue Session.rollback()."
)
SESSIONS = "SessionMiddleware must be installed to access request.session"
QUIET = "Error: connect ECONNREFUSED 10.8.0.3:6379"
DOWN = "FATAL: terminating connection due to administrator command"
NOT_SAVED = "order could not be saved"
WORSE = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
ABSENCE = (r"no such entry", r"nothing (went|goes) wrong before")


def errors(records: list[Record]) -> list[Record]:
    """Filter as `severity>=ERROR` does."""
    return [record for record in records if record.get("severity") in WORSE]


def warnings(records: list[Record]) -> list[Record]:
    """Filter as `severity>=WARNING` does."""
    return [record for record in records if record.get("severity") in WORSE | {"WARNING"}]


def failed_requests(records: list[Record]) -> list[Record]:
    """Filter the request log by its failures; other logs are whole."""
    return [record for record in records if "httpRequest" not in record or record["httpRequest"]["status"] >= 500]


def failed_traces(records: list[Record]) -> list[Record]:
    """Keep only entries of traces that failed."""
    failed = {r["trace"] for r in records if "httpRequest" in r and r["httpRequest"]["status"] >= 500}
    return [record for record in records if record.get("trace") in failed]


def twice(records: list[Record]) -> list[Record]:
    """Put two exports of the same time one after the other."""
    return records + records


def narrow_and_whole(records: list[Record]) -> list[Record]:
    """Put an export of errors of all the time behind a whole one of its second half."""
    return records[: len(records) // 2] + errors(records)


def newest(count: int) -> Arrange:
    return lambda records: records[:count]


def a_quiet_cause_and_an_echo(stage: Stage, severity: str | None) -> None:
    """The cause is quieter than what follows it."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(18)):
        stage.say("cause", one, end - 40 * MILLISECOND, QUIET, severity, trace=trace, stream="stdout")
        stage.say("echo", one, end - 6 * MILLISECOND, NOT_SAVED, trace=trace)
    for at in stage.anywhen(30):
        stage.say("decoy", stage.rng.choice(up), at, SESSIONS, "WARNING")


@case("filtered", arrange=errors)
def only_errors(stage: Stage) -> Truth:
    """The cause has no severity, so that an export of errors lacks it; its echo and the failures are left."""
    a_quiet_cause_and_an_echo(stage, None)
    return unexplained("failure", "echo", true=(("echo", "failure"),), refutes=False, words=ABSENCE)


@case("filtered", arrange=warnings)
def warnings_and_above(stage: Stage) -> Truth:
    """The same from WARNING on; the warnings that are here stand anywhere."""
    a_quiet_cause_and_an_echo(stage, None)
    return unexplained("failure", "echo", true=(("echo", "failure"),), refutes=False, words=ABSENCE)


@case("filtered", arrange=warnings)
def a_cause_among_warnings(stage: Stage) -> Truth:
    """The cause is a warning and the export holds warnings: it is here, and stands before its echo."""
    a_quiet_cause_and_an_echo(stage, "WARNING")
    more = (CAUSES, ("cause", "echo"), ("echo", "failure"))
    return explained(found=(), true=more, refutes=False)


@case("filtered", arrange=failed_requests)
def only_failed_requests(stage: Stage) -> Truth:
    """The request log holds failures only; the application's log is whole, and warns in every trace that there was."""
    up = stage.serve(requests=0)
    for at in stage.moments(120):
        one = stage.rng.choice(up)
        if stage.rng.random() < 0.15:
            for _, end, trace in stage.failures([at], instances=[one]):
                stage.say("decoy", one, end - 200 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
                stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
        else:
            trace = stage.ask(one, at, "/api/checkout", method="POST")
            stage.say("decoy", one, at - 5 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
    return explained(found=(), true=(CAUSES,), never=("decoy",))


@case("filtered", arrange=failed_traces)
def only_failed_traces(stage: Stage) -> Truth:
    """Only traces that failed: a warning of every request and the error stand in all of them, and no other is here."""
    up = stage.serve(requests=80)
    for one, end, trace in stage.failures(stage.moments(18)):
        stage.say("decoy", one, end - 200 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    stage.ask(up[0], MINUTE, "/api/orders")
    return explained(found=(), true=(CAUSES,), never=("decoy",), refutes=False)


@case("filtered")
def without_the_application(stage: Stage) -> Truth:
    """Requests and lines of the platform only: what the application said was never pulled."""
    a_quiet_cause_and_an_echo(stage, "ERROR")
    stage.keep(lambda record: not record["logName"].endswith(("stderr", "stdout")))
    return unexplained(refutes=False, words=ABSENCE)


@case("cut", arrange=newest(400))
def cut_by_a_limit(stage: Stage) -> Truth:
    """The database went at the beginning, said once, and the limit cuts it away; errors of no weight are left."""
    up = stage.serve(requests=600)
    start = 3 * MINUTE
    for one in up:
        stage.say("cause", one, start, DOWN)
    list(stage.failures(stage.moments(60, first=start + SECOND)))
    for at in stage.anywhen(50):
        stage.say("decoy", stage.rng.choice(up), at, "thumbnail of 4 kB skipped")
    return unexplained()


@case("cut")
def requests_end_before_the_lines(stage: Stage) -> Truth:
    """The request log reaches to the middle only; errors of the second half have no request in the export."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(24)):
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    middle = sorted(record["timestamp"] for record in stage.records)[len(stage.records) // 2]
    stage.keep(lambda record: "httpRequest" not in record or record["timestamp"] < middle)
    return explained()


@case("doubled", arrange=twice)
def two_copies(stage: Stage) -> Truth:
    """Everything is in the export twice; counts are those of one."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(9)):
        stage.say("cause", one, end - 50 * MILLISECOND, KEY, trace=trace)
        stage.say("echo", one, end - 9 * MILLISECOND, ROLLBACK, trace=trace)
    return explained(("cause", "echo"), most={CAUSES: 9})


@case("doubled", arrange=twice)
def two_copies_of_two_failures(stage: Stage) -> Truth:
    """Two failures, exported twice, are not four."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(2)):
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    return explained(found=(), most={CAUSES: 2})


@case("doubled", arrange=narrow_and_whole)
def a_narrow_export_and_a_whole_one(stage: Stage) -> Truth:
    """Errors of all the time, everything of the second half: a warning of each request is here only in that."""
    up = stage.serve(requests=120)
    for one, end, trace in stage.failures(stage.moments(18)):
        stage.say("decoy", one, end - 90 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
        stage.say("cause", one, end - 9 * MILLISECOND, KEY, trace=trace)
    for at in stage.anywhen(80):
        one = stage.rng.choice(up)
        trace = stage.ask(one, at, "/api/checkout", method="POST")
        stage.say("decoy", one, at - 90 * MILLISECOND, SESSIONS, "WARNING", trace=trace)
    return explained(never=("decoy",), refutes=False)
