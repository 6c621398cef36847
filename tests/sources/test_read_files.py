"""Paths: files, folders, globs, and what is said when there is nothing to read."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from support.platforms import pipes

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import files, read_records


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
    (folder / "more.log").write_text("10:00 it begins\n10:01 it ends\n")
    (problem,) = [x for x in read_records([str(folder)]) if isinstance(x, Unreadable)]
    assert (problem.place.source, problem.reason) == (str(folder / "more.log"), "not a format that is understood")


def test_a_tree_as_a_sink_to_cloud_storage_writes_it(tmp_path: Path) -> None:
    for log, hour in (("stderr", 10), ("stderr", 11), ("requests", 10)):
        day = tmp_path / f"run.googleapis.com/{log}/2026/03/01"
        day.mkdir(parents=True, exist_ok=True)
        (day / f"{hour}:00:00_{hour}:59:59_S0.json").write_text(line(f"{log} {hour}a") + line(f"{log} {hour}b"))
    assert ids(tmp_path) == [
        *("requests 10a", "requests 10b", "stderr 10a", "stderr 10b", "stderr 11a", "stderr 11b"),
    ]


@pytest.mark.slow
def test_ten_thousand_files_take_no_longer_than_they_must(tmp_path: Path) -> None:
    for number in range(10_000):
        if number % 100 == 0:
            folder = tmp_path / f"{number // 100:03d}"
            folder.mkdir()
        (folder / f"{number:05d}.json").write_text(line(str(number)))
    began = time.perf_counter()
    assert ids(tmp_path) == [str(number) for number in range(10_000)]
    assert time.perf_counter() - began < 20


@pipes
def test_a_pipe_is_read_when_named_and_passed_over_in_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "log").write_text(line("log"))
    assert ids(tmp_path) == ["log"]
    assert ids(f"{tmp_path}/*") == ["log"]
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[line("a") + line("b")])
    writer.start()
    assert ids(tmp_path / "pipe") == ["a", "b"]
    writer.join()


def test_what_must_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text(line("log"))
    (tmp_path / "secret").write_text(line("secret"))

    def guarded(name: str, mode: str) -> BinaryIO:
        if name.endswith("secret"):  # as for anybody but root, who runs some tests
            raise PermissionError(13, "Permission denied", name)
        return Path(name).open(mode)  # type: ignore[return-value]  # the mode is "rb"

    monkeypatch.setattr(files, "open", guarded, raising=False)
    found = list(read_records([str(tmp_path)]))
    assert [str(x.place) for x in found] == [f"{tmp_path}/log:1", f"{tmp_path}/secret:1"]
    assert isinstance(found[1], Unreadable)
    assert found[1].reason == "cannot be read: Permission denied"
    with pytest.raises(SourceError, match=r"cannot read '.*secret': Permission denied"):
        ids(tmp_path / "secret")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_must_not_be_looked_into(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line("log"))
    (tmp_path / "closed").mkdir(mode=0)
    found = list(read_records([str(tmp_path)]))
    assert [type(x) for x in found] == [RawEntry, Unreadable]
    with pytest.raises(SourceError, match="cannot read"):
        ids(tmp_path / "closed" / "log")


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text(line("log"))
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list(read_records([str(tmp_path)]))
    assert [str(x.place) for x in found] == [f"{tmp_path}/log:1", f"{tmp_path}/closed:1"]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        ids(tmp_path / ("x" * 5000))


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "log").write_text(line("log"))
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "a" / "other").symlink_to(tmp_path / "a" / "log")
    assert ids(tmp_path) == ["log", "log"]
    with pytest.raises(SourceError, match="no such file"):
        ids(tmp_path / "a" / "self")


def test_nested_folders(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    (deep / "log.json").write_text(line("deep"))
    (tmp_path / "a" / "log.json").write_text(line("high"))
    assert ids(tmp_path) == ["high", "deep"]


def test_nothing_given_is_nothing_read() -> None:
    assert list(read_records([])) == []
