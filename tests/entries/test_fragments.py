"""Only lines close together are looked at whole, and what is made of them is what is made of everything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st
from support.builders import START, entry, raw

from forensics.entries import decode_record, join, runs, shape_of, stitch
from forensics.entries.stitch import fragments as pieces
from forensics.extract import FactsExtractor
from forensics.model import EntryFacts, Level

if TYPE_CHECKING:
    import random

    from forensics.model import LogEntry

HEADER = "Traceback (most recent call last):"
FRAME = '  File "/app/shop.py", line 3, in pay'
CONNECTIVE = "During handling of the above exception, another exception occurred:"
MILLISECOND = 10**6
EXTRACTOR = FactsExtractor((), Level.ERROR)

Line = tuple[int, int, str, EntryFacts]


def line(row: int, milliseconds: float, stream: str = "s", **fields: Any) -> Line:
    facts = EntryFacts(level=Level.DEFAULT, severity=None, stream="stderr", has_payload=True, is_line=True, **fields)
    return row, START + round(milliseconds * MILLISECOND), stream, facts


def close(entries: list[LogEntry]) -> list[list[int]]:
    """The runs of entries, which stand in order of time."""
    facts = ((row, e.time, (e.instance, e.log_name, e.revision), EXTRACTOR.facts(e)) for row, e in enumerate(entries))
    return [*runs(fact for fact in facts if fact[3].is_line)]


def in_order(entries: list[LogEntry]) -> list[LogEntry]:
    return sorted(entries, key=lambda e: e.sort_key)


def by_runs(entries: list[LogEntry]) -> list[LogEntry]:
    """Stitch run by run; what is in none stays as it is."""
    found = close(entries)
    alone = set(range(len(entries))).difference(*found)
    made = [e for run in found for e in stitch([entries[row] for row in run])]
    return in_order([entries[row] for row in alone] + made)


# ── what an entry is ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "awaits"),
    [
        ("Order 17 is paid", False),
        ("    charge()", False),
        ("", False),
        (HEADER, True),
        (f"\x1b[31m{HEADER}", True),
        (FRAME, True),
        (FRAME.strip(), False),
        (f"{HEADER}\n{FRAME}\n    charge()", True),
        (f"{HEADER}\n{FRAME}\nKeyError: 'card'", False),
        (CONNECTIVE, False),
        ("KeyError: 'card'", False),
    ],
)
def test_every_text_is_a_line_and_an_open_traceback_awaits_its_end(text: str, awaits: bool) -> None:  # noqa: FBT001 - a column
    facts = EXTRACTOR.facts(entry(text))
    assert (facts.is_line, facts.awaits) == (True, awaits)


@pytest.mark.parametrize(
    ("text", "typed"),
    [("KeyError: 'card'", True), ("java.io.IOException: gone", True), ("    KeyError: 'card'", False), ("", False)],
)
def test_a_text_that_begins_with_an_exception_is_typed(text: str, typed: bool) -> None:  # noqa: FBT001 - a column
    assert EXTRACTOR.facts(entry(text)).is_typed is typed


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": "system"},
        {"timestamp": "?"},
        {"httpRequest": {"status": 500}},
        {"textPayload": 7},
        {"textPayload": None},
    ],
)
def test_what_nothing_splits_is_no_line(fields: dict[str, Any]) -> None:
    facts = EXTRACTOR.facts(entry(HEADER, **fields))
    assert (facts.is_line, facts.awaits, facts.is_typed) == (False, False, False)


def test_pieces_are_joined_in_the_order_given() -> None:
    entries = [entry(text, at=n * 1e-5, number=n) for n, text in enumerate((HEADER, FRAME, "KeyError: 'card'"))]
    (found,) = stitch(entries)
    assert join(entries) == found
    assert join(found.originals) == found
    assert join(entries[:1]) == entries[0]


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lines_that_stand_alone_are_in_no_run() -> None:
    assert [*runs([])] == []
    assert [*runs([line(0, 0), line(1, 10.1), line(2, 30)])] == []


def test_a_gap_of_ten_milliseconds_is_still_close() -> None:
    assert [*runs([line(0, 0), line(1, 10), line(2, 20), line(3, 30.1), line(4, 31)])] == [[0, 1, 2], [3, 4]]


def test_streams_do_not_mix() -> None:
    lines = [line(n, n, "ab"[n % 2]) for n in range(6)]
    assert sorted(runs(lines)) == [[0, 2, 4], [1, 3, 5]]
    assert [*runs([line(0, 0, "a"), line(1, 0, "b"), line(2, 1, "c")])] == []


def test_behind_an_open_traceback_its_end_is_waited_for() -> None:
    start = line(0, 0, awaits=True)
    assert [*runs([start, line(1, 5_000)])] == [[0, 1]]
    assert [*runs([start, line(1, 5_001)])] == []
    assert [*runs([start, line(1, 4_000), line(2, 4_900), line(3, 5_005)])] == [[0, 1, 2]]
    assert [*runs([line(0, 0), line(1, 5, awaits=True), line(2, 5_004), line(3, 5_010)])] == [[0, 1, 2, 3]]


def test_a_line_prolongs_the_wait_only_while_something_is_open() -> None:
    start, code = line(0, 0, awaits=True), line(1, 9)
    assert [*runs([start, code, line(2, 5_009)])] == [[0, 1, 2]]
    assert [*runs([line(0, 0), code, line(2, 5_009)])] == [[0, 1]]
    # The end of one traceback does not keep the next stretch of lines open.
    assert [*runs([start, line(1, 6_000), line(2, 6_001, is_typed=True), line(3, 7_000)])] == [[1, 2]]
    # Late, only an exception is taken.
    assert [*runs([start, line(1, 4_000), line(2, 8_000)])] == [[0, 1]]
    assert [*runs([start, line(1, 4_000, is_typed=True), line(2, 8_000)])] == [[0, 1, 2]]


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.sampled_from(
    [
        HEADER,
        f"{HEADER}\n{FRAME}\n    charge()",
        f"{HEADER}\n{FRAME}\nKeyError: 'card'",
        FRAME,
        f"{FRAME}\n    charge()",
        FRAME.strip(),
        "    charge()",
        "    ^^^^^^^^",
        "KeyError: 'card'",
        "shop.errors.OutOfStock: item 5",
        CONNECTIVE,
        "ERROR:app:failed",
        "2026-03-01 10:00:00,1 [ERROR] app.x: No text.",
        "[2026-03-01 10:00:00 +0000] [14] [ERROR] Exception in worker process",
        "[SQL: SELECT 1]",
        "    at f (/app/a.js:1:2)",
        "Error: x {",
        "}",
        "Uncaught TypeError: x",
        "(psycopg2.OperationalError) gone",
        'say "x',
        'x" said',
        "",
        "plain",
    ]
)
GAPS = st.one_of(
    st.integers(min_value=0, max_value=200).map(lambda n: n * 1e-6),
    st.floats(min_value=0, max_value=0.012),
    st.floats(min_value=0, max_value=6),
    st.sampled_from([0.0, 0.01, 0.010_001, 4.99, 5.0, 5.000_001, 5.01]),
)
STREAMS = st.fixed_dictionaries(
    {
        "stream": st.sampled_from(["stderr", "stderr", "stdout", "system"]),
        "instance": st.sampled_from(["i1", "i1", "i2"]),
        "severity": st.sampled_from([None, "ERROR", "INFO"]),
    }
)
READ = st.lists(st.tuples(TEXTS, GAPS, STREAMS), max_size=30)


def made(read: list[tuple[str, float, dict[str, Any]]]) -> list[LogEntry]:
    at, entries = 0.0, []
    for number, (text, gap, fields) in enumerate(read):
        at += gap
        entries.append(decode_record(raw(text, at=at, number=number, **fields)))
    return in_order(entries)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(READ)
def test_stitching_run_by_run_is_stitching_everything(read: list[tuple[str, float, dict[str, Any]]]) -> None:
    entries = made(read)
    assert by_runs(entries) == list(stitch(entries))


# The last line of a traceback is awaited for as long after the line before, whatever that line was.
OPEN = f"{HEADER}\n{FRAME}\n    charge()"


def at(*lines: tuple[str, float]) -> list[LogEntry]:
    return [decode_record(raw(text, at=second, number=n)) for n, (text, second) in enumerate(lines)]


@pytest.mark.parametrize("text", ["    ^^^^^^^^", FRAME, f"{FRAME}\n    charge()"])
def test_what_an_open_traceback_takes_keeps_it_open(text: str) -> None:
    entries = at((OPEN, 0), (text, 0.009), ("KeyError: 'card'", 5.005))
    assert [len(e.originals) for e in stitch(entries)] == [3]
    assert by_runs(entries) == list(stitch(entries))


@pytest.mark.parametrize(
    ("text", "second", "end"),
    [
        ("Uncaught TypeError: x", 4, 8),
        ("(psycopg2.OperationalError) gone", 4, 8),
        ("[SQL: SELECT 1]", 0.009, 5.005),
        ("", 0.009, 5.005),
        (CONNECTIVE, 0.009, 5.005),
        ("at x", 0.009, 5.005),
    ],
)
def test_what_else_an_open_traceback_takes_keeps_it_open(text: str, second: float, end: float) -> None:
    entries = at((OPEN, 0), (text, second), ("KeyError: 'card'", end))
    assert [len(e.originals) for e in stitch(entries)] == [3]
    assert by_runs(entries) == list(stitch(entries))


BEGINNINGS = st.sampled_from(
    [
        *("Traceback (most recent call last):", "Exception Group ", ' File "/a.py", line 1', "| ", "+ "),
        *("\n", " ", "\t", "x", "KeyError: x", "\x1b[31m", "<red>", "(a.BError) y", "ERROR: "),
    ]
)


@settings(max_examples=400)
@given(st.lists(BEGINNINGS, max_size=6).map("".join))
def test_a_plain_text_has_the_shape_that_its_line_has(text: str) -> None:
    shape = pieces.shape_of_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "is_plain", lambda _: False)
        assert shape == pieces.shape_of_text(text)


@settings(max_examples=400)
@given(
    st.lists(BEGINNINGS | st.sampled_from(["Http404: x", "Http", "1", "404", "0916 10:00:00", ": "]), max_size=6),
    st.randoms(use_true_random=False),
)
def test_texts_that_differ_in_digits_have_one_shape(words: list[str], chance: random.Random) -> None:
    one = "".join(words)
    for text in (one, *(re.sub("[0-9]", lambda _: str(chance.randrange(10)), one) for _ in range(3))):
        assert shape_of(decode_record(raw(text))) == pieces.shape_of_text(text)
