"""Open an input: yield the files of a zip or tar archive, or the input itself, decompressed and in UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from forensics.sources.containers.compression import blocks_of, peeked, unpacked
from forensics.sources.containers.parts import TAR_BLOCK, ZIP, Part, is_tar
from forensics.sources.containers.utf8 import TextContent

if TYPE_CHECKING:
    from collections.abc import Iterator


def parts_of(raw: BinaryIO) -> Iterator[Part]:
    """Yield the parts of a file; read each before asking for the next. Raise ArchiveError."""
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
