"""A case in; which of the entries that come now it holds already out."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forensics.cases import Case
    from forensics.model import Nanoseconds


class _Identity(Struct):
    logName: str = ""  # noqa: N815 - the API's own spelling
    timestamp: str = ""
    insertId: str = ""  # noqa: N815 - the API's own spelling


_IDENTITY = msgspec.json.Decoder(_Identity)


class KnownEntries:
    """The identities (logName, timestamp, insertId) of a case's entries from a moment on.

    A million of them take about 100 MB, so only as much of the case is looked at as a pull can meet again. Within
    one listing the reader of pages lets nothing through twice; `keeps` says whether more listings follow.
    """

    def __init__(self, case: Case, since: Nanoseconds, *, keeps: bool) -> None:
        self._keeps = keeps
        self._before: set[bytes] = set()
        self._had = {mark for line in case.lines(since) for mark, time in (_mark(line),) if time >= since}

    def new(self, entries: Iterable[bytes]) -> list[bytes]:
        """Leave out the entries that the case holds."""
        fresh = []
        for entry in entries:
            mark, _ = _mark(entry)
            if mark not in self._had and mark not in self._before:
                fresh.append(entry)
                if self._keeps:
                    self._had.add(mark)
        return fresh

    def forget(self) -> None:
        """Forget what came before the last time that this was asked for; nothing of it can come again."""
        self._before, self._had = self._had, set()


def _mark(entry: bytes) -> tuple[bytes, int]:
    """Return the digest of an entry's identity, and its time; what has no identity is only equal to itself."""
    try:
        identity = _IDENTITY.decode(entry)
        time = int(parse_time(identity.timestamp))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return _digest(entry), 1 << 63  # of no time: never too old to be met again
    if not identity.insertId:
        return _digest(entry), time
    return _digest(f"{identity.logName}\0{time}\0{identity.insertId}".encode(errors="surrogatepass")), time


def _digest(identity: bytes) -> bytes:
    return blake2b(identity, digest_size=10).digest()
