"""A file is written whole or not at all, whatever stops the writing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from forensics.system.atomic_files import write_atomically, write_durably

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITERS = [write_atomically, write_durably]


def broken_off() -> Iterator[bytes]:
    yield b"half"
    raise KeyboardInterrupt


@pytest.mark.parametrize("write", WRITERS)
def test_a_new_file_takes_the_place_of_an_older_one(write: Callable[..., object], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"a longer text that was there before")
    write(tmp_path / "a.json", (b"ne", b"w"))
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.json", b"new")]


@pytest.mark.parametrize("write", WRITERS)
def test_what_stops_the_writing_leaves_the_older_file_and_no_other(
    write: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.json", broken_off())
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.json", b"old")]


def test_while_it_is_written_the_name_is_hidden_and_the_older_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    seen: list[str] = []

    def pieces() -> Iterator[bytes]:
        seen.extend(sorted(file.name for file in tmp_path.iterdir()))
        assert (tmp_path / "a.json").read_bytes() == b"old"
        yield b"new"

    write_atomically(tmp_path / "a.json", pieces())
    assert seen[0].startswith(".a.json.")
    assert seen[1:] == ["a.json"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "five-whys" / "deep" / "a.md", (b"x",))
    assert (tmp_path / "five-whys" / "deep" / "a.md").read_bytes() == b"x"


def test_a_durable_file_is_described_by_size_and_hash(tmp_path: Path) -> None:
    assert write_durably(tmp_path / "a", (b"ab", b"c")) == (3, hashlib.sha256(b"abc").hexdigest())


def test_what_the_disk_refuses_is_the_first_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        write_atomically(tmp_path / "file" / "a.json", (b"x",))
