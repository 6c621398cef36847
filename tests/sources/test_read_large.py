"""JSON that is larger than a window: read in steps, it gives what it gives in one piece, in bounded memory."""

from __future__ import annotations

import io
import json
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies as st
from sources.inputs import measured, streamed

from forensics.errors import SourceError
from forensics.model import PassedOver, RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.containers import compression as packing, utf8 as opening
from forensics.sources.formats import markdown, sequence
from forensics.sources.json import value_runs as runs, windows
from forensics.sources.json.json_values import is_deep

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
Found = list[tuple[int, str | Record]]

# What a guess where an element ends might fall for, and what moves text against bytes.
TEXTS = st.text(max_size=12) | st.sampled_from(['},{"insertId":"', '"}]\n}', "\\", "é🚨", "{", "[\n", "NaN", "\ufffd"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("insertId"), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {"insertId": TEXTS, "jsonPayload": st.dictionaries(TEXTS | st.just("insertId"), VALUES, max_size=3)},
    optional={"severity": TEXTS, "labels": st.just({"a": [{"insertId": "b"}, {"insertId": "c"}]})},
)
INDENTS = st.sampled_from([None, 0, 1, 2])
SIZES = st.tuples(st.integers(1, 60), st.integers(5, 200), st.integers(30, 300))

WHOLE: dict[str, Callable[[list[Record], int | None], str]] = {
    "array": lambda entries, indent: json.dumps(entries, indent=indent),
    "compact, not escaped": lambda entries, _: json.dumps(entries, ensure_ascii=False, separators=(",", ":")),
    "one entry a line": lambda entries, _: "[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n",
    "wrapper": lambda entries, indent: json.dumps({"a": 1, "é": [2], "result": entries, "z": {}}, indent=indent),
    "wrapper in a wrapper": lambda entries, indent: json.dumps({"data": {"entries": entries}, "b": "x"}, indent=indent),
    "slurped": lambda entries, indent: json.dumps([entries], indent=indent),
    "pages": lambda entries, indent: json.dumps([{"entries": [entry]} for entry in entries], indent=indent),
    "list of pages": lambda entries, indent: json.dumps([entries[:1], entries[1:]], indent=indent),
}
IN_TURN: dict[str, Callable[[list[Record], int | None], str]] = {
    "array": WHOLE["array"],
    "one after the other": lambda entries, indent: "\n".join(json.dumps(entry, indent=indent) for entry in entries),
    "without a gap": lambda entries, indent: "".join(json.dumps(entry, indent=indent) for entry in entries),
    "with commas": lambda entries, indent: ",\n".join(json.dumps(entry, indent=indent) for entry in entries),
}


def read(data: bytes) -> Found:
    try:
        found = list(read_records(["-"], stdin=io.BytesIO(data)))
    except SourceError as error:
        return [(0, str(error))]
    return [(x.place.record, _told(x)) for x in found if not isinstance(x, PassedOver)]


def _told(found: RawEntry | Unreadable) -> Record | str:
    return found.record if isinstance(found, RawEntry) else found.reason


def in_steps(data: bytes, sizes: tuple[int, int, int]) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, size in (
            (packing, "_BLOCK", sizes[0]),
            (windows, "BLOCK", sizes[1]),
            (runs, "RUN", sizes[1]),
            (opening, "_HEAD", sizes[2]),
            (opening, "_LONGEST_HEAD", sizes[2]),
        ):
            patch.setattr(module, name, size)
        return read(data)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(
    entries=st.lists(ENTRIES, min_size=1, max_size=8), shape=st.sampled_from(sorted(WHOLE)), indent=INDENTS, sizes=SIZES
)
def test_in_steps_as_in_one_piece(
    entries: list[Record], shape: str, indent: int | None, sizes: tuple[int, int, int]
) -> None:
    text = WHOLE[shape](entries, indent)
    # Lines may look like entries of their own, and then are read as lines.
    if "\n" not in text or indent or shape == "one entry a line":
        found = in_steps(text.encode(), sizes)
        assert [place for place, _ in found] == list(range(1, len(entries) + 1))
        assert [record for _, record in found] == json.loads(json.dumps(entries))


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(
    entries=st.lists(ENTRIES, min_size=2, max_size=8),
    shape=st.sampled_from(sorted(IN_TURN)),
    indent=st.sampled_from([1, 2]),
    sizes=SIZES,
    cut=st.floats(0.3, 1),
    put=st.sampled_from([b"", b"\xff", b"\xe2\x82", b"NaN", b"},{", b'"', b",,", b"\\ud83d", b"]", b"\0", b"1e999"]),
    ends=st.sampled_from(["there", "later"]),
)
@example([{"insertId": "é", "jsonPayload": {}}] * 3, "array", 1, (1, 5, 90), 0.5, b"\xff", "later")
def test_what_is_broken_is_told_as_in_one_piece(  # noqa: PLR0917  (hypothesis hands them over by name)
    entries: list[Record], shape: str, indent: int, sizes: tuple[int, int, int], cut: float, put: bytes, ends: str
) -> None:
    data = IN_TURN[shape](entries, indent).encode()
    at = int(len(data) * cut)
    if at > sizes[2]:  # what the head holds decides about the shape
        broken = data[:at] + put + (data[at:] if ends == "later" else b"")
        assert in_steps(broken, sizes) == read(broken)


def test_a_cut_wrapper_is_told_where_it_was_told_in_one_piece() -> None:
    data = json.dumps({"a": 1, "entries": [{"insertId": str(n), "textPayload": "x"} for n in range(9)]}).encode()[:-20]
    steps = in_steps(data, (10, 60, 100))
    whole = read(data)
    assert sorted(x for x in steps if isinstance(x[1], str)) == sorted(x for x in whole if isinstance(x[1], str))
    assert [x for _, x in steps if not isinstance(x, str)] == [x for _, x in whole if not isinstance(x, str)]


def test_an_element_that_is_too_long_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "LONGEST", 400)
    monkeypatch.setattr(sequence, "LONGEST", 400)
    entries = [{"insertId": str(n), "textPayload": "x" * (2000 if n == 3 else 5)} for n in range(6)]
    found = in_steps(json.dumps(entries).encode(), (50, 100, 100))
    assert [x["insertId"] for _, x in found if not isinstance(x, str)] == ["0", "1", "2", "4", "5"]
    assert [(place, "MiB" in x) for place, x in found if isinstance(x, str)] == [(4, True)]


def test_no_more_failures_than_are_looked_at_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "_MOST_FAILURES", 3)
    data = b"[" + b",\n no \n".join(b'{"insertId": "%d", "textPayload": "x"}' % n for n in range(9)) + b"]"
    assert in_steps(data, (20, 50, 120)) == read(data)
    assert len(read(data)) == 8


ENTRY = '{"insertId":"a","timestamp":"2026-03-01T10:00:00Z","textPayload":"%s","labels":{"a":"{"}}'
BEGINNINGS = {
    "array": ("[", ",", "]"),
    "indented array": ("[\n  ", ",\n  ", "\n]\n"),
    "wrapper": ('{"a":1,"result":[', ",", '],"b":[]}'),
    "slurped": ("[[", ",", "]]"),
    "one after the other": ("", "", ""),
    "never closed": ("[", ",", ""),
    "Markdown": ("# Report\n\n```json\n", "\n```\n```json\n", "\n```\n"),
    "pasted": ("The log said: ", "\n * and then ", "\n"),
    "no JSON behind it": ("[", ",", ',{"a":"' + "x" * 30_000_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_memory_does_not_grow_with_the_file(kind: str) -> None:
    first, between, last = BEGINNINGS[kind]
    entry = ENTRY % ("x" * 5000)
    many = (f"{entry}{between}" * 100).encode()
    parts = chain([first.encode()], repeat(many, 70), [(entry + last).encode()])
    found, peak = measured(lambda: sum(isinstance(x, RawEntry) for x in streamed(parts)))
    assert found == 7_001
    assert peak < (120 if "no JSON" in kind else 60 if kind in {"Markdown", "pasted"} else 30) * 2**20


def test_quotations_beyond_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LONGEST_WHOLE", 1000)
    for text in (
        "# Report\n" + 'Words.\n\n```json\n{"insertId":"a",\n"textPayload":"x"}\n```\n' * 100,
        'Words: {"insertId":"a",\n"textPayload":"x"} more words\n' * 100,
        '// words\nWords: {"insertId":"a",\n//  "textPayload":"x"} more words\n' * 100,
    ):
        found = in_steps(text.encode(), (100, 200, 300))
        assert [x for _, x in found] == [{"insertId": "a", "textPayload": "x"}] * 100
        assert found == read(text.encode())


def test_a_code_block_that_is_too_long_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "_LONGEST", 100)
    block = '```json\n{"insertId":"a","textPayload":"%s"}\n```\n'
    places = [place for place, _ in read(f"# Report\n{block % 'x'}{block % ('x' * 200)}{block % 'x'}".encode())]
    assert places == [3, 6, 9]


def test_json_of_another_kind_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LONGEST_WHOLE", 2000)
    data = json.dumps({"features": [{"a": n} for n in range(1000)]}).encode()
    ((_, reason),) = in_steps(data, (100, 200, 300))
    assert "understood are" in str(reason)
    late = json.dumps([{"a": 1}] * 50 + [{"insertId": "a", "textPayload": "x"}] * 500).encode()
    assert sum(not isinstance(x, str) for _, x in in_steps(late, (100, 200, 300))) == 500


@pytest.mark.parametrize("levels", [1, 100, 101, 102, 150])
def test_depth(levels: int) -> None:
    value: Any = None
    for n in range(levels):
        value = ([value] if n % 2 else {"a": 1, "b": value}) if n else []
    assert is_deep(value) is (levels > 101)
    assert is_deep({"a": "x", "b": value}) is (levels > 100)
    assert not is_deep(1)
