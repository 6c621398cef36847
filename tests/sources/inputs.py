"""Inputs for readers: a large file without a disk, and the encodings of a text."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from forensics.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.model import PassedOver, RawEntry, Unreadable

T = TypeVar("T")

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with BOM": lambda text: text.encode("utf-8-sig"),
    "UTF-16 with BOM": lambda text: text.encode("utf-16"),
    "UTF-16BE with BOM": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16LE": lambda text: text.encode("utf-16-le"),
    "UTF-16BE": lambda text: text.encode("utf-16-be"),
}


class _Stream(io.RawIOBase):
    def __init__(self, parts: Iterable[bytes]) -> None:
        super().__init__()
        self._parts = filter(None, parts)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        self._rest = self._rest or next(self._parts, b"")
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def seekable(self) -> bool:
        return False


def streamed(parts: Iterable[bytes]) -> Iterator[RawEntry | Unreadable | PassedOver]:
    """Read parts as they come, as if they were piped in."""
    return read_records(["-"], stdin=cast("BinaryIO", _Stream(parts)))


def measured(act: Callable[[], T]) -> tuple[T, int]:
    """Return the result of a call, and the peak of its memory in bytes."""
    tracemalloc.start()
    try:
        return act(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
