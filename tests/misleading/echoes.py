"""Lines that stand between a cause and its failure, are louder or better known, and explain nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.scenario import MILLISECOND, MINUTE, SECOND
from incidents.service import python_error
from misleading.cases import CAUSES, Truth, case, explained, unexplained

if TYPE_CHECKING:
    from misleading.stage import Stage

KEY = python_error("KeyError: 'shipping_zone'", "/app/orders/shipping.py", 41, "zone_of")
VALUE = python_error(
    "ValueError: invalid literal for int() with base 10: '12,5'", "/app/orders/weights.py", 19, "grams"
)
NONE = python_error("AttributeError: 'NoneType' object has no attribute 'rate'", "/app/orders/tax.py", 66, "tax_of")
ROLLBACK = (
    "sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a previous exception "
    "during flush. To begin a new transaction with this Session, first issue Session.rollback()."
)
ABORTED = "psycopg2.errors.InFailedSqlTransaction: current transaction is aborted, commands ignored until end of block"
SMTP = "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Username and Password not accepted')"
HEADERS = "Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers after they are sent to the client"
UNDEFINED = "TypeError: Cannot read properties of undefined (reading 'total')\n    at sum (/app/dist/cart.js:14:22)"
QUOTED = "ticket 5512: customer writes: 'I get FATAL: password authentication failed for user \"shop\", please help'"
RETRY = "retrying order after connection refused (attempt 2 of 3)"


def echoed(stage: Stage, cause: str, echo: str, *, times: int = 1, trace_of_echo: bool = True) -> None:
    """Fail requests: the cause is logged, then the echo, then the answer leaves; all in one trace."""
    for one, end, trace in stage.failures(stage.moments(stage.between(7, 24))):
        stage.say("cause", one, end - stage.between(40, 70) * MILLISECOND, cause, trace=trace)
        for number in range(times):
            at = end - stage.between(4, 9) * MILLISECOND + number * 400_000
            stage.say("echo", one, at, echo, trace=trace if trace_of_echo else "")


@case("echo")
def rollback_after_the_error(stage: Stage) -> Truth:
    """A KeyError spoils the transaction; what the session says of it stands nearer to the answer."""
    stage.serve()
    echoed(stage, KEY, ROLLBACK)
    return explained(("cause", "echo"))


@case("echo")
def aborted_transaction(stage: Stage) -> Truth:
    """Three statements are refused in the transaction that the error aborted."""
    stage.serve()
    echoed(stage, VALUE, ABORTED, times=3)
    return explained(("cause", "echo"))


@case("echo")
def alert_mail(stage: Stage) -> Truth:
    """The handler of failures sends a mail, which fails by an error that rules know well."""
    stage.serve()
    echoed(stage, VALUE, SMTP)
    return explained(("cause", "echo"))


@case("echo")
def alert_mail_without_a_trace(stage: Stage) -> Truth:
    """The mail is sent by a thread that knows no trace."""
    stage.serve()
    echoed(stage, KEY, SMTP, trace_of_echo=False)
    return explained(("cause", "echo"))


@case("echo")
def headers_already_sent(stage: Stage) -> Truth:
    """Express answers twice after a value was undefined."""
    stage.serve()
    echoed(stage, UNDEFINED, HEADERS)
    return explained(("cause", "echo"))


@case("echo")
def an_echo_of_a_nameless_error(stage: Stage) -> Truth:
    """The cause is an error that no rule knows, in the words of the team; the echo is famous."""
    stage.serve()
    echoed(
        stage, "pricing: table EUR_2026 has no row for zone 7", "redis.exceptions.ConnectionError: Connection closed"
    )
    return explained(("cause", "echo"))


@case("echo")
def marked_as_rollback_only(stage: Stage) -> Truth:
    """Java: the exception, and what the transaction manager makes of it."""
    stage.serve()
    cause = (
        'java.lang.NullPointerException: Cannot invoke "Zone.rate()" because "zone" is null\n'
        "\tat shop.orders.Shipping.rate(Shipping.java:88)"
    )
    echo = (
        "org.springframework.transaction.UnexpectedRollbackException: Transaction silently rolled back because it has "
        "been marked as rollback-only\n\tat org.springframework.transaction.support.AbstractPlatformTransactionManager"
    )
    echoed(stage, cause, echo)
    return explained(("cause", "echo"))


@case("echo")
def a_warning_before_the_error(stage: Stage) -> Truth:
    """A warning says that the tax table is empty, always and only where the AttributeError follows: either may lead."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(16)):
        stage.say(
            "warning",
            one,
            end - stage.between(60, 70) * MILLISECOND,
            "tax table for DE is empty",
            "WARNING",
            trace=trace,
        )
        stage.say("cause", one, end - stage.between(10, 30) * MILLISECOND, NONE, trace=trace)
    pairs = (("warning", "failure"), ("warning", "cause"))
    return explained(*pairs, CAUSES, cause=("cause", "warning"), found=())


@case("quotes")
def a_customer_is_quoted(stage: Stage) -> Truth:
    """A warning quotes a customer's words, which look like a failure of the database; the error stands before it."""
    stage.serve()
    for one, end, trace in stage.failures(stage.moments(17), path="/api/tickets"):
        stage.say("cause", one, end - stage.between(40, 60) * MILLISECOND, NONE, trace=trace)
        stage.say("decoy", one, end - stage.between(5, 20) * MILLISECOND, QUOTED, "WARNING", trace=trace)
    return explained(("cause", "decoy"), never=("decoy",))


@case("quotes")
def quotes_everywhere(stage: Stage) -> Truth:
    """Tickets are quoted whether they are saved or not; why some are not saved is not logged."""
    up = stage.serve(requests=150)
    for one, end, trace in stage.failures(stage.moments(15), path="/api/tickets"):
        stage.say("decoy", one, end - 12 * MILLISECOND, QUOTED, "WARNING", trace=trace)
    for at in stage.anywhen(45):
        one = stage.rng.choice(up)
        trace = stage.ask(one, at, "/api/tickets", method="POST")
        stage.say("decoy", one, at - 12 * MILLISECOND, QUOTED, "WARNING", trace=trace)
    return unexplained(never=("decoy",))


@case("retries")
def retries_after_the_failure(stage: Stage) -> Truth:
    """A failure, a line about the retry, a failure, a line, an answer: the lines stand before half of the failures."""
    up = stage.serve()
    for at in stage.moments(10, last=18 * MINUTE):
        one = stage.rng.choice(up)
        for turn in range(3):
            moment = at + turn * 2 * SECOND
            if turn:
                stage.say("decoy", one, moment - 1700 * MILLISECOND + stage.between(0, 40) * MILLISECOND, RETRY)
            if turn < 2:
                list(stage.failures([moment], instances=[one]))
            else:
                stage.ask(one, moment, "/api/checkout", method="POST")
    return unexplained(true=(("failure", "decoy"),))


@case("retries")
def retries_of_a_known_failure(stage: Stage) -> Truth:
    """Each attempt logs its error; between the attempts a line announces the next."""
    up = stage.serve()
    for at in stage.moments(8, last=18 * MINUTE):
        one = stage.rng.choice(up)
        for turn in range(3):
            for _, end, trace in stage.failures([at + turn * 2 * SECOND], instances=[one]):
                stage.say("cause", one, end - 15 * MILLISECOND, KEY, trace=trace)
                stage.say("decoy", one, end + 300 * MILLISECOND, RETRY, "WARNING")
    return explained(("cause", "decoy"), ("failure", "decoy"), never=("decoy",))


@case("retries")
def said_after_the_failure(stage: Stage) -> Truth:
    """An error a second after each failure tells of its consequence; nothing tells of its cause."""
    stage.serve()
    for one, end, _ in stage.failures(stage.moments(18)):
        stage.say(
            "decoy", one, end + stage.between(900, 1300) * MILLISECOND, "audit: order 8812 is missing, not booked"
        )
    return unexplained(true=(("failure", "decoy"),))


@case("echo")
def an_access_line(stage: Stage) -> Truth:
    """The server's own access line repeats each failure a millisecond before the answer; it is the failure again."""
    up = stage.serve()
    for one, end, _ in stage.failures(stage.moments(16)):
        text = 'INFO:     169.254.1.1:40412 - "POST /api/checkout HTTP/1.1" 500 Internal Server Error'
        stage.say("failure", one, end - MILLISECOND, text, None, stream="stdout")
    stage.say("ground", up[0], MINUTE, "retrying flush of spans", "WARNING")
    return unexplained()
