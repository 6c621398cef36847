"""What a process said before it ended: the last lines of its instance, and which of them tells most.

Most lines of an application carry no severity, and most errors have no rule. The line that one engineer would send to
another is often just the last one before the end.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Level
from forensics.text.timestamps import SECOND
from forensics.text.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import LogEntry, Occurrence
    from forensics.whys.contexts import RunContext

BEFORE = 60 * SECOND
"""Nanoseconds before the end of an instance in which its last words are looked for."""
BEFORE_DEPLOY = 300 * SECOND
"""The same before a deployment was given up: its probe waits for four minutes."""
LINES = 40
"""Lines before an end that are read."""
_LONG_AGO = 5 * SECOND
"""Nanoseconds before its last line in which an application says why it ends."""

# A row of stars, "null", "}", an empty line: no words.
_WORDS = re.compile(r"[^\W\d_]{3}")
_AMISS = WordSearch(
    *("error", "Error", "ERROR", "fail", "Fail", "FAIL", "fatal", "Fatal", "FATAL", "panic", "xception", "abort"),
    *("cannot", "Cannot", "can't", "could not", "Could not", "unable", "Unable", "not found", "Not found", "no such"),
    *("No such", "not exist", "invalid", "Invalid", "unknown", "Unknown", "undefined", "unexpected", "Unexpected"),
    *("denied", "refused", "missing", "Missing", "required", "must ", "illegal", "Illegal", "unsupported", "expected"),
    *("not set", "not supported", "not allowed", "forbidden", "expired", "timed out", "not permitted", "conflict"),
    *("not have", "no module", "No module", "unrecognized", "Unrecognized", "bad ", "corrupt", "not be "),
)
"""Words with which a process says that something is wrong."""
_DIGITS = re.compile(r"[0-9]+")
_PLATFORM = "system"
_APPLICATION = frozenset({"stderr", "stdout"})
_NO_WORDS = frozenset({"requests", "audit", "activity", "system_event"})


# Local URL: http://localhost:8501      listening on [::]:9000      api_port: 8765      Server started on port 3000
_PORT = re.compile(r"(?:[:=]|[pP]ort[\"']?[:= ]{1,2}|PORT[\"']?[:= ]{1,2})(\d{4,5})(?![\w.:-])")
_LISTENS = WordSearch(
    *("listen", "Listen", "running on", "Running on", "serving", "Serving", "tarted", "URL", "port", "PORT"),
    *("Local:", "Network:"),
)
_LOCAL = WordSearch("127.0.0.1", "localhost")
_LINES_FROM_START = 200
_SEARCHED = 2_000
"""Characters of a line in which a port is looked for."""


class Listening(NamedTuple):
    """A line in which an application says where it listens."""

    where: str
    line: str
    row: int
    before: int
    """Nanoseconds from it to the failed probe."""


class LastWords(NamedTuple):
    """The lines before one end, oldest first."""

    rows: Sequence[int]
    decisive: LogEntry
    row: int
    """Of the decisive line."""
    before: int
    """Nanoseconds from it to the end."""


def last_words(occurrence: Occurrence, run: RunContext) -> LastWords | None:
    """Find what was said last before an end; None where nothing was said in words."""
    rows = (piece for row in _rows_before(occurrence, run) for piece in run.table.originals(row))
    said = [(row, run.table.original(row)) for row in rows]
    lines = [(row, entry) for row, entry in said if _is_spoken(row, entry, occurrence, run)]
    if not lines:
        return None
    row, decisive = decisive_line(lines)
    at = lines.index((row, decisive))
    shown = [place for place, _ in lines[max(0, at - 1) : at + 3]]
    return LastWords(rows=shown, decisive=decisive, row=row, before=max(0, occurrence.start - run.table.times[row]))


def sounds_like(one: LogEntry, other: LogEntry) -> bool:
    """Tell whether two lines say the same, numbers aside."""
    return _DIGITS.sub("0", one.message) == _DIGITS.sub("0", other.message)


def listens_elsewhere(occurrence: Occurrence, probed: int, run: RunContext) -> Listening | None:
    """Find where an application says that it listens, if that is not where it is probed."""
    rows = run.neighbours.between(occurrence, occurrence.start - BEFORE_DEPLOY, occurrence.start)[:_LINES_FROM_START]
    said: list[Listening] = []
    for row in (piece for first in rows for piece in run.table.originals(first)):
        entry = run.table.original(row)
        if entry.stream in {*_NO_WORDS, _PLATFORM}:
            continue
        line = _line_of(entry)
        ports = [int(port) for port in _PORT.findall(line)] if _LISTENS.is_in(line) else []
        if probed in ports and not _LOCAL.is_in(line):
            return None
        if ports:
            where = "127.0.0.1 only" if probed in ports else f"port {ports[-1]}"
            said.append(Listening(where, line, row, occurrence.start - run.table.times[row]))
    return said[-1] if said else None


def _line_of(entry: LogEntry) -> str:
    """Return the words of an entry; of a structured one also its fields, where a server names its port."""
    payload = entry.raw.get("jsonPayload")
    return entry.message[:_SEARCHED] if payload is None else str(payload)[:_SEARCHED]


def _rows_before(occurrence: Occurrence, run: RunContext) -> Sequence[int]:
    """Return the last rows before an end: of its instance, else of the revision whose deployment was given up."""
    if occurrence.instance:
        return run.neighbours.between(occurrence, occurrence.start - BEFORE, occurrence.start)[-LINES:]
    table = run.table
    first, behind = (bisect_left(table.times, occurrence.start - back) for back in (BEFORE_DEPLOY, 0))
    own = table.label_set(occurrence.rows[0])
    rows = [
        row
        for row in range(max(first, behind - LINES * LINES), behind)
        if (labels := table.label_set(row)).revision == own.revision and labels.service == own.service
    ]
    return rows[-LINES:]


def is_words(entry: LogEntry) -> bool:
    """Tell whether an entry has words: no request, no row of stars."""
    return entry.http is None and _WORDS.search(entry.message) is not None


def says_what_is_wrong(text: str) -> bool:
    """Tell whether a text holds a word with which a process says that something is wrong."""
    return _AMISS.is_in(text)


def _is_spoken(row: int, entry: LogEntry, occurrence: Occurrence, run: RunContext) -> bool:
    """Tell whether a line is words of the application, or a warning of the platform that is not the end itself."""
    stream = run.table.facts(row).stream
    if row in occurrence.rows or stream in _NO_WORDS or not is_words(entry):
        return False
    if stream == _PLATFORM:
        return entry.level.rank >= Level.WARNING.rank and not run.table.facts(row).signature
    return True


def decisive_line(lines: Sequence[tuple[int, LogEntry]]) -> tuple[int, LogEntry]:
    """Choose the line that tells most: the last of stderr that says what is wrong, then of all, else the very last."""
    last = lines[-1][1].time
    recent = [one for one in lines if last - one[1].time <= _LONG_AGO]
    for group in ([one for one in recent if one[1].stream == "stderr"], recent):
        amiss = [one for one in group if says_what_is_wrong(one[1].message)]
        if amiss:
            return amiss[-1]
    errors = [one for one in recent if one[1].stream == "stderr"]
    return (errors or recent)[-1]
