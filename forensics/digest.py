"""Rows of an intake in, a journal out: every entry decoded once, classified, and boiled down to its gist.

Decoded entries are large and live for a moment only. What counting, grouping and linking need stays, as columns; who
wants to quote an entry later fetches it again by its row.
"""

from __future__ import annotations

from array import array
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from forensics.classify import Classifier, is_screened, leaves
from forensics.clusters import fingerprint, is_exit, is_start, said
from forensics.entries import decode_record, join, runs, shape_of, stitch
from forensics.entries.fields import stream_of
from forensics.errors import SourceError
from forensics.exceptions import innermost_frame, root_exception
from forensics.fields import field_fault, field_reader, read_field
from forensics.journal import Journal, is_same
from forensics.model import FailureClass, Gist, Level, Priority, Role, Rule, RuleTests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from forensics.classify.outcomes import Claim, Claims
    from forensics.entries.pieces import Shape
    from forensics.model import Condition, Frame, Intake, Kind, LogEntry, Shelf

    Read = Callable[[LogEntry], str]
    Pairs = tuple[tuple[str, str], ...]
    Facts = tuple[Level, str | None, str, bool, bool, Shape, bool, bool, int]
    """Level, severity, stream, has a payload, is a request, shape, exits, starts, weight."""
    Detail = tuple[tuple[str, ...], Pairs, Pairs, Frame | None]
    """Group, captures, values, frame: of entries that are analysed."""
    Boil = Callable[[array[int]], "Boiled"]
    Spread = Callable[[Boil, Sequence[array[int]]], Iterator["Boiled"]]
    """Calls a function with each of many arguments, perhaps in several processes; results in order."""

_CHUNK = 1_000
"""Rows that are boiled down in one go."""
_WORTH = 4_000
"""Rows from which on other processes are asked to help."""
_REMEMBERED = 10_000
"""Gists that are kept to be used again."""
_OF_KIND = frozenset({"level", "severity", "stream", "logName"})
"""Fields that are the same for all quiet entries of one kind."""
_NO_DETAIL: Detail = ((), (), (), None)
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


class _Told(NamedTuple):
    """What the rules and the questions that claim an entry come down to."""

    number: int
    claim: Claim | None
    """The rule that speaks for the entry."""
    also: tuple[str, ...]
    answers: tuple[int, ...]

    @property
    def signature(self) -> str:
        """The id of that rule, "" when there is none."""
        return self.claim[0] if self.claim else ""


class Digester:
    """Rules and a level, ready to tell of entries what they come down to."""

    def __init__(self, rules: Sequence[Rule], level: Level) -> None:
        asked = [why.condition for rule in rules for why in rule.whys if why.condition is not None]
        self._questions = {repr(condition): number for number, condition in enumerate(asked)}
        self._numbers = {id(condition): self._questions[repr(condition)] for condition in asked}
        self._screened = [is_screened(condition, level) for condition in asked]
        self._is_of_kind = [all(leaf.path in _OF_KIND for leaf in leaves(condition)) for condition in asked]
        self._of_kind: dict[tuple[int, int], bool] = {}
        # What whys ask of entries is found out beside what rules ask: the entry is decoded now, and not later.
        self._classifier = Classifier([*rules, *(_question(asked[n], n) for n in self._questions.values())])
        self._rules = {rule.id: rule for rule in rules}
        self._readers = {rule.id: tuple((name, _reader(name)) for name in _value_names(rule)) for rule in rules}
        self._analysed = frozenset(x for x in Level if x.rank >= level.rank)
        """Levels of which an entry is analysed though no rule claims it."""
        self._told: dict[Claims, _Told] = {}
        self._gists: dict[tuple[Facts, int, Detail], Gist] = {}

    def gist(self, entry: LogEntry) -> Gist:
        """Classify an entry and keep what later stages count with."""
        claims = self._classifier.claims(entry)
        told = self._told.get(claims) or self._tell(claims)
        analysed = told.claim is not None or entry.level in self._analysed
        detail = self._detail(entry, told) if analysed else _NO_DETAIL
        facts = (
            entry.level,
            entry.severity,
            entry.stream,
            entry.has_payload,
            entry.http is not None,
            shape_of(entry),
            is_exit(entry),
            is_start(entry),
            _weight(entry) if entry.exceptions else 0,
        )
        key = (facts, told.number, detail)
        known = self._gists.get(key)
        if known is None:
            if len(self._gists) >= _REMEMBERED:
                self._gists.clear()
            known = self._gists[key] = _gist(facts, told, detail, analysed=analysed)
        return known

    def _tell(self, claims: Claims) -> _Told:
        """Tell rules that claim an entry from questions that it answers."""
        if len(self._told) >= _REMEMBERED:  # the keys of gists hold numbers of what is forgotten
            self._told.clear()
            self._gists.clear()
        rules = [claim for claim in claims if claim[0] in self._rules]
        told = _Told(
            number=len(self._told),
            claim=rules[0] if rules else None,
            also=tuple(rule for rule, _ in rules[1:]),
            answers=tuple(sorted(int(rule) for rule, _ in claims if rule not in self._rules)),
        )
        self._told[claims] = told
        return told

    def _detail(self, entry: LogEntry, told: _Told) -> Detail:
        """Return of an entry that is analysed its group, its captures, the values asked for and its frame."""
        frame = innermost_frame(entry) if entry.exceptions else None
        if told.claim is None:
            return (fingerprint(entry),), (), (), frame
        captures = self._classifier.captures(told.claim, entry)
        group = tuple(_group_value(captures, entry, name) for name in self._rules[told.signature].group_by)
        values = tuple(_values(captures, entry, self._readers[told.signature]))
        return group, tuple(sorted(captures.items())), values, frame

    def holds(self, condition: Condition, row: int, journal: Journal) -> bool:
        """Tell whether a condition of a why is true of an entry of a journal that was digested here."""
        number = self._numbers[id(condition)]
        if journal.kind(row).quiet is None or self._screened[number]:
            return number in journal.gist(row).answers
        if not self._is_of_kind[number]:
            return self._holds(condition, row, journal)
        # Quiet entries of one kind differ in nothing that the condition looks at: one of them answers for all.
        key = (number, journal.kinds[row])
        if key not in self._of_kind:
            self._of_kind[key] = self._holds(condition, row, journal)
        return self._of_kind[key]

    def _holds(self, condition: Condition, row: int, journal: Journal) -> bool:
        try:
            entry = journal.entry(row)
        except SourceError:  # lost meanwhile: nothing can be said of it
            return False
        return self._classifier.holds(condition, entry)


def _weight(entry: LogEntry) -> int:
    return 2 if any(exception.frames for exception in entry.exceptions) else 1


def _gist(facts: Facts, told: _Told, detail: Detail, *, analysed: bool) -> Gist:
    level, severity, stream, has_payload, is_request, shape, exits, starts, weight = facts
    group, captures, values, frame = detail
    return Gist(
        level=level,
        severity=severity,
        stream=stream,
        has_payload=has_payload,
        is_request=is_request,
        is_line=shape.is_line,
        awaits=shape.awaits,
        is_typed=shape.is_typed,
        exits=exits,
        starts=starts,
        analysed=analysed,
        signature=told.signature,
        group=group,
        captures=captures,
        also=told.also,
        values=values,
        frame=frame,
        answers=told.answers,
        weight=weight,
    )


def digest(
    intake: Intake, rows: array[int], shelf: Shelf, digester: Digester, spread: Spread = map
) -> tuple[Journal, int]:
    """Boil down rows, join the pieces of split messages, and count the rows whose records are gone."""

    def boil(chunk: array[int]) -> Boiled:
        return _boil(chunk, intake, shelf, digester)

    def decode(place: int) -> LogEntry | None:
        record = shelf.record(place)
        return None if record is None else decode_record(record)

    is_loud = [kind.quiet is None for kind in intake.table]
    loud = array("I", (row for row in rows if is_loud[intake.kinds[row]]))
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
    known: dict[int, tuple[Gist, int]] = {}
    """Codes by identity, which is found faster; the gist is kept so that no other takes its place."""
    for row in rows:
        record = shelf.record(intake.places[row])
        entry = None if record is None else decode_record(record)
        if entry is None or not is_same(entry, intake.times[row], intake.kind(row)):
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
    loud = array("I")
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


def _group_value(captures: Mapping[str, str], entry: LogEntry, name: str) -> str:
    """Return a capture or a field that clusters are split by; "" when the entry does not have it."""
    return captures[name] if name in captures else next(iter(read_field(entry, name)), "")


def _value_names(rule: Rule) -> tuple[str, ...]:
    """List what the whys of a rule want to know of each entry."""
    wanted = [why.evidence for why in rule.whys if why.evidence_kind == "values"]
    names = [name for value in wanted for name in ([value] if isinstance(value, str) else list(value))]
    return tuple(dict.fromkeys(names))


def _values(
    captures: Mapping[str, str], entry: LogEntry, readers: Sequence[tuple[str, Read]]
) -> Iterator[tuple[str, str]]:
    for name, read in readers:
        value = captures.get(name) or read(entry)
        if value:
            yield name, value


def _reader(name: str) -> Read:
    """Prepare the reading of a value that a why asks for; of a chain of exceptions the one where it began speaks."""
    if field_fault(name) is not None:
        return _frame_line if name == "frame.line" else lambda _: ""
    read = field_reader(name)
    of_root = {"exception.type": attrgetter("type"), "exception.value": attrgetter("value")}.get(name)

    def value(entry: LogEntry) -> str:
        root = root_exception(entry) if of_root is not None and entry.exceptions else None
        if of_root is not None and root is not None:
            return str(of_root(root))
        return next((text for text in read(entry) if text is not None), "")

    return value


def _frame_line(entry: LogEntry) -> str:
    frame = innermost_frame(entry)
    return str(frame.line) if frame is not None and frame.line is not None else ""
