"""What loggers and runtimes beside Python's and Node's write: prefixes, exceptions, and lines that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import entry

from forensics.entries import stitch
from forensics.entries.decode.decoration import undecorate

if TYPE_CHECKING:
    from forensics.model import LogEntry


def lines(*texts: str, step: float = 5e-6) -> list[LogEntry]:
    """Entries of one instance's stderr, one shortly after the other."""
    return [entry(text, at=n * step, number=n) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("[00:41:13 ERR] Failed to pay", "ERROR", "Failed to pay"),
        ("[2026-03-01 00:41:13 WRN] [Shop.Api] Slow", "WARNING", "Slow"),
        ("00:41:13.084 request_id=F7x [error] ** (KeyError) no", "ERROR", "** (KeyError) no"),
        ("F, [2026-03-01T00:41:13.084505 #1] FATAL -- : [5f0c-11] No", "CRITICAL", "No"),
        ("ERROR 2026-03-01 00:41:13,084 views 7 140213 Failed", "ERROR", "Failed"),
        ("2026-03-01 00:41:13,084 ERROR [io.quarkus.run.App] (main) Failed", "ERROR", "Failed"),
        ("NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no", "ERROR", "PHP Fatal error:  Uncaught Error: no"),
        ('Step #0 - "Build": npm error code EUSAGE', "ERROR", "npm error code EUSAGE"),
        ("Step #2: Successfully built 3f1c", None, "Successfully built 3f1c"),
        ("│ Error: no such service", "ERROR", "Error: no such service"),
        ("App/main.swift:11: Fatal error: found nil", "ERROR", "App/main.swift:11: Fatal error: found nil"),
    ],
)
def test_prefixes(text: str, level: str | None, message: str) -> None:
    words = undecorate(text)
    assert (words.level, words.message) == (level, message)


RAILS = "F, [2026-03-01T10:00:00.112233 #1] FATAL -- : "


@pytest.mark.parametrize(
    "texts",
    [
        (
            f"{RAILS}[5f0c-11] ",
            "[5f0c-11] NoMethodError (undefined method 'total' for nil):",
            "[5f0c-11]   ",
            "[5f0c-11] app/cart.rb:18:in 'Cart#sum'",
        ),
        (
            f"{RAILS}[5f0c-11] ",
            f"{RAILS}[5f0c-11] NoMethodError (undefined method 'total' for nil):",
            f"{RAILS}[5f0c-11] app/cart.rb:18:in 'Cart#sum'",
        ),
        (f"{RAILS}  ", "NoMethodError (undefined method 'total' for nil):", "  ", "app/cart.rb:18:in 'Cart#sum'"),
    ],
    ids=["tags", "prefixes", "bare"],
)
def test_what_rails_tells_of_an_exception_is_one_entry(texts: tuple[str, ...]) -> None:
    (report,) = stitch(lines(*texts))
    assert len(report.pieces) == len(texts)
    (exception,) = report.exceptions
    assert (exception.type, exception.value) == ("NoMethodError", "undefined method 'total' for nil")
    assert [(frame.file, frame.function) for frame in exception.frames] == [("app/cart.rb", "Cart#sum")]


def test_what_npm_tells_of_an_error_is_one_entry() -> None:
    told = lines(
        'npm error Missing script: "start"', "npm error", "npm error To see a list of scripts, run:", "INFO: done"
    )
    assert [len(e.originals) for e in stitch(told)] == [3, 1]


def test_two_requests_of_rails_stay_two() -> None:
    entries = lines(f"{RAILS}[5f0c-11] RuntimeError (a):", f"{RAILS}[77aa-22] RuntimeError (b):")
    assert len(stitch(entries)) == 2


HEAD = "00:41:13.084 [worker-1] ERROR c.e.Shop - payment failed"


@pytest.mark.parametrize(
    "texts",
    [
        (HEAD, "java.io.IOException: no bank", "\tat com.example.Shop.pay(Shop.java:40)", "\t... 8 more"),
        (HEAD, "java.io.IOException: no bank"),
        ("Unhandled exception:", "SocketException: no bank", "#0      pay (package:shop/shop.dart:14:5)"),
    ],
)
def test_an_exception_belongs_to_the_line_that_speaks_of_it(texts: tuple[str, ...]) -> None:
    (joined,) = stitch(lines(*texts))
    assert joined.exceptions[0].value.split("\n")[0] == "no bank"


def test_a_stack_belongs_to_the_line_before_it_whatever_that_says() -> None:
    (joined,) = stitch(lines("Error booking a table: FirebaseError: no bank", "    at book (/app/book.js:31:5) {", "}"))
    assert (joined.level, joined.exceptions[0].type) == ("ERROR", "FirebaseError")


@pytest.mark.parametrize(
    "texts",
    [
        ("00:41:13.084 [worker-1] INFO c.e.Shop - paid", "java.io.IOException: no bank"),
        ("Error: first", "Error: second"),
        (HEAD, HEAD),
    ],
)
def test_an_exception_beside_another_line_stays_alone(texts: tuple[str, ...]) -> None:
    assert len(stitch(lines(*texts))) == 2


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"message": "client disconnected", "code": 1006, "reason": ""}, 1006),
        ({"message": "socket closed", "code": 4001, "reason": "stale"}, 4001),
        ({"message": "payment closed", "code": 1006}, None),
        ({"message": "batch of rows", "code": 1011, "reason": ""}, None),
    ],
)
def test_closes_in_payloads(payload: dict[str, Any], code: int | None) -> None:
    close = entry(None, jsonPayload=payload).close
    assert (close.code if close else None) == code


@pytest.mark.parametrize(
    "text", ["Closing batch of 1011 rows", "close to timeout after 1006 ms", "closed 1008 tickets"]
)
def test_numbers_that_are_no_closes(text: str) -> None:
    assert entry(text).close is None


def test_a_fatal_error_of_php_names_its_place() -> None:
    (exception,) = entry(
        "PHP Fatal error:  Allowed memory size of 9 bytes exhausted in /app/shop.php on line 9"
    ).exceptions
    assert (exception.type, exception.frames[0].file, exception.frames[0].line) == ("Fatal error", "/app/shop.php", 9)
