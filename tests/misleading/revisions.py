"""Deployments, several revisions and several services in one export."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, MINUTE, NOT_LISTENING, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from misleading.stage import Stage

OLD, NEW, NEWEST = "orders-api-00016-abc", "orders-api-00017-xyz", "orders-api-00018-kfw"
KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
TABLE = python_error('psycopg2.errors.UndefinedTable: relation "orders_v2" does not exist', "/app/orders/store.py", 52)
BILLING = python_error("ZeroDivisionError: division by zero", "/app/payments/split.py", 18, "shares")
UPSTREAM = "payments answered 500 for POST /v1/charges"
SESSIONS = "SessionMiddleware must be installed to access request.session"
REDIS = python_error("redis.exceptions.TimeoutError: Timeout reading from socket", "/app/orders/cart.py", 77, "load")
NO_MODULE = python_error("ModuleNotFoundError: No module named 'billing.exports'", "/app/main.py", 7, "<module>")
DENIED = (
    "Revision 'orders-api-00017-xyz' is not ready and cannot serve traffic. Permission denied on secret: "
    "projects/881/secrets/stripe-key/versions/latest for Revision service account 881-compute@developer"
    ".gserviceaccount.com. The service account used must be granted the 'Secret Manager Secret Accessor' role"
)


@contextmanager
def of(stage: Stage, revision: str, service: str = "") -> Iterator[None]:
    """Write entries of another revision, or of another service."""
    before = stage.revision, stage.service
    stage.revision, stage.service = revision, service or stage.service
    try:
        yield
    finally:
        stage.revision, stage.service = before


def failing(
    stage: Stage, times: list[int], up: list[str], text: str, *, part: str = "cause", effect: str = "failure"
) -> None:
    for one, end, trace in stage.failures(times, instances=up, part=effect):
        stage.say(part, one, end - 8 * MILLISECOND, text, trace=trace)


@case("deploy", revision="all")
def a_deploy_under_way(stage: Stage) -> Truth:
    """While a deployment rolls out, the new revision asks for a table that is not there yet; both revisions serve."""
    with of(stage, OLD):
        stage.serve(span=14 * MINUTE, requests=200)
    at = 8 * MINUTE
    stage.deploy(at, at + 9 * SECOND)
    up = stage.serve(start=at + 10 * SECOND, span=10 * MINUTE, requests=160)
    failing(stage, stage.anywhen(16, at + 12 * SECOND, at + 90 * SECOND), up, TABLE)
    return explained()


@case("deploy")
def failures_older_than_the_deploy_next_door(stage: Stage) -> Truth:
    """Failures have their error; deployments of other services fall between them and are not their cause."""
    up = stage.serve()
    failing(stage, stage.moments(14), up, KEY)
    with of(stage, "search-00004-aaa", "search"), stage.playing("decoy"):
        for at in stage.moments(4):
            stage.deploy(at, at + 9 * SECOND)
    return explained(never=("decoy",))


@case("deploy")
def a_secret_that_is_denied(stage: Stage) -> Truth:
    """A deployment fails since a secret is denied: the platform says so in the verdict itself."""
    for number in range(3):
        with stage.playing("cause"):
            stage.deploy(number * 6 * MINUTE, number * 6 * MINUTE + 4 * SECOND, failed=DENIED)
    return Truth(cause=("cause",), effects=())


@case("deploy")
def not_listening_and_why(stage: Stage) -> Truth:
    """The verdict says that nothing listened; the traceback before it says why. Tried four times."""
    for at in stage.moments(4, last=16 * MINUTE):
        one = stage.instance()
        stage.starting(one, at)
        stage.say("cause", one, at + SECOND, NO_MODULE)
        with stage.playing("exit"):
            stage.exit(one, at + 1100 * MILLISECOND, 1)
            stage.probe_failed(one, at + 1300 * MILLISECOND)
        with stage.playing("verdict"):
            stage.deploy(at - 5 * SECOND, at + 4 * SECOND, failed=NOT_LISTENING.format(revision=stage.revision))
    more = (("exit", "verdict"), ("cause", "verdict"))
    return Truth(cause=("cause",), effects=("exit", "verdict"), found=(("cause", "exit"),), true=more)


@case("revisions", revision="all")
def cured_by_a_later_deploy(stage: Stage) -> Truth:
    """A loud failure of the old revision is over since the deployment; a quieter one of the new revision goes on."""
    with of(stage, OLD):
        old = stage.serve(span=9 * MINUTE, requests=160)
        failing(stage, stage.moments(34, last=9 * MINUTE), old, TABLE, part="cured", effect="was")
    stage.deploy(9 * MINUTE, 9 * MINUTE + 8 * SECOND)
    new = stage.serve(start=9 * MINUTE + 10 * SECOND, span=11 * MINUTE, requests=160)
    failing(stage, stage.moments(9, first=10 * MINUTE, last=20 * MINUTE), new, KEY)
    return explained(effects=("failure", "was"), found=(CAUSES, ("cured", "was")))


@case("revisions", revision="all")
def one_failure_of_three_revisions(stage: Stage) -> Truth:
    """One failure goes through three revisions; it is one incident."""
    for number, revision in enumerate((OLD, NEW, NEWEST)):
        start = number * 6 * MINUTE + MINUTE
        with of(stage, revision):
            stage.deploy(start - 20 * SECOND, start - 11 * SECOND)
            up = stage.serve(start=start, span=6 * MINUTE, requests=90)
            failing(stage, stage.moments(8, first=start, last=start + 6 * MINUTE), up, KEY)
    return explained(once="cause")


@case("traffic split")
def the_other_half_fails(stage: Stage) -> Truth:
    """Two revisions share the traffic; the one that is asked for is well, and warns when the other fails."""
    up = stage.serve()
    with of(stage, OLD):
        old = stage.serve()
        times = stage.moments(18)
        failing(stage, times, old, KEY)
    for at in times:
        stage.say("decoy", stage.rng.choice(up), at - 500 * MILLISECOND, SESSIONS, "WARNING")
    return unexplained(never=("decoy",))


@case("traffic split", revision="all")
def a_split_and_a_warning(stage: Stage) -> Truth:
    """The same export, asked for as a whole: the warning stands on other instances, the error in the trace."""
    up = stage.serve()
    with of(stage, OLD):
        old = stage.serve()
        times = stage.moments(18)
        failing(stage, times, old, KEY)
    for at in times:
        stage.say("decoy", stage.rng.choice(up), at - 500 * MILLISECOND, SESSIONS, "WARNING")
    return explained(never=("decoy",))


def behind(stage: Stage) -> None:
    """Let requests fail since another service fails, whose entries are in the export, in the same traces."""
    stage.serve()
    with of(stage, "payments-00009-qqq", "payments"):
        other = stage.instance()
    for one, end, trace in stage.failures(stage.moments(17), path="/api/pay", status=502):
        stage.say("upstream", one, end - 5 * MILLISECOND, UPSTREAM, trace=trace)
        with of(stage, "payments-00009-qqq", "payments"):
            stage.say("cause", other, end - 60 * MILLISECOND, BILLING, trace=trace)
            with stage.playing("there"):
                stage.request(
                    other, end - 30 * MILLISECOND, 90 * MILLISECOND, "/v1/charges", 500, method="POST", trace=trace
                )
    for at in stage.anywhen(60):
        stage.say("decoy", stage.rng.choice(stage.up), at, SESSIONS, "WARNING")


HERE_AND_THERE = (("cause", "there"), CAUSES, ("there", "failure"), ("there", "upstream"), ("cause", "upstream"))
BEHIND = ("upstream", "failure")


@case("other service")
def the_cause_is_in_another_service(stage: Stage) -> Truth:
    """Asked for one service: its own line about the other is all that it can show."""
    behind(stage)
    return Truth(cause=("upstream", "cause"), found=(BEHIND,), true=HERE_AND_THERE, never=("decoy",))


@case("other service", revision="all")
def the_cause_is_in_another_service_of_the_export(stage: Stage) -> Truth:
    """Asked for everything: the error of the other service stands earlier in the same trace."""
    behind(stage)
    more = (*HERE_AND_THERE, BEHIND)
    return Truth(cause=("cause",), effects=("failure", "upstream", "there"), true=more, never=("decoy",))


@case("other service", revision="all")
def another_service_fails_meanwhile(stage: Stage) -> Truth:
    """Another service has failures and errors in the same minutes and other traces; this one's cause is not logged."""
    stage.serve()
    windows = stage.moments(8)
    for at in windows:
        list(stage.failures(stage.anywhen(3, at, at + 15 * SECOND)))
    with of(stage, "payments-00009-qqq", "payments"):
        there = stage.serve(instances=1)
        for at in windows:
            failing(stage, stage.anywhen(3, at, at + 15 * SECOND), there, BILLING, part="theirs", effect="there")
    pairs = (("theirs", "there"),)
    return Truth(cause=("failure", "theirs"), effects=("failure", "there"), found=pairs)


@case("revisions")
def a_cache_that_recovered(stage: Stage) -> Truth:
    """A time-out of the cache failed requests in the first minutes; what fails at the end is something else."""
    up = stage.serve()
    failing(stage, stage.moments(20, last=7 * MINUTE), up, REDIS, part="cured")
    failing(stage, stage.moments(12, first=9 * MINUTE, last=20 * MINUTE), up, KEY)
    pairs = (CAUSES, ("cured", "failure"))
    return explained(cause=("cause", "cured"), found=pairs, most={CAUSES: 12, ("cured", "failure"): 20})
