"""What loggers put around a message comes off, and what the program said stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from forensics.entries.decode import decoration as module
from forensics.entries.decode.decoration import begins_like_logger, open_markup, undecorate

PREFIXED = [
    # loguru
    ("2026-03-01 16:18:59.706 | ERROR    | app.core.db:connect:150 | <red>Lost it</red>", "Lost it", "ERROR"),
    ("2026-03-01 16:18:59.706 | SUCCESS  | app:run:1 - Done", "Done", "INFO"),
    # gunicorn, Flask, Celery
    ("[2026-03-01 00:41:31 +0000] [13] [INFO] Booting worker with pid: 13", "Booting worker with pid: 13", "INFO"),
    ("[2026-03-01 17:50:53,534] ERROR in app: Exception on /pay [POST]", "Exception on /pay [POST]", "ERROR"),
    ("[2026-03-01 00:41:13,084: ERROR/MainProcess] Task raised", "Task raised", "ERROR"),
    # logging, in the ways that people set it up
    ("2026-03-01 15:45:50,218 - server - INFO - Loaded", "Loaded", "INFO"),
    ("2026-03-01 15:45:50,218 - INFO - app.db - Loaded", "Loaded", "INFO"),
    ("2026-03-01 15:45:50,218 - ERROR - Failed - twice", "Failed - twice", "ERROR"),
    ("2026-03-01 15:45:56,423 [INFO] agent.planner: Loaded", "Loaded", "INFO"),
    ("2026-03-01 15:45:56,423 [ERROR] failed: disk", "failed: disk", "ERROR"),
    ("2026-03-01 15:45:56,423 INFO sqlalchemy.engine.Engine BEGIN", "BEGIN", "INFO"),
    ("2026-03-01 15:45:56,423 ERROR [app.views] [views.py:12] [trace_id=0] - Failed", "Failed", "ERROR"),
    ("2026-03-01 15:45:56 ERROR connection: refused", "connection: refused", "ERROR"),
    ("ERROR:app.db:Failed", "Failed", "ERROR"),
    ('INFO:     10.0.0.1:80 - "GET / HTTP/1.1" 500', '10.0.0.1:80 - "GET / HTTP/1.1" 500', "INFO"),
    ("[7]       ERROR:    Failed", "Failed", "ERROR"),
    ("[ERROR] Failed", "Failed", "ERROR"),
    ("[2026-03-01 00:41:13] [WARN] Slow", "Slow", "WARNING"),
    # Go, nginx, klog, logrus
    ("2026/03/01 16:25:52 System halted", "System halted", None),
    ("2026/03/01 16:25:52 main.go:23: listening", "listening", None),
    ("2026/03/01 16:25:52 [error] 12#12: *1 upstream closed", "upstream closed", "ERROR"),
    ("E0301 00:41:13.084505       1 controller.go:123] Failed", "Failed", "ERROR"),
    ('time="2026-03-01T00:41:13Z" level=error msg="Can\'t \\"x\\"" err=late', 'Can\'t "x" err=late', "ERROR"),
    # Java
    ("2026-03-01 00:41:13.084  WARN 1 --- [           main] c.e.Application  : Slow", "Slow", "WARNING"),
    ("2026-03-01T00:41:13.084Z ERROR 1 --- [app] [main] o.s.b.Boot : Failed", "Failed", "ERROR"),
    ("00:41:13.084 [main] ERROR c.e.Application - Failed", "Failed", "ERROR"),
    ("Mar 01, 2026 12:41:13 AM com.example.App start\nSEVERE: Failed", "Failed", "ERROR"),
    # Node
    (
        "\x1b[31m[Nest] 1  - \x1b[39m02/02/2026, 10:11:12 AM \x1b[31m  ERROR\x1b[39m \x1b[38;5;3m[Pay] \x1b[39mFailed",
        "Failed",
        "ERROR",
    ),
    ("[10:11:12.123] ERROR (api/1): Failed", "Failed", "ERROR"),
    ("2026-03-01T00:41:13.084Z error: Failed", "Failed", "ERROR"),
    ("2026-03-01T00:41:13.084Z [error]: Failed", "Failed", "ERROR"),
    # .NET, Rust, Ruby, PHP
    ("fail: Shop.Api.Orders[13]\n      Failed", "Failed", "ERROR"),
    ("[2026-03-01T00:41:13Z ERROR shop::db] Failed", "Failed", "ERROR"),
    ("2026-03-01T00:41:13.084123Z ERROR shop::db: Failed", "Failed", "ERROR"),
    ("E, [2026-03-01T00:41:13.084505 #13] ERROR -- : Failed", "Failed", "ERROR"),
    ("[2026-03-01 00:41:13] production.ERROR: Failed", "Failed", "ERROR"),
    ("[01-Mar-2026 00:41:13 UTC] PHP Fatal error:  Failed", "PHP Fatal error:  Failed", "ERROR"),
]


@pytest.mark.parametrize(("text", "message", "level"), PREFIXED)
def test_prefixes_of_loggers(text: str, message: str, level: str | None) -> None:
    words = undecorate(text)
    assert (words.message, words.level, words.prefixed) == (message, level, True)


@pytest.mark.parametrize(
    "text",
    [
        "🚨 Lost",
        "⚠️ Lost",
        "✅ 🔧 Lost",
        "[U+1F6A8] Lost",
        "ðŸš¨ Lost",
        "âœ… Lost",
        "âš\xa0ï¸\x8f Lost",
        "?? Lost",
        "\ufffd Lost",
    ],
)
def test_symbols_before_a_message(text: str) -> None:
    assert undecorate(text).message == "Lost"


@pytest.mark.parametrize(
    "text",
    [
        "[Chat] Searching for 'x'",
        "CRITICAL: setup failed",
        "> node dist/server.js",
        '10.0.0.1:50046 - "GET /health HTTP/1.1" 200',
        "Größe unbekannt",
        "??? what",
        "List<int> and a<b",
        "Main.handler: done",
    ],
)
def test_words_of_the_program_stay(text: str) -> None:
    words = undecorate(text)
    assert words.message.endswith(text.lstrip("? "))
    assert not words.prefixed


@pytest.mark.parametrize("text", ["✅", "[ERROR]", "2026-03-01 16:25:52", "<red></red>", "\x1b[0m", "??", "INFO:     "])
def test_no_message_becomes_empty(text: str) -> None:
    assert undecorate(text).message


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR: relation does not exist", "ERROR"),
        ("error: could not connect", "ERROR"),
        ("Warning: .env file not found", "WARNING"),
        ("WARNING - low on disk", "WARNING"),
        ("FATAL could not start", "CRITICAL"),
        ("npm ERR! missing script: start", "ERROR"),
        ("/app/lib.py:433: UserWarning: deprecated", "WARNING"),
        ("http: TLS handshake", None),
        ("Errors were found: none", None),
        ("info", None),
    ],
)
def test_levels_that_a_text_states(text: str, level: str | None) -> None:
    assert undecorate(text).level == level


def test_a_line_of_its_own_is_told_from_a_continuation() -> None:
    assert begins_like_logger("[2026-03-01 00:41:13 +0000] [14] [INFO] Worker exiting (pid: 14)")
    assert begins_like_logger("🚨 ERROR: x")
    assert not begins_like_logger('  File "/app/main.py", line 3, in run')
    assert not begins_like_logger("KeyError: 'x'")


def test_markup_that_is_left_open() -> None:
    assert open_markup("<red>Lost") == 1
    assert open_markup("it</red>") == -1
    assert open_markup("<red>a</red> List<int>") == 0


@given(st.text(max_size=200))
def test_any_text_keeps_a_message(text: str) -> None:
    words = undecorate(text)
    assert bool(words.message) == bool(text.strip())


@given(st.sampled_from([text for text, _, _ in PREFIXED]))
def test_stripping_twice_is_stripping_once(text: str) -> None:
    once = undecorate(text).message
    assert undecorate(once).message == once


BEGINNINGS = st.lists(
    st.sampled_from(
        [
            "2026-03-01",
            "2026/03/01",
            "T",
            " ",
            "15:45:56",
            ".123",
            ",5",
            "Z",
            "[",
            "]",
            "(",
            ":",
            " - ",
            "|",
            "#",
            "7",
            "\n",
            "!",
            "ERROR",
            "error",
            "Warning",
            "fail",
            "INF",
            "ſevere",
            "E0301",
            "Nest",
            "Tue Sep 16",
            "16-Sep-2025",
            "Step #0",
            "npm",
            "E, ",
            "NOTICE: ",
            "PHP message: ",
            "app.db",
            "root",
            " in ",
            "/MainProcess",
            "Sep 16, 2025",
            "AM",
            "PHP ",
            "Fatal error:",
            "a.py:3: ",
            "a.swift:3: ",
            "UserWarning: ",
            "CRITICAL",
            "²",
        ]
    ),
    max_size=9,
).map("".join)


@given(BEGINNINGS)
def test_how_prefixes_begin_rules_none_of_them_out(text: str) -> None:
    for patterns in (module._AT_DIGIT, module._AT_BRACKET, module._AT_LETTER):
        found = patterns.match(text)
        first = next((match for pattern in patterns._patterns if (match := pattern.match(text))), None)
        assert (found and found.span(), found and found.re) == (first and first.span(), first and first.re)


@given(BEGINNINGS)
def test_the_first_word_rules_out_no_stated_level(text: str) -> None:
    assert (module._stated_level(text) is None) == (module._STATED.match(text) is None)


BEGINS = st.sampled_from(
    [
        *("ERROR", "error", "warn", "fail", "E0301 ", "Sep 1", "Step #", "npm", "PHP", "order", "é", "ſ"),
        *("1", "12", "²", "١", ": ", ":", " ", "-", "[", "]", "x.B[1]", "2026-03-01 00:41:13"),
        *("00:41:13.1", "level=info", " msg=x", "a.py:3: W", "\x1b[31m", "<b>", "?? "),
        *("a.swift:3: Fatal error: ", "\n"),
    ]
)


@settings(max_examples=500)
@given(st.lists(BEGINS, max_size=6).map("".join))
def test_what_is_bare_has_nothing_to_come_off(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_is_bare", lambda _: False)
        whole = undecorate(text)
    assert undecorate(text) == whole
