"""The store of records while only their index is in memory: the files they came from, or a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from forensics.sources.api_keys import OTHER_PAYLOADS, PAYLOADS
from forensics.sources.json.json_values import NotJsonError, decode_json, entries_in
from forensics.sources.line_blocks import read_at
from forensics.sources.values.api_spelling import in_api_spelling

if TYPE_CHECKING:
    from pathlib import Path

_FILE_BITS = 40
"""Bits of the offset in a place, which is a file's number and an offset in that file."""
_SPOOL = 0
_WINDOW = 64 * 1024
"""Bytes read at once where entries lie close together."""
_SMALL_WINDOW = 8 * 1024
"""Bytes read at once where entries lie far apart: most of a large window would be wasted."""
_MOST_OPEN = 64
"""Files that are open at the same time."""
_UNWRITTEN = 1024 * 1024
_PAYLOADS = PAYLOADS | OTHER_PAYLOADS

_encoder = msgspec.json.Encoder()


class FileRecordStore:
    """Keeps lines of plain files where they are, and everything else in a temporary file."""

    def __init__(self) -> None:
        self._spool = tempfile.TemporaryFile(prefix="forensics-", buffering=0)  # noqa: SIM115 - closed with the store
        self._paths: list[str] = [""]
        self._files: OrderedDict[int, int] = OrderedDict({_SPOOL: self._spool.fileno()})
        """Open files by number; the most recently used one is last."""
        self._unwritten = bytearray()
        self._written = 0
        self._window, self._window_at, self._window_of = b"", 0, -1

    def open(self, path: Path | str) -> int:
        """Register a plain file whose lines will be read again; return the place of its first byte."""
        self._paths.append(str(path))
        number = len(self._paths) - 1
        self._file(number)  # so that a file that is renamed or deleted meanwhile can still be read
        return number << _FILE_BITS

    def _file(self, number: int) -> int | None:
        """Return an open file, closing others when there are many; None when the file is gone."""
        file = self._files.get(number)
        if file is None:
            try:
                file = os.open(self._paths[number], os.O_RDONLY | getattr(os, "O_BINARY", 0))
            except OSError:
                return None
            self._files[number] = file
        if number != _SPOOL:
            self._files.move_to_end(number)
            if len(self._files) > _MOST_OPEN:
                oldest = next(other for other in self._files if other != _SPOOL)
                os.close(self._files.pop(oldest))
        return file

    def keep(self, record: dict[str, Any]) -> int:
        """Store a record and return its place."""
        return self.keep_line(_encoder.encode(record))

    def keep_line(self, line: bytes) -> int:
        """Store a line with one entry, or several such lines, and return the place of the first byte."""
        place = (_SPOOL << _FILE_BITS) + self._written + len(self._unwritten)
        if len(line) >= _WINDOW:  # a large line is written at once
            self.flush()
            self._spool.writelines((line, b"\n"))
            self._written += len(line) + 1
            return place
        self._unwritten += line
        self._unwritten += b"\n"
        if len(self._unwritten) >= _UNWRITTEN:
            self.flush()
        return place

    def flush(self) -> None:
        """Write out all stored lines, so that other processes can read them."""
        if self._unwritten:
            self._spool.write(self._unwritten)
            self._written += len(self._unwritten)
            self._unwritten.clear()

    def record(self, place: int) -> dict[str, Any] | None:
        """Return the record at a place, None when its file has changed since."""
        return one_record(self.line(place))

    def line(self, place: int) -> bytes:
        """Return the bytes at a place, up to the end of the line."""
        if place >> _FILE_BITS == _SPOOL:
            self.flush()
        number, offset = place >> _FILE_BITS, place & ((1 << _FILE_BITS) - 1)
        # Entries are read almost in the order of the file: one read serves many of them.
        at = offset - self._window_at if number == self._window_of else -1
        if 0 <= at < len(self._window):
            end = self._window.find(b"\n", at)
            if end >= 0:
                return self._window[at:end]
        return self._read(number, offset)

    def _read(self, number: int, offset: int) -> bytes:
        # The next entry often begins near the end of the last window: then a large window is not wasted.
        behind = offset - self._window_at - len(self._window) if number == self._window_of else _WINDOW
        size = _WINDOW if -_SMALL_WINDOW < behind < _SMALL_WINDOW else _SMALL_WINDOW
        file = self._file(number)
        if file is None:
            return b""
        window = read_at(file, size, offset)
        while b"\n" not in window and len(window) == size:
            size *= 4
            window = read_at(file, size, offset)
        # The spool only grows at its end: what was read of it stays valid.
        self._window, self._window_at, self._window_of = window[:_WINDOW], offset, number
        end = window.find(b"\n")
        return window if end < 0 else window[:end]

    def close(self) -> None:
        """Close all files."""
        for number, file in self._files.items():
            if number != _SPOOL:
                os.close(file)
        self._files.clear()
        self._spool.close()


def one_record(line: bytes) -> dict[str, Any] | None:
    """Decode a line that had one entry when it was indexed; None when the line has changed since."""
    try:
        value = decode_json(line)
    except NotJsonError:
        return None
    # Nearly every record is one plain entry; `entries_in` would return it in a list.
    if type(value) is dict and not _PAYLOADS.isdisjoint(value):
        return in_api_spelling(value)
    entries = entries_in(value)
    if entries is None or len(entries) != 1 or not isinstance(entries[0], dict):
        return value if isinstance(value, dict) else None
    return in_api_spelling(entries[0])
