"""What any reader in Python must do with a log, as bare loops in two processes.

Each loop adds a little to the one before. Whatever a cleverer program could omit is left out: no order, no instance
lives, no rules, no groups of equal errors, no document but the table of entries.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from isal import isal_zlib

from floors.loops import BLOCK, SERIOUS, Entry, Three, decoded, in_two, lines_with, message_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class PartResult(msgspec.Struct):
    """The result of one process for its half of the log."""

    identities: array[int]
    minutes: Counter[str]
    times: array[int]
    """Filled, like the fields below, only when the order of entries is needed."""
    hits: Counter[tuple[int, ...]]
    groups: Counter[str]
    logged: dict[str, array[int]]
    """Instance → times of the entries that a rule might match."""
    failed: list[tuple[str, int]]
    """Instance and end of each request that failed."""
    exceptions: int = 0
    first: str = "9"
    last: str = ""
    claimable: int = 0
    """Entries that a rule might match; they are only distinguished where words are searched for."""


Look = Callable[[list[Entry], PartResult], None]


def read(log: Path) -> int:
    """Read all bytes."""
    return sum(in_two(log, lambda blocks: sum(map(len, blocks))))


def find(log: Path, name: bytes) -> int:
    """Find the lines that contain a name, and cut them out."""
    return sum(in_two(log, lambda blocks: sum(len(lines_with(block, name)) for block in blocks)))


def decode_three(log: Path, name: bytes) -> int:
    """Decode revision, time and severity of each line."""
    decode = msgspec.json.Decoder(Three).decode

    def work(blocks: Iterator[bytes]) -> int:
        return sum(1 for block in blocks for _ in decoded(decode, block, name))

    return sum(in_two(log, work))


def tell(log: Path, name: bytes, look: Look | None = None, out: Path | None = None) -> list[PartResult]:
    """Decode each distinct entry, count errors by minute, and optionally classify entries and write a table.

    Successful requests are only counted.
    """
    decode = msgspec.json.Decoder(Entry).decode

    def work(blocks: Iterator[bytes]) -> PartResult:
        result = PartResult(array("q"), Counter(), array("q"), Counter(), Counter(), {}, [])
        path = os.devnull if out is None else f"{out}.{os.getpid()}"
        with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - the null device has no Path
            for block in blocks:
                entries = list(decoded(decode, block, name))
                _count(entries, result)
                if look is not None:
                    look(entries, result)
                if out is not None:
                    file.write("".join(_rows(entries)))
        return result

    results = in_two(log, work)
    distinct(results)
    return results


def distinct(results: Sequence[PartResult]) -> int:
    """Count the distinct entries."""
    return len({identity for result in results for identity in result.identities})


def unpack(log: Path) -> int:
    """Decompress gzip, which takes a single process, with the library behind igzip."""
    engine = isal_zlib.decompressobj(31)
    size = 0
    with log.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            while block:
                size += len(engine.decompress(block))
                block = engine.unused_data if engine.eof else b""
                if block:
                    engine = isal_zlib.decompressobj(31)
    return size


def _count(entries: list[Entry], result: PartResult) -> None:
    for entry in entries:
        time = entry.timestamp[:-1]
        result.identities.append(hash((entry.insertId, entry.logName, time)))
        result.first, result.last = min(result.first, time), max(result.last, time)
        if entry.severity in SERIOUS:
            result.minutes[time[:16]] += 1


def _rows(entries: list[Entry]) -> list[str]:
    """Write the rows of errors without checking whether a value needs quotes, as the csv module must."""
    return [
        ",".join(
            (
                entry.timestamp,
                entry.insertId,
                entry.severity,
                entry.logName,
                entry.resource.labels.revision_name,
                entry.labels.instanceId,
                message_of(entry).partition("\n")[0],
                "\r\n",
            )
        )
        for entry in entries
        if entry.severity is not None and entry.severity in SERIOUS
    ]
