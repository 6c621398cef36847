"""The text of an input in UTF-8: UTF-16 is converted, a byte order mark is dropped."""

from __future__ import annotations

import codecs
import re
from itertools import chain
from typing import TYPE_CHECKING

from forensics.sources.containers.compression import DamageError, peeked
from forensics.sources.line_blocks import sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_WHOLE = 16 * 1024 * 1024
"""Bytes of a content that can only be read as a whole; documents that quote logs, and single entries, are smaller."""
_HEAD = 256 * 1024
_LONGEST_HEAD = 4 * 1024 * 1024
# Two characters of ASCII: `{"`, `--`, `in`.
_UTF16_LE = re.compile(rb"[\t\n\r -~]\0[\t\n\r -~]\0")
_UTF16_BE = re.compile(rb"\0[\t\n\r -~]\0[\t\n\r -~]")


class TextContent:
    """The UTF-8 bytes of one input: a head to look at first, then all blocks, which can be read once."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.damage: str | None = None
        """Why reading stopped before the end; known when all blocks were read."""
        self._blocks = self._until_damage(_utf8(blocks))
        self.head = self._read_head()
        self._all: bytes | None = None
        self._is_cut = False

    @property
    def is_whole(self) -> bool:
        """True when the head is the whole content."""
        return len(self.head) < _HEAD

    @property
    def head_text(self) -> str:
        """The head as text."""
        return self.head.decode("utf-8", "replace")

    def head_lines(self) -> list[bytes]:
        """Return the whole lines of the head."""
        lines = self.head.split(b"\n")
        return lines if self.is_whole or len(lines) == 1 else lines[:-1]

    def blocks(self) -> Iterator[bytes]:
        """Yield the whole content, head included. This works once, unless `everything` has kept the content."""
        return chain(sliced(self.head if self._all is None else self._all), self._blocks)

    def everything(self) -> bytes:
        """Return and keep all bytes, or only the beginning of a content that is too large for memory (`is_cut`)."""
        if self._all is None:
            parts, size = [self.head], len(self.head)
            while size <= LONGEST_WHOLE and (block := next(self._blocks, None)) is not None:
                parts.append(block)
                size += len(block)
            self._all = b"".join(parts)
            self._is_cut = size > LONGEST_WHOLE
        return self._all

    @property
    def is_cut(self) -> bool:
        """True when `everything` is the beginning only."""
        self.everything()
        return self._is_cut

    def _read_head(self) -> bytes:
        # As many blocks as it takes to see a whole line, within reason.
        head = bytearray()
        for block in self._blocks:
            head += block
            if len(head) >= _HEAD and (b"\n" in head or len(head) > _LONGEST_HEAD):
                break
        return bytes(head)

    def _until_damage(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from blocks
        except DamageError as damage:
            self.damage = str(damage)


def _utf8(any_blocks: Iterable[bytes]) -> Iterator[bytes]:
    first, blocks = peeked(filter(None, any_blocks), 4)
    encoding = _utf16_encoding(first)
    if encoding is not None:
        yield from _from_utf16(blocks, encoding)
        return
    yield next(blocks, b"").removeprefix(codecs.BOM_UTF8)
    yield from blocks


def _utf16_encoding(first: bytes) -> str | None:
    # PowerShell's `>` writes UTF-16 with a BOM: a third of the exports that people share. Some tools drop the BOM.
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _UTF16_LE.match(first):
        return "utf-16-le"
    return "utf-16-be" if _UTF16_BE.match(first) else None


def _from_utf16(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()
