"""WebSocket closes in messages and payloads; numbers that only look like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from forensics.entries.decode import websocket_close as closes
from forensics.entries.decode.websocket_close import close_in_text, close_in_values


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (
            "received 1011 (internal error) Internal error; then sent 1011 (internal error) Internal error",
            1011,
            "Internal error",
        ),
        ("E  ConnectionClosedError: received 1008 (policy violation) Auth failed; then sent 1008", 1008, "Auth failed"),
        ("sent 1011 (internal error) keepalive ping timeout; no close frame received", 1011, "keepalive ping timeout"),
        ("sent 1000 (OK); then received 1001 (going away) bye", 1001, "bye"),
        ("code = 1008 (policy violation), reason = Auth failed", 1008, "Auth failed"),
        ("code = 1006 (connection closed abnormally [internal]), no reason", 1006, ""),
        ("Connection closed, code=1011, reason='Internal error'", 1011, "Internal error"),
        ("WebSocket closed with code 1006", 1006, ""),
        ("Client disconnected (code: 1001, reason: leaving)", 1001, "leaving"),
        ("starlette.websockets.WebSocketDisconnect: (code=1005)", 1005, ""),
        ("websocket: close 1006 (abnormal closure): unexpected EOF", 1006, "unexpected EOF"),
        ("WebSocket closed: 1011 Internal error", 1011, "Internal error"),
        ("Socket close code 4401 - token expired", 4401, "token expired"),
    ],
)
def test_closes_in_messages(message: str, code: int | None, reason: str) -> None:
    close = close_in_text(message)
    assert (close and close.code, close.reason if close else "") == (code, reason)


@pytest.mark.parametrize(
    "message",
    [
        "Database connection closed 2025-09-16 00:41:13",
        "Closed 1011 connections",
        "error code: 1045, access denied",
        "received 1011 bytes",
        "Container called exit(3).",
        "closed with code 137",
        "closing port 8080",
        "exited with code 1011",
    ],
)
def test_other_numbers(message: str) -> None:
    assert close_in_text(message) is None


@pytest.mark.parametrize(
    ("values", "code", "reason"),
    [
        ({"close_code": 1011, "reason": "Internal error"}, 1011, "Internal error"),
        ({"closeCode": "1008", "closeReason": "policy"}, 1008, "policy"),
        ({"code": 1006, "reason": "lost"}, 1006, "lost"),
        ({"code": 1006}, None, ""),
        ({"close_code": 99}, None, ""),
        ({"close_code": True}, None, ""),
    ],
)
def test_closes_in_payloads(values: dict[str, Any], code: int | None, reason: str) -> None:
    close = close_in_values("websocket closed", values)
    assert (close and close.code, close.reason if close else "") == (code, reason)


def test_a_code_that_speaks_of_something_else() -> None:
    assert close_in_values("insert failed", {"code": 1364, "reason": "no default"}) is None


PIECES = st.sampled_from(
    [
        *("received", "ſent", "sent", "close", "Closed", "CLOSE", "diſconnect", "disconnect", "code"),
        *("coDe", "reason", "ws", "=", ":", ", ", " (", "x)", " ", "1006", "1011", "4000", "no reason"),
        *(";", "\n", "é"),
    ]
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_pattern_is_passed_over_that_would_find_something(message: str) -> None:
    matches = sorted(closes._WEBSOCKETS.finditer(message), key=lambda match: match["side"].lower() != "received")
    others = [closes._CODE_AND_REASON, closes._CLOSE_CODE, closes._BARE_CODE]
    candidates = [*matches, *(pattern.search(message) for pattern in others)]
    told = [found for match in candidates if match and (found := closes._close(match["code"], match["reason"]))]
    may = closes._CODE.search(message) is not None and any(mark in message for mark in closes._MARKS)
    assert close_in_text(message) == (told[0] if told and may else None)
