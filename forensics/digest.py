"""Rows of an intake in, a journal out: every entry decoded once, classified, and boiled down to its gist.

Decoded entries are large and live for a moment only. What counting, grouping and linking need stays, as columns; who
wants to quote an entry later fetches it again by its row.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.classify import Classifier, is_screened
from forensics.clusters import fingerprint, is_exit, is_start, said
from forensics.entries import decode_record, join, runs, shape_of, stitch
from forensics.entries.fields import stream_of
from forensics.errors import SourceError
from forensics.exceptions import innermost_frame, root_exception
from forensics.fields import field_fault, read_field
from forensics.journal import Journal
from forensics.model import Classified, FailureClass, Gist, Level, Priority, Role, Rule, RuleTests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from forensics.model import Condition, Intake, Kind, LogEntry, Shelf

    Boil = Callable[[array[int]], "Boiled"]
    Spread = Callable[[Boil, Sequence[array[int]]], Iterator["Boiled"]]
    """Calls a function with each of many arguments, perhaps in several processes; results in order."""

_CHUNK = 4_000
"""Rows that are boiled down in one go."""
_WORTH = 10_000
"""Rows from which on other processes are asked to help."""
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


class Digester:
    """Rules and a level, ready to tell of entries what they come down to."""

    def __init__(self, rules: Sequence[Rule], level: Level) -> None:
        asked = [why.condition for rule in rules for why in rule.whys if why.condition is not None]
        self._questions = {repr(condition): number for number, condition in enumerate(asked)}
        self._numbers = {id(condition): self._questions[repr(condition)] for condition in asked}
        self._screened = [is_screened(condition, level) for condition in asked]
        # What whys ask of entries is found out beside what rules ask: the entry is decoded now, and not later.
        self._classifier = Classifier([*rules, *(_question(asked[n], n) for n in self._questions.values())])
        self._rules = {rule.id: rule for rule in rules}
        self._names = {rule.id: _value_names(rule) for rule in rules}
        self._level = level

    def gist(self, entry: LogEntry) -> Gist:
        """Classify an entry and keep what later stages count with."""
        item, answers = self._classify(entry)
        shape = shape_of(entry)
        signature = item.primary.rule if item.primary else ""
        analysed = bool(signature) or entry.level.rank >= self._level.rank
        return Gist(
            level=entry.level,
            severity=entry.severity,
            stream=entry.stream,
            has_payload=entry.has_payload,
            is_request=entry.http is not None,
            is_line=shape.is_line,
            awaits=shape.awaits,
            is_typed=shape.is_typed,
            exits=is_exit(entry),
            starts=is_start(entry),
            analysed=analysed,
            signature=signature,
            group=self._group(item) if analysed else (),
            captures=tuple(sorted(item.primary.captures.items())) if item.primary else (),
            also=tuple(match.rule for match in item.also),
            values=tuple(_values(item, self._names[signature]).items()) if signature else (),
            frame=innermost_frame(entry) if analysed else None,
            answers=answers,
            weight=2 if any(x.frames for x in entry.exceptions) else 1 if entry.exceptions else 0,
        )

    def _classify(self, entry: LogEntry) -> tuple[Classified, tuple[int, ...]]:
        """Tell rules that claim an entry from questions that it answers."""
        item = self._classifier.classify(entry)
        if item.primary is None:
            return item, ()
        found = [item.primary, *item.also]
        matches = [match for match in found if match.rule in self._rules]
        answers = tuple(sorted(int(match.rule) for match in found if match.rule not in self._rules))
        primary, also = (matches[0], tuple(matches[1:])) if matches else (None, ())
        return Classified(entry=entry, primary=primary, also=also), answers

    def holds(self, condition: Condition, row: int, journal: Journal) -> bool:
        """Tell whether a condition of a why is true of an entry of a journal that was digested here."""
        number = self._numbers[id(condition)]
        if journal.kind(row).quiet is not None and not self._screened[number]:
            return self._classifier.holds(condition, journal.entry(row))
        return number in journal.gist(row).answers

    def _group(self, item: Classified) -> tuple[str, ...]:
        if item.primary is None:
            return (fingerprint(item.entry),)
        return tuple(_group_value(item, name) for name in self._rules[item.primary.rule].group_by)


def digest(
    intake: Intake, rows: array[int], shelf: Shelf, digester: Digester, spread: Spread = map
) -> tuple[Journal, int]:
    """Boil down rows, join the pieces of split messages, and count the rows whose records are gone."""

    def boil(chunk: array[int]) -> Boiled:
        return _boil(chunk, intake, shelf, digester)

    def decode(place: int) -> LogEntry:
        record = shelf.record(place)
        if record is None:
            raise SourceError("an input changed while it was read; run again")
        return decode_record(record)

    loud = array("I", [row for row in rows if intake.kind(row).quiet is None])
    chunks = [loud[at : at + _CHUNK] for at in range(0, len(loud), _CHUNK)]
    journal = Journal(rows, intake, decode, join, shelf.line)
    lost = _note(journal, (spread if len(loud) >= _WORTH else map)(boil, chunks), shelf)
    if lost:
        journal.drop(lost)
    journal.counts.update(journal.gists)
    _stitch(journal, digester)
    return journal, len(lost)


def _boil(rows: Iterable[int], intake: Intake, shelf: Shelf, digester: Digester) -> Boiled:
    boiled = Boiled(array("q"), array("q"), array("I"), [], [])
    codes: dict[Gist, int] = {}
    for row in rows:
        record = shelf.record(intake.places[row])
        if record is None:
            boiled.ends.append(0)
            boiled.traces.append(0)
            boiled.gists.append(_LOST)
            continue
        entry = decode_record(record)
        boiled.ends.append(entry.end)
        boiled.traces.append(trace_of(entry))
        gist = digester.gist(entry)
        boiled.gists.append(codes.setdefault(gist, len(codes)))
        if gist.analysed:
            boiled.said.append(said(entry))
    boiled.table = list(codes)
    return boiled


def trace_of(entry: LogEntry) -> int:
    """Return a number that stands for the trace in this run, 0 for none."""
    return hash(entry.trace) if entry.trace else 0


def _note(journal: Journal, results: Iterable[Boiled], shelf: Shelf) -> list[int]:
    """Write quiet rows' gists and those that come from elsewhere into the columns; return rows that are lost."""
    quiet = {code: journal.code(_quiet_gist(kind)) for code, kind in enumerate(journal.table) if kind.quiet is not None}
    loud = []
    for row, code in enumerate(journal.kinds):
        if code in quiet:
            journal.gists[row] = quiet[code]
        else:
            loud.append(row)
    lost = []
    at = 0
    for boiled in results:
        codes = [journal.code(gist) for gist in boiled.table]
        texts = iter(boiled.said)
        for end, trace, code in zip(boiled.ends, boiled.traces, boiled.gists, strict=True):
            row = loud[at]
            at += 1
            if code == _LOST:
                lost.append(row)
                continue
            journal.ends[row] = end
            journal.traces[row] = trace
            journal.gists[row] = codes[code]
            if boiled.table[code].analysed:
                journal.said[row] = shelf.keep_line(next(texts))
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


def _question(condition: Condition, number: int) -> Rule:
    """Make a rule of a condition of a why; its id, a number, is no id that a rule file can have."""
    return Rule(
        id=str(number),
        version=1,
        title="",
        failure_class=FailureClass.OTHER,
        role=Role.NOISE,
        priority=Priority.P3,
        condition=condition,
        tests=RuleTests(match=(), no_match=()),
    )


def _group_value(item: Classified, name: str) -> str:
    """Return a capture or a field that clusters are split by; "" when the entry does not have it."""
    captures = item.primary.captures if item.primary else {}
    return captures[name] if name in captures else next(iter(read_field(item.entry, name)), "")


def _value_names(rule: Rule) -> tuple[str, ...]:
    """List what the whys of a rule want to know of each entry."""
    wanted = [why.evidence for why in rule.whys if why.evidence_kind == "values"]
    names = [name for value in wanted for name in ([value] if isinstance(value, str) else list(value))]
    return tuple(dict.fromkeys(names))


def _values(item: Classified, names: Sequence[str]) -> dict[str, str]:
    captures: Mapping[str, str] = item.primary.captures if item.primary else {}
    found = {name: captures.get(name) or _field(item.entry, name) for name in names}
    return {name: value for name, value in found.items() if value}


def _field(entry: LogEntry, name: str) -> str:
    """Read a field; of a chain of exceptions the one where it began speaks."""
    root = root_exception(entry)
    if root is not None and name in {"exception.type", "exception.value"}:
        return root.type if name == "exception.type" else root.value
    frame = innermost_frame(entry)
    if name == "frame.line":
        return str(frame.line) if frame and frame.line is not None else ""
    return next(iter(read_field(entry, name)), "") if field_fault(name) is None else ""
