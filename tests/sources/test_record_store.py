"""What is put away comes back; what changed meanwhile is told, and stops nothing."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st
from support.builders import query, raw, request

from forensics.classify import RequestPrefilter
from forensics.entries import FastIndexReader
from forensics.model import IndexBatch, Level, RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import FileRecordStore, Indexing, read_records
from forensics.sources.index import indexing, record_store as record_store_module
from forensics.system.processes import can_fork, in_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from forensics.model import Report, Rule

if sys.platform != "win32":
    import resource

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.text(), JSON, max_size=3).map(lambda record: raw("said") | {"jsonPayload": record})
LINES = st.binary(max_size=200).map(lambda data: data.replace(b"\n", b" "))


@pytest.fixture
def store() -> Iterator[FileRecordStore]:
    with closing(FileRecordStore()) as made:
        yield made


@given(st.lists(LINES | st.just(b"x" * 100_000), max_size=20), st.integers(1, 5000), st.data())
def test_lines_come_back(lines: list[bytes], unwritten: int, data: st.DataObject) -> None:
    with closing(FileRecordStore()) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_store_module, "_UNWRITTEN", unwritten)
        places = []
        for line in lines:
            places.append(store.keep_line(line))
            looked_up = data.draw(st.integers(0, len(places) - 1))
            assert store.line(places[looked_up]) == lines[looked_up]
        for at in data.draw(st.permutations(range(len(lines)))):
            assert store.line(places[at]) == lines[at]


@settings(max_examples=50)
@given(st.lists(RECORDS, max_size=6))
def test_records_come_back(records: list[dict[str, Any]]) -> None:
    with closing(FileRecordStore()) as store:
        places = [store.keep(record) for record in records]
        assert [store.record(place) for place in reversed(places)] == records[::-1]


@settings(max_examples=50)
@given(st.lists(st.lists(LINES, min_size=1, max_size=8), min_size=1, max_size=3), st.integers(1, 300), st.data())
def test_lines_of_several_files_come_back(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[bytes]], window: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("store")
    found: dict[int, bytes] = {}
    with closing(FileRecordStore()) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_store_module, "_WINDOW", window)
        for number, lines in enumerate(files):
            path = folder / str(number)
            path.write_bytes(b"\n".join(lines))
            place = store.open(path)
            for line in lines:
                found[place] = line
                found[store.keep_line(line)] = line
                place += len(line) + 1
        for place in data.draw(st.permutations(sorted(found))):
            assert store.line(place) == found[place]


@pytest.mark.skipif(not can_fork(), reason="workers are forked on Linux only")
def test_a_fork_finds_what_was_kept_before(store: FileRecordStore) -> None:
    places = [store.keep_line(b"line %d" % n) for n in range(50)]
    later: list[int] = []
    for n, line in enumerate(in_processes(store.line, places, 2, before=store.flush)):
        assert line == b"line %d" % n
        later.append(store.keep_line(b"later %d" % n))  # while others read
    assert [store.line(place) for place in later] == [b"later %d" % n for n in range(50)]
    assert list(map(store.line, places)) == [b"line %d" % n for n in range(50)]


# --- inputs that change while they are read ---


def several(count: int) -> list[str]:
    errors = [json.dumps(raw(f"ValueError: {n}", at=n, number=n, severity="ERROR")) for n in range(count)]
    requests = [json.dumps(request(200, at=n + 0.5, latency=0.1, number=n)) for n in range(count)]
    return [line for pair in zip(errors, requests, strict=True) for line in pair]


def report_of(path: Path, change: Callable[[], object], rules: Sequence[Rule] = ()) -> Report:
    """Analyse a file that changes when all of it is indexed, and nothing is fetched yet."""

    def changing(records: Iterator[Any]) -> Iterator[Any]:
        yield from records
        change()

    with closing(FileRecordStore()) as store:
        how = Indexing(store=store, reader=partial(FastIndexReader, prefilter=RequestPrefilter(rules, Level.ERROR)))
        info = RulebookInfo(count=0, folders=(), overridden=())
        records = changing(read_records([str(path)], indexing=how))
        found = analyze(records, rules, query("all"), rulebook=info, tool_version="t", store=store)
        list(found.rows)
        return found.report


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(indexing, "LARGE", 1)
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(several(10)) + "\n")
    return path


def test_a_file_that_stays_loses_nothing(log: Path) -> None:
    coverage = report_of(log, lambda: None).coverage
    assert (coverage.errors, coverage.unreadable) == (10, 0)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_of_a_file_that_shrinks_what_is_lost_is_counted(log: Path, kept: int) -> None:
    size = sum(len(line) + 1 for line in several(10)[: 2 * kept])
    coverage = report_of(log, lambda: os.truncate(log, size)).coverage
    assert coverage.errors == kept
    assert coverage.unreadable == 10 - kept
    assert "lost: an input changed while it was read" in coverage.warnings[-1]


def test_of_a_file_that_is_cut_in_a_line_what_is_lost_is_counted(log: Path) -> None:
    coverage = report_of(log, lambda: os.truncate(log, 100)).coverage
    assert (coverage.errors, coverage.unreadable) == (0, 10)


def test_of_a_file_that_is_written_over_what_is_lost_is_counted(log: Path) -> None:
    size = log.stat().st_size
    coverage = report_of(log, lambda: log.write_bytes(b"not a log\n" * (size // 10))).coverage
    assert (coverage.errors, coverage.unreadable) == (0, 10)


def test_a_file_that_another_takes_the_place_of_is_read_on(log: Path) -> None:
    def replace() -> None:
        log.unlink()
        log.write_text("another\n")

    assert report_of(log, replace).coverage.errors == 10


def test_another_entry_at_the_same_place_is_not_taken_for_it(log: Path) -> None:
    written = log.read_text().replace('"textPayload": "ValueError', '"textPayload": "Terminated')
    written = written.replace('"timestamp": "2026', '"timestamp": "2027')
    report = report_of(log, lambda: log.write_text(written))
    assert report.coverage.unreadable == 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no limit to open files")
@pytest.mark.parametrize("files", [200])
def test_many_large_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    monkeypatch.setattr(indexing, "LARGE", 1)
    for number in range(files):
        (tmp_path / f"{number:03}.ndjson").write_text(json.dumps(raw("x", at=number)) + "\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(150, hard), hard))
    try:
        with closing(FileRecordStore()) as store:
            how = Indexing(store=store, reader=partial(FastIndexReader, prefilter=RequestPrefilter((), Level.ERROR)))
            found = list(read_records([str(tmp_path)], indexing=how))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sum(len(x.times) for x in found if isinstance(x, IndexBatch)) == files


def test_what_is_lost_after_all_was_classified_is_counted(log: Path) -> None:
    # Errors with a number as severity lie in the spool, requests in the file.
    error = raw("ThrottlerException: Too Many Requests", at=65, severity=400)
    log.write_text("\n".join([*several(9), json.dumps(error)]) + "\n")
    rules = [rule for rule in load_rules()[0] if rule.id == "callers-throttled"]
    assert report_of(log, lambda: os.truncate(log, 0), rules).coverage.unreadable >= 9
