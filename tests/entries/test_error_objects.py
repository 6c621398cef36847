"""Error objects in JSON payloads: whatever a logger calls its parts, the exception and its stack are read."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.entries import decode_entry
from forensics.model import LogEntry, Place, RawEntry

JAVA = "java.lang.ArithmeticException: / by zero\n\tat com.example.Shop.pay(Shop.java:40)\n"
FRAMES = [
    {"class": "java.net.InetAddress", "method": "getAllByName", "file": "InetAddress.java", "line": 1384},
    {
        "class": "com.example.Shop",
        "method": "pay",
        "file": "Shop.java",
        "line": 40,
        "exact": True,
        "location": "app.jar",
    },
]


def decode(**payload: Any) -> LogEntry:
    return decode_entry(RawEntry(record={"jsonPayload": payload}, place=Place(source="test", record=1)))


@pytest.mark.parametrize(
    "payload",
    [
        {"thrown": {"name": "java.lang.ArithmeticException", "message": "/ by zero", "extendedStackTrace": JAVA}},
        {"error": {"type": "java.lang.ArithmeticException", "message": "/ by zero", "stack_trace": JAVA}},
        {"error.type": "java.lang.ArithmeticException", "error.message": "/ by zero", "error.stack_trace": JAVA},
        {"exception.type": "java.lang.ArithmeticException", "exception.stacktrace": JAVA},
        {"exception": {"name": "java.lang.ArithmeticException", "message": "/ by zero", "stack_trace": [JAVA]}},
        {"stack_trace": JAVA},
        {"err": {"stack": JAVA}},
    ],
)
def test_a_stack_has_many_places(payload: dict[str, Any]) -> None:
    entry = decode(message="payment failed", **payload)
    assert entry.message.startswith("payment failed\n")
    (exception,) = entry.exceptions
    assert (exception.type, exception.value) == ("java.lang.ArithmeticException", "/ by zero")
    assert [frame.function for frame in exception.frames] == ["com.example.Shop.pay"]


def test_frames_of_log4j_as_objects_with_a_cause() -> None:
    cause = {"name": "java.net.ConnectException", "message": "Connection refused", "extendedStackTrace": FRAMES[:1]}
    thrown = {"name": "com.example.ShopException", "message": "no bank", "extendedStackTrace": FRAMES, "cause": cause}
    entry = decode(message="payment failed", level="ERROR", thrown=thrown)
    assert [(e.type, e.value) for e in entry.exceptions] == [
        ("java.net.ConnectException", "Connection refused"),
        ("com.example.ShopException", "no bank"),
    ]
    assert entry.exceptions[1].frames[0].function == "com.example.Shop.pay"


def test_monolog_keeps_the_place_apart() -> None:
    exception = {
        "class": "TypeError",
        "message": "no cart",
        "file": "/app/shop.php:12",
        "trace": ["#0 /app/a.php(3): f()"],
    }
    entry = decode(message="Unhandled", level=400, level_name="ERROR", context={"exception": exception})
    assert entry.level == "ERROR"
    assert [(e.type, e.value, e.frames[-1].file) for e in entry.exceptions] == [
        ("TypeError", "no cart", "/app/shop.php")
    ]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"fields": {"message": "request failed", "error": "pool timed out"}}, "request failed\npool timed out"),
        ({"fields": {"message": "post failed", "error.message": "no bank"}}, "post failed\nno bank"),
        ({"message": "failed", "error.message": "no bank"}, "failed\nno bank"),
        ({"message": "failed", "errorMessage": "no bank", "cause": "no bank"}, "failed\nno bank"),
        (
            {"message": "call failed", "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down"}},
            'call failed\n{"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}',
        ),
        ({"message": "form sent", "error": {"message": "Missing field", "severity": "ERROR"}}, "form sent"),
        ({"message": "all well", "error": {"code": 0, "message": ""}}, "all well"),
    ],
)
def test_what_an_error_adds_to_its_message(payload: dict[str, Any], message: str) -> None:
    assert decode(**payload).message == message


def test_a_level_by_name_goes_before_a_number() -> None:
    assert decode(message="m", level=400, level_name="ERROR").level == "ERROR"  # 400 is WARNING in Cloud Logging
    assert decode(message="m", level=50).level == "ERROR"
