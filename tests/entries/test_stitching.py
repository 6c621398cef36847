"""Messages that Cloud Run split at their line breaks are whole again, and nothing else is joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st
from support.builders import entry, raw

from forensics.entries import decode_entry, stitch
from forensics.entries.stitch import stitching
from forensics.entries.stitch.line_shapes import line_of
from forensics.model import Level, Place, RawEntry

if TYPE_CHECKING:
    import random

    from forensics.model import LogEntry

MICROSECOND = 1e-6
HEADER = "Traceback (most recent call last):"
JOINT = "During handling of the above exception, another exception occurred:"
TRACE = f"{HEADER}\n  File \"/app/shop.py\", line 3, in pay\n    charge()\nKeyError: 'card'"
OTHER_TRACE = f'{HEADER}\n  File "/app/main.py", line 9, in run\n    pay()\nRuntimeError: no payment'
GUNICORN = "[2026-03-01 10:00:00 +0000] [14]"


def lines(*texts: str | tuple[str, dict[str, Any]], step: float = 5 * MICROSECOND, at: float = 0.0) -> list[LogEntry]:
    """Entries of one instance's stderr, one shortly after the other."""
    made = []
    for n, text in enumerate(texts):
        told, fields = text if isinstance(text, tuple) else (text, {})
        made.append(entry(told, **{"at": at + n * step, "number": n} | fields))
    return made


def error(text: str) -> tuple[str, dict[str, Any]]:
    return text, {"severity": "ERROR"}


def joined(entries: list[LogEntry]) -> list[int]:
    """The number of pieces of each entry of the result."""
    return [len(e.originals) for e in stitch(entries)]


# ── what belongs together ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chain_behind_the_line_that_announces_it() -> None:
    entries = lines(
        f"{GUNICORN} [ERROR] Exception in worker process",
        error(TRACE),
        JOINT,
        error(OTHER_TRACE),
        f"{GUNICORN} [INFO] Worker exiting (pid: 14)",
        f"{GUNICORN} [ERROR] Shutting down: Master",
        f"{GUNICORN} [ERROR] Reason: Worker failed to boot.",
    )
    crash, *others = stitch(entries)
    assert [piece.insert_id for piece in crash.pieces] == [e.insert_id for e in entries[:4]]
    assert (crash.insert_id, crash.timestamp, crash.severity) == (entries[0].insert_id, entries[0].timestamp, None)
    assert crash.level is Level.ERROR
    assert crash.message.startswith(f"Exception in worker process\n{HEADER}")
    assert [(e.type, e.frames[0].function) for e in crash.exceptions] == [("KeyError", "pay"), ("RuntimeError", "run")]
    assert [e.message for e in others] == [
        "Worker exiting (pid: 14)",
        "Shutting down: Master",
        "Reason: Worker failed to boot.",
    ]
    assert all(e.pieces == () for e in others)


def test_a_traceback_that_follows_line_by_line() -> None:
    entries = lines(
        error(f'{HEADER}\n  File "/app/shop.py", line 3, in pay\n    charge()'),
        "    ^^^^^^^^",
        '  File "/app/card.py", line 7, in charge',
        "    raise OutOfStock(item)",
        "shop.errors.OutOfStock: item 5",
        "[SQL: SELECT 1]",
        "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
    )
    (found,) = stitch(entries)
    assert len(found.pieces) == 7
    assert (found.exceptions[0].type, found.exceptions[0].frames[-1].function) == ("shop.errors.OutOfStock", "charge")


def test_a_traceback_whose_beginning_is_not_in_the_export() -> None:
    assert joined(
        lines("    charge()", '  File "/app/card.py", line 7, in charge', "    raise X", "KeyError: 'x'")
    ) == [4]


def test_the_last_line_may_come_late_when_the_instance_has_no_cpu() -> None:
    start = lines(error(f'{HEADER}\n  File "/app/shop.py", line 3, in pay\n    charge()'), "    ^^^^")
    end = lines("KeyError: 'card'", at=1.1)
    assert joined(start + end) == [3]
    assert joined(start + lines("Something else", at=1.1)) == [2, 1]
    assert joined(lines(error(TRACE)) + end) == [1, 1]


def test_a_message_with_a_line_break_in_a_quotation() -> None:
    prefix = "2026-03-01 10:00:00.531 | ERROR    | app.health:check:150 | "
    (found,) = stitch(lines(f'{prefix}<red>Test failed: database "shop', '" does not exist</red>', step=9e-6))
    assert found.message == 'Test failed: database "shop\n" does not exist'


@pytest.mark.parametrize(
    "pieces",
    [
        # an error that Node dumps
        ("[API Error] {", "  code: 400,", '  message: "no tool",', "  status: 'INVALID'", "}"),
        (error("TypeError: x\n    at f (/app/a.js:1:2) {"), "  code: 'X',", "}"),
        (
            "\x1b[31m[Nest] 1  - 02/02/2026, 1:11:12 AM   ERROR [H] \x1b[39mQueryError: x",
            "    at f (/a.js:1:2)",
            "    at g",
        ),
        (
            "/app/server.js:12",
            "    throw err;",
            "    ^",
            "",
            error("Error: x\n    at f (/app/a.js:1:2)"),
            "Node.js v20.1.0",
        ),
        # Java, Go, .NET, Ruby
        ("java.lang.Error: x", "\tat a.B.c(B.java:1)", "Caused by: java.io.IOException: y", "\t... 3 more"),
        ("panic: x", "", "goroutine 1 [running]:", "main.main()", "\t/app/main.go:12 +0x1d", "exit status 2"),
        ("fail: Shop.Api.Orders[13]", "      Could not pay", "      System.Exception: x", "         at Shop.Pay()"),
        ("app/shop.rb:12:in `pay': none (NoMethodError)", "\tfrom app/shop.rb:3:in `<main>'"),
        # gRPC, warnings, a message of several lines
        (
            "2026/03/01 10:00:00 halted: denied",
            "error details: name = ErrorInfo reason = X",
            "error details: name = Help",
        ),
        ("/app/lib.py:433: UserWarning: old", "  warn()"),
        ("2026-03-01 10:00:00,1 [ERROR] app.x: No text.", "Part:", "{", '  "name": "x"', "}"),
    ],
)
def test_other_pieces(pieces: tuple[Any, ...]) -> None:
    assert joined(lines(*pieces)) == [len(pieces)]


def test_lines_of_another_thread_do_not_break_a_traceback() -> None:
    entries = lines(
        error(f'{HEADER}\n  File "/app/shop.py", line 3, in pay\n    charge()'),
        "INFO:app:other thread",
        '  File "/app/card.py", line 7, in charge',
        "ERROR:app:other thread fails, too",
        "    raise X",
        "KeyError: 'x'",
        f"{GUNICORN} [INFO] still other",
        JOINT,
        "INFO:app:other thread",
        error(OTHER_TRACE),
    )
    assert joined(entries) == [6, 1, 1, 1, 1]


# ── what does not ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "texts",
    [
        (error(TRACE), error(OTHER_TRACE)),  # nothing says that the one led to the other
        ("Starting up", error(TRACE)),  # an ordinary line announces nothing
        ("INFO:app:saved", error(TRACE)),
        (error(TRACE), "INFO:     Application shutdown"),
        (error(TRACE), '{"severity": "INFO", "message": "x"}'),
        ("ERROR:app:one", "ERROR:app:two", "ERROR:app:three"),
        ("ERROR:app:one", "✅ ready", "[Chat] next", "10.0.0.1 - - GET"),
        ("one", "two", "three"),
        ("Menu:", "  1. Tea", "  2. Coffee"),  # a printed list is no dump
        ("KeyError: 'x'", "KeyError: 'x'"),
        ('say "x', "plain"),
    ],
)
def test_whole_lines_stay_alone(texts: tuple[Any, ...]) -> None:
    assert joined(lines(*texts)) == [1] * len(texts)


def test_time_and_place_keep_lines_apart() -> None:
    header, rest = error(f'{HEADER}\n  File "/app/shop.py", line 3, in pay'), "    charge()"
    assert joined(lines(header, rest, step=0.02)) == [1, 1]
    for field in ({"instance": "i2"}, {"stream": "stdout"}, {"revision": "shop-00043-abc"}):
        assert joined(lines(header, (rest, field))) == [1, 1]
    announced = (f"{GUNICORN} [ERROR] Exception in worker process", error(TRACE))
    assert joined(lines(*announced, step=0.001)) == [2]
    assert joined(lines(*announced, step=0.004)) == [1, 1]


def test_what_the_platform_says_is_whole() -> None:
    system = {"stream": "system", "severity": "ERROR"}
    assert joined(lines(("Memory limit exceeded", system), ("  indented", system))) == [1, 1]
    untimed = [entry(text, timestamp="?") for text in (TRACE, "  indented")]
    assert joined(untimed) == [1, 1]


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.sampled_from(
    [
        TRACE,
        HEADER,
        JOINT,
        '  File "/app/a.py", line 1, in f',
        "    f()",
        "KeyError: 'x'",
        "ERROR:app:failed",
        f"{GUNICORN} [INFO] fine",
        "[SQL: x]",
        "    at f (/a.js:1:2)",
        "Error: x {",
        "}",
        'open "',
        '" closed',
        "",
        "plain",
    ]
) | st.text(max_size=20)
STREAMS = st.fixed_dictionaries(
    {
        "stream": st.sampled_from(["stderr", "stdout", "system"]),
        "instance": st.sampled_from(["i1", "i2", ""]),
        "at": st.integers(min_value=0, max_value=60).map(lambda n: n * 7 * MICROSECOND)
        | st.floats(min_value=0, max_value=8),
        "severity": st.sampled_from(["ERROR", "INFO", None]),
    }
)


def made(texts: list[tuple[str, dict[str, Any]]]) -> list[LogEntry]:
    records = [raw(text, number=n, **fields) for n, (text, fields) in enumerate(texts)]
    return [decode_entry(RawEntry(record=r, place=Place(source="test", record=n))) for n, r in enumerate(records)]


def key(found: LogEntry) -> tuple[int, str, str]:
    return found.sort_key


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXTS, STREAMS), max_size=14))
def test_nothing_is_lost_and_nothing_doubled(texts: list[tuple[str, dict[str, Any]]]) -> None:
    entries = made(texts)
    found = stitch(entries)
    assert sorted((p for e in found for p in e.originals), key=key) == sorted(entries, key=key)
    assert list(found) == sorted(found, key=key)
    for e in found:
        assert e.pieces == () or (len(e.pieces) > 1 and e.insert_id == e.pieces[0].insert_id)
        assert e.level.rank >= max(p.level.rank for p in e.originals)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXTS, STREAMS), max_size=14), st.randoms(use_true_random=False))
def test_stitching_twice_or_in_another_order_is_the_same(
    texts: list[tuple[str, dict[str, Any]]], chance: random.Random
) -> None:
    entries = made(texts)
    once = stitch(entries)
    assert stitch(once) == once
    chance.shuffle(entries)
    assert stitch(entries) == once


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXTS, STREAMS), max_size=14))
def test_lines_apart_from_others_need_not_be_looked_at(texts: list[tuple[str, dict[str, Any]]]) -> None:
    stream = [line for e in sorted(made(texts), key=key) if (line := line_of(e)) is not None]
    at_once = [[line.entry for line in group.lines] for group in stitching._groups(stream)]
    in_runs = [[line.entry for line in group] for run in stitching._runs(stream) for group in stitching._joined(run)]
    assert in_runs == at_once
