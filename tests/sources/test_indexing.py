"""An index of lines: every line once, wherever a file is cut, and what is odd is left to the exact reading."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace
from support.builders import query, raw, request

from forensics.classify import RequestPrefilter
from forensics.entries import FastIndexReader, MemoryRecordStore
from forensics.entries.index.log_index import label_set_of
from forensics.entries.raw_fields import time_of
from forensics.model import IndexBatch, Level, Lines, PassedOver, RawEntry, RulebookInfo, Unreadable
from forensics.pipeline import analyze
from forensics.sources import FileRecordStore, Indexing, read_records
from forensics.sources.containers import utf8 as opening
from forensics.sources.index import indexing, prefilter as sieve
from forensics.sources.index.record_store import one_record
from forensics.sources.json import value_runs as runs, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from forensics.model import Coverage

PREFILTER = RequestPrefilter((), Level.ERROR)
READER = partial(FastIndexReader, prefilter=PREFILTER)
GOOD = json.dumps(raw("hello", severity="INFO"))

LINES: dict[str, Callable[[int], str]] = {
    "a text": lambda n: json.dumps(raw("x" * (7 * n % 90), at=n, number=n)),
    "a request": lambda n: json.dumps(request(200, at=n, latency=0.1, number=n)),
    "odd": lambda n: json.dumps(raw("é", at=n, number=n, severity=200), ensure_ascii=False),
    "long": lambda n: json.dumps(raw("y" * 2000, at=n, number=n)),
    "blank": lambda _: "",
    "broken": lambda n: f"{{broken {n}",
}


def read(path: Path, **how: Any) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Read by an index, and return what the store gives back, in order of reading, and what could not be read."""
    entries: list[dict[str, Any]] = []
    bad = []
    with closing(FileRecordStore()) as store:
        for found in read_records([str(path)], indexing=Indexing(store=store, reader=READER, **how)):
            if isinstance(found, IndexBatch):
                entries += [record for place in found.places if (record := store.record(place)) is not None]
            elif isinstance(found, RawEntry):
                entries.append(found.record)
            elif isinstance(found, Unreadable):
                bad.append((found.place.record, found.reason))
    return entries, bad


def read_exactly(path: Path) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    found = list(read_records([str(path)]))
    entries = [x.record for x in found if isinstance(x, RawEntry)]
    return entries, [(x.place.record, x.reason) for x in found if isinstance(x, Unreadable)]


def coverage(path: Path, texts: Sequence[str], *, by_index: bool) -> Coverage:
    path.write_text("\n".join([GOOD, *texts]))
    with closing(FileRecordStore()) as store:
        how = Indexing(store=store, reader=READER) if by_index else None
        found = analyze(
            read_records([str(path)], indexing=how),
            (),
            query("all"),
            rulebook=RulebookInfo(count=0, folders=(), overridden=()),
            tool_version="t",
            store=store if by_index else MemoryRecordStore(),
        )
        return found.report.coverage


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(sorted(LINES)), max_size=20),
    part=st.integers(20, 3000),
    block=st.integers(7, 700),
    ends=st.tuples(st.sampled_from(["\n", "\r\n"]), st.integers(0, 2)),
)
def test_wherever_a_file_is_cut_every_line_comes_once(
    tmp_path: Path, kinds: list[str], part: int, block: int, ends: tuple[str, int]
) -> None:
    path = tmp_path / "log.ndjson"
    lines = [GOOD, *(LINES[kind](n) for n, kind in enumerate(kinds, 1))]
    end, last = ends
    path.write_text(end.join(lines) + end * last, newline="")
    with patch.multiple(indexing, LARGE=1, PART=part, _BLOCK=block):
        assert read(path) == read_exactly(path)


@pytest.mark.parametrize("part", [300, 4096, 10**6])
def test_two_processes_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join([GOOD, *(LINES[kind](n) for n, kind in enumerate([*LINES] * 9, 1))]))
    for name, value in {"LARGE": 1, "PAYS": 1, "PART": part}.items():
        monkeypatch.setattr(indexing, name, value)
    assert read(path, jobs=2) == read(path, jobs=1) == read_exactly(path)


@pytest.mark.parametrize("part", [3_000, 50_000, 10**7])
def test_a_line_too_long_costs_only_itself_wherever_a_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    path = tmp_path / "log.ndjson"
    long = json.dumps(raw("z" * 100_000, at=1))
    path.write_text("\n".join([GOOD, long, LINES["a text"](2), "{broken", long, LINES["a text"](3)]))
    for name, value in {"LARGE": 1, "PART": part, "_BLOCK": 1_000}.items():
        monkeypatch.setattr(indexing, name, value)
    monkeypatch.setattr(sieve, "LONGEST_ENTRY", 20_000)
    entries, bad = read(path)
    assert [entry["textPayload"] for entry in sorted(entries, key=lambda entry: str(entry["timestamp"]))] == [
        "hello",
        "x" * 14,
        "x" * 21,
    ]
    assert [number for number, _ in bad] == [2, 4, 5]
    assert ["longer" in reason for _, reason in bad] == [True, False, True]


def test_a_requests_row_tells_that_nobody_need_decode_it(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join([GOOD, LINES["a request"](1), LINES["a text"](2)]))
    with closing(FileRecordStore()) as store:
        found = [*read_records([str(path)], indexing=Indexing(store=store, reader=READER))]
    batches = [x for x in found if isinstance(x, IndexBatch)]
    assert [batch.label_sets[kind].routine for batch in batches for kind in batch.label_ids] == [None, Level.INFO, None]
    assert [x.lines for x in found if isinstance(x, PassedOver)] == [0]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("large", [pytest.param(1), pytest.param(10**9, id="small")])
def test_progress_reaches_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, large: int) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join([GOOD] * 500))
    for name, value in {"LARGE": large, "PAYS": 1, "PART": 20_000}.items():
        monkeypatch.setattr(indexing, name, value)
    told: list[int] = []
    read(path, jobs=jobs, advance=told.append)
    assert sum(told) == path.stat().st_size


# --- a row tells of a line what the exact reading would ---

MINUTES = st.sampled_from(["00", "00", "00", "00", "7", "60", "٣0"])
SECONDS = st.sampled_from(["05", "05", "05", "59", "60", "7", "5x", " 1", "٣0", "²0", "+1"])
FRACTIONS = st.sampled_from(
    ["", ".", ".5", ".000001", ".123456789", ".1234567890", ",5", ".5 ", ".x", ".٣", ".-1", "0"]
)
ZONES = st.sampled_from(["Z", "Z", "Z", "Z", "Z", "Z", "z", "", "+00:00", "+02:00", "ZZ", " UTC", "\n"])
TIMES = st.builds(
    lambda joint, minute, second, fraction, zone: f"2026-03-01{joint}10:{minute}:{second}{fraction}{zone}",
    st.sampled_from(["T", "T", "T", "T", "T", " ", "t"]),
    MINUTES,
    SECONDS,
    FRACTIONS,
    ZONES,
)
ODD_VALUES = st.sampled_from([None, "", "x", 7, 1.5, True, [], ["x"], {}, {"a": 1}])
LABELS = st.sampled_from(["revision_name", "service_name", "configuration_name", "job_name", "project_id", "location"])
CHANGES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        ["insertId", "logName", "severity", "labels", "resource", "textPayload", "jsonPayload", "httpRequest"]
    ),
    ODD_VALUES | st.just({"labels": {}}) | st.just({"instanceId": "i2"}) | st.just({"labels": None}),
    max_size=2,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(st.tuples(TIMES, CHANGES, st.dictionaries(LABELS, ODD_VALUES, max_size=2)), max_size=6))
def test_a_row_tells_what_the_record_tells(drawn: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> None:
    reader = READER(None)
    # A minute that was seen is remembered.
    for time, changes, labels in [("2026-03-01T10:00:00Z", {}, {}), *drawn]:
        record = raw("hello", severity="INFO", timestamp=time)
        record["resource"]["labels"] |= labels
        line = json.dumps(record | changes, ensure_ascii=False).encode()
        rows, _ = reader.read(Lines(data=line + b"\n", spans=[(0, len(line))]))
        batch = reader.batch("-")
        if rows:
            exact = one_record(line)
            assert exact is not None
            assert list(batch.times) == [time_of(exact)]
            assert [replace(batch.label_sets[kind], routine=None) for kind in batch.label_ids] == [label_set_of(exact)]


@pytest.mark.parametrize("key", ["insertId", "logName"])
def test_what_makes_two_entries_one_is_told_alike(tmp_path: Path, key: str) -> None:
    same = raw("one", at=1) | {key: ""}
    texts = [json.dumps(same | {"textPayload": text}) for text in ("one", "two", "one")]
    path = tmp_path / "log.ndjson"
    exact = coverage(path, texts, by_index=False)
    assert exact.duplicates == (1 if key == "insertId" else 2)
    assert coverage(path, texts, by_index=True).duplicates == exact.duplicates


@pytest.mark.parametrize(
    ("levels", "key"),
    [
        *((levels, key) for levels in (20, 98, 99, 5_000) for key in ("jsonPayload", "operation", "httpRequest")),
        *((levels, key) for levels in (100, 101, 150, 700) for key in ("jsonPayload", "severity", "resource")),
        *(pytest.param(101, key) for key in ("operation", "labels", "httpRequest", "unknown")),
        pytest.param(700, "operation"),
    ],
)
def test_what_is_nested_too_deeply_is_told_alike(tmp_path: Path, levels: int, key: str) -> None:
    nested = '{"a": ' * levels + "1" + "}" * levels
    text = json.dumps(raw("hello", at=1)).removesuffix("}") + f', "{key}": {nested}}}'
    path = tmp_path / "log.ndjson"
    exact = coverage(path, [text], by_index=False)
    assert coverage(path, [text], by_index=True) == exact


# --- what the index tells otherwise than the exact reading ---


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("by_index", [True, False])
def test_a_time_far_away_stops_nothing(tmp_path: Path, time: str, by_index: bool) -> None:  # noqa: FBT001 - a column
    text = json.dumps(raw("hello", timestamp=time, number=7))
    assert coverage(tmp_path / "log.ndjson", [text], by_index=by_index).entries_selected == 2


def test_entries_without_a_time_worth_the_name_are_no_copies(tmp_path: Path) -> None:
    texts = [json.dumps(raw(text, insert_id="a", timestamp="1970-01-01T00:00:00Z")) for text in ("one", "two")]
    path = tmp_path / "log.ndjson"
    assert coverage(path, texts, by_index=True).duplicates == coverage(path, texts, by_index=False).duplicates


def test_a_number_that_python_refuses_is_unreadable(tmp_path: Path) -> None:
    text = json.dumps(raw("late", at=5, severity="INFO"))
    text = text.replace('"severity"', f'"operation": {"1" * 5000}, "severity"')
    path = tmp_path / "log.ndjson"
    exact = coverage(path, [text], by_index=False)
    assert coverage(path, [text], by_index=True).unreadable == exact.unreadable == 1


def test_the_first_of_two_copies_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "LARGE", 1)
    first = raw("twice", at=1, insert_id="a", severity="INFO")
    texts = [json.dumps(first), json.dumps(first | {"severity": "ERROR", "labels": None})]
    path = tmp_path / "log.ndjson"
    assert coverage(path, texts, by_index=True).levels == coverage(path, texts, by_index=False).levels


def element(**fields: Any) -> bytes:
    return json.dumps(raw("x", **fields), indent=2).encode()


ELEMENTS: dict[str, bytes] = {
    "a text": element(number=1),
    "later": element(at=9, number=2),
    "a request": json.dumps(request(200, at=1, latency=0.1), indent=4).encode(),
    "CRLF": element(at=2).replace(b"\n", b"\r\n"),
    "in one line": json.dumps(raw("x", at=3)).encode(),
    "an audit entry": element(at=4, stream="activity", protoPayload={"methodName": "x", "status": {}}),
    "no insertId": element(at=5).replace(b'"insertId"', b'"insert"'),
    "no UTF-8": element(at=6).replace(b'"x"', b'"\xff\xc3"'),
    "half a pair": element(at=6).replace(b'"x"', rb'"\ud800"'),
    "a line break in a text": element(at=7).replace(b'"x"', b'"x\ny"'),
    "a NUL in a text": element(at=7).replace(b'"x"', b'"x\0y"'),
    "a wrong escape": element(at=7).replace(b'"x"', rb'"\q"'),
    "no number": element(at=8).replace(b'"x"', b"NaN"),
    "a large number": element(at=8).replace(b'"x"', b"1e999"),
    "a larger number": element(at=8).replace(b'"x"', b"123456789012345678901234567890"),
    "deep": element(at=8).replace(b'"x"', b"[" * 120 + b"]" * 120),
    "deeper": element(at=8).replace(b'"x"', b"[" * 3000 + b"]" * 3000),
    "a number": b"5",
    "nothing": b"null",
    "a list": b"[" + element(at=1) + b"," + element(at=2) + b"]",
    "broken": b'{"insertId": broken',
}


def told(path: Path, how: Indexing | None) -> list[Any]:
    """Return what is read, in order: records, and what cannot be read."""
    found: list[Any] = []
    for each in read_records([str(path)], indexing=how):
        if isinstance(each, IndexBatch):
            assert how is not None
            found += map(how.store.record, each.places)
        elif isinstance(each, RawEntry):
            found.append(each.record)
            if how is not None and each.stored_at is not None:
                assert how.store.record(each.stored_at) == each.record
        elif isinstance(each, Unreadable):
            found.append((each.place.record, each.reason))
    return found


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from([*["a text", "a request"] * 8, *ELEMENTS]), min_size=3, max_size=20),
    run=st.sampled_from([1500, 4000, 256 * 1024]),
    between=st.sampled_from([b",\n", b", ", b"\n"]),
    end=st.sampled_from([b"\n]\n", b"", b'{"insertId": "']),
)
def test_an_array_by_index_as_element_by_element(
    tmp_path: Path, kinds: list[str], run: int, between: bytes, end: bytes
) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(b"[\n" + between.join([ELEMENTS["a text"], *(ELEMENTS[kind] for kind in kinds)]) + end)
    with (
        patch.object(opening, "_HEAD", 300),
        patch.object(runs, "RUN", run),
        patch.object(windows, "BLOCK", run),
        closing(FileRecordStore()) as store,
    ):
        assert told(path, Indexing(store=store, reader=READER)) == told(path, None)
