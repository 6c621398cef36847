"""Damaged and hostile inputs cost what is damaged and nothing more."""

from __future__ import annotations

import gzip
import json
import random
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings, strategies as st
from sources.inputs import measured, streamed

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.formats import json_lines as lines

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '{"insertId":"good","textPayload":"x"}'


def read(path: Path, content: str | bytes) -> tuple[list[str], list[Unreadable]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(read_records([str(path)]))
    entries = [x.record["insertId"] for x in found if isinstance(x, RawEntry)]
    return entries, [x for x in found if isinstance(x, Unreadable)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"insertId":"a","textPayload":"cut o', "the JSON ends early"),
        ("Listed 2 items.", "no JSON"),
        ("null", "null"),
        ("12", "a int"),
        ('"text"', "a str"),
        ('{"name": "no entry"}', "without any field"),
        ('{"insertId":' + "[" * 5000 + "]" * 5000 + "}", "nested deeper than 100"),
        ('{"insertId":"a","jsonPayload":' + '{"a":' * 150 + "1" + "}" * 151, "nested deeper than 100"),
        ('{"insertId":' + "9" * 6000 + "}", "no JSON"),
    ],
)
def test_a_bad_line_costs_that_line(line: str, reason: str, tmp_path: Path) -> None:
    entries, (problem,) = read(tmp_path / "log", f"{GOOD}\n{line}\n{GOOD}\n")
    assert entries == ["good", "good"]
    assert problem.place.record == 2
    assert reason in problem.reason


@pytest.mark.parametrize(
    "line",
    [
        '{"insertId":"good","insertId":"good","textPayload":"twice"}',
        '{"insertId":"good","jsonPayload":{"x":NaN,"y":-Infinity,"z":1e999}}',
        '{"insertId":"good","textPayload":"half a pair: \\ud83d"}',
        '{"insertId":"good","textPayload":"NUL \\u0000 and \x01 and \ttab"}',
        '\ufeff{"insertId":"good","textPayload":"BOM"}',
        '{"insertId":"good","textPayload":"comma"},',
        '\0\0{"insertId":"good","textPayload":"NULs"}\0',
    ],
)
def test_odd_json_is_read(line: str, tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "log", f"{GOOD}\n{line}\n{GOOD}\n")
    assert (entries, problems) == (["good"] * 3, [])
    for found in read_records([str(tmp_path / "log")]):
        assert isinstance(found, RawEntry)
        json.dumps(found.record, ensure_ascii=False, allow_nan=False).encode()  # can be written again


def test_bytes_that_are_no_utf_8_become_marks(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert read(path, b'{"insertId":"good","textPayload":"na\xefve"}\n') == (["good"], [])


def test_a_line_without_end_costs_that_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_LONGEST", 300_000)
    entries, (problem,) = read(tmp_path / "log", f'{GOOD}\n{{"textPayload":"{"x" * 900_000}"}}\n{GOOD}\n')
    assert entries == ["good", "good"]
    assert (problem.place.record, "MiB" in problem.reason) == (2, True)


def test_a_cut_array_keeps_what_came_before(tmp_path: Path) -> None:
    whole = json.dumps([{"insertId": str(n), "textPayload": "x", "labels": {"a": ["{"]}} for n in range(4)], indent=1)
    entries, (problem,) = read(tmp_path / "log", whole[: whole.index('"3"') + 8])
    assert entries == ["0", "1", "2"]
    assert problem.place.record == 4
    entries, (problem,) = read(tmp_path / "log", whole[: whole.rindex("]")])
    assert entries == ["0", "1", "2", "3"]
    assert "not closed" in problem.reason


def test_a_broken_element_costs_that_element(tmp_path: Path) -> None:
    whole = json.dumps([{"insertId": str(n), "textPayload": "x"} for n in range(3)])
    broken = whole.replace('"1", ', '"1",, ')
    entries, (problem,) = read(tmp_path / "log", broken)
    assert entries == ["0", "2"]
    assert problem.place.record == 2


def test_a_cut_wrapper_keeps_what_came_before(tmp_path: Path) -> None:
    whole = json.dumps({"entries": [{"insertId": str(n), "textPayload": "x"} for n in range(3)]})
    entries, problems = read(tmp_path / "log", whole[:-20])
    assert entries == ["0", "1"]
    assert problems


def test_a_broken_first_line(tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "log", f'{{"insertId":"a","textP\n{GOOD}\n{GOOD}\n')
    assert entries == ["good", "good"]
    assert [p.place.record for p in problems] == [1]


def test_entries_between_other_lines(tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "log", "words\n" + f"more words\n{GOOD}\nand more\n" * 4)
    assert (entries, len(problems)) == (["good"] * 4, 9)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(level=1).compress])
def test_a_cut_compressed_file_keeps_what_came_before(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    noise = random.Random(0)  # noqa: S311  (incompressible, so that the cut falls into the lines)
    whole = "\n".join(f'{{"insertId":"{n}","textPayload":"{noise.getrandbits(4000)}"}}' for n in range(300))
    packed = pack(whole.encode())
    entries, problems = read(tmp_path / "log.gz", packed[: len(packed) // 2])
    assert entries == [str(n) for n in range(len(entries))]
    assert 30 < len(entries) < 300
    assert "ends early" in problems[-1].reason
    entries, problems = read(tmp_path / "log.gz", packed[: len(packed) // 2] + b"\0garbage\xff" * 50)
    assert entries
    assert problems


def test_a_compressed_file_of_nothing_but_damage(tmp_path: Path) -> None:
    entries, (problem,) = read(tmp_path / "log.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage")
    assert entries == []
    assert "gzip" in problem.reason


def test_a_cut_last_line_costs_that_line(tmp_path: Path) -> None:
    entries, (problem,) = read(tmp_path / "log", f"{GOOD}\n{GOOD}\n{GOOD[:-9]}")
    assert (entries, str(problem.place)) == (["good", "good"], f"{tmp_path / 'log'}:3")
    assert problem.reason == "the JSON ends early"


MEGABYTE = 2**20


@pytest.mark.slow
@pytest.mark.parametrize("before", [f"{GOOD}\n", ""])
@pytest.mark.parametrize("after", [f"\n{GOOD}\n", ""])
def test_a_line_of_200_megabytes_is_never_held(before: str, after: str) -> None:
    beginning, end = f'{before}{{"insertId":"long","textPayload":"'.encode(), f'"}}{after}'.encode()
    parts = chain([beginning], repeat(b"x" * MEGABYTE, 200), [end])
    found, peak = measured(lambda: list(streamed(parts)))
    (problem,) = [x for x in found if isinstance(x, Unreadable)]
    assert (problem.place.record, problem.reason) == (2 if before else 1, "longer than 16 MiB")
    assert len([x for x in found if isinstance(x, RawEntry)]) == bool(before) + bool(after)
    assert peak < 40 * MEGABYTE


def test_entries_without_line_breaks_are_no_long_line(tmp_path: Path) -> None:
    many = "".join(f'{{"insertId":"{n}","textPayload":"{"x" * 1000}"}}' for n in range(6000))
    assert len(read(tmp_path / "log", many)[0]) == 6000


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f"{GOOD}\n" * 100_000)
    found = read_records([str(path)])
    first = next(found)
    with path.open("r+b") as file:
        file.truncate(1_000_010)
    rest = list(found)
    assert isinstance(first, RawEntry)
    assert 10_000 < len(rest) < 99_999
    assert all(isinstance(x, RawEntry) for x in rest[:-1])


def test_a_bomb_is_unpacked_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_LONGEST", 2**20)
    bomb = gzip.compress(GOOD.encode() + b"\n" + b" " * 50_000_000)
    entries, problems = read(tmp_path / "log.gz", bomb)
    assert entries == ["good"]
    assert len(problems) == 1


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\n\\u0dé1 inserId', max_size=200).map(str.encode))
def test_no_bytes_break_it(tmp_path: Path, content: bytes) -> None:
    for data in (content, GOOD.encode() + b"\n" + content, b"[" + GOOD.encode() + b"," + content):
        try:
            read(tmp_path / "log", data)
        except SourceError as error:
            assert "understood are" in str(error) or "broken" in str(error)  # noqa: PT017  (all outcomes are right)
