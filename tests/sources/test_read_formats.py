"""Every shape, compression and encoding gives the same records."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from sources.inputs import ENCODINGS

import forensics.sources.formats
from forensics.model import PassedOver, Place, RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.formats import INPUT_FORMATS, QUOTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES: list[dict[str, Any]] = [
    {"insertId": f"a{n}", "timestamp": f"2026-03-01T10:00:0{n}Z", "textPayload": f"Zeile {n}: “naïve” 🚨"}
    for n in range(3)
]


def dump(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


SHAPED = {
    "lines": "\n".join(dump(e) for e in ENTRIES) + "\n",
    "lines without a last line break": "\n".join(dump(e) for e in ENTRIES),
    "lines with CRLF and blank lines": "\r\n\r\n".join(dump(e) for e in ENTRIES) + "\r\n",
    "array": dump(ENTRIES),
    "indented array": dump(ENTRIES, 2),
    "array of one entry a line": "[\n" + ",\n".join(dump(e) for e in ENTRIES) + "\n]\n",
    "entries.list": dump({"entries": ENTRIES, "nextPageToken": "x"}),
    "indented entries.list": dump({"entries": ENTRIES}, 2),
    "wrapper": dump({"status": "success", "result": ENTRIES}),
    "nested wrapper": dump({"data": {"items": ENTRIES}}),
    "pages, one a line": "\n".join(dump({"entries": [e]}) for e in ENTRIES),
    "pages in an array": dump([ENTRIES[:2], ENTRIES[2:]]),
    "objects one after the other": "\n".join(dump(e, 2) for e in ENTRIES),
    "objects without a gap": "".join(dump(e) for e in ENTRIES),
    "objects with commas": ",\n".join(dump(e, 2) for e in ENTRIES),
    "objects behind a licence": "# Copyright\n#\n" + "\n".join(dump(e, 2) for e in ENTRIES),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]),
    "zstd": zstandard.ZstdCompressor().compress,
    "two zstd frames": lambda data: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (data[: len(data) // 2], data[len(data) // 2 :])
    ),
}


def read(path: Path) -> list[RawEntry | Unreadable]:
    return [x for x in read_records([str(path)]) if not isinstance(x, PassedOver)]


def records(found: list[RawEntry | Unreadable]) -> list[dict[str, Any]]:
    assert [x for x in found if isinstance(x, Unreadable)] == []
    return [x.record for x in found if isinstance(x, RawEntry)]


@pytest.mark.parametrize("shape", SHAPED)
@pytest.mark.parametrize("packed", PACKED)
def test_shapes_and_compressions(shape: str, packed: str, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(PACKED[packed](SHAPED[shape].encode()))
    assert records(read(path)) == ENTRIES


@pytest.mark.parametrize("shape", [name for name in SHAPED if "licence" not in name])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_shapes_and_encodings(shape: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(ENCODINGS[encoding](SHAPED[shape]))
    assert records(read(path)) == ENTRIES


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_entry(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(dump(ENTRIES[0], indent))
    assert records(read(path)) == ENTRIES[:1]


@pytest.mark.parametrize("text", ["", " \n\n", "[]", "{}", '{"entries": []}\n'])
def test_nothing_in_it_is_no_entries(text: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text(text)
    assert read(path) == []


def test_places_are_lines_where_there_are_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text(SHAPED["lines with CRLF and blank lines"])
    assert [x.place for x in read(path)] == [Place(source=str(path), record=n) for n in (1, 3, 5)]


def test_places_are_elements_elsewhere(tmp_path: Path) -> None:
    for shape in ("indented array", "entries.list", "objects one after the other"):
        path = tmp_path / "log.json"
        path.write_text(SHAPED[shape])
        assert [x.place.record for x in read(path)] == [1, 2, 3]


def test_standard_input(tmp_path: Path) -> None:
    packed = gzip.compress(SHAPED["indented array"].encode())
    found = [x for x in read_records(["-"], stdin=io.BytesIO(packed)) if not isinstance(x, PassedOver)]
    assert records(found) == ENTRIES
    assert {x.place.source for x in found} == {"-"}
    assert list(read_records([str(tmp_path / "x"), "-"][1:], stdin=io.BytesIO(b""))) == []


def test_large_inputs_are_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "large.ndjson"
    many = [{"insertId": str(n), "textPayload": "x" * (n % 977)} for n in range(5000)]
    path.write_text("\n".join(map(dump, many)))
    assert records(read(path)) == many
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert records(read(path)) == many


def test_integers_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text('{"insertId":"a","jsonPayload":{"id":9007199254740993,"big":123456789012345678901234567890}}\n')
    (entry,) = records(read(path))
    assert entry["jsonPayload"] == {"id": 2**53 + 1, "big": 123456789012345678901234567890}


def test_every_module_of_a_shape_is_listed() -> None:
    folder = Path(forensics.sources.formats.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "element"}
    assert modules == {getattr(shape, "__name__", "").rpartition(".")[2] for shape in (*INPUT_FORMATS, *QUOTATIONS)}
    assert all(shape.name for shape in (*INPUT_FORMATS, *QUOTATIONS))
