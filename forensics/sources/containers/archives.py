"""Read the files inside a zip or tar archive, one after the other.

Nothing is written to disk, and the name of a member is shown and never used as a path.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, BinaryIO

from forensics.sources.containers.compression import Allowance, DamageError, blocks_of, peeked, unpacked
from forensics.sources.containers.parts import TAR_BLOCK, ZIP, ArchiveError, Part, is_tar
from forensics.sources.containers.utf8 import TextContent
from forensics.sources.find_inputs import is_hidden, is_passed_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_MOST_MEMBERS = 10_000
_IN_MEMORY = 64 * 1024 * 1024
_ENCRYPTED = 1
# What the standard library raises over archives and members that are cut off, broken or of a kind it does not know.
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression method or a version of the format
    ValueError,  # an offset before the beginning, a name that is no UTF-8
)


def parts_of_zip(raw: BinaryIO, blocks: Iterator[bytes]) -> Iterator[Part]:
    """Yield the files of a zip archive; raise ArchiveError."""
    with _seekable(raw, blocks) as file:
        yield from _zip_parts(file)


def _seekable(raw: BinaryIO, blocks: Iterator[bytes]) -> AbstractContextManager[IO[bytes]]:
    """Return a seekable file: the directory of a zip archive stands at its end, so a pipe is buffered first."""
    if raw.seekable():
        return nullcontext(raw)
    kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed by the caller)
    for block in blocks:
        kept.write(block)
    return kept


def _zip_parts(file: IO[bytes]) -> Iterator[Part]:
    allowance = Allowance(packed=file.seek(0, io.SEEK_END))
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise ArchiveError(f"is a broken zip archive ({error})") from error
    with archive:
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise ArchiveError("is an encrypted zip archive; unpack it with its password and give the folder")
        for number, member in enumerate(members):
            _check(number, allowance)
            yield from _part(member.filename, _zip_blocks(archive, member, allowance))


def _zip_blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, allowance: Allowance) -> Iterator[bytes]:
    try:
        with archive.open(member) as file:
            for block in blocks_of(file):  # type: ignore[arg-type]  # IO[bytes] reads as BinaryIO does
                yield allowance.take(block)
    except _BROKEN as error:
        raise DamageError(f"this member of the zip archive is broken ({error})") from error


def parts_of_tar(blocks: Iterator[bytes]) -> Iterator[Part]:
    """Yield the files of a tar archive; raise ArchiveError."""
    number = 0
    try:
        with tarfile.open(fileobj=_Reader(blocks), mode="r|", bufsize=512 * TAR_BLOCK) as archive:
            for member in archive:
                if not member.isreg():
                    continue
                _check(number)
                number += 1
                if member.issparse():  # a few bytes may stand for terabytes of nothing
                    yield Part(_printable(member.name), None, "a sparse file is not read")
                else:
                    yield from _part(member.name, _tar_blocks(archive.extractfile(member)))
    except (*_BROKEN, DamageError) as error:
        raise ArchiveError(f"is a broken tar archive ({error})") from error


def _tar_blocks(file: IO[bytes] | None) -> Iterator[bytes]:
    try:
        yield from blocks_of(file or io.BytesIO())  # type: ignore[arg-type]  # as in _zip_blocks
    except _BROKEN as error:
        raise DamageError(f"this member of the tar archive is broken ({error})") from error


def _check(number: int, allowance: Allowance | None = None) -> None:
    if number >= _MOST_MEMBERS:
        raise ArchiveError(f"holds more than {_MOST_MEMBERS:,} files; the rest was not read")
    if allowance is not None and allowance.is_used_up:
        raise ArchiveError(f"is an archive that looks like a bomb: {allowance.reason}")


def _part(name: str, blocks: Iterator[bytes]) -> Iterator[Part]:
    *folders, last = name.replace("\\", "/").split("/")
    if is_passed_over(last) or any(is_hidden(folder) for folder in folders):
        return
    first, everything = peeked(unpacked(blocks), TAR_BLOCK)
    is_archive = first.startswith(ZIP) or is_tar(first)
    if is_archive:
        yield Part(_printable(name), None, "an archive inside an archive is not read")
    else:
        yield Part(_printable(name), TextContent(everything))


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name) or "(no name)"


class _Reader(io.RawIOBase):
    """A file object over blocks of bytes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks = blocks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` of the next bytes, b"" at the end."""
        while not self._rest and (block := next(self._blocks, None)) is not None:
            self._rest = block
        block, self._rest = self._rest[:size], self._rest[size:]
        return block
