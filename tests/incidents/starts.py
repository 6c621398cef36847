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
from incidents.service import HOLDS, NOT_ASKED, NOT_READ, NOT_SHOWN, python_error, told

MODULE = "ModuleNotFoundError: No module named 'orders.exports.pdf'"
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


def _loop(seed: str, *, split: bool, turns: int = 12) -> World:
    world = World(seed)
    world.deploy(-10 * SECOND, 9 * SECOND)
    for turn in range(turns):
        _boot(world, turn * 7700 * MILLISECOND + world.between(0, 300) * MILLISECOND, split=split)
    return world


def crash_loop() -> Scenario:
    """A module is missing: 12 instance lives, each with a split traceback; lines are not incidents."""
    world = _loop("crash-loop", split=True)
    truth = Truth(
        root="python-module-missing",
        explains={
            ("python-module-missing", "worker-failed-to-boot"): 12,
            ("python-module-missing", "container-exit"): 12,
            ("python-module-missing", "malformed-response-503"): 12,
        },
        occurrences={"python-module-missing": 12, "worker-failed-to-boot": 12, "container-exit": 12},
        incidents=1,
        whys=(
            Expected("python-module-missing", "Why did instances end, or requests fail?", HOLDS),
            Expected("python-module-missing", "Which module is missing?", HOLDS),
            Expected("python-module-missing", "Who asks for it?", HOLDS),
            Expected("python-module-missing", "Why is it missing from the image?", NOT_ASKED),
            Expected("python-module-missing", "Why did nothing stop the rollout?", HOLDS),
            Expected("container-exit", "What stands before the exit", HOLDS),
        ),
        never=("60 times", "36 incidents"),
    )
    return told("crash-loop", "Missing module, worker, exit(3), 503: 12 turns.", world, truth, MODULE)


def no_system_log() -> Scenario:
    world = _loop("no-system-log", split=False)
    world.without("system")
    truth = Truth(
        root="python-module-missing",
        explains={("python-module-missing", "worker-failed-to-boot"): 12},
        incidents=1,
        whys=(
            Expected("python-module-missing", "Why did instances end, or requests fail?", HOLDS),
            Expected("python-module-missing", "Which module is missing?", HOLDS),
            Expected("python-module-missing", "Why did nothing stop the rollout?", NOT_READ),
            Expected("malformed-response-503", "Did the process end", NOT_READ),
        ),
        said=("absent: stdout, system",),
    )
    return told("no-system-log", "The same crash loop without the platform's log.", world, truth, MODULE)


def no_requests_log() -> Scenario:
    world = _loop("no-requests-log", split=False)
    world.without("requests")
    truth = Truth(
        root="python-module-missing",
        explains={("python-module-missing", "container-exit"): 12},
        incidents=1,
        whys=(Expected("python-module-missing", "Why did instances end, or requests fail?", HOLDS),),
        said=("cannot be told",),
        never=("503",),
    )
    return told("no-requests-log", "The same crash loop without the request log.", world, truth, MODULE)


def _refused_start(world: World, at: int, *errors: str, severity: str | None = "ERROR", code: int = 1) -> None:
    """One instance that ends before it listens."""
    one = world.instance()
    world.starting(one, at, reason="DEPLOYMENT_ROLLOUT")
    for number, error in enumerate(errors):
        world.line(one, at + (1900 + number) * MILLISECOND, error, severity)
    world.exit(one, at + 2100 * MILLISECOND, code)
    world.probe_failed(one, at + 2140 * MILLISECOND)


def _failed_deploy(seed: str, *errors: str, severity: str | None = "ERROR", tries: int = 3) -> World:
    world = World(seed)
    verdict = tries * 9 * SECOND + 4 * SECOND
    world.deploy(-5 * SECOND, verdict, failed=NOT_LISTENING.format(revision=REVISION))
    for number in range(tries):
        _refused_start(world, number * 9 * SECOND + world.between(0, 400) * MILLISECOND, *errors, severity=severity)
    return world


def syntax_error() -> Scenario:
    world = _failed_deploy("syntax-error", f"Uncaught exception: {SYNTAX}", severity="CRITICAL")
    truth = Truth(
        root="python-syntax-error",
        explains={("python-syntax-error", "container-exit"): 3, ("python-syntax-error", "startup-probe-failed"): 3},
        incidents=1,
        whys=(
            Expected("python-syntax-error", "Why did instances end, or requests fail?", HOLDS),
            Expected("python-syntax-error", "What can Python not parse?", HOLDS),
            Expected("startup-probe-failed", "Did the process end before it listened?", HOLDS),
        ),
    )
    return told("syntax-error", "A file cannot be parsed; the rollout fails.", world, truth, "SyntaxError")


def setting_missing() -> Scenario:
    text = (
        'Traceback (most recent call last):\n  File "/app/orders/settings.py", line 12, in <module>\n'
        '    DATABASE_URL = os.environ["DATABASE_URL"]\n'
        '  File "<frozen os>", line 679, in __getitem__\n'
        "KeyError: 'DATABASE_URL'"
    )
    world = _failed_deploy("setting-missing", text)
    truth = Truth(
        root="config-missing",
        explains={("config-missing", "container-exit"): 3, ("config-missing", "startup-probe-failed"): 3},
        incidents=1,
        whys=(
            Expected("config-missing", "Why did instances end, or requests fail?", HOLDS),
            Expected("config-missing", "Is it new", NOT_ASKED),
            Expected("startup-probe-failed", "What stands before it", HOLDS),
        ),
    )
    return told("setting-missing", "An environment variable is not set.", world, truth, "DATABASE_URL")


def port_in_use() -> Scenario:
    text = "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use"
    world = _failed_deploy("port-in-use", text, severity=None)
    truth = Truth(
        root="port-in-use",
        explains={("port-in-use", "container-exit"): 3, ("port-in-use", "startup-probe-failed"): 3},
        incidents=1,
        whys=(
            Expected("port-in-use", "What was seen of it?", HOLDS),
            Expected("startup-probe-failed", "Did the process end", HOLDS),
        ),
    )
    return told("port-in-use", "A second server takes the port; the line has no severity.", world, truth, "Errno 98")


def unknown_at_start() -> Scenario:
    world = _failed_deploy("unknown-at-start", python_error(UNKNOWN, "/app/orders/ledger.py", 12, "load"))
    name = "orders.ledger.LedgerImbalanceError"
    truth = Truth(
        root=name,
        explains={(name, "container-exit"): 3, (name, "startup-probe-failed"): 3},
        incidents=1,
        whys=(Expected(name, "What did it lead to?", HOLDS), Expected(name, "Where was it raised?", HOLDS)),
    )
    return told("unknown-at-start", "An exception without a rule keeps instances from starting.", world, truth, UNKNOWN)


def silent_exit() -> Scenario:
    """Instances end at once and say nothing."""
    world = _failed_deploy("silent-exit")
    truth = Truth(
        root="container-exit",
        explains={("container-exit", "startup-probe-failed"): 3},
        incidents=1,
        whys=(
            Expected("container-exit", "What stands before the exit", NOT_SHOWN),
            Expected("startup-probe-failed", "Did the process end", HOLDS),
        ),
    )
    return told("silent-exit", "Instances end before they listen, without a word.", world, truth)


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
    scenario = told("image-missing", "The image of the revision does not exist.", world, truth, "not found")
    return Scenario(scenario.name, scenario.story, scenario.records, "all", truth, scenario.cause)


def job_fails() -> Scenario:
    world = World("job-fails")
    one = world.instance()
    for turn in range(4):
        at = turn * 10 * MINUTE
        world.traceback(one, at, python_error(UNKNOWN, "/app/importer/ledger.py", 41, "close"))
        world.exit(one, at + 300 * MILLISECOND, 1)
        world.job_verdict(
            at + 2 * SECOND, "Execution nightly-import-x7k2p has failed to complete, 0/1 tasks were a success."
        )
        one = world.instance()
    world.as_job()
    name = "orders.ledger.LedgerImbalanceError"
    truth = Truth(
        root=name,
        explains={(name, "container-exit"): 4},
        occurrences={"job-execution-failed": 4, "container-exit": 4},
        incidents=1,
        whys=(
            Expected(name, "What did it lead to?", HOLDS),
            Expected("job-execution-failed", "How did the tasks end?", ("supported", "plausible")),
        ),
    )
    scenario = told("job-fails", "A nightly job raises and exits with 1, four nights.", world, truth, UNKNOWN)
    return Scenario(scenario.name, scenario.story, scenario.records, "all", truth, scenario.cause)


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
