"""A log in; what any reader in Python must do with it, as bare loops in two processes.

Each does what the one before does, and a little more. Whatever a cleverer program might do without is left out: no
order, no lives of instances, no rule that is tried, no group of equal errors, no document but the table of entries.
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


class Told(msgspec.Struct):
    """What a process tells the other one."""

    identities: array[int]
    minutes: Counter[str]
    times: array[int]
    """Only where order is asked for, as all below."""
    hits: Counter[tuple[int, ...]]
    groups: Counter[str]
    logged: dict[str, array[int]]
    """Times of what a rule might claim, by instance."""
    failed: list[tuple[str, int]]
    """Instance and end of each request that failed."""
    exceptions: int = 0
    first: str = "9"
    last: str = ""
    claimable: int = 0
    """Entries that a rule might claim; they are only told apart where words are looked for."""


Look = Callable[[list[Entry], Told], None]


def read(log: Path) -> int:
    """Read all bytes."""
    return sum(in_two(log, lambda blocks: sum(map(len, blocks))))


def find(log: Path, name: bytes) -> int:
    """Find the lines that hold a name, and cut them out."""
    return sum(in_two(log, lambda blocks: sum(len(lines_with(block, name)) for block in blocks)))


def decode_three(log: Path, name: bytes) -> int:
    """Decode of each line the revision, the time and the severity."""
    decode = msgspec.json.Decoder(Three).decode

    def work(blocks: Iterator[bytes]) -> int:
        return sum(1 for block in blocks for _ in decoded(decode, block, name))

    return sum(in_two(log, work))


def tell(log: Path, name: bytes, look: Look | None = None, out: Path | None = None) -> list[Told]:
    """Decode each entry once, count errors by minute; perhaps look for more, and write a table. Copies are dropped.

    Of requests that were answered well only that is known.
    """
    decode = msgspec.json.Decoder(Entry).decode

    def work(blocks: Iterator[bytes]) -> Told:
        told = Told(array("q"), Counter(), array("q"), Counter(), Counter(), {}, [])
        path = os.devnull if out is None else f"{out}.{os.getpid()}"
        with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - the null device has no Path
            for block in blocks:
                entries = list(decoded(decode, block, name))
                _count(entries, told)
                if look is not None:
                    look(entries, told)
                if out is not None:
                    file.write("".join(_rows(entries)))
        return told

    results = in_two(log, work)
    distinct(results)
    return results


def distinct(results: Sequence[Told]) -> int:
    """Count the entries, each once."""
    return len({identity for told in results for identity in told.identities})


def unpack(log: Path) -> int:
    """Unpack gzip, which one process must do alone, with the library that igzip is made of."""
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


def _count(entries: list[Entry], told: Told) -> None:
    for entry in entries:
        time = entry.timestamp[:-1]
        told.identities.append(hash((entry.insertId, entry.logName, time)))
        told.first, told.last = min(told.first, time), max(told.last, time)
        if entry.severity in SERIOUS:
            told.minutes[time[:16]] += 1


def _rows(entries: list[Entry]) -> list[str]:
    """Write the rows of errors; whether a value needs quotes is not even looked at, though the csv module must."""
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
