"""Incidents in which something does not start or does not finish: images, settings, deployments, jobs."""

from __future__ import annotations

from incidents.requests import UNKNOWN
from incidents.scenario import (
    MALFORMED,
    MILLISECOND,
    MINUTE,
    NOT_LISTENING,
    REVISION,
    SECOND,
    Expected,
    Scenario,
    Truth,
    World,
)
from incidents.service import (
    ENDED,
    HOLDS,
    NOT_ASKED,
    NOT_READ,
    NOT_SHOWN,
    every,
    explained,
    make_scenario,
    python_error,
)

MODULE = "ModuleNotFoundError: No module named 'orders.exports.pdf'"
NOT_STARTED = ("container-exit", "startup-probe-failed")
SYNTAX = "SyntaxError: unterminated string literal (detected at line 676) (orders_export.py, line 676)"


def _boot(world: World, at: int, *, split: bool) -> str:
    """One turn of a crash loop under gunicorn: the port opens, the worker does not boot, the process ends."""
    one = world.started(at)
    error = at + 2500 * MILLISECOND + world.between(0, 60) * MILLISECOND
    text = f"Exception in worker process\n{python_error(MODULE, '/app/orders/exports/formats.py', 7, '<module>')}"
    world.traceback(one, error, text, split=split)
    for number, line in enumerate(
        ("Worker (pid:4) exited with code 3", "Shutting down: Master", "Reason: Worker failed to boot.")
    ):
        world.line(one, error + (370 + number) * MILLISECOND, line)
    world.request(one, error + 560 * MILLISECOND, 2 * SECOND, "/healthz", 503, text=MALFORMED)
    world.exit(one, error + 470 * MILLISECOND, 3)
    return one


def _loop(name: str, *, split: bool, turns: int = 12) -> World:
    world = World(name)
    world.deploy(-10 * SECOND, 9 * SECOND)
    for at in every(7700 * MILLISECOND, turns):
        _boot(world, at + world.between(0, 300) * MILLISECOND, split=split)
    return world


def crash_loop() -> Scenario:
    """A module is missing: 12 instance lives, each with a split traceback; lines are not incidents."""
    world = _loop("crash-loop", split=True)
    truth = explained(
        "python-module-missing",
        12,
        Expected("python-module-missing", ENDED, HOLDS),
        Expected("python-module-missing", "Which module is missing?", HOLDS),
        Expected("python-module-missing", "Who asks for it?", HOLDS),
        Expected("python-module-missing", "Why is it missing from the image?", NOT_ASKED),
        Expected("python-module-missing", "Why did nothing stop the rollout?", HOLDS),
        Expected("container-exit", "What stands before the exit", HOLDS),
        symptoms=("worker-failed-to-boot", "container-exit", "malformed-response-503"),
        occurrences={"python-module-missing": 12, "worker-failed-to-boot": 12, "container-exit": 12},
        never=("60 times", "36 incidents"),
    )
    return make_scenario(world, "Missing module, worker, exit(3), 503: 12 turns.", truth, MODULE)


def no_system_log() -> Scenario:
    world = _loop("no-system-log", split=False)
    world.without("system")
    truth = explained(
        "python-module-missing",
        12,
        Expected("python-module-missing", ENDED, HOLDS),
        Expected("python-module-missing", "Which module is missing?", HOLDS),
        Expected("python-module-missing", "Why did nothing stop the rollout?", NOT_READ),
        Expected("malformed-response-503", "Did the process end", NOT_READ),
        symptoms=("worker-failed-to-boot",),
        said=("absent: stdout, system",),
    )
    return make_scenario(world, "The same crash loop without the platform's log.", truth, MODULE)


def no_requests_log() -> Scenario:
    world = _loop("no-requests-log", split=False)
    world.without("requests")
    truth = explained(
        "python-module-missing",
        12,
        Expected("python-module-missing", ENDED, HOLDS),
        symptoms=("container-exit",),
        said=("cannot be told",),
        never=("503",),
    )
    return make_scenario(world, "The same crash loop without the request log.", truth, MODULE)


def _refused_start(world: World, at: int, *errors: str, severity: str | None = "ERROR", code: int = 1) -> None:
    """One instance that ends before it listens."""
    one = world.instance()
    world.starting(one, at, reason="DEPLOYMENT_ROLLOUT")
    for number, error in enumerate(errors):
        world.line(one, at + (1900 + number) * MILLISECOND, error, severity)
    world.exit(one, at + 2100 * MILLISECOND, code)
    world.probe_failed(one, at + 2140 * MILLISECOND)


def _failed_deploy(name: str, *errors: str, severity: str | None = "ERROR", tries: int = 3) -> World:
    world = World(name)
    verdict = tries * 9 * SECOND + 4 * SECOND
    world.deploy(-5 * SECOND, verdict, failed=NOT_LISTENING.format(revision=REVISION))
    for at in every(9 * SECOND, tries):
        _refused_start(world, at + world.between(0, 400) * MILLISECOND, *errors, severity=severity)
    return world


def syntax_error() -> Scenario:
    world = _failed_deploy("syntax-error", f"Uncaught exception: {SYNTAX}", severity="CRITICAL")
    truth = explained(
        "python-syntax-error",
        3,
        Expected("python-syntax-error", ENDED, HOLDS),
        Expected("python-syntax-error", "What can Python not parse?", HOLDS),
        Expected("startup-probe-failed", "Did the process end before it listened?", HOLDS),
        symptoms=NOT_STARTED,
    )
    return make_scenario(world, "A file cannot be parsed; the rollout fails.", truth, "SyntaxError")


def setting_missing() -> Scenario:
    text = (
        'Traceback (most recent call last):\n  File "/app/orders/settings.py", line 12, in <module>\n'
        '    DATABASE_URL = os.environ["DATABASE_URL"]\n'
        '  File "<frozen os>", line 679, in __getitem__\n'
        "KeyError: 'DATABASE_URL'"
    )
    world = _failed_deploy("setting-missing", text)
    truth = explained(
        "config-missing",
        3,
        Expected("config-missing", ENDED, HOLDS),
        Expected("config-missing", "Is it new", NOT_ASKED),
        Expected("startup-probe-failed", "What stands before it", HOLDS),
        symptoms=NOT_STARTED,
    )
    return make_scenario(world, "An environment variable is not set.", truth, "DATABASE_URL")


def port_in_use() -> Scenario:
    text = "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use"
    world = _failed_deploy("port-in-use", text, severity=None)
    truth = explained(
        "port-in-use",
        3,
        Expected("port-in-use", "What was seen of it?", HOLDS),
        Expected("startup-probe-failed", "Did the process end", HOLDS),
        symptoms=NOT_STARTED,
    )
    return make_scenario(world, "A second server takes the port; the line has no severity.", truth, "Errno 98")


def unknown_at_start() -> Scenario:
    world = _failed_deploy("unknown-at-start", python_error(UNKNOWN, "/app/orders/ledger.py", 12, "load"))
    name = "orders.ledger.LedgerImbalanceError"
    whys = (Expected(name, "What did it lead to?", HOLDS), Expected(name, "Where was it raised?", HOLDS))
    truth = explained(name, 3, *whys, symptoms=NOT_STARTED)
    return make_scenario(world, "An exception without a rule keeps instances from starting.", truth, UNKNOWN)


def silent_exit() -> Scenario:
    """Instances end at once and say nothing."""
    world = _failed_deploy("silent-exit")
    truth = explained(
        "container-exit",
        3,
        Expected("container-exit", "What stands before the exit", NOT_SHOWN),
        Expected("startup-probe-failed", "Did the process end", HOLDS),
        symptoms=("startup-probe-failed",),
    )
    return make_scenario(world, "Instances end before they listen, without a word.", truth)


def image_missing() -> Scenario:
    world = World("image-missing")
    text = (
        "Revision 'orders-api-00017-xyz' is not ready and cannot serve traffic. "
        "Image 'europe-docker.pkg.dev/acme-shop/shop/orders-api:xyz' not found."
    )
    world.deploy(0, 4 * SECOND, failed=text, code=5)
    truth = Truth(
        root="deploy-image-not-found",
        incidents=1,
        whys=(
            Expected("deploy-image-not-found", "Why did the deployment fail?", HOLDS),
            Expected("deploy-image-not-found", "Did the deployment before", NOT_ASKED),
        ),
    )
    return make_scenario(world, "The image of the revision does not exist.", truth, "not found", revision="all")


def job_fails() -> Scenario:
    world = World("job-fails")
    one = world.instance()
    for at in every(10 * MINUTE, 4):
        world.traceback(one, at, python_error(UNKNOWN, "/app/importer/ledger.py", 41, "close"))
        world.exit(one, at + 300 * MILLISECOND, 1)
        world.job_verdict(
            at + 2 * SECOND, "Execution nightly-import-x7k2p has failed to complete, 0/1 tasks were a success."
        )
        one = world.instance()
    world.as_job()
    name = "orders.ledger.LedgerImbalanceError"
    truth = explained(
        name,
        4,
        Expected(name, "What did it lead to?", HOLDS),
        Expected("job-execution-failed", "How did the tasks end?", ("supported", "plausible")),
        symptoms=("container-exit",),
        occurrences={"job-execution-failed": 4, "container-exit": 4},
    )
    return make_scenario(world, "A nightly job raises and exits with 1, four nights.", truth, UNKNOWN, revision="all")


STARTS = (
    crash_loop,
    no_system_log,
    no_requests_log,
    syntax_error,
    setting_missing,
    port_in_use,
    unknown_at_start,
    silent_exit,
    image_missing,
    job_fails,
)
