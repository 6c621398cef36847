"""Rules in; for every entry, the rules that claim it out, the most specific one first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.classify.candidates import Candidates
from forensics.classify.conditions import Bound, BoundLeaf, LeafFacts, Shown, anchor, bind, leaves
from forensics.classify.leaf_index import FieldIndex
from forensics.classify.leaves import describe
from forensics.classify.outcomes import Outcomes
from forensics.classify.precedence import Precedence
from forensics.model import Classified, Condition, Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.classify.outcomes import Claim, Claims
    from forensics.model import Leaf, LogEntry, Rule


def classify(entries: Iterable[LogEntry], rules: Iterable[Rule]) -> tuple[Classified, ...]:
    """Hold all rules against all entries."""
    return tuple(map(Classifier(rules).classify, entries))


class Classifier:
    """Rules made ready to be held against many entries."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.id))
        self._precedence = Precedence(self._rules)
        anchors = [anchor(rule.condition) for rule in self._rules]
        keys = [None if chosen is None else tuple(map(_key, chosen)) for chosen in anchors]
        found = (leaf for condition in _conditions(self._rules) for leaf in leaves(condition))
        self._tests = _number(found, frozenset(key for chosen in keys for key in chosen or ()))
        self._conditions: dict[int, Bound] = {}
        """By the number of the rule; bound when first tried, for most rules are not."""
        # By identity: conditions are compared many times over, and stay alive as long as this table.
        self._known: dict[int, tuple[Condition, Bound]] = {}
        self._words: dict[int, str] = {}
        self._outcomes = Outcomes(self._judge)
        self._candidates = Candidates(
            [None if chosen is None else [self._tests[key] for key in chosen] for chosen in keys]
        )

    def classify(self, entry: LogEntry) -> Classified:
        """Find the rules that claim an entry; the others beside the primary one are kept."""
        claims = self.claims(entry)
        if not claims:
            return Classified(entry=entry, primary=None)
        primary, *also = (self.match(claim, entry) for claim in claims)
        return Classified(entry=entry, primary=primary, also=tuple(also))

    def claims(self, entry: LogEntry) -> Claims:
        """List the rules that claim an entry, the primary one first; the same tuple where the same is true."""
        facts = LeafFacts(entry)
        candidates = self._candidates.of(facts)
        return self._outcomes.of(candidates, facts) if candidates else ()

    def holds(self, condition: Condition, entry: LogEntry) -> bool:
        """Tell whether a condition that stands in these rules, that of a why for instance, is true of an entry."""
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = (condition, bind(condition, self._test))
        return known[1].shown(LeafFacts(entry)) is not None

    def _shown(self, number: int, facts: LeafFacts) -> Shown:
        bound = self._conditions.get(number)
        if bound is None:
            bound = self._conditions[number] = bind(self._rules[number].condition, self._test)
        return bound.shown(facts)

    def _test(self, leaf: Leaf) -> BoundLeaf:
        return self._tests[_key(leaf)]

    def _judge(self, candidates: frozenset[int], facts: LeafFacts) -> Claims:
        """Evaluate the conditions of candidates and put those that are true in order."""
        shown = ((self._rules[number].id, self._shown(number, facts)) for number in sorted(candidates))
        found = {rule: tests for rule, tests in shown if tests is not None}
        return tuple((rule, found[rule]) for rule in self._precedence.order(found))

    def match(self, claim: Claim, entry: LogEntry) -> Match:
        """Say of a rule that claims an entry what it matched on and what it captures."""
        rule, tests = claim
        matched_on = tuple(dict.fromkeys(map(self._words_of, tests)))
        return Match(rule=rule, captures=self.captures(claim, entry), matched_on=matched_on)

    def captures(self, claim: Claim, entry: LogEntry) -> dict[str, str]:
        """Return what the patterns of a rule that claims an entry name of it."""
        captures: dict[str, str] = {}
        for test in claim[1]:
            if test.captures:
                captures = test.field.captures(test.number, entry) | captures
        return captures

    def _words_of(self, test: BoundLeaf) -> str:
        words = self._words.get(test.number)
        if words is None:
            words = self._words[test.number] = describe(test.leaf)
        return words


def _conditions(rules: Iterable[Rule]) -> Iterator[Condition]:
    for rule in rules:
        yield rule.condition
        yield from (why.condition for why in rule.whys if why.condition is not None)


def _number(found: Iterable[Leaf], anchors: frozenset[str]) -> dict[str, BoundLeaf]:
    """Number the different leaves of all rules and gather them by field; anchors apart, for others are rarely asked."""
    distinct = {_key(leaf): leaf for leaf in found}
    gathered: dict[tuple[str, bool], dict[int, Leaf]] = defaultdict(dict)
    for number, (key, leaf) in enumerate(distinct.items()):
        gathered[leaf.path, key in anchors][number] = leaf
    indexes = {place: FieldIndex(place[0], numbered) for place, numbered in gathered.items()}
    return {
        key: BoundLeaf(leaf, indexes[leaf.path, key in anchors], number)
        for number, (key, leaf) in enumerate(distinct.items())
    }


def _key(leaf: Leaf) -> str:
    """Name a leaf so that equal ones share a test; `1` and `true`, which Python takes for equal, stay apart."""
    return repr((leaf.path, leaf.op, leaf.value, leaf.cased))
