"""Things that stand near each other because of the clock, the load or the place, and explain nothing."""

from __future__ import annotations

from math import pi, sin
from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, MINUTE, SECOND
from misleading.cases import Truth, case, explained, unexplained

if TYPE_CHECKING:
    from misleading.stage import Stage

STATSD = "metrics flush failed: connect ECONNREFUSED 127.0.0.1:8125"
STALE = "price feed is stale: last tick 41 s ago"
PROVIDER = "openai.APITimeoutError: Request timed out."
CONNECTIONS = "Connection pool is full, discarding connection: api.stripe.com. Connection pool size: 10"
REFUSED = 'psycopg2.OperationalError: connection to server at "10.12.0.3", port 5432 failed: Connection refused'


def ticks(stage: Stage, period: int, count: int, *, first: int = MINUTE, jitter: int = 0) -> list[int]:
    return [stage.near(first + n * period, jitter) if jitter else first + n * period for n in range(count)]


def timers(stage: Stage, jitter: int, period: int = 30 * SECOND, other: int = 30 * SECOND) -> Truth:
    """A job of a scheduler fails without a word; another timer of the same process complains some seconds earlier."""
    one = stage.serve(instances=1)
    phase = stage.between(2, 9) * SECOND + stage.between(0, 999) * MILLISECOND
    for _ in stage.failures(ticks(stage, period, 34 * 30 * SECOND // period, jitter=jitter), path="/tasks/sync"):
        pass
    for at in ticks(stage, other, 34 * 30 * SECOND // other, first=MINUTE - phase, jitter=jitter):
        stage.say("decoy", one[0], at, STATSD)
    return unexplained()


@case("timers")
def coincident_timers(stage: Stage) -> Truth:
    """Two timers of one period, to the millisecond."""
    return timers(stage, 0)


@case("timers")
def coincident_timers_with_jitter(stage: Stage) -> Truth:
    """Two timers of one period, half a second of jitter."""
    return timers(stage, 500 * MILLISECOND)


@case("timers")
def timers_of_a_minute_and_a_half(stage: Stage) -> Truth:
    """The job runs every minute, the complaint comes every half a minute."""
    return timers(stage, 100 * MILLISECOND, period=60 * SECOND)


@case("timers")
def a_job_that_fails_by_its_own_error(stage: Stage) -> Truth:
    """A job by cron, on time to two seconds; where a row is refused, the run fails 1.5 s later. Most runs are well."""
    one = stage.serve(instances=1)
    for number, at in enumerate(ticks(stage, 40 * SECOND, 28, jitter=2 * SECOND)):
        if number % 3:
            stage.ask(one[0], at, "/tasks/import", method="POST")
            continue
        for _, end, _ in stage.failures([at], path="/tasks/import", latency=1800 * MILLISECOND):
            stage.say("cause", one[0], end - 1500 * MILLISECOND - stage.between(0, 60) * MILLISECOND, STALE)
    return explained()


def bad_windows(stage: Stage, length: int, count: int, load: int = 0) -> Truth:
    """Failures and time-outs of a provider share bad windows; which second each falls on is chance."""
    up = stage.serve()
    for start in stage.moments(count, last=19 * MINUTE):
        end = start + length
        for _ in stage.failures(stage.anywhen(4, start, end)):
            pass
        for at in stage.anywhen(10, start, end):
            stage.say("decoy", stage.rng.choice(up), at, PROVIDER)
        stage.answer(up, start, end, load)
    return unexplained()


@case("bad windows")
def shared_bad_windows(stage: Stage) -> Truth:
    """Windows of half a minute in which two unrelated things go wrong."""
    return bad_windows(stage, 30 * SECOND, 9)


@case("bad windows")
def shared_bad_windows_with_load(stage: Stage) -> Truth:
    """The same windows, with several times the usual traffic."""
    return bad_windows(stage, 30 * SECOND, 9, load=30)


@case("bad windows")
def short_bad_windows(stage: Stage) -> Truth:
    """Windows of ten seconds."""
    return bad_windows(stage, 10 * SECOND, 10)


def waves(stage: Stage, severity: str) -> None:
    """Let failures and complaints about a full connection pool follow the load, each for itself."""
    up = stage.serve(requests=60)
    busy = [at for at in stage.anywhen(1600) if stage.rng.random() < (1 + sin(at * 4 * pi / (20 * MINUTE))) ** 3 / 8]
    for at in busy:
        luck = stage.rng.random()
        if luck < 0.08:
            list(stage.failures([at]))
        elif luck < 0.3:
            stage.say("decoy", stage.rng.choice(up), at, CONNECTIONS, severity)
        else:
            stage.ask(stage.rng.choice(up), at, "/api/orders")


@case("load")
def load_wave(stage: Stage) -> Truth:
    """Failures and warnings both follow the load."""
    waves(stage, "WARNING")
    return unexplained(never=("decoy",))


@case("load")
def load_wave_of_errors(stage: Stage) -> Truth:
    """Failures and errors both follow the load."""
    waves(stage, "ERROR")
    return unexplained()


@case("instance")
def one_bad_instance(stage: Stage) -> Truth:
    """One instance of three has all the failures and nearly all complaints of the provider, at moments of their own."""
    up = stage.serve(instances=3)
    list(stage.failures(stage.anywhen(24), instances=up[:1]))
    for at in stage.anywhen(70):
        stage.say("decoy", up[0] if stage.rng.random() < 0.9 else up[1], at, PROVIDER)
    return unexplained()


@case("batch jobs")
def two_jobs_traced(stage: Stage) -> Truth:
    """Every 40 s two jobs land on one instance in the same second: one complains and is answered, the other fails."""
    up = stage.serve(instances=3)
    for at in stage.moments(26):
        one = stage.rng.choice(up)
        trace = stage.ask(one, stage.near(at, 90 * MILLISECOND), "/tasks/prices", method="POST")
        stage.say("decoy", one, at - stage.between(200, 320) * MILLISECOND, STALE, trace=trace)
        list(stage.failures([at], instances=[one], path="/tasks/mail"))
    return unexplained()


@case("batch jobs")
def two_jobs_by_cron(stage: Stage) -> Truth:
    """Two jobs start with each minute, on whichever instance both find first; one complains, the other fails."""
    up = stage.serve(instances=3, span=32 * MINUTE, requests=360)
    for at in ticks(stage, MINUTE, 29, jitter=40 * MILLISECOND):
        one = stage.rng.choice(up)
        stage.say("decoy", one, at + stage.between(300, 360) * MILLISECOND, STALE)
        list(stage.failures([at + 900 * MILLISECOND], instances=[one], path="/tasks/mail"))
    return unexplained()


@case("batch jobs")
def two_jobs_often_apart(stage: Stage) -> Truth:
    """The same two jobs; one time in three they start on different instances, and the second fails just the same."""
    up = stage.serve(instances=3, span=32 * MINUTE, requests=360)
    for at in ticks(stage, MINUTE, 29, jitter=40 * MILLISECOND):
        one, other = stage.rng.sample(up, 2)
        stage.say("decoy", one, at + stage.between(300, 360) * MILLISECOND, STALE)
        where = one if stage.rng.random() < 0.67 else other
        list(stage.failures([at + 900 * MILLISECOND], instances=[where], path="/tasks/mail"))
    return unexplained()


def lagging(stage: Stage, lag: int, spread: int, text: str = STALE) -> Truth:
    """An error without a trace stands at one lag before the failures of its instance, among others that do no harm."""
    up = stage.serve()
    took = max(310 * MILLISECOND, lag + 200 * MILLISECOND)
    for one, end, _ in stage.failures(stage.moments(22), latency=took):
        stage.say("cause", one, stage.near(end - lag, spread), text)
        stage.say("ground", one, stage.near(end, MINUTE), "retrying flush of spans", "WARNING")
    for at in stage.anywhen(20):
        stage.say("decoy", stage.rng.choice(up), at, CONNECTIONS, "WARNING")
    return explained(never=("decoy",))


@case("true lags")
def lag_of_milliseconds(stage: Stage) -> Truth:
    """Five milliseconds."""
    return lagging(stage, 5 * MILLISECOND, 2 * MILLISECOND)


@case("true lags")
def lag_of_two_seconds(stage: Stage) -> Truth:
    """Two seconds."""
    return lagging(stage, 2 * SECOND, 60 * MILLISECOND, REFUSED)


@case("true lags")
def lag_of_ten_seconds(stage: Stage) -> Truth:
    """Ten seconds, a time-out of a client."""
    return lagging(stage, 10 * SECOND, 100 * MILLISECOND, REFUSED)


@case("true lags")
def logged_after_the_answer(stage: Stage) -> Truth:
    """The error reaches the log up to 200 ms after the answer."""
    return lagging(stage, -120 * MILLISECOND, 80 * MILLISECOND, REFUSED)


@case("true lags")
def a_loose_lag(stage: Stage) -> Truth:
    """The failure follows within five seconds, no moment more than another: no more than plausible, and named first."""
    up = stage.serve()
    for one, end, _ in stage.failures(stage.moments(20), latency=6 * SECOND):
        stage.say("cause", one, end - stage.between(100, 5000) * MILLISECOND, REFUSED)
    stage.say("ground", up[0], 5 * MINUTE, "retrying flush of spans", "WARNING")
    return explained(found=(), true=(("cause", "failure"),))


@case("skewed clocks")
def a_clock_that_is_ahead(stage: Stage) -> Truth:
    """The application stamps its lines itself, 400 ms ahead: its error seems to follow the answer, in one trace."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(18)):
        stage.say("cause", one, end - 30 * MILLISECOND + 400 * MILLISECOND, REFUSED, trace=trace)
    return explained(found=(), true=(("cause", "failure"),))


@case("skewed clocks")
def a_clock_that_is_behind(stage: Stage) -> Truth:
    """What the mail worker says after a failed order is stamped 900 ms too early, so that it seems to come before."""
    up = stage.serve()
    for one, end, trace in stage.failures(stage.moments(18)):
        stage.say("cause", one, end - 20 * MILLISECOND, "KeyError: 'shipping_zone'", trace=trace)
        stage.say("decoy", one, end + 250 * MILLISECOND - 900 * MILLISECOND, "no receipt sent: order was not saved")
    stage.ask(up[0], 19 * MINUTE, "/api/orders")
    return explained(found=(), true=(("cause", "failure"),))
