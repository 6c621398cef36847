"""Rows of an intake in, a journal out: each entry is decoded once; columns say what it comes down to."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

from msgspec import Struct

from forensics.clusters import said
from forensics.entries import SWITCHING_PROTOCOLS, decode_record, join, may_be_handshake, runs, stitch
from forensics.entries.fields import stream_of
from forensics.journal import Journal, is_same
from forensics.model import Gist, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forensics.digest.digester import Digester
    from forensics.model import HttpRequest, Intake, Kind, LogEntry, Shelf

    Boil = Callable[[array[int]], "Boiled"]
    Spread = Callable[[Boil, Sequence[array[int]]], Iterator["Boiled"]]
    """Calls a function with each of many arguments, perhaps in several processes; results in order."""

_CHUNK = 1_000
"""Rows that are boiled down in one go."""
_WORTH = 4_000
"""Rows from which on other processes are asked to help."""
_NAMED_BY_ID = re.compile(r"(?<![^/])[^/]*\d[^/]*")
"""The part of a path that differs from session to session: 17 in /rooms/17/ws"""
_LOST = 2**32 - 1
"""Instead of a gist: the record is not there any more."""


class Boiled(Struct):
    """The gists of some rows, as columns."""

    ends: array[int]
    traces: array[int]
    gists: array[int]
    """Positions in `table`."""
    table: list[Gist]
    said: list[bytes]
    """For each analysed row, what the table of entries prints of it."""
    handshakes: Counter[tuple[int, bool]]
    """As in the journal."""


def digest(
    intake: Intake, rows: array[int], shelf: Shelf, digester: Digester, spread: Spread = map
) -> tuple[Journal, int]:
    """Boil down rows, join the pieces of split messages, and count the rows whose records are gone."""

    def boil(chunk: array[int]) -> Boiled:
        return _boil(chunk, journal, shelf, digester)

    def decode(place: int) -> LogEntry | None:
        record = shelf.record(place)
        return None if record is None else decode_record(record)

    journal = Journal(rows, intake, decode, join, shelf.line)
    loud = _note_quiet(journal)
    chunks = [loud[at : at + _CHUNK] for at in range(0, len(loud), _CHUNK)]
    results = (spread if len(loud) >= _WORTH else map)(boil, chunks)
    lost = [row for chunk, boiled in zip(chunks, results, strict=True) for row in _note(journal, chunk, boiled, shelf)]
    if lost:
        journal.drop(lost)
    journal.counts.update(journal.gists)
    _stitch(journal, digester)
    return journal, len(lost)


def _boil(rows: Iterable[int], journal: Journal, shelf: Shelf, digester: Digester) -> Boiled:
    boiled = Boiled(array("q"), array("q"), array("I"), [], [], Counter())
    codes: dict[Gist, int] = {}
    known: dict[int, tuple[Gist, int]] = {}
    """Codes by identity, which is found faster; the gist is kept so that no other takes its place."""
    for row in rows:
        record = shelf.record(journal.places[row])
        entry = None if record is None else decode_record(record)
        if entry is None or not is_same(entry, journal.times[row], journal.kind(row)):
            boiled.ends.append(0)
            boiled.traces.append(0)
            boiled.gists.append(_LOST)
            continue
        boiled.ends.append(entry.end)
        boiled.traces.append(trace_of(entry))
        gist = digester.gist(entry)
        same = known.get(id(gist))
        if same is None:
            same = known[id(gist)] = (gist, codes.setdefault(gist, len(codes)))
        boiled.gists.append(same[1])
        if entry.http is not None:
            _note_handshake(entry.http, boiled.handshakes)
        if gist.analysed:
            boiled.said.append(said(entry))
    boiled.table = list(codes)
    return boiled


def _note_handshake(http: HttpRequest, handshakes: Counter[tuple[int, bool]]) -> None:
    """Count a request that may have been the handshake of a WebSocket; those that were answered otherwise were not."""
    if http.method == "GET" and http.status is not None and may_be_handshake(http.status):
        path = crc32(_NAMED_BY_ID.sub("*", http.path).encode("utf-8", "replace"))
        handshakes[path, http.status == SWITCHING_PROTOCOLS] += 1


def trace_of(entry: LogEntry) -> int:
    """Return a number that stands for the trace in this run, 0 for none."""
    return hash(entry.trace) if entry.trace else 0


def _note_quiet(journal: Journal) -> array[int]:
    """Write the gists of quiet rows into the column; return the others, which must be looked at."""
    quiet = {code: journal.code(_quiet_gist(kind)) for code, kind in enumerate(journal.table) if kind.quiet is not None}
    loud = array("I")
    for row, code in enumerate(journal.kinds):
        if code in quiet:
            journal.gists[row] = quiet[code]
        else:
            loud.append(row)
    return loud


def _note(journal: Journal, rows: Sequence[int], boiled: Boiled, shelf: Shelf) -> list[int]:
    """Write what rows were boiled down to into the columns; return those that are lost."""
    journal.handshakes.update(boiled.handshakes)
    codes = [journal.code(gist) for gist in boiled.table]
    texts = iter(boiled.said)
    lost = []
    for row, end, trace, code in zip(rows, boiled.ends, boiled.traces, boiled.gists, strict=True):
        if code == _LOST:
            lost.append(row)
            continue
        journal.ends[row] = end
        journal.traces[row] = trace
        journal.gists[row] = codes[code]
        if boiled.table[code].analysed:
            journal.keep_said(row, shelf.keep_line(next(texts)))
    return lost


def _quiet_gist(kind: Kind) -> Gist:
    return Gist(
        level=kind.quiet or Level.INFO,
        severity=kind.severity,
        stream=stream_of(kind.log_name),
        has_payload=True,
        is_request=True,
    )


def _stitch(journal: Journal, digester: Digester) -> None:
    """Join the pieces of messages; only lines close together can be pieces of one, and only those are fetched."""
    kinds = [(kind.instance, kind.log_name, kind.revision) for kind in journal.table]
    gists = journal.gist_table
    lines = [gist.is_line for gist in gists]
    close = runs(
        (row, journal.times[row], kinds[journal.kinds[row]], gists[gist])
        for row, gist in enumerate(journal.gists)
        if lines[gist]
    )
    for run in close:
        entries = [journal.original(row) for row in run]
        rows = {id(entry): row for entry, row in zip(entries, run, strict=True)}
        for entry in stitch(entries):
            if entry.pieces:
                pieces = tuple(rows[id(piece)] for piece in entry.pieces)
                journal.joined(pieces)
                journal.note(pieces[0], digester.gist(entry), entry.end, trace_of(entry))
