"""Starts and ends of instances: errors at a start that harm nobody, ends that are scaling, and loops of crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.scenario import MALFORMED, MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from misleading.stage import Stage

PDF = python_error("ModuleNotFoundError: No module named 'billing.exports.pdf'", "/app/billing/app.py", 7, "<module>")
OPTIONAL = python_error("ModuleNotFoundError: No module named 'uvloop'", "/app/orders/loop.py", 3, "<module>")
TYPE = python_error(
    "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'", "/app/orders/total.py", 12, "add"
)
CANCELLED = python_error("asyncio.exceptions.CancelledError", "/app/orders/main.py", 90, "lifespan")
SENTRY = "Sentry SDK not available, error tracking disabled"
NO_SETTING = "RuntimeError: DATABASE_URL is not set"
REJECTION = (
    "node:internal/process/promises:394\n      triggerUncaughtException(err, true /* fromPromise */);\n"
    "TypeError: Cannot read properties of null (reading 'id')\n    at notify (/app/dist/notify.js:40:18)"
)
DIES_AT_START = (r"dies? at start", r"instances? (ended|ends|died) at start", r"crash(es|ed)? at start")
NEVER_ENDED = (r"1 more had not ended", r"still starting at the end")


def life(stage: Stage, start: int, length: int, *, answered: int = 40, last_words: str = "") -> str:
    """Let an instance start, answer requests, and be asked to go."""
    one, end = stage.started(start), start + length
    stage.answer([one], start + 3 * SECOND, end - SECOND, answered)
    stage.system(one, end - 400 * MILLISECOND, "Shutting down user disabled instance")
    stage.line(one, end - 300 * MILLISECOND, "INFO:     Shutting down", stream="stdout")
    if last_words:
        stage.say("decoy", one, end - 30 * MILLISECOND, last_words)
    stage.exit(one, end, 0)
    return one


@case("starts")
def an_error_at_every_start_that_harms_nobody(stage: Stage) -> Truth:
    """Each instance logs a traceback at its start, serves for minutes, and ends with 0; nothing fails."""
    for start in stage.moments(9, last=14 * MINUTE):
        one = life(stage, start, stage.between(120, 260) * SECOND)
        stage.say("decoy", one, start + 900 * MILLISECOND, OPTIONAL)
    return unexplained("decoy", words=DIES_AT_START)


@case("starts")
def an_error_at_every_start_and_another_cause(stage: Stage) -> Truth:
    """The same, and requests that fail by an error of their own."""
    homes = []
    for start in stage.moments(9, last=14 * MINUTE):
        one = life(stage, start, 200 * SECOND)
        stage.say("decoy", one, start + 900 * MILLISECOND, OPTIONAL)
        homes.append((one, start))
    for one, start in homes:
        times = stage.anywhen(2, start + 20 * SECOND, start + 180 * SECOND)
        for _, end, trace in stage.failures(times, instances=[one]):
            stage.say("cause", one, end - 7 * MILLISECOND, TYPE, trace=trace)
    return explained(words=DIES_AT_START)


@case("starts")
def an_error_at_every_start_and_silence(stage: Stage) -> Truth:
    """The same; soon after each start a first request fails and nothing says why."""
    for start in stage.moments(9, last=14 * MINUTE):
        one = life(stage, start, 200 * SECOND)
        stage.say("decoy", one, start + 900 * MILLISECOND, SENTRY)
        at = start + stage.between(20, 190) * SECOND
        list(stage.failures([at], instances=[one]))
    return unexplained(words=DIES_AT_START)


@case("ends")
def scaling_in(stage: Stage) -> Truth:
    """Instances are asked to go, and their loop says that it was cancelled: scaling, and nobody is hurt."""
    for start in stage.moments(9, last=14 * MINUTE):
        life(stage, start, stage.between(100, 280) * SECOND, last_words=CANCELLED)
    return unexplained("decoy", words=(*DIES_AT_START, r"container crashed", r"exit code other than 0"))


@case("ends")
def killed_while_it_worked(stage: Stage) -> Truth:
    """A rejected promise ends the process, and the requests in flight break: a chain, nine times."""
    stage.serve()
    for at in stage.moments(9):
        one = stage.started(at - 50 * SECOND)
        stage.answer([one], at - 45 * SECOND, at - SECOND, 8)
        stage.say("cause", one, at, REJECTION)
        with stage.playing("exit"):
            stage.exit(one, at + 60 * MILLISECOND, 1)
        times = [at + stage.between(70, 140) * MILLISECOND for _ in range(2)]
        list(stage.failures(times, instances=[one], status=503, latency=SECOND, text=MALFORMED))
    return explained(
        ("cause", "exit"), ("exit", "failure"), found=(("cause", "exit"),), true=(CAUSES, ("exit", "failure"))
    )


def loop(stage: Stage, starts: list[int], length: int, spread: int = 0, *, decoy: int = 0) -> list[str]:
    """Let instances start and crash; a decoy stands at one age, the cause 40 ms before the end."""
    all_of_them = []
    for start in starts:
        one, end = stage.instance(), start + length + (stage.between(0, spread) if spread else 0)
        stage.starting(one, start)
        if decoy:
            stage.say("decoy", one, start + decoy, SENTRY, "WARNING")
        stage.say("cause", one, end - 40 * MILLISECOND, PDF)
        with stage.playing("exit"):
            stage.exit(one, end, 1)
        all_of_them.append(one)
    return all_of_them


CRASH = ("cause", "exit")


@case("crash loop")
def a_crash_loop(stage: Stage) -> Truth:
    """A module is missing; each life ends a second after it began, and its failed probe is logged after the exit."""
    starts = stage.moments(16)
    for one, start in zip(loop(stage, starts, SECOND), starts, strict=True):
        with stage.playing("probe"):
            stage.probe_failed(one, start + 1200 * MILLISECOND)
    more = (("exit", "probe"), ("cause", "probe"))
    return Truth(cause=("cause",), effects=("exit", "probe"), found=(CRASH,), true=more, words=NEVER_ENDED)


@case("crash loop")
def a_crash_loop_with_spared_lives(stage: Stage) -> Truth:
    """All lives have one length; a warning at one age is older than the cause, and stands in four healthy lives too."""
    loop(stage, stage.moments(14), 3 * SECOND, decoy=1500 * MILLISECOND)
    for start in stage.moments(4, last=14 * MINUTE):
        one = life(stage, start + 9 * SECOND, 200 * SECOND)
        stage.say("decoy", one, start + 9 * SECOND + 1500 * MILLISECOND, SENTRY, "WARNING")
    return Truth(cause=("cause",), effects=("exit",), found=(CRASH,), never=("decoy",))


@case("crash loop")
def a_crash_loop_of_varying_length(stage: Stage) -> Truth:
    """Lives last from two to nine seconds; the warning stands at one age, the cause just before each end."""
    loop(stage, stage.moments(14), 2 * SECOND, 7 * SECOND, decoy=SECOND)
    return Truth(cause=("cause",), effects=("exit",), found=(CRASH,), never=("decoy",))


@case("crash loop")
def a_setting_is_missing(stage: Stage) -> Truth:
    """A setting is missing, and what the server says of its worker follows; nothing has a severity."""
    for start in stage.moments(12):
        one = stage.instance()
        stage.starting(one, start)
        stage.say("cause", one, start + 900 * MILLISECOND, NO_SETTING, None)
        stage.say("echo", one, start + 980 * MILLISECOND, "[ERROR] Worker (pid:7) exited with code 3", None)
        stage.say("echo", one, start + 990 * MILLISECOND, "[ERROR] Reason: Worker failed to boot.", None)
        with stage.playing("exit"):
            stage.exit(one, start + 1100 * MILLISECOND, 3)
    more = (("echo", "exit"), ("cause", "echo"))
    return Truth(cause=("cause",), effects=("exit",), found=(CRASH,), true=more)


@case("starts")
def a_probe_that_waits(stage: Stage) -> Truth:
    """The database is slow at the start and the port is opened late; the instance serves and stays."""
    up = []
    for start in stage.moments(7, last=10 * MINUTE):
        one = stage.instance()
        stage.starting(one, start)
        stage.say("decoy", one, start + 2 * SECOND, "database is not ready yet, waiting (1 of 10)", "WARNING")
        text = 'Default STARTUP TCP probe succeeded after 2 attempts for container "orders-api-1" on port 8080.'
        stage.system(one, start + 9 * SECOND, text)
        stage.answer([one], start + 10 * SECOND, 20 * MINUTE, 20)
        up.append(one)
    for one, end, trace in stage.failures(stage.moments(13, first=11 * MINUTE), instances=up):
        stage.say("cause", one, end - 7 * MILLISECOND, TYPE, trace=trace)
    return explained(never=("decoy",), words=DIES_AT_START)
