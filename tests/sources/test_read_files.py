"""Paths: files, folders, globs, and what is said when there is nothing to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records

if TYPE_CHECKING:
    from pathlib import Path


def line(insert_id: str) -> str:
    return json.dumps({"insertId": insert_id, "timestamp": "2026-03-01T10:00:00Z", "textPayload": "x"}) + "\n"


def ids(*logs: Path | str) -> list[str]:
    return [x.record["insertId"] for x in read_records([str(log) for log in logs]) if isinstance(x, RawEntry)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.ndjson").write_text(line("b"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "z.log").write_text(line("z"))
    (tmp_path / ".hidden.ndjson").write_text(line("hidden"))
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "c.ndjson").write_text(line("git"))
    (tmp_path / "README.md").write_text(line("readme"))
    (tmp_path / "truth.json").write_text('{"incidents": [{"title": "down", "timestamp": "2026-03-01", "severity": 1}]}')
    (tmp_path / "notes.txt").write_text("Nothing of interest.")
    (tmp_path / "chart").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def test_a_folder_is_read_in_a_stable_order_and_strangers_are_passed_over(folder: Path) -> None:
    found = list(read_records([str(folder)]))
    assert [x.place.source for x in found] == [str(folder / "b.ndjson"), str(folder / "a" / "z.log")]
    assert not [x for x in found if isinstance(x, Unreadable)]


def test_what_is_named_is_read_whatever_its_name(folder: Path) -> None:
    assert ids(folder / "README.md") == ["readme"]
    assert ids(folder / ".hidden.ndjson") == ["hidden"]


def test_a_glob(folder: Path) -> None:
    assert ids(f"{folder}/*.ndjson") == ["b"]
    assert ids(f"{folder}/**/*.log") == ["z"]
    assert ids(f"{folder}/*") == ["z", "b"]
    with pytest.raises(SourceError, match="no file matches"):
        ids(f"{folder}/*.gz")


def test_a_name_that_looks_like_a_glob(tmp_path: Path) -> None:
    (tmp_path / "log[1].ndjson").write_text(line("a"))
    assert ids(tmp_path / "log[1].ndjson") == ["a"]


def test_the_same_file_is_read_once(folder: Path) -> None:
    assert ids(folder / "b.ndjson", folder, folder / "b.ndjson") == ["b", "z"]


def test_no_such_file_names_the_nearest(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder: .*did you mean '.*b\.ndjson'\?"):
        read_records([str(folder / "b.json")])  # told before anything is read
    with pytest.raises(SourceError, match="did you mean"):
        read_records([str(folder / "truth.jsn" / "deep" / "log.json")])
    with pytest.raises(SourceError, match="holds nothing of a like name"):
        read_records([str(folder / "zzzzzz")])


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"Just some prose.\nMore of it.", b"a,b\n1,2\n"])
def test_what_is_no_log_is_an_error_that_lists_what_is_understood(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"picture' is no log: .*one JSON entry a line.*gzip or zstd"):
        ids(path)


def test_json_without_entries_is_an_error_when_it_was_asked_for(folder: Path) -> None:
    with pytest.raises(SourceError, match="holds JSON, but no log entries"):
        ids(folder / "truth.json")


def test_a_folder_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no log in"):
        ids(tmp_path)
    (tmp_path / "notes.txt").write_text("Nothing.")
    with pytest.raises(SourceError, match="no log in"):
        ids(tmp_path)


def test_an_empty_log_in_a_folder_is_a_log(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text("[]")
    assert ids(tmp_path) == []


def test_a_log_of_another_format_in_a_folder_is_counted(folder: Path) -> None:
    (folder / "more.yaml").write_text("---\ninsertId: a\n")
    (problem,) = [x for x in read_records([str(folder)]) if isinstance(x, Unreadable)]
    assert (problem.place.source, problem.reason) == (str(folder / "more.yaml"), "not a format that is understood")


def test_nothing_given_is_nothing_read() -> None:
    assert list(read_records([])) == []
