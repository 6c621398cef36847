"""An opened file in, its parts out: itself, or, when it is a zip or tar archive, the files inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from forensics.sources.containers.compression import blocks_of, peeked, unpacked
from forensics.sources.containers.utf8 import TextContent

if TYPE_CHECKING:
    from collections.abc import Iterator

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TAR_BLOCK = 512
_TAR_MAGIC = slice(257, 262)


class ArchiveError(Exception):
    """An archive cannot be read, or not to its end; finishes a sentence that begins with its name."""


class Part(Struct, frozen=True):
    """One file of an archive, or a whole file that is none."""

    name: str
    """The member's name; empty for a file that is no archive."""
    content: TextContent | None
    """None for a member that is not read."""
    problem: str = ""
    """Why it is not."""


def parts_of(raw: BinaryIO) -> Iterator[Part]:
    """Yield the parts of a file; each must be read before the next is asked for. Raise ArchiveError."""
    first, blocks = peeked(blocks_of(raw), len(ZIP[0]))
    if first.startswith(ZIP):
        from forensics.sources.containers.archives import parts_of_zip  # noqa: PLC0415 - few logs are packed so

        yield from parts_of_zip(raw, blocks)
        return
    first, blocks = peeked(unpacked(blocks), TAR_BLOCK)
    if is_tar(first):
        from forensics.sources.containers.archives import parts_of_tar  # noqa: PLC0415

        yield from parts_of_tar(blocks)
    else:
        yield Part("", TextContent(blocks))


def is_tar(first: bytes) -> bool:
    """Tell whether a file begins as a tar archive does."""
    return first[_TAR_MAGIC] == b"ustar"
