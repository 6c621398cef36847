"""zip and tar archives are read member by member, in memory; names inside them are never used as paths."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings, strategies as st

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.containers import archives, compression as packing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def entry(name: str) -> bytes:
    return json.dumps({"insertId": name, "textPayload": "x"}).encode()


MEMBERS = {
    "logs/a.ndjson": entry("a1") + b"\n" + entry("a2"),
    "logs/b.json.gz": gzip.compress(b"[" + entry("b") + b"]"),
    "../../c.yaml": b"insertId: c\ntextPayload: x\n",
    "./d.csv": "logName,insertId\nx,d\n".encode("utf-16"),
    "README.md": entry("readme"),
    "__MACOSX/._a.ndjson": b"\0\1",
    ".hidden/x.json": entry("hidden"),
    "picture": b"\x89PNG",
}
READ = ["a1", "a2", "b", "c", "d"]


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.mkdir("logs")
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members: Mapping[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
        for number, type_ in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)):
            header = tarfile.TarInfo(f"special{number}")
            header.type, header.linkname = type_, "/etc/passwd"
            archive.addfile(header)
    return out.getvalue()


ARCHIVES: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "zip": zipped,
    "zip, stored": lambda members: zipped(members, zipfile.ZIP_STORED),
    "zip, lzma": lambda members: zipped(members, zipfile.ZIP_LZMA),
    "tar": tarred,
    "tar, gnu": lambda members: tarred(members, tarfile.GNU_FORMAT),
    "tar, old": lambda members: tarred(members, tarfile.USTAR_FORMAT),
    "tar.gz": lambda members: gzip.compress(tarred(members)),
    "tar.zst": lambda members: zstandard.ZstdCompressor().compress(tarred(members)),
}


def read(path: Path, content: bytes) -> tuple[list[str], list[Unreadable]]:
    path.write_bytes(content)
    found = list(read_records([str(path)]))
    return [str(x.record.get("insertId")) for x in found if isinstance(x, RawEntry)], [
        x for x in found if isinstance(x, Unreadable)
    ]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "export"
    assert read(path, ARCHIVES[kind](MEMBERS)) == (READ, [])
    places = [str(x.place) for x in read_records([str(path)])]
    assert places[:3] == [f"{path}!logs/a.ndjson:1", f"{path}!logs/a.ndjson:2", f"{path}!logs/b.json.gz:1"]
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "folder").mkdir()
    path.rename(tmp_path / "folder" / "logs.zip")
    assert len(list(read_records([str(tmp_path / "folder")]))) == len(READ)


class Pipe(io.BytesIO):
    """Bytes that can be read once, from the beginning to the end."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives_from_a_pipe(kind: str) -> None:
    found = list(read_records(["-"], stdin=Pipe(ARCHIVES[kind](MEMBERS))))
    assert [x.record["insertId"] for x in found if isinstance(x, RawEntry)] == READ
    assert str(found[0].place) == "-!logs/a.ndjson:1"


def test_an_archive_inside_an_archive_is_told_and_not_read(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        inner = {"a.json": entry("a"), "x.zip": zipped(MEMBERS), "y.tgz": gzip.compress(tarred(MEMBERS))}
        entries, problems = read(tmp_path / "export", pack(inner))
        assert entries == ["a"]
        assert [p.place.source.rsplit("!", 1)[1] for p in problems] == ["x.zip", "y.tgz"]


def test_an_archive_without_a_log_is_an_error(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        for members in ({}, {"picture": b"\x89PNG", "README.md": b"x"}):
            with pytest.raises(SourceError, match=r"no log in .*export"):
                read(tmp_path / "export", pack(members))


def test_an_encrypted_archive_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.json": entry("a")}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(magic) + offset] |= 1
    with pytest.raises(SourceError, match=r"is an encrypted zip archive; unpack it with its password"):
        read(tmp_path / "export", bytes(content))
    (tmp_path / "log.json").write_bytes(entry("log"))
    (tmp_path / "export").rename(tmp_path / "export.zip")
    found = list(read_records([str(tmp_path)]))
    assert [type(x) for x in found] == [Unreadable, RawEntry]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_cut_archive(kind: str, tmp_path: Path) -> None:
    noise = random.Random(0)  # noqa: S311  (incompressible, so that the cut falls into the second member)
    members = {name: entry(name) + b"\n" + noise.randbytes(50_000).hex().encode() for name in ("a", "b")}
    content = ARCHIVES[kind](members)
    cut = content[: len(content) * 3 // 4]
    if kind == "zip":  # its directory stands at the end
        with pytest.raises(SourceError, match="is a broken zip archive"):
            read(tmp_path / "export", cut)
        return
    entries, problems = read(tmp_path / "export", cut)
    assert (entries[0], bool(problems)) == ("a", True)


def test_a_broken_member_costs_itself(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.json": entry("a"), "b.json": entry("b")}, zipfile.ZIP_STORED))
    content[content.index(b'"textPayload"') + 1] ^= 1
    entries, problems = read(tmp_path / "export", bytes(content))
    assert entries[-1] == "b"
    assert any("member of the zip archive is broken" in p.reason for p in problems)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_many_members(pack: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 3)
    entries, (problem,) = read(tmp_path / "export", pack({f"{n}.json": entry(str(n)) for n in range(5)}))
    assert (entries, problem.reason) == (["0", "1", "2"], "holds more than 3 files; the rest was not read")


def test_bombs_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_HARMLESS", 2_000_000)
    large = {"a.ndjson": entry("a") + b"\n" + b" " * 8_000_000, "b.ndjson": entry("b")}
    for pack in (
        zipped,
        lambda members: gzip.compress(tarred(members)),
        lambda members: gzip.compress(members["a.ndjson"]),
    ):
        entries, problems = read(tmp_path / "export", pack(large))
        assert entries == ["a"]
        assert any("as no log does; the rest was not read" in problem.reason for problem in problems)
    monkeypatch.setattr(packing, "_HIGHEST_RATIO", 10_000)
    assert read(tmp_path / "export", zipped(large)) == (["a", "b"], [])


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    read(tmp_path / "export", tarred({"a\x1b[31m\n.json": entry("a")}))
    (found,) = read_records([str(tmp_path / "export")])
    assert found.place.source.endswith("!a�[31m�.json")


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(sorted(ARCHIVES)), at=st.floats(0, 1), new=st.binary(min_size=1, max_size=4), cut=st.booleans()
)
def test_no_damage_breaks_it(kind: str, at: float, new: bytes, cut: bool, tmp_path: Path) -> None:  # noqa: FBT001
    content = ARCHIVES[kind](MEMBERS)
    place = int(at * len(content))
    damaged = content[:place] + new + (b"" if cut else content[place + len(new) :])
    try:
        read(tmp_path / "export", damaged)
    except SourceError as error:
        assert "export" in str(error)  # noqa: PT017  (both outcomes are right)
