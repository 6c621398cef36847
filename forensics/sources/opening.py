"""Bytes of a file in, UTF-8 blocks out: gzip and zstd are unpacked, UTF-16 is turned into UTF-8, a BOM is dropped."""

from __future__ import annotations

import codecs
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import zstandard
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 256 * 1024
_HEAD = 256 * 1024
_LONGEST_HEAD = 4 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UNPACKED_AT_ONCE = 1024 * 1024
# A zstd block of four bytes may stand for 128 KiB, so only few are fed at a time.
_ZSTD_FEED = 2048
_ZSTD_WINDOW = 128 * 1024 * 1024


class Content:
    """The UTF-8 bytes of one input: a head that can be looked at first, and then all of it, once."""

    def __init__(self, raw: BinaryIO) -> None:
        self.damage: str | None = None
        """Why reading stopped before the end; known when all blocks were read."""
        self._blocks = self._until_damage(_utf8(_unpacked(_blocks_of(raw))))
        self.head = self._read_head()
        self._all: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """True when the head is all there is."""
        return len(self.head) < _HEAD

    def blocks(self) -> Iterator[bytes]:
        """Yield everything, the head included. Only once, unless `everything` was asked for before."""
        return iter([self._all]) if self._all is not None else chain([self.head], self._blocks)

    def everything(self) -> bytes:
        """Return all bytes; they stay in memory."""
        if self._all is None:
            self._all = b"".join(self.blocks())
        return self._all

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
        except _DamageError as damage:
            self.damage = str(damage)


class _DamageError(Exception):
    """Compressed data ends early or is broken; what came before is good."""


def _blocks_of(raw: BinaryIO) -> Iterator[bytes]:
    while block := raw.read(_BLOCK):
        yield block


def _unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks, b"")
    everything = chain([first], blocks)
    if first.startswith(_GZIP):
        yield from _gunzip(everything)
    elif first.startswith(_ZSTD):
        yield from _unzstd(everything)
    else:
        yield from everything


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    engine = isal_zlib.decompressobj(31)
    for block in blocks:
        rest = block
        while rest:
            try:
                yield engine.decompress(rest, _UNPACKED_AT_ONCE)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub says instance
                raise _DamageError(f"the gzip data is broken ({error})") from error
            rest = engine.unconsumed_tail
            if engine.eof:  # the next member, or padding
                rest = engine.unused_data.lstrip(b"\0")
                engine = isal_zlib.decompressobj(31) if rest else engine
    if not engine.eof:
        raise _DamageError("the gzip data ends early")


def _unzstd(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    engine = unpacker.decompressobj()
    for block in blocks:
        for start in range(0, len(block), _ZSTD_FEED):
            rest = block[start : start + _ZSTD_FEED]
            while rest:
                if engine.eof:  # the next frame
                    engine = unpacker.decompressobj()
                try:
                    yield engine.decompress(rest)
                except zstandard.ZstdError as error:
                    raise _DamageError(f"the zstd data is broken ({error})") from error
                rest = engine.unused_data if engine.eof else b""
    if not engine.eof:
        raise _DamageError("the zstd data ends early")


def _utf8(any_blocks: Iterator[bytes]) -> Iterator[bytes]:
    blocks = filter(None, any_blocks)
    first = next(blocks, b"")
    while 0 < len(first) < len(codecs.BOM_UTF8) and (more := next(blocks, b"")):
        first += more
    encoding = _utf16_encoding(first)
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from blocks
    else:
        yield from _from_utf16(chain([first], blocks), encoding)


def _utf16_encoding(first: bytes) -> str | None:
    # PowerShell's `>` writes UTF-16 with a BOM: a third of the exports that people share. Some tools drop the BOM.
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if first[:2] in {b"{\0", b"[\0"}:
        return "utf-16-le"
    if first[:2] in {b"\0{", b"\0["}:
        return "utf-16-be"
    return None


def _from_utf16(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()
