"""Rows of a log index in, a table out: each entry is decoded once; columns say what it comes down to."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

from msgspec import Struct

from forensics.clusters import said
from forensics.entries import SWITCHING_PROTOCOLS, decode_record, join, may_be_handshake, runs, stitch
from forensics.entries.raw_fields import stream_of
from forensics.log.entry_table import EntryTable, is_same
from forensics.model import EntryFacts, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forensics.extract.facts_extractor import FactsExtractor
    from forensics.model import HttpRequest, LabelSet, LogEntry, LogIndex, RecordStore

    Boil = Callable[[array[int]], "Extracted"]
    ParallelMap = Callable[[Boil, Sequence[array[int]]], Iterator["Extracted"]]
    """Calls a function with each of many arguments, perhaps in several processes; results in order."""

_CHUNK = 1_000
"""Rows that are boiled down in one go."""
_WORTH = 4_000
"""Rows from which on other processes are asked to help."""
_NAMED_BY_ID = re.compile(r"(?<![^/])[^/]*\d[^/]*")
"""The part of a path that differs from session to session: 17 in /rooms/17/ws"""
_LOST = 2**32 - 1
"""Instead of facts: the record is not there any more."""


class Extracted(Struct):
    """The facts of some rows, as columns."""

    ends: array[int]
    traces: array[int]
    fact_ids: array[int]
    """Positions in `distinct_facts`."""
    distinct_facts: list[EntryFacts]
    said: list[bytes]
    """For each analysed row, what the table of entries prints of it."""
    handshakes: Counter[tuple[int, bool]]
    """As in the table."""


def extract(
    log_index: LogIndex,
    rows: array[int],
    store: RecordStore,
    extractor: FactsExtractor,
    parallel_map: ParallelMap = map,
) -> tuple[EntryTable, int]:
    """Boil down rows, join the pieces of split messages, and count the rows whose records are gone."""

    def extract_chunk(chunk: array[int]) -> Extracted:
        return _boil(chunk, table, store, extractor)

    def decode(place: int) -> LogEntry | None:
        record = store.record(place)
        return None if record is None else decode_record(record)

    table = EntryTable(rows, log_index, decode, join, store.line)
    notable = _note_routine(table)
    chunks = [notable[at : at + _CHUNK] for at in range(0, len(notable), _CHUNK)]
    results = (parallel_map if len(notable) >= _WORTH else map)(extract_chunk, chunks)
    lost = [
        row for chunk, extracted in zip(chunks, results, strict=True) for row in _note(table, chunk, extracted, store)
    ]
    if lost:
        table.drop(lost)
    table.counts.update(table.fact_ids)
    _stitch(table, extractor)
    return table, len(lost)


def _boil(rows: Iterable[int], table: EntryTable, store: RecordStore, extractor: FactsExtractor) -> Extracted:
    extracted = Extracted(array("q"), array("q"), array("I"), [], [], Counter())
    codes: dict[EntryFacts, int] = {}
    known: dict[int, tuple[EntryFacts, int]] = {}
    """Codes by identity, which is found faster; the facts is kept so that no other takes its place."""
    for row in rows:
        record = store.record(table.places[row])
        entry = None if record is None else decode_record(record)
        if entry is None or not is_same(entry, table.times[row], table.label_set(row)):
            extracted.ends.append(0)
            extracted.traces.append(0)
            extracted.fact_ids.append(_LOST)
            continue
        extracted.ends.append(entry.end)
        extracted.traces.append(trace_of(entry))
        facts = extractor.facts(entry)
        same = known.get(id(facts))
        if same is None:
            same = known[id(facts)] = (facts, codes.setdefault(facts, len(codes)))
        extracted.fact_ids.append(same[1])
        if entry.http is not None:
            _note_handshake(entry.http, extracted.handshakes)
        if facts.analysed:
            extracted.said.append(said(entry))
    extracted.distinct_facts = list(codes)
    return extracted


def _note_handshake(http: HttpRequest, handshakes: Counter[tuple[int, bool]]) -> None:
    """Count a request that may have been the handshake of a WebSocket; those that were answered otherwise were not."""
    if http.method == "GET" and http.status is not None and may_be_handshake(http.status):
        path = crc32(_NAMED_BY_ID.sub("*", http.path).encode("utf-8", "replace"))
        handshakes[path, http.status == SWITCHING_PROTOCOLS] += 1


def trace_of(entry: LogEntry) -> int:
    """Return a number that stands for the trace in this run, 0 for none."""
    return hash(entry.trace) if entry.trace else 0


def _note_routine(table: EntryTable) -> array[int]:
    """Write the facts of quiet rows into the column; return the others, which must be looked at."""
    routine = {
        code: table.code(_routine_facts(label_set))
        for code, label_set in enumerate(table.label_sets)
        if label_set.routine is not None
    }
    notable = array("I")
    for row, code in enumerate(table.label_ids):
        if code in routine:
            table.fact_ids[row] = routine[code]
        else:
            notable.append(row)
    return notable


def _note(table: EntryTable, rows: Sequence[int], extracted: Extracted, store: RecordStore) -> list[int]:
    """Write what rows were boiled down to into the columns; return those that are lost."""
    table.handshakes.update(extracted.handshakes)
    codes = [table.code(facts) for facts in extracted.distinct_facts]
    texts = iter(extracted.said)
    lost = []
    for row, end, trace, code in zip(rows, extracted.ends, extracted.traces, extracted.fact_ids, strict=True):
        if code == _LOST:
            lost.append(row)
            continue
        table.ends[row] = end
        table.traces[row] = trace
        table.fact_ids[row] = codes[code]
        if extracted.distinct_facts[code].analysed:
            table.keep_said(row, store.keep_line(next(texts)))
    return lost


def _routine_facts(label_set: LabelSet) -> EntryFacts:
    return EntryFacts(
        level=label_set.routine or Level.INFO,
        severity=label_set.severity,
        stream=stream_of(label_set.log_name),
        has_payload=True,
        is_request=True,
    )


def _stitch(table: EntryTable, extractor: FactsExtractor) -> None:
    """Join the pieces of messages; only lines close together can be pieces of one, and only those are fetched."""
    label_ids = [(label_set.instance, label_set.log_name, label_set.revision) for label_set in table.label_sets]
    fact_ids = table.distinct_facts
    lines = [facts.is_line for facts in fact_ids]
    close = runs(
        (row, table.times[row], label_ids[table.label_ids[row]], fact_ids[facts])
        for row, facts in enumerate(table.fact_ids)
        if lines[facts]
    )
    for run in close:
        entries = [table.original(row) for row in run]
        rows = {id(entry): row for entry, row in zip(entries, run, strict=True)}
        for entry in stitch(entries):
            if entry.pieces:
                pieces = tuple(rows[id(piece)] for piece in entry.pieces)
                table.joined(pieces)
                table.note(pieces[0], extractor.facts(entry), entry.end, trace_of(entry))
