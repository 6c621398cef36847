"""Reduce each entry to the facts that later stages need."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from forensics.classify import Classifier, is_screened, leaves
from forensics.clusters import fingerprint, is_exit, is_failure, is_start
from forensics.entries import shape_of
from forensics.errors import SourceError
from forensics.log.field_paths import field_fault, field_reader, read_field
from forensics.log.root_exception import innermost_frame, root_exception
from forensics.model import EntryFacts, FailureClass, Level, Priority, Role, Rule, RuleTests
from forensics.whys.evidence import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from forensics.classify.outcomes import Claim, Claims
    from forensics.entries.stitch.fragments import FragmentShape
    from forensics.log.entry_table import EntryTable
    from forensics.model import Condition, Frame, LogEntry

    Read = Callable[[LogEntry], str]
    Pairs = tuple[tuple[str, str], ...]
    Facts = tuple[Level, str | None, str, bool, bool, FragmentShape, bool, bool, bool, int]
    """Level, severity, stream, has a payload, is a request, shape, exits, starts, fails, weight."""
    Detail = tuple[tuple[str, ...], Pairs, Pairs, Frame | None]
    """Group, captures, values, frame: of entries that are analysed."""

_REMEMBERED = 10_000
"""Facts that are cached."""
_LABEL_FIELDS = frozenset({"level", "severity", "stream", "logName"})
"""Fields with the same value in all routine entries of one label set."""
_NO_DETAIL: Detail = ((), (), (), None)


class _RuleFacts(NamedTuple):
    """The facts that depend only on the rules and conditions that match an entry."""

    number: int
    claim: Claim | None
    """The first matching rule; None when no rule matches."""
    also: tuple[str, ...]
    answers: tuple[int, ...]

    @property
    def signature(self) -> str:
        """The id of that rule, "" without one."""
        return self.claim[0] if self.claim else ""


class FactsExtractor:
    """Extracts facts from entries, for certain rules and a minimum level."""

    def __init__(self, rules: Sequence[Rule], level: Level) -> None:
        conditions = [why.condition for rule in rules for why in rule.whys if why.condition is not None]
        self._questions = {repr(condition): number for number, condition in enumerate(conditions)}
        self._numbers = {id(condition): self._questions[repr(condition)] for condition in conditions}
        self._screened = [is_screened(condition, level) for condition in conditions]
        self._is_of_label_set = [
            all(leaf.path in _LABEL_FIELDS for leaf in leaves(condition)) for condition in conditions
        ]
        self._of_label_set: dict[tuple[int, int], bool] = {}
        # Conditions of whys are matched together with rules: the entry is decoded now, and not later.
        self._classifier = Classifier([*rules, *(_question(conditions[n], n) for n in self._questions.values())])
        self._rules = {rule.id: rule for rule in rules}
        self._readers = {rule.id: tuple((name, _reader(name)) for name in _value_names(rule)) for rule in rules}
        self._analysed = frozenset(x for x in Level if x.rank >= level.rank)
        """Levels at which an entry is analysed even when no rule matches it."""
        self._rule_facts: dict[Claims, _RuleFacts] = {}
        self._known_facts: dict[tuple[Facts, int, Detail], EntryFacts] = {}

    def facts(self, entry: LogEntry) -> EntryFacts:
        """Classify an entry and return its facts."""
        claims = self._classifier.claims(entry)
        rule_facts = self._rule_facts.get(claims) or self._match(claims)
        analysed = rule_facts.claim is not None or entry.level in self._analysed
        detail = self._detail(entry, rule_facts) if analysed else _detail_of_warning(entry)
        outline = (
            entry.level,
            entry.severity,
            entry.stream,
            entry.has_payload,
            entry.http is not None,
            shape_of(entry),
            is_exit(entry),
            is_start(entry),
            is_failure(entry),
            _weight(entry) if entry.exceptions else 0,
        )
        key = (outline, rule_facts.number, detail)
        known = self._known_facts.get(key)
        if known is None:
            if len(self._known_facts) >= _REMEMBERED:
                self._known_facts.clear()
            known = self._known_facts[key] = _facts(outline, rule_facts, detail, analysed=analysed)
        return known

    def _match(self, claims: Claims) -> _RuleFacts:
        """Split the matches of an entry into rules and conditions of whys."""
        if len(self._rule_facts) >= _REMEMBERED:  # the keys of facts contain numbers of what is dropped
            self._rule_facts.clear()
            self._known_facts.clear()
        rules = [claim for claim in claims if claim[0] in self._rules]
        rule_facts = _RuleFacts(
            number=len(self._rule_facts),
            claim=rules[0] if rules else None,
            also=tuple(rule for rule, _ in rules[1:]),
            answers=tuple(sorted(int(rule) for rule, _ in claims if rule not in self._rules)),
        )
        self._rule_facts[claims] = rule_facts
        return rule_facts

    def _detail(self, entry: LogEntry, rule_facts: _RuleFacts) -> Detail:
        """Return the group, captures, requested values and frame of an analysed entry."""
        frame = innermost_frame(entry) if entry.exceptions else None
        if rule_facts.claim is None:
            return (fingerprint(entry),), (), (), frame
        captures = self._classifier.captures(rule_facts.claim, entry)
        group = tuple(_group_value(captures, entry, name) for name in self._rules[rule_facts.signature].group_by)
        values = tuple(_values(captures, entry, self._readers[rule_facts.signature]))
        return group, tuple(sorted(captures.items())), values, frame

    def row_predicate(self, condition: Condition, table: EntryTable) -> Callable[[int], bool] | None:
        """Return a row predicate for a why's condition; None if no entry of the table satisfies it."""
        number = self._numbers[id(condition)]
        is_true = [number in facts.answers for facts in table.distinct_facts]
        fact_ids, label_ids = table.fact_ids, table.label_ids
        is_routine = [label_set.routine is not None and not self._screened[number] for label_set in table.label_sets]
        if not any(is_routine):
            return (lambda row: is_true[fact_ids[row]]) if any(is_true) else None

        def holds(row: int) -> bool:
            return self._routine_holds(condition, row, table) if is_routine[label_ids[row]] else is_true[fact_ids[row]]

        return holds

    def _routine_holds(self, condition: Condition, row: int, table: EntryTable) -> bool:
        """Tell whether a condition is true of a routine entry, which has not been decoded yet."""
        number = self._numbers[id(condition)]
        if not self._is_of_label_set[number]:
            return self._holds(condition, row, table)
        # Routine entries of one label set do not differ in what the condition reads: one of them decides for all.
        key = (number, table.label_ids[row])
        if key not in self._of_label_set:
            self._of_label_set[key] = self._holds(condition, row, table)
        return self._of_label_set[key]

    def _holds(self, condition: Condition, row: int, table: EntryTable) -> bool:
        try:
            entry = table.entry(row)
        except SourceError:  # lost meanwhile, so nothing is known of it
            return False
        return self._classifier.holds(condition, entry)


def _detail_of_warning(entry: LogEntry) -> Detail:
    """Return the fingerprint of an application's warning, which may turn out to stand before failures."""
    is_warning = entry.level is Level.WARNING and entry.http is None and entry.has_payload
    return (((fingerprint(entry),), (), (), None)) if is_warning else _NO_DETAIL


def _weight(entry: LogEntry) -> int:
    return 2 if any(exception.frames for exception in entry.exceptions) else 1


def _facts(outline: Facts, rule_facts: _RuleFacts, detail: Detail, *, analysed: bool) -> EntryFacts:
    level, severity, stream, has_payload, is_request, shape, exits, starts, fails, weight = outline
    group, captures, values, frame = detail
    return EntryFacts(
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
        fails=fails,
        analysed=analysed,
        signature=rule_facts.signature,
        group=group,
        captures=captures,
        also=rule_facts.also,
        values=values,
        frame=frame,
        answers=rule_facts.answers,
        weight=weight,
    )


def _question(condition: Condition, number: int) -> Rule:
    """Make a rule of a why's condition; its id is a number, which no rule file can have as an id."""
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
    """Return the value of a capture or field in `group_by`; "" when the entry does not have it."""
    return captures[name] if name in captures else next(iter(read_field(entry, name)), "")


def _value_names(rule: Rule) -> tuple[str, ...]:
    """List the values that the whys of a rule need from each entry."""
    names = (name for why in rule.whys for name in EVIDENCE[why.evidence_kind].kept_values(why.evidence))
    return tuple(dict.fromkeys(names))


def _values(
    captures: Mapping[str, str], entry: LogEntry, readers: Sequence[tuple[str, Read]]
) -> Iterator[tuple[str, str]]:
    for name, read in readers:
        value = captures.get(name) or read(entry)
        if value:
            yield name, value


def _reader(name: str) -> Read:
    """Return the reader of a value that a why asks for; in a chain of exceptions it reads the root exception."""
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
