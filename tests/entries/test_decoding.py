"""One record, one entry: what it says, how bad it is, and that no JSON value breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from forensics.entries import decode_entry
from forensics.model import Level, LogEntry, Place, RawEntry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
TRACEBACK = "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in f\n    g()\nKeyError: 'x'"
STACK = "Error: boom\n    at f (/app/a.js:1:2)"


def decode(**record: Any) -> LogEntry:
    return decode_entry(RawEntry(record=record, place=Place(source="test", record=1)))


def said(**payload: Any) -> str:
    return decode(jsonPayload=payload).message


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"message": "a", "msg": "b"}, "a"),
        ({"msg": "b", "event": "c"}, "b"),
        ({"event": "c", "logger": "x"}, "c"),
        ({"text": "2026-03-01 16:18:59.706 | INFO     | a:b:1 - d\n", "record": {"level": {"name": "INFO"}}}, "d"),
        ({"MESSAGE": 'E0301 22:48:13.914655 1675 pod.go:808] "Killing"', "PRIORITY": "3"}, '"Killing"'),
        ({"log": "e", "stream": "stderr"}, "e"),
        ({"fields": {"message": "f"}, "target": "shop"}, "f"),
        ({"err": {"message": "g"}}, "g"),
        ({"error": "h"}, "h"),
        ({"message": "", "msg": "  ", "event": "i"}, "i"),
        ({"message": {"message": "j"}}, "j"),
        ({"message": ["k", "l"]}, "k\nl"),
        ({"message": 7}, "7"),
        ({"count": 2, "a": None}, '{"a": null, "count": 2}'),
    ],
)
def test_the_message_of_a_json_payload(payload: dict[str, Any], message: str) -> None:
    assert decode(jsonPayload=payload).message == message


def test_what_a_json_payload_adds_to_its_message() -> None:
    assert said(event="save_failed", error="disk full") == "save_failed\ndisk full"
    assert said(message="save failed: disk full", error="disk full") == "save failed: disk full"
    assert said(message="m", stack_trace=STACK) == "m\n" + STACK
    assert said(message="m\n" + STACK, stack=STACK) == "m\n" + STACK
    assert said(msg="m", err={"type": "Error", "message": "boom", "stack": STACK}) == "m\n" + STACK
    assert said(message="m", stack=["Error: boom", "    at f (/app/a.js:1:2)"]) == "m\n" + STACK
    assert said(message="m", exc_info=True, stack="", exception=None) == "m"


def test_exceptions_of_json_payloads() -> None:
    def types(**payload: Any) -> list[tuple[str, str]]:
        return [(e.type, e.value) for e in decode(jsonPayload=payload).exceptions]

    assert types(message="m", traceback=TRACEBACK) == [("KeyError", "'x'")]
    assert types(message="m", error={"type": "KeyError", "value": "'x'", "traceback": None}) == [("KeyError", "'x'")]
    structured = {
        "exc_type": "KeyError",
        "exc_value": "'x'",
        "frames": [{"filename": "/a.py", "lineno": 1, "name": "f"}],
    }
    (found,) = decode(jsonPayload={"event": "m", "exception": [structured]}).exceptions
    assert (found.type, found.frames[0].file) == ("KeyError", "/a.py")
    # Where a line was logged is no exception.
    assert types(message="m", labels={"function": "f", "line": "7"}, context={"name": "app"}) == []
    assert types(message="m", error={"message": "Missing field", "severity": "ERROR", "type": "str"}) == []


@pytest.mark.parametrize(
    ("text", "message", "level"),
    [
        ('{"message": "boom", "level": "error"}', "boom", Level.ERROR),
        ('{"msg":"slow","level":40}', "slow", Level.WARNING),
        ('{"text": "x\\n", "record": {"level": {"name": "ERROR", "no": 40}}}', "x", Level.ERROR),
        ('{"success": true, "items": []}', '{"success": true, "items": []}', Level.DEFAULT),
        ('{"message": "cut', '{"message": "cut', Level.DEFAULT),
    ],
)
def test_json_that_came_as_text(text: str, message: str, level: Level) -> None:
    entry = decode(textPayload=text)
    assert (entry.message, entry.level) == (message, level)


def test_audit_entries_say_their_status_or_their_method() -> None:
    audit = {"methodName": "/Services.ReplaceService", "resourceName": "namespaces/p/services/shop"}
    assert decode(protoPayload=audit).message == "/Services.ReplaceService namespaces/p/services/shop"
    assert decode(protoPayload=audit | {"status": {"code": 9, "message": "not ready"}}).message == "not ready"


def test_requests_say_their_status_method_and_path() -> None:
    http = {"requestMethod": "GET", "requestUrl": "https://shop.example/pay?card=1#x", "status": 503, "latency": "0.5s"}
    entry = decode(httpRequest=http)
    assert entry.message == "503 GET /pay"
    assert entry.http is not None
    assert (entry.http.path, entry.http.status, entry.http.latency) == ("/pay", 503, 500_000_000)
    assert decode(httpRequest=http, textPayload="aborted").message == "aborted"


@pytest.mark.parametrize(
    ("http", "message"),
    [
        ({"status": 503}, "503"),
        ({"requestMethod": "GET"}, "GET"),
        ({"requestMethod": "GET", "requestUrl": "https://shop.example/pay"}, "GET /pay"),
        ({"status": 503, "requestUrl": "https://shop.example/pay"}, "503 /pay"),
        ({"status": 503, "requestMethod": "GET"}, "503 GET"),
        ({"latency": "0.5s"}, ""),
    ],
)
def test_what_a_request_lacks_its_message_leaves_out(http: dict[str, Any], message: str) -> None:
    assert decode(httpRequest=http).message == message


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.example", "/"),
        ("/pay?x=http://y/", "/pay"),
        ("shop.example/pay", "/pay"),
        ("http://[2001:db8::1]:80/a/b?c", "/a/b"),
        ("", ""),
    ],
)
def test_paths(url: str, path: str) -> None:
    http = decode(httpRequest={"requestUrl": url, "status": "200"}).http
    assert http is not None
    assert (http.path, http.status) == (path, 200)


@pytest.mark.parametrize(
    ("latency", "ns"),
    [
        ("0s", 0),
        ("", None),
        ("soon", None),
        ({"seconds": "1", "nanos": 5}, 1_000_000_005),
        (3, None),
        ("9" * 40 + "s", None),
    ],
)
def test_latencies(latency: Any, ns: int | None) -> None:
    http = decode(httpRequest={"latency": latency}).http
    assert http is not None
    assert http.latency == ns


def test_a_traceback_that_was_logged_as_a_quoted_string() -> None:
    entry = decode(textPayload="ERROR:app:" + TRACEBACK.replace("\n", "\\n"))
    assert [e.type for e in entry.exceptions] == ["KeyError"]
    assert len(entry.message.splitlines()) == 4


def test_identity_and_places() -> None:
    entry = decode(
        insertId="a",
        timestamp="2026-03-01T10:00:00.5Z",
        logName="projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem",
        resource={"labels": {"revision_name": "shop-00001-abc", "service_name": "shop"}},
        labels={"instanceId": "i1"},
        trace="projects/p/traces/1",
        textPayload="x",
    )
    assert (entry.insert_id, entry.time % 10**9, entry.stream) == ("a", 500_000_000, "system")
    assert (entry.revision, entry.service, entry.instance, entry.trace) == (
        "shop-00001-abc",
        "shop",
        "i1",
        "projects/p/traces/1",
    )
    assert decode(textPayload="x", timestamp="never").time == 0


def test_an_audit_entry_says_itself_of_which_revision_and_service_it_speaks() -> None:
    entry = decode(protoPayload={"resourceName": "namespaces/p/services/shop/revisions/shop-00001-abc"})
    assert (entry.revision, entry.service) == ("shop-00001-abc", "shop")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"message": "bye", "close_code": 1011, "close_reason": "bad"}, 1011),
        # The payload says more than the message.
        ({"message": "WebSocket closed with code 1006", "close_code": 1011}, 1011),
        ({"message": "WebSocket closed with code 1006", "user": 7}, 1006),
        ({"message": "bye", "user": 7}, None),
    ],
)
def test_a_close_is_told_by_the_payload_or_else_by_the_message(payload: dict[str, Any], code: int | None) -> None:
    close = decode(jsonPayload=payload).close
    assert (None if close is None else close.code) == code


@pytest.mark.parametrize(
    "record",
    [
        {"textPayload": "x"},
        {"jsonPayload": {"a": 1}},
        {"protoPayload": {"methodName": "m"}},
        {"httpRequest": {"status": 200}},
    ],
)
def test_one_payload_of_any_kind_is_a_payload(record: dict[str, Any]) -> None:
    assert decode(**record).has_payload


@pytest.mark.parametrize("record", [{}, {"textPayload": ""}, {"jsonPayload": {}, "protoPayload": None}])
def test_no_payload_is_told(record: dict[str, Any]) -> None:
    entry = decode(**record)
    assert (entry.has_payload, entry.message) == (False, "")


# ── levels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        ("ERROR", "ERROR"),
        ("error", "ERROR"),
        ("Warn", "WARNING"),
        (500, "ERROR"),
        ("200", "INFO"),
        ("DEFAULT", "DEFAULT"),
    ],
)
def test_the_severity_counts_in_every_spelling(severity: Any, level: str) -> None:
    entry = decode(severity=severity, textPayload="x")
    assert (entry.severity, entry.level) == (str(severity), level)


@pytest.mark.parametrize("severity", [None, [], {"a": 1}, True])
def test_what_is_no_text_and_no_number_is_no_severity(severity: Any) -> None:
    assert decode(severity=severity, textPayload="x").severity is None


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "INFO"), (399, "INFO"), (400, "WARNING"), (499, "WARNING"), (500, "ERROR"), (503, "ERROR")],
)
def test_an_answer_from_400_on_is_a_warning_and_from_500_on_an_error(status: int, level: str) -> None:
    assert decode(httpRequest={"status": status}).level == level


@pytest.mark.parametrize("severity", [None, "DEFAULT", 0, "strange", [], {}])
def test_without_a_severity_the_text_counts(severity: Any) -> None:
    assert decode(severity=severity, textPayload="[ERROR] x").level is Level.ERROR


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ({"severity": "DEBUG", "textPayload": "java.lang.NullPointerException: x"}, "DEBUG"),
        ({"severity": "INFO", "jsonPayload": {"message": "x", "error": {"message": "y", "severity": "ERROR"}}}, "INFO"),
        ({"jsonPayload": {"message": "x", "level": "warning"}}, "WARNING"),
        ({"jsonPayload": {"message": "x", "level": 50}}, "ERROR"),
        ({"jsonPayload": {"message": "x", "level": 60}}, "CRITICAL"),
        ({"jsonPayload": {"message": "x", "level": 30}}, "INFO"),
        ({"jsonPayload": {"message": "x", "levelno": 30}}, "WARNING"),
        ({"jsonPayload": {"message": "x", "log.level": "error"}}, "ERROR"),
        ({"jsonPayload": {"message": "x", "log": {"level": "error"}}}, "ERROR"),
        ({"jsonPayload": {"message": "x", "level": "user", "severity": "ERROR"}}, "ERROR"),
        ({"jsonPayload": {"MESSAGE": "x", "PRIORITY": "4"}}, "WARNING"),
        ({"textPayload": TRACEBACK}, "ERROR"),
        ({"textPayload": "Unhandled promise rejection at 12"}, "ERROR"),
        ({"textPayload": "KeyError: 'x'"}, "ERROR"),
        ({"textPayload": '  File "/app/a.py", line 1, in f'}, "DEFAULT"),
        ({"textPayload": "2026-03-01 10:00:00,1 [INFO] main: Migration skipped: (db.errors.Duplicate) x"}, "INFO"),
        ({"textPayload": '/app/lib.py:433: UserWarning: Field name "error" shadows'}, "WARNING"),
        ({"textPayload": "no errors, nothing failed"}, "DEFAULT"),
        ({"httpRequest": {"status": 500}}, "ERROR"),
        ({"httpRequest": {"status": "429"}}, "WARNING"),
        ({"httpRequest": {"status": 200}}, "INFO"),
        ({"httpRequest": {}}, "DEFAULT"),
        ({"protoPayload": {"status": {"code": 9}}}, "ERROR"),
        ({"protoPayload": {"status": {}}}, "DEFAULT"),
    ],
)
def test_the_effective_severity(record: dict[str, Any], level: str) -> None:
    assert decode(**record).level == level


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = st.sampled_from(
    [
        *("insertId", "timestamp", "logName", "severity", "resource", "labels", "trace"),
        *("textPayload", "jsonPayload", "protoPayload", "httpRequest"),
    ]
)
INNER = st.sampled_from(
    [
        *("labels", "revision_name", "service_name", "instanceId", "status", "message", "msg", "error", "err", "type"),
        *("stack", "exception", "frames", "level", "record", "code", "reason", "close_code", "requestUrl", "latency"),
        *("methodName", "resourceName", "response", "metadata", "name", "kind", "text"),
    ]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        KEYS,
        JSON | st.dictionaries(INNER, JSON | st.dictionaries(INNER, JSON)),
    )
)
def test_no_json_value_in_any_place_breaks_it(record: dict[str, Any]) -> None:
    entry = decode(**record)
    assert isinstance(entry.message, str)
    assert entry.level in Level
    assert decode(**record) == entry or record != record  # noqa: PLR0124  (NaN is not equal to itself)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120), st.sampled_from([TRACEBACK, STACK, "[ERROR] ", '{"message": ', "received 1011 ("]))
def test_no_text_breaks_it(text: str, seed: str) -> None:
    for told in (text, seed + text, text + seed):
        assert bool(decode(textPayload=told).message) == bool(told.strip())
