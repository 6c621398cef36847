from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from forensics.text import redact as module
from forensics.text.redact import first_line, quote, redact, visible

SECRETS = [
    ("DB_PASSWORD=hunter2", "hunter2"),
    ('{"api_key": "abc123def"}', "abc123def"),
    ('{\\"token\\": \\"abcdef\\"}', "abcdef"),
    ("Authorization: Bearer abc.def-ghi012", "abc.def-ghi012"),
    ("sent Basic dXNlcjpwYXNz along", "dXNlcjpwYXNz"),
    ("postgresql+asyncpg://app:s3cr3t@db/shop", "s3cr3t"),
    ("user jane.doe@shop.example could not log in", "jane.doe"),
    ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl refused", "eyJzdWIiOiIxIn0"),
    ("key AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaSyA1234567890"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
    ("password='abc'", "abc"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_do_not_survive(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "[redacted" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "invalid token: expired now",
        "JWT=REDACTED verification failed",
        "Token=(373chars,2dots) failed on staging",
        "SECRET_KEY: SET",
        "Basic authentication failed, as basic functionality does",
        "JWT_SECRET_STAGING (length: 91)",
        "Service Secret=REDACTED True",
        "cannot reach projects/p/secrets/DB_PASSWORD/versions/latest",
    ],
)
def test_words_about_secrets_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=400))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=400))
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    assert not any(c < " " and c not in "\n\t" for c in visible(text))


def test_a_secret_at_the_cut_is_not_half_shown() -> None:
    text = "x" * 290 + " DB_PASSWORD=hunter2hunter2"
    assert "hunter2" not in quote(text, 310)


def test_first_line_skips_blank_ones() -> None:
    assert first_line("\n\n***\nAPPLICATION FAILED TO START") == "***"


PIECES = st.sampled_from(
    [
        "password",
        "paſſword",
        "api_key",
        "tOKen",
        "=",
        ":",
        '"',
        "'",
        " ",
        "@",
        "://",
        "u:p@h",
        "a.b",
        "eyJabcdefgh.abcdefgh",
        "Bearer ",
        "Basic ",
        "abcdefghij1234567890abcdefghij",
        "AKIA",
        "ABCDEFGHIJ123456",
        "sk-",
        "gh",
        "hunter2",
        "x",
        "\n",
    ]
)


@given(st.lists(PIECES, max_size=9).map("".join))
def test_what_is_not_searched_for_is_not_there(text: str) -> None:
    found = text
    for _, pattern, replacement in module._PATTERNS:
        found = pattern.sub(replacement, found)
    assert redact(text) == found
