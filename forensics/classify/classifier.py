"""Find the rules that match an entry, the primary one first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from forensics.classify.candidates import Candidates
from forensics.classify.conditions import Bound, BoundLeaf, LeafFacts, TrueLeaves, anchor, bind, leaves
from forensics.classify.leaf_index import FieldIndex
from forensics.classify.leaves import describe
from forensics.classify.outcomes import Outcomes
from forensics.classify.precedence import Precedence
from forensics.model import Classified, Condition, Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.classify.outcomes import Claim, Claims
    from forensics.model import Leaf, LogEntry, Rule


def classify(entries: Iterable[LogEntry], rules: Iterable[Rule]) -> tuple[Classified, ...]:
    """Classify all entries by all rules."""
    return tuple(map(Classifier(rules).classify, entries))


class Classifier:
    """Rules prepared to classify many entries."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(sorted(rules, key=lambda rule: rule.id))
        self._precedence = Precedence(self._rules)
        anchors = [anchor(rule.condition) for rule in self._rules]
        keys = [None if chosen is None else tuple(map(_key, chosen)) for chosen in anchors]
        all_leaves = (leaf for condition in _conditions(self._rules) for leaf in leaves(condition))
        self._tests = _number(all_leaves, frozenset(key for chosen in keys for key in chosen or ()))
        self._conditions: dict[int, Bound] = {}
        """Number of a rule → its condition, bound when first tried: most rules are never tried."""
        # By identity: comparing conditions is slow, and they stay alive as long as this cache.
        self._known: dict[int, tuple[Condition, Bound]] = {}
        self._words: dict[int, str] = {}
        self._outcomes = Outcomes(self._judge)
        self._candidates = Candidates(
            [None if chosen is None else [self._tests[key] for key in chosen] for chosen in keys]
        )

    def classify(self, entry: LogEntry) -> Classified:
        """Return the primary rule of an entry, and the other rules that match it."""
        claims = self.claims(entry)
        if not claims:
            return Classified(entry=entry, primary=None)
        primary, *also = (self.match(claim, entry) for claim in claims)
        return Classified(entry=entry, primary=primary, also=tuple(also))

    def claims(self, entry: LogEntry) -> Claims:
        """List the rules that match an entry, the primary one first.

        Entries with the same true leaves share one tuple, so that callers can cache by identity.
        """
        facts = LeafFacts(entry)
        candidates = self._candidates.of(facts)
        return self._outcomes.of(candidates, facts) if candidates else ()

    def holds(self, condition: Condition, entry: LogEntry) -> bool:
        """Tell whether a condition of these rules (e.g. that of a why) is true of an entry."""
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = (condition, bind(condition, self._test))
        return known[1].true_leaves(LeafFacts(entry)) is not None

    def leaf_test(self, entry: LogEntry) -> Callable[[Leaf], bool]:
        """Return a predicate for one entry: is this leaf, of a rule's condition or a why's, true of it?"""
        facts = LeafFacts(entry)
        return lambda leaf: self._test(leaf).true_leaves(facts) is not None

    def _true_leaves(self, number: int, facts: LeafFacts) -> TrueLeaves:
        bound = self._conditions.get(number)
        if bound is None:
            bound = self._conditions[number] = bind(self._rules[number].condition, self._test)
        return bound.true_leaves(facts)

    def _test(self, leaf: Leaf) -> BoundLeaf:
        return self._tests[_key(leaf)]

    def _judge(self, candidates: frozenset[int], facts: LeafFacts) -> Claims:
        """Evaluate the conditions of candidates, and order the rules whose condition is true."""
        evaluated = ((self._rules[number].id, self._true_leaves(number, facts)) for number in sorted(candidates))
        matching = {rule: tests for rule, tests in evaluated if tests is not None}
        return tuple((rule, matching[rule]) for rule in self._precedence.order(matching))

    def match(self, claim: Claim, entry: LogEntry) -> Match:
        """Return the match of a rule with an entry: the true leaves in words, and the captures."""
        rule, tests = claim
        matched_on = tuple(dict.fromkeys(map(self._words_of, tests)))
        return Match(rule=rule, captures=self.captures(claim, entry), matched_on=matched_on)

    def captures(self, claim: Claim, entry: LogEntry) -> dict[str, str]:
        """Return the values of the named groups in the patterns of a matching rule."""
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


def _number(all_leaves: Iterable[Leaf], anchors: frozenset[str]) -> dict[str, BoundLeaf]:
    """Number the distinct leaves of all rules, and index them by field.

    Anchors have indexes of their own, because the other leaves are rarely evaluated.
    """
    distinct = {_key(leaf): leaf for leaf in all_leaves}
    by_field: dict[tuple[str, bool], dict[int, Leaf]] = defaultdict(dict)
    for number, (key, leaf) in enumerate(distinct.items()):
        by_field[leaf.path, key in anchors][number] = leaf
    indexes = {place: FieldIndex(place[0], numbered) for place, numbered in by_field.items()}
    return {
        key: BoundLeaf(leaf, indexes[leaf.path, key in anchors], number)
        for number, (key, leaf) in enumerate(distinct.items())
    }


def _key(leaf: Leaf) -> str:
    """Return a key by which equal leaves share a test; `1` and `true`, which are equal in Python, stay apart."""
    return repr((leaf.path, leaf.op, leaf.value, leaf.cased))
