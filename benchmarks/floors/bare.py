"""A log in; what any reader in Python must do with it, as bare loops in two processes.

Each does what the one before does, and a little more. Whatever a cleverer program might do without is left out: no
order, no lives of instances, no rule that is tried, no group of equal errors, no document but the table of entries.
"""

from __future__ import annotations

import multiprocessing
import os
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import re2
import stringzilla
from forensics.classify.conditions import leaves
from forensics.classify.leaves import pattern
from forensics.classify.words import needed_words
from forensics.rulebook import load_rules
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PART = 8 * 2**20
_BLOCK = 2**18
"""Bytes that are read at once: what is read last is still near the processor when it is searched."""
_SERIOUS = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
_CLIENT_ERROR = 400


class _Labels(msgspec.Struct, gc=False):
    revision_name: str = ""


class _Resource(msgspec.Struct, gc=False):
    labels: _Labels


class _Three(msgspec.Struct, gc=False):
    resource: _Resource
    timestamp: str
    severity: str | None = None


class _Request(msgspec.Struct, gc=False, kw_only=True):
    requestMethod: str = ""  # noqa: N815 - spelled as in the API
    requestUrl: str = ""  # noqa: N815
    status: int = 0


class _Own(msgspec.Struct, gc=False):
    instanceId: str = ""  # noqa: N815


class _Payload(msgspec.Struct, gc=False):
    message: str = ""


class _Entry(msgspec.Struct, gc=False, kw_only=True):
    """What rules, clusters and the table of entries look at, in the order of the API: so it is decoded fastest."""

    httpRequest: _Request | None = None  # noqa: N815
    insertId: str  # noqa: N815
    jsonPayload: _Payload | None = None  # noqa: N815
    labels: _Own
    logName: str  # noqa: N815
    resource: _Resource
    severity: str | None = None
    textPayload: str = ""  # noqa: N815
    timestamp: str
    trace: str = ""


class _Told(msgspec.Struct):
    """What a process tells the other one."""

    identities: array[int]
    minutes: Counter[str]
    first: str = "9"
    last: str = ""
    claimable: int = 0


def read(log: Path) -> int:
    """Read all bytes."""
    return sum(_in_two(log, lambda blocks: sum(map(len, blocks))))


def find(log: Path, name: bytes) -> int:
    """Find the lines that hold a name, and cut them out."""
    return sum(_in_two(log, lambda blocks: sum(len(_lines(block, name)) for block in blocks)))


def decode_three(log: Path, name: bytes) -> int:
    """Decode of each line the revision, the time and the severity."""
    decode = msgspec.json.Decoder(_Three).decode

    def work(blocks: Iterator[bytes]) -> int:
        return sum(1 for block in blocks for _ in _decoded(decode, block, name))

    return sum(_in_two(log, work))


def tell(log: Path, name: bytes, words: re2.Set | None = None, out: Path | None = None) -> tuple[int, int]:
    """Decode each entry once, drop second copies, count errors by minute; perhaps look for words, and write a table.

    Of requests that were answered well only that is known. Return how many entries there are, each counted once, and
    how many a rule might claim, which are only told apart where words are looked for.
    """
    decode = msgspec.json.Decoder(_Entry).decode

    def work(blocks: Iterator[bytes]) -> _Told:
        told = _Told(array("q"), Counter())
        path = os.devnull if out is None else f"{out}.{os.getpid()}"
        with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - the null device has no Path
            for block in blocks:
                entries = list(_decoded(decode, block, name))
                _count(entries, told)
                if words is not None:
                    _search(entries, words, told)
                if out is not None:
                    file.write("".join(_rows(entries)))
        return told

    results = _in_two(log, work)
    identities = {identity for told in results for identity in told.identities}
    return len(identities), sum(told.claimable for told in results)


def unpack(log: Path) -> int:
    """Unpack gzip, which one process must do alone, with the library that igzip is made of."""
    engine = isal_zlib.decompressobj(31)
    size = 0
    with log.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            while block:
                size += len(engine.decompress(block))
                block = engine.unused_data if engine.eof else b""
                if block:
                    engine = isal_zlib.decompressobj(31)
    return size


def rule_words() -> re2.Set:
    """Return the words of which the patterns of the shipped rules and their whys need one, ready to be looked for."""
    rules, _ = load_rules()
    conditions = [rule.condition for rule in rules]
    conditions += [why.condition for rule in rules for why in rule.whys if why.condition is not None]
    texts = {text for condition in conditions for leaf in leaves(condition) if (text := pattern(leaf)) is not None}
    words = sorted({word for text in texts for word in needed_words(text) or ()})
    options = re2.Options()
    options.literal = options.never_capture = True
    options.max_mem = 32 << 20
    built = re2.Set.SearchSet(options)
    for word in words:
        built.Add(word)
    built.Compile()
    return built


def _count(entries: list[_Entry], told: _Told) -> None:
    for entry in entries:
        time = entry.timestamp[:-1]
        told.identities.append(hash((entry.insertId, entry.logName, time)))
        told.first, told.last = min(told.first, time), max(told.last, time)
        if entry.severity in _SERIOUS:
            told.minutes[time[:16]] += 1


def _search(entries: list[_Entry], words: re2.Set, told: _Told) -> None:
    """Look for words: in each error, since its rule must be known; in what else a rule might claim, all at once."""
    match = words.Match
    others = []
    for entry in entries:
        if entry.severity in _SERIOUS:
            told.claimable += 1
            match(_message(entry).encode("utf-8", "replace").lower())
        elif entry.httpRequest is None or entry.httpRequest.status >= _CLIENT_ERROR:
            others.append(_message(entry))
    told.claimable += len(others)
    match("\n".join(others).encode("utf-8", "replace").lower())


def _rows(entries: list[_Entry]) -> list[str]:
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
                _message(entry).partition("\n")[0],
                "\r\n",
            )
        )
        for entry in entries
        if entry.severity is not None and entry.severity in _SERIOUS
    ]


def _message(entry: _Entry) -> str:
    if entry.textPayload or entry.jsonPayload is not None:
        return entry.textPayload if entry.jsonPayload is None else entry.jsonPayload.message
    request = entry.httpRequest
    return "" if request is None else f"{request.status} {request.requestMethod} {request.requestUrl}"


def _decoded(decode: Callable[[bytes], Any], block: bytes, name: bytes) -> Iterator[Any]:
    wanted = name.decode()
    for line in _lines(block, name):
        try:
            entry = decode(line)
        except msgspec.DecodeError:
            continue
        if entry.resource.labels.revision_name == wanted:
            yield entry


def _lines(block: bytes, name: bytes) -> list[bytes]:
    lines = []
    at = stringzilla.find(block, name)
    while at >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
        lines.append(block[start : end if end >= 0 else len(block)])
        at = stringzilla.find(block, name, end) if end >= 0 else -1
    return lines


def _in_two(log: Path, work: Callable[[Iterator[bytes]], Any]) -> list[Any]:
    """Do some work on each half of a log: this process on every other part, a copy of it on the rest."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    other = fork.Process(target=lambda: theirs.send(work(_blocks(log, 1))))
    other.start()
    theirs.close()
    results = [work(_blocks(log, 0)), ours.recv()]
    other.join()
    return results


def _blocks(log: Path, first: int) -> Iterator[bytes]:
    """Read every other part, each carelessly cut at its ends, and lines whole within it."""
    size = log.stat().st_size
    with log.open("rb", buffering=0) as file:
        for start in range(first * _PART, size, 2 * _PART):
            at, end = start, min(start + _PART, size)
            while at < end:
                block = os.pread(file.fileno(), min(_BLOCK, end - at), at)
                cut = len(block) if at + len(block) >= end else block.rfind(b"\n") + 1 or len(block)
                yield block if cut == len(block) else block[:cut]
                at += cut
