"""Recognise entries that a case holds already."""

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
    """The identities (logName, timestamp, insertId) of a case's entries from a time on.

    A million of them take about 100 MB, so only the part of the case that a pull can meet again is read. Within one
    listing `PageReader` lets no entry through twice; `keeps` says whether more listings follow.
    """

    def __init__(self, case: Case, since: Nanoseconds, *, keeps: bool) -> None:
        self._keeps = keeps
        self._before: set[bytes] = set()
        self._known = {mark for line in case.lines(since) for mark, time in (_mark(line),) if time >= since}

    def new(self, entries: Iterable[bytes]) -> list[bytes]:
        """Return the entries that the case does not hold yet."""
        fresh = []
        for entry in entries:
            mark, _ = _mark(entry)
            if mark not in self._known and mark not in self._before:
                fresh.append(entry)
                if self._keeps:
                    self._known.add(mark)
        return fresh

    def forget(self) -> None:
        """Drop the entries that were known before the previous call; none of them can be listed again."""
        self._before, self._known = self._known, set()


def _mark(entry: bytes) -> tuple[bytes, int]:
    """Return the digest of an entry's identity, and its time; one without an identity equals only its own copies."""
    try:
        identity = _IDENTITY.decode(entry)
        time = int(parse_time(identity.timestamp))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return _digest(entry), 1 << 63  # without a time it is never too old to be met again
    if not identity.insertId:
        return _digest(entry), time
    return _digest(f"{identity.logName}\0{time}\0{identity.insertId}".encode(errors="surrogatepass")), time


def _digest(identity: bytes) -> bytes:
    return blake2b(identity, digest_size=10).digest()
