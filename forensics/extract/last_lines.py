"""Take up what a process said just before it failed, where nothing else says why: without a severity it is overlooked.

Most lines of applications carry no severity, and rules and clusters pass them over. The line that says what is wrong
just before a container exits with an error is an error, whatever its severity; so it is read once more as one, and the
rules for errors look at it too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.extract.build_table import trace_of
from forensics.model import Level
from forensics.text.timestamps import SECOND
from forensics.whys.final_lines import LINES, decisive_line, is_words, says_what_is_wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.extract.facts_extractor import FactsExtractor
    from forensics.log.entry_table import EntryTable
    from forensics.model import EntryFacts, Life, LogEntry

BEFORE = 10 * SECOND
"""Nanoseconds before the end of a life in which its last words stand."""
LIVES = 500
"""Lives that are looked at, the latest."""


def take_up_last_lines(table: EntryTable, lives: Sequence[Life], extractor: FactsExtractor) -> None:
    """Note the last words of lives that failed as errors, unless an error stands there that says why."""
    failed = [life for life in lives if life.failed][-LIVES:]
    if not failed:
        return
    rows = _rows_of({(life.revision, life.instance) for life in failed}, table)
    for life in failed:
        own = rows[life.revision, life.instance]
        # Rows are in order of time: those within a time are those between two rows.
        first, behind = bisect_left(table.times, life.end - BEFORE), bisect_right(table.times, life.end)
        last = own[bisect_left(own, first) : bisect_left(own, behind)][-LINES:]
        if not any(_says_why(table.facts(row)) for row in last):
            _take_up(last, table, extractor)


def _rows_of(places: Iterable[tuple[str, str]], table: EntryTable) -> dict[tuple[str, str], array[int]]:
    found: dict[tuple[str, str], array[int]] = defaultdict(lambda: array("I"))
    wanted = set(places)
    own = [
        found[place] if (place := (label_set.revision, label_set.instance)) in wanted else None
        for label_set in table.label_sets
    ]
    for row in table.rows():
        rows = own[table.label_ids[row]]
        if rows is not None:
            rows.append(row)
    return found


def _says_why(facts: EntryFacts) -> bool:
    """Tell whether an entry is analysed already, and not the end itself or a request."""
    return facts.analysed and not (facts.exits or facts.fails or facts.starts or facts.is_request)


def _take_up(rows: Sequence[int], table: EntryTable, extractor: FactsExtractor) -> None:
    lines = [(row, entry) for row in rows if _may_be_taken(table.facts(row)) and is_words(entry := table.entry(row))]
    if not lines:
        return
    row, entry = decisive_line(lines)
    if says_what_is_wrong(entry.message):
        table.note(row, extractor.facts(_as_error(entry)), entry.end, trace_of(entry))


def _may_be_taken(facts: EntryFacts) -> bool:
    return facts.severity is None and not facts.analysed and facts.has_payload and not facts.is_request


def _as_error(entry: LogEntry) -> LogEntry:
    return replace(entry, level=Level.ERROR)
