"""Split blocks of bytes into lines, with at most one line in memory; a line that is too long is reported, not kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SLICE = 256 * 1024
LONGEST_ENTRY = 16 * 1024 * 1024
"""Cloud Logging's own limit for an entry is 256 KiB; indented, escaped and wrapped it stays far below this."""


def too_long(longest: int) -> str:
    """Return the problem of a text that was too long to be kept."""
    return f"longer than {longest / 2**20:g} MiB"


def sliced(data: bytes) -> Iterator[bytes]:
    """Cut bytes into blocks."""
    yield from (data[start : start + _SLICE] for start in range(0, len(data), _SLICE))


def gathered(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Join small blocks into larger ones of a certain size: decompressors yield very small blocks."""
    parts: list[bytes] = []
    length = 0
    for block in blocks:
        parts.append(block)
        length += len(block)
        if length >= size:
            yield b"".join(parts)
            parts, length = [], 0
    if parts:
        yield b"".join(parts)


def read_at(file: int, size: int, offset: int) -> bytes:
    """Read from an offset of an open file, in one go where the platform can: processes may share the file."""
    if hasattr(os, "pread"):
        return os.pread(file, size, offset)
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, size)


def lines_of(blocks: Iterable[bytes], longest: int) -> Iterator[bytes | None]:
    """Split blocks into lines without their line feeds; None for a line that is too long to be kept."""
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        *ended, rest = block.split(b"\n")
        if ended:
            yield b"".join([*parts, ended[0]]) if size + len(ended[0]) <= longest else None
            for line in ended[1:]:
                yield line if len(line) <= longest else None
            parts, size = [], 0
        size += len(rest)
        if size <= longest:
            parts.append(rest)
        else:
            parts.clear()
    if size:
        yield b"".join(parts) if size <= longest else None


def numbered_lines(blocks: Iterable[bytes], longest: int) -> Iterator[tuple[int, str | None]]:
    """Split blocks into lines of text with their numbers, LF and CRLF alike."""
    for number, line in enumerate(lines_of(blocks, longest), start=1):
        yield number, None if line is None else line.decode("utf-8", "replace").removesuffix("\r")
