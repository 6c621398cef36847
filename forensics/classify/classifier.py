"""Rules in; for every entry, the rules that claim it out, the most specific one first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.classify.candidates import Candidates
from forensics.classify.conditions import BoundLeaf, Facts, bind, leaves, shown
from forensics.classify.index import FieldIndex
from forensics.classify.leaves import describe
from forensics.classify.precedence import Precedence
from forensics.model import Classified, Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.model import Condition, Leaf, LogEntry, Rule


def classify(entries: Iterable[LogEntry], rules: Iterable[Rule]) -> tuple[Classified, ...]:
    """Hold all rules against all entries."""
    return tuple(map(Classifier(rules).classify, entries))


class Classifier:
    """Rules made ready to be held against many entries."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.id))
        self._precedence = Precedence(self._rules)
        self._tests = _number(leaf for condition in _conditions(self._rules) for leaf in leaves(condition))
        self._conditions = tuple(bind(rule.condition, self._test) for rule in self._rules)
        # By identity: conditions are compared many times over, and the rules keep them alive as long as this table.
        self._known = {id(condition): bind(condition, self._test) for condition in _conditions(self._rules)}
        self._candidates = Candidates(self._conditions)

    def classify(self, entry: LogEntry) -> Classified:
        """Find the rules that claim an entry; the others beside the primary one are kept."""
        facts = Facts(entry)
        matches = {}
        for number in self._candidates.of(facts):
            tests = shown(self._conditions[number], facts)
            if tests is not None:
                match = _match(self._rules[number].id, tests, entry)
                matches[match.rule] = match
        if not matches:
            return Classified(entry=entry, primary=None)
        primary, *also = (matches[rule] for rule in self._precedence.order(matches))
        return Classified(entry=entry, primary=primary, also=tuple(also))

    def holds(self, condition: Condition, entry: LogEntry) -> bool:
        """Tell whether a condition that stands in these rules, that of a why for instance, is true of an entry."""
        bound = self._known.get(id(condition)) or bind(condition, self._test)
        return shown(bound, Facts(entry)) is not None

    def _test(self, leaf: Leaf) -> BoundLeaf:
        return self._tests[_key(leaf)]


def _conditions(rules: Iterable[Rule]) -> Iterator[Condition]:
    for rule in rules:
        yield rule.condition
        yield from (why.condition for why in rule.whys if why.condition is not None)


def _number(found: Iterable[Leaf]) -> dict[str, BoundLeaf]:
    """Number the different leaves of all rules and gather them by field."""
    distinct = {_key(leaf): leaf for leaf in found}
    by_path: dict[str, dict[int, Leaf]] = defaultdict(dict)
    for number, leaf in enumerate(distinct.values()):
        by_path[leaf.path][number] = leaf
    indexes = {path: FieldIndex(path, numbered) for path, numbered in by_path.items()}
    return {
        key: BoundLeaf(leaf, describe(leaf), indexes[leaf.path], number)
        for number, (key, leaf) in enumerate(distinct.items())
    }


def _key(leaf: Leaf) -> str:
    """Name a leaf so that equal ones share a test; `1` and `true`, which Python takes for equal, stay apart."""
    return repr((leaf.path, leaf.op, leaf.value, leaf.cased))


def _match(rule: str, tests: list[BoundLeaf], entry: LogEntry) -> Match:
    captures: dict[str, str] = {}
    for test in tests:
        if test.leaf.op == "regex" and "(?P<" in str(test.leaf.value):
            captures = test.field.captures(test.number, entry) | captures
    return Match(rule=rule, captures=captures, matched_on=tuple(dict.fromkeys(test.words for test in tests)))
