"""Decompress gzip and zstd, recognised by their first bytes; all other data passes through unchanged."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import zstandard
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK = 256 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UNPACKED_AT_ONCE = 1024 * 1024
# A zstd block of four bytes may stand for 128 KiB, so only few are fed at a time.
_ZSTD_FEED = 2048
_ZSTD_WINDOW = 128 * 1024 * 1024
# Entries carry some 30 bytes that cannot be foreseen (time, id) in some 1,000, so logs pack to 1:50 at the most.
_HARMLESS = 256 * 1024 * 1024
_HIGHEST_RATIO = 200


class DamageError(Exception):
    """Compressed data ends early, is broken or is a bomb; the data before that is good."""


class Allowance:
    """The limit on the size of unpacked data, against decompression bombs."""

    def __init__(self, packed: int = 0) -> None:
        self.packed = packed
        self._unpacked = 0

    @property
    def is_used_up(self) -> bool:
        """True when more was unpacked than is allowed."""
        return self._unpacked > max(_HARMLESS, _HIGHEST_RATIO * self.packed)

    def take(self, block: bytes) -> bytes:
        """Count an unpacked block and return it; raise DamageError when the limit is exceeded."""
        self._unpacked += len(block)
        if self.is_used_up:
            raise DamageError(self.reason)
        return block

    @property
    def reason(self) -> str:
        """Why nothing more is unpacked, for people."""
        size = f"{_HARMLESS / 2**20:g} MiB and more than {_HIGHEST_RATIO} times its size"
        return f"it unpacks to more than {size}, as no log does; the rest was not read"


def blocks_of(raw: BinaryIO) -> Iterator[bytes]:
    """Read a file block by block."""
    while block := raw.read(_BLOCK):
        yield block


def peeked(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the beginning, at least `size` bytes unless the data is shorter, and an iterator over all blocks."""
    head = b""
    try:
        while len(head) < size and (block := next(blocks, b"")):
            head += block
    except DamageError as damage:
        return head, chain([head], _raising(damage))
    return head, chain([head], blocks)


def _raising(damage: DamageError) -> Iterator[bytes]:
    yield from ()
    raise damage


def unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip and zstd; DamageError is raised after everything that could be unpacked."""
    first, everything = peeked(blocks, len(_ZSTD))
    if first.startswith(_GZIP):
        return _gunzip(everything)
    return _unzstd(everything) if first.startswith(_ZSTD) else everything


def _gunzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    engine = isal_zlib.decompressobj(31)
    allowance = Allowance()
    for block in blocks:
        rest = block
        allowance.packed += len(block)
        while rest:
            try:
                yield allowance.take(engine.decompress(rest, _UNPACKED_AT_ONCE))
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub says instance
                raise DamageError(f"the gzip data is broken ({error})") from error
            rest = engine.unconsumed_tail
            if engine.eof:  # the next member, or padding
                rest = engine.unused_data.lstrip(b"\0")
                engine = isal_zlib.decompressobj(31) if rest else engine
    if not engine.eof:
        raise DamageError("the gzip data ends early")


def _unzstd(blocks: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    engine = unpacker.decompressobj()
    allowance = Allowance()
    for block in blocks:
        allowance.packed += len(block)
        for start in range(0, len(block), _ZSTD_FEED):
            rest = block[start : start + _ZSTD_FEED]
            while rest:
                if engine.eof:  # the next frame
                    engine = unpacker.decompressobj()
                try:
                    yield allowance.take(engine.decompress(rest))
                except zstandard.ZstdError as error:
                    raise DamageError(f"the zstd data is broken ({error})") from error
                rest = engine.unused_data if engine.eof else b""
    if not engine.eof:
        raise DamageError("the zstd data ends early")
