"""Build the EntryTable: decode each row of the log index once and write its facts into columns."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.clusters import said
from forensics.entries import SWITCHING_PROTOCOLS, decode_record, join, may_be_handshake, runs, stitch
from forensics.entries.raw_fields import mark_of, route_of, stream_of
from forensics.extract.senders import client_of, delivery_of, probed_route
from forensics.log.entry_table import EntryTable, is_same
from forensics.model import EntryFacts, Level, RequestMark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forensics.extract.facts_extractor import FactsExtractor
    from forensics.model import HttpRequest, LabelSet, LogEntry, LogIndex, RecordStore

    ExtractRows = Callable[[array[int]], "Extracted"]
    ParallelMap = Callable[[ExtractRows, Sequence[array[int]]], Iterator["Extracted"]]
    """Calls a function with each of many arguments, perhaps in several processes; results in order."""

_CHUNK = 1_000
"""Rows that are extracted in one call."""
_WORTH = 4_000
"""Rows from which several processes are used."""
_LOST = 2**32 - 1
"""The fact id of a row whose record is gone."""


class Extracted(Struct):
    """The facts of some rows, as columns."""

    ends: array[int]
    traces: array[int]
    fact_ids: array[int]
    """Positions in `distinct_facts`."""
    distinct_facts: list[EntryFacts]
    marks: array[int]
    clients: array[int]
    """Both as in the table."""
    deliveries: dict[int, int]
    """Position → the number of what the entry delivers, where it says so."""
    probed: set[int]
    """As in the table."""
    cells: list[bytes]
    """For each analysed row, its cells in the table of entries."""
    handshakes: Counter[tuple[int, bool]]
    """As `EntryTable.handshakes`."""


def extract(
    log_index: LogIndex,
    rows: array[int],
    store: RecordStore,
    extractor: FactsExtractor,
    parallel_map: ParallelMap = map,
) -> tuple[EntryTable, int]:
    """Extract facts from rows, stitch split messages, and count the rows whose records are gone."""

    def extract_chunk(chunk: array[int]) -> Extracted:
        return _extract_rows(chunk, table, store, extractor)

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
    _mark_probes(table)
    table.counts.update(table.fact_ids)
    _stitch(table, extractor)
    return table, len(lost)


def _extract_rows(rows: Iterable[int], table: EntryTable, store: RecordStore, extractor: FactsExtractor) -> Extracted:
    extracted = Extracted(array("q"), array("q"), array("I"), [], array("H"), array("q"), {}, set(), [], Counter())
    codes: dict[EntryFacts, int] = {}
    known: dict[int, tuple[EntryFacts, int]] = {}
    """Codes by identity, a faster look-up; keeping the facts prevents that their id is reused."""
    for row in rows:
        record = store.record(table.places[row])
        entry = None if record is None else decode_record(record)
        if entry is None or not is_same(entry, table.times[row], table.label_set(row)):
            extracted.ends.append(0)
            extracted.traces.append(0)
            extracted.marks.append(0)
            extracted.clients.append(0)
            extracted.fact_ids.append(_LOST)
            continue
        extracted.ends.append(entry.end)
        extracted.traces.append(trace_of(entry))
        facts = extractor.facts(entry)
        same = known.get(id(facts))
        if same is None:
            same = known[id(facts)] = (facts, codes.setdefault(facts, len(codes)))
        extracted.fact_ids.append(same[1])
        http = entry.http
        mark = 0 if http is None else mark_of(http.method, http.path, http.status, http.user_agent)
        extracted.marks.append(mark)
        extracted.clients.append(client_of(entry) if mark and facts.level.rank >= Level.ERROR.rank else 0)
        if http is not None:
            _note_handshake(http, extracted.handshakes)
        _note_sender(entry, extracted)
        if facts.analysed:
            extracted.cells.append(said(entry))
    extracted.distinct_facts = list(codes)
    return extracted


def _note_handshake(http: HttpRequest, handshakes: Counter[tuple[int, bool]]) -> None:
    """Count a possible WebSocket handshake."""
    if http.method == "GET" and http.status is not None and may_be_handshake(http.status):
        handshakes[route_of(http.path), http.status == SWITCHING_PROTOCOLS] += 1


def _note_sender(entry: LogEntry, extracted: Extracted) -> None:
    """Note what the entry that was read last delivers, and which route it says is probed."""
    if delivery := delivery_of(entry):
        extracted.deliveries[len(extracted.ends) - 1] = delivery
    if probed := probed_route(entry):
        extracted.probed.add(probed)


def trace_of(entry: LogEntry) -> int:
    """Return a number that stands for the trace in this run, 0 for none."""
    return hash(entry.trace) if entry.trace else 0


def _note_routine(table: EntryTable) -> array[int]:
    """Write the facts of routine rows into the column; return the other rows, which must be decoded."""
    routine = {
        code: table.code(_routine_facts(label_set))
        for code, label_set in enumerate(table.label_sets)
        if label_set.routine is not None
    }
    notable = array("I")
    for row, code in enumerate(table.label_ids):
        if code in routine:
            table.fact_ids[row] = routine[code]
            table.marks[row] = table.label_sets[code].mark
        else:
            notable.append(row)
    return notable


def _mark_probes(table: EntryTable) -> None:
    """Mark requests of the routes that the platform probes as health checks, unless nobody asks for anything else."""
    routes = {mark & RequestMark.ROUTE for mark in set(table.marks)} - {0}
    if table.probed & routes and routes - table.probed:
        probe = int(RequestMark.PROBE)
        table.marks = array(
            "H", [mark | probe if mark & RequestMark.ROUTE in table.probed else mark for mark in table.marks]
        )


def _note(table: EntryTable, rows: Sequence[int], extracted: Extracted, store: RecordStore) -> list[int]:
    """Write the extracted facts of rows into the columns; return the rows that are lost."""
    table.handshakes.update(extracted.handshakes)
    table.probed |= extracted.probed
    table.deliveries |= {rows[at]: delivery for at, delivery in extracted.deliveries.items()}
    codes = [table.code(facts) for facts in extracted.distinct_facts]
    texts = iter(extracted.cells)
    lost = []
    columns = (extracted.ends, extracted.traces, extracted.fact_ids, extracted.marks, extracted.clients)
    for row, end, trace, code, mark, client in zip(rows, *columns, strict=True):
        if code == _LOST:
            lost.append(row)
            continue
        table.ends[row] = end
        table.traces[row] = trace
        table.marks[row] = mark
        table.clients[row] = client
        table.fact_ids[row] = codes[code]
        if extracted.distinct_facts[code].analysed:
            table.keep_cells(row, store.keep_line(next(texts)))
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
    """Stitch split messages; only lines that are close in time can be pieces of one, and only those are fetched."""
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
                table.note_pieces(pieces)
                table.note(pieces[0], extractor.facts(entry), entry.end, trace_of(entry))
