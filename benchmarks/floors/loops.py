"""Read the entries of one revision with the least that Python can do: every other block in each of two processes."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING, Any

import msgspec
import stringzilla

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PART = 8 * 2**20
BLOCK = 2**18
"""Bytes that are read at once: what is read last is still near the processor when it is searched."""
SERIOUS = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
_CLIENT_ERROR = 400


class _Labels(msgspec.Struct, gc=False):
    revision_name: str = ""


class _Resource(msgspec.Struct, gc=False):
    labels: _Labels


class Three(msgspec.Struct, gc=False):
    """Revision, time and severity of an entry."""

    resource: _Resource
    timestamp: str
    severity: str | None = None


class _Request(msgspec.Struct, gc=False, kw_only=True):
    latency: str = ""
    requestMethod: str = ""  # noqa: N815 - spelled as in the API
    requestUrl: str = ""  # noqa: N815
    status: int = 0


class _Own(msgspec.Struct, gc=False):
    instanceId: str = ""  # noqa: N815


class _Payload(msgspec.Struct, gc=False):
    message: str = ""


class Entry(msgspec.Struct, gc=False, kw_only=True):
    """The fields that rules, clusters and the table of entries need, in the API's order, which is decoded fastest."""

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


def is_claimable(entry: Entry) -> bool:
    """Tell whether a rule might match an entry: errors, lines of the application, refused requests."""
    return entry.severity in SERIOUS or entry.httpRequest is None or entry.httpRequest.status >= _CLIENT_ERROR


def message_of(entry: Entry) -> str:
    """Return the message of an entry, as it was logged."""
    if entry.textPayload or entry.jsonPayload is not None:
        return entry.textPayload if entry.jsonPayload is None else entry.jsonPayload.message
    request = entry.httpRequest
    return "" if request is None else f"{request.status} {request.requestMethod} {request.requestUrl}"


def decoded(decode: Callable[[bytes], Any], block: bytes, name: bytes) -> Iterator[Any]:
    """Decode the lines of a block that contain a revision's name, and drop those of other revisions."""
    wanted = name.decode()
    for line in lines_with(block, name):
        try:
            entry = decode(line)
        except msgspec.DecodeError:
            continue
        if entry.resource.labels.revision_name == wanted:
            yield entry


def lines_with(block: bytes, name: bytes) -> list[bytes]:
    """Cut the lines that contain a name out of a block."""
    lines = []
    at = stringzilla.find(block, name)
    while at >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
        lines.append(block[start : end if end >= 0 else len(block)])
        at = stringzilla.find(block, name, end) if end >= 0 else -1
    return lines


def in_two(log: Path, work: Callable[[Iterator[bytes]], Any]) -> list[Any]:
    """Run a function on both halves of a log: this process on every other block, a fork of it on the rest."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    other = fork.Process(target=lambda: theirs.send(work(_blocks(log, 1))))
    other.start()
    theirs.close()
    results = [work(_blocks(log, 0)), ours.recv()]
    other.join()
    return results


def _blocks(log: Path, first: int) -> Iterator[bytes]:
    """Read every other block, with whole lines except at its ends."""
    size = log.stat().st_size
    with log.open("rb", buffering=0) as file:
        for start in range(first * _PART, size, 2 * _PART):
            at, end = start, min(start + _PART, size)
            while at < end:
                block = os.pread(file.fileno(), min(BLOCK, end - at), at)
                cut = len(block) if at + len(block) >= end else block.rfind(b"\n") + 1 or len(block)
                yield block if cut == len(block) else block[:cut]
                at += cut
