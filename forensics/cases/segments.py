"""Segments, the zstd-packed NDJSON files of a case: write, read, check and join them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
import zstandard
from msgspec import Struct

from forensics.cases.manifest import Segment
from forensics.errors import CaseError
from forensics.system.atomic_files import write_durably
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FOLDER = "segments"
_BLOCK = 1024 * 1024
_LARGE = 16 * 1024 * 1024
"""Packed bytes from which a segment is no longer joined with others."""


class _Stamped(Struct, frozen=True):
    """The one field of an entry from which a segment's bounds are computed."""

    timestamp: str | None = None


_DECODER = msgspec.json.Decoder(_Stamped)


def write_segment(folder: Path, number: int, lines: Sequence[bytes]) -> Segment:
    """Write lines into a new segment of a case; it belongs to the case once the manifest lists it."""
    rows = [one_line(line) for line in lines]
    # The checksum lets any zstd reader detect damage, also without the manifest.
    packed = zstandard.ZstdCompressor(write_checksum=True).compress(b"\n".join(rows) + b"\n")
    name = _name(number)
    size, sha256 = write_durably(folder / name, (packed,))
    first, last = bounds(rows)
    return Segment(file=name, entries=len(rows), bytes=size, sha256=sha256, first=first, last=last)


def one_line(line: bytes) -> bytes:
    """Return an entry as one line; JSON allows raw line breaks only where a blank means the same."""
    return line.replace(b"\n", b" ") if b"\n" in line else line


def bounds(lines: Iterable[bytes]) -> tuple[str | None, str | None]:
    """Return the earliest and the latest timestamp of entries, as received; None where no entry has one."""
    first = last = None
    for line in lines:
        stamp = _stamp(line)
        if stamp is not None:
            first = stamp if first is None else min(first, stamp)
            last = stamp if last is None else max(last, stamp)
    return first[1] if first else None, last[1] if last else None


def _stamp(line: bytes) -> tuple[int, str] | None:
    try:
        text = _DECODER.decode(line).timestamp
        return (parse_time(text), text) if text else None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, IndexError, RecursionError):
        return None  # stored as received all the same; readers judge it


def read_segment(folder: Path, segment: Segment) -> Iterator[bytes]:
    """Yield the lines of a segment; CaseError when it is damaged or its number of lines is wrong."""
    count, rest = 0, b""
    try:
        for block in _unpacked(folder / segment.file):
            *whole, rest = (rest + block).split(b"\n")
            count += len(whole)
            yield from whole
    except OSError as error:
        raise CaseError(f"{segment.file}: cannot be read: {error.strerror or error}") from error
    except zstandard.ZstdError as error:
        raise CaseError(f"{segment.file}: is damaged: {error}") from error
    if rest or count != segment.entries:
        raise CaseError(f"{segment.file}: holds {count:,} whole entries, the manifest says {segment.entries:,}")


def _unpacked(file: Path) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor()
    with file.open("rb") as raw, unpacker.stream_reader(raw, read_across_frames=True) as reader:
        while block := reader.read(_BLOCK):
            yield block


def hash_problem(folder: Path, segment: Segment) -> str | None:
    """Compare a segment's bytes with the manifest; return what is wrong with them, None when nothing is."""
    try:
        for _ in _checked(folder, segment):
            pass
    except OSError as error:
        return f"{segment.file}: cannot be read: {error.strerror or error}"
    except CaseError as error:
        return str(error)
    return None


def _checked(folder: Path, segment: Segment) -> Iterator[bytes]:
    """Yield a segment's packed bytes; CaseError at their end when size or hash differ from the manifest."""
    digest, size = hashlib.sha256(), 0
    with (folder / segment.file).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            yield block
    if size != segment.bytes:
        raise CaseError(f"{segment.file}: has {size:,} bytes, the manifest says {segment.bytes:,}")
    if digest.hexdigest() != segment.sha256:
        raise CaseError(
            f"{segment.file}: has been changed: its SHA-256 is {digest.hexdigest()}, not {segment.sha256!r}"
        )


def is_small(segment: Segment) -> bool:
    """Tell whether a segment should be joined with its neighbours."""
    return segment.bytes < _LARGE


def neighbours(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Group segments, in order, into future files of a good size."""
    groups: list[list[Segment]] = []
    size = _LARGE
    for segment in segments:
        if size >= _LARGE or not is_small(segment):
            groups.append([])
            size = 0
        groups[-1].append(segment)
        size += segment.bytes
    return groups


def join(folder: Path, number: int, segments: Sequence[Segment]) -> Segment:
    """Join several segments into a new one; CaseError when one of them is damaged."""
    # Concatenated zstd files are a zstd file; each is checked against its hash, so that no damage gets a seal.
    name = _name(number)
    size, sha256 = write_durably(folder / name, (block for part in segments for block in _checked(folder, part)))
    stamps = [stamp for part in segments for stamp in (part.first, part.last) if stamp is not None]
    return Segment(
        file=name,
        entries=sum(part.entries for part in segments),
        bytes=size,
        sha256=sha256,
        first=min(stamps, key=parse_time, default=None),
        last=max(stamps, key=parse_time, default=None),
    )


def next_number(segments: Iterable[Segment]) -> int:
    """Return the next unused segment number."""
    return max((int(segment.file.split("/")[1].split(".")[0]) for segment in segments), default=0) + 1


def _name(number: int) -> str:
    return f"{FOLDER}/{number:06d}.ndjson.zst"
