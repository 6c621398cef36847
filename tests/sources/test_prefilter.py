"""Passing over lines must not change what is found: only what cannot matter may be passed over."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.builders import REVISION, query, raw, request

from forensics.classify import RequestPrefilter
from forensics.entries import FastIndexReader
from forensics.model import IndexBatch, Level, PassedOver, RawEntry, RulebookInfo, Unreadable
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import FileRecordStore, Indexing, files, read_records
from forensics.sources.index.prefilter import _blank, can_prefilter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHER = "shop-api-00041-zzz"
RULES, _ = load_rules()
PREFILTER = RequestPrefilter(RULES, Level.ERROR)
INFO = RulebookInfo(count=0, folders=(), overridden=())


def audit(at: float) -> dict[str, Any]:
    proto = {"methodName": "google.cloud.run.v1.Services.ReplaceService", "status": {}}
    return raw(at=at, stream="activity", revision="", instance="", protoPayload=proto)


LINES: dict[str, Callable[[float], str]] = {
    "an error": lambda at: json.dumps(raw("ValueError: bad", at=at, severity="ERROR")),
    "a request": lambda at: json.dumps(request(200, at=at, latency=0.1)),
    "of another revision": lambda at: json.dumps(raw("KeyError: 'x'", at=at, severity="ERROR", revision=OTHER)),
    "of another, naming this one": lambda at: json.dumps(raw(f"before {REVISION}", at=at, revision=OTHER)),
    "its name in escapes": lambda at: json.dumps(raw("ValueError: bad", at=at)).replace(
        "shop-api-00042", r"shop-api\u002d00042"
    ),
    "escapes that mean nothing": lambda at: json.dumps(raw(r"a < b", at=at, revision=OTHER)).replace("<", r"\u003c"),
    "an audit entry": lambda at: json.dumps(audit(at)),
    "nothing": lambda _: "",
    "no JSON": lambda _: f'{{"resource": broken {REVISION}',
    "no JSON of another": lambda _: '{"insertId": broken',
}


@pytest.fixture(autouse=True)
def small_is_large_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 0)


class Counted(NamedTuple):
    entries: list[dict[str, Any]]
    passed: int
    unreadable: list[Unreadable]

    def of(self, *revisions: str) -> list[dict[str, Any]]:
        """Return the entries of revisions, in order of time."""
        mine = [entry for entry in self.entries if entry["resource"]["labels"]["revision_name"] in revisions]
        return sorted(mine, key=lambda entry: str(entry["timestamp"]))


def counted(path: Path, only: str | None) -> Counted:
    """Read as the command line does, and fetch what was found from the store."""
    entries: list[dict[str, Any]] = []
    passed, unreadable = 0, []
    with closing(FileRecordStore()) as store:
        how = Indexing(store=store, reader=partial(FastIndexReader, prefilter=PREFILTER))
        for found in read_records([str(path)], only=only, indexing=how):
            if isinstance(found, IndexBatch):
                records = [store.record(place) for place in found.places]
                assert None not in records
                entries += [record for record in records if record is not None]
            elif isinstance(found, RawEntry):
                entries.append(found.record)
            elif isinstance(found, PassedOver):
                passed += found.lines
            else:
                unreadable.append(found)
    return Counted(entries, passed, unreadable)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(sorted(LINES)), max_size=25),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_the_same_is_found_with_and_without(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[str],
    end: str,
    last: bool,  # noqa: FBT001 - drawn
) -> None:
    path = tmp_path_factory.mktemp("sieve") / "log.ndjson"
    # The first line tells the format.
    lines = [LINES["an error"](0.0), *(LINES[kind](float(i)) for i, kind in enumerate(kinds, 1))]
    path.write_text(end.join(lines) + end * last, newline="")
    kept, everything = counted(path, REVISION), counted(path, None)
    assert kept.of(REVISION, "") == everything.of(REVISION, "")
    assert everything.passed == 0
    exact = [x.record for x in read_records([str(path)]) if isinstance(x, RawEntry)]
    assert everything.of(REVISION, OTHER, "") == exact
    # Nobody looks whether what was passed over can be read; each line that is not blank counts once all the same.
    filled = sum(line != "" for line in lines)
    assert len(everything.entries) + len(everything.unreadable) == filled
    assert len(kept.entries) + len(kept.unreadable) + kept.passed == filled
    assert kept.passed == sum("another" in kind or kind == "escapes that mean nothing" for kind in kinds)


def test_the_report_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(make(float(i)) for i in range(30) for make in LINES.values()))

    def report(asked: str, only: str | None) -> Any:
        with closing(FileRecordStore()) as store:
            how = Indexing(store=store, reader=partial(FastIndexReader, prefilter=PREFILTER))
            records = read_records([str(path)], only=only, indexing=how)
            found = analyze(records, RULES, query(asked), rulebook=INFO, tool_version="t", store=store)
            plain = msgspec.to_builtins(found.report)
        coverage = {"entries_read", "passed_over", "unreadable", "first_unreadable", "duplicates", "order", "warnings"}
        return plain | {"coverage": {k: v for k, v in plain["coverage"].items() if k not in coverage}}

    assert report(REVISION, REVISION) == report(REVISION, None)
    assert report("shop-api-00042", "shop-api-00042") == report("shop-api-00042", None)


@pytest.mark.parametrize(
    ("asked", "is_possible"),
    [("latest", False), ("all", False), ("shop-api-00042", True), ("00", False), ("00042", True), ('a"b', False)],
)
def test_only_a_name_can_be_searched_for(asked: str, is_possible: bool) -> None:  # noqa: FBT001 - a column
    assert can_prefilter(asked) is is_possible


@pytest.mark.parametrize("only", [REVISION, None])
def test_a_line_too_long_is_told_and_costs_only_itself(tmp_path: Path, only: str | None) -> None:
    path = tmp_path / "log.ndjson"
    good = LINES["an error"]
    path.write_text(good(0.0) + "\n" + '{"textPayload": "' + "x" * (17 * 2**20) + '"}\n' + good(1.0) + "\n")
    found = counted(path, only)
    assert found.entries == [json.loads(good(0.0)), json.loads(good(1.0))]
    assert [(x.place.record, x.reason) for x in found.unreadable] == [(2, "longer than 16 MiB")]
    assert found.passed == 0


def test_of_a_small_log_everything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 2**20)
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(LINES["of another revision"](float(i)) for i in range(9)))
    assert counted(path, REVISION).passed == 0


def test_without_an_index_everything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(LINES["of another revision"](float(i)) for i in range(9)))
    assert [type(x) for x in read_records([str(path)], only=REVISION)] == [RawEntry] * 9


@pytest.mark.parametrize("blank", ["", "\r", pytest.param("  "), pytest.param("\0\0")])
def test_blank_lines_are_no_entries(tmp_path: Path, blank: str) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join([LINES["an error"](0.0), blank, blank, LINES["an error"](1.0)]), newline="")
    assert counted(path, REVISION).passed == 0


BLANK = [b"", b"\r", b" ", b"\t \r", b"\0\0", b"\r\r"]
FILLED = [b"{}", b"{}\r", b" {}", b"x ", b"\0x", b"{ "]


@given(lines=st.lists(st.sampled_from(BLANK + FILLED), min_size=1))
def test_blank_lines_of_a_block_are_counted(lines: list[bytes]) -> None:
    assert _blank(b"".join(line + b"\n" for line in lines), len(lines)) == sum(line in BLANK for line in lines)
