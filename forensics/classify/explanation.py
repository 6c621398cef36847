"""Explain which rules match an entry and why, and which rules nearly do.

A rule nearly matches if one or two leaves of its condition stand in the way, and at least one specific leaf is true:
that an entry is an ERROR, or has some text, does not make it resemble a rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import re2
from msgspec import Struct

from forensics.classify.classifier import Classifier
from forensics.classify.conditions import BROAD_ROOTS
from forensics.classify.leaf_index import encode_text
from forensics.classify.leaves import comparison, describe, pattern
from forensics.classify.needed_words import needed_words
from forensics.classify.precedence import Precedence
from forensics.log.citations import cite
from forensics.log.field_paths import field_reader
from forensics.model import AllOf, EntryRef, FailureClass, Leaf, NoneOf, Priority, Role
from forensics.text.redact import quote, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from forensics.classify.outcomes import Claim
    from forensics.model import Condition, LogEntry, Rule

NEAR_RULES = 5
"""Rules in an explanation that nearly match."""
_MOST_FAILING = 2
_LONGEST = 200
"""Characters of a value, or of the words matched in it."""
_VALUES = 3
"""Values of a list field that are given for a failing leaf."""


class MatchedLeaf(Struct, frozen=True, kw_only=True):
    """A leaf that made a rule match."""

    leaf: str
    """e.g. `message contains 'exit('`."""
    words: str
    """What it matched in the entry, redacted; "" for a field that must be missing, or for an object."""


class FailingLeaf(Struct, frozen=True, kw_only=True):
    """A leaf that keeps a rule from matching."""

    leaf: str
    must_be_false: bool
    """True for a leaf under `not`, which is true of the entry."""
    seen: tuple[str, ...]
    """The values of its field in the entry, redacted; empty when the field is missing."""


class RuleMatch(Struct, frozen=True, kw_only=True):
    """A rule that matches the entry."""

    rule: str
    title: str
    role: Role
    failure_class: FailureClass
    priority: Priority
    matched_on: tuple[MatchedLeaf, ...]
    captures: dict[str, str]
    reason: str
    """Why it is the primary rule, or why the primary rule comes before it."""


class NearMatch(Struct, frozen=True, kw_only=True):
    """A rule that would match if one or two leaves were different."""

    rule: str
    title: str
    role: Role
    failure_class: FailureClass
    priority: Priority
    failing: tuple[FailingLeaf, ...]
    matched_on: tuple[MatchedLeaf, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """The rules that match one entry, the primary one first, and those that nearly match, the nearest first."""

    entry: EntryRef
    pieces: int
    """Number of log entries that make up the message."""
    matches: tuple[RuleMatch, ...]
    near: tuple[NearMatch, ...]


class Explainer:
    """Rules prepared to explain entries."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._classifier = Classifier(self._rules.values())
        self._precedence = Precedence(tuple(self._rules.values()))

    def explain(self, entry: LogEntry) -> Explanation:
        """Explain one entry; text from the log is redacted."""
        matches = self._matches(entry)
        return Explanation(
            entry=cite(entry),
            pieces=len(entry.originals),
            matches=matches,
            near=self._near(entry, frozenset(match.rule for match in matches)),
        )

    def _matches(self, entry: LogEntry) -> tuple[RuleMatch, ...]:
        claims = self._classifier.claims(entry)
        ids = [rule for rule, _ in claims]
        return tuple(self._match(claim, entry, ids) for claim in claims)

    def _match(self, claim: Claim, entry: LogEntry, ids: Sequence[str]) -> RuleMatch:
        rule, leaves = self._rules[claim[0]], [test.leaf for test in claim[1]]
        fields = dict.fromkeys(test.leaf.path for test in claim[1] if test.captures)
        captures = self._classifier.captures(claim, entry)
        return RuleMatch(
            rule=rule.id,
            title=rule.title,
            role=rule.role,
            failure_class=rule.failure_class,
            priority=rule.priority,
            matched_on=_matched(leaves, entry),
            captures={name: _quoted(value, fields, entry) for name, value in sorted(captures.items())},
            reason=self._reason(rule.id, ids),
        )

    def _reason(self, rule: str, ids: Sequence[str]) -> str:
        if len(ids) == 1:
            return "the only rule that matches"
        if rule == ids[0]:
            return f"before {ids[1]}: {self._precedence.reason(rule, ids[1], ids)}"
        return f"after {ids[0]}: {self._precedence.reason(ids[0], rule, ids)}"

    def _near(self, entry: LogEntry, matching: frozenset[str]) -> tuple[NearMatch, ...]:
        is_true = self._classifier.leaf_test(entry)
        candidates = [
            (rule, needed)
            for rule in self._rules.values()
            if rule.id not in matching
            if _is_near(needed := _needed(rule.condition, is_true, wanted=True))
        ]
        candidates.sort(key=lambda pair: (*_distance(pair[1]), pair[0].role.rank, pair[0].id))
        return tuple(_near_match(rule, needed, entry) for rule, needed in candidates[:NEAR_RULES])


class _Needed(NamedTuple):
    """What a condition takes to have a wanted value, on the shortest way."""

    failing: tuple[tuple[Leaf, bool], ...] = ()
    """Leaves with the value that each should have, and has not."""
    true: tuple[Leaf, ...] = ()
    """Leaves that are true, and should be."""


def _needed(condition: Condition, is_true: Callable[[Leaf], bool], *, wanted: bool) -> _Needed:
    """Find the fewest leaves that would have to change for a condition to be true (or false) of an entry."""
    if isinstance(condition, Leaf):
        if is_true(condition) is not wanted:
            return _Needed(failing=((condition, wanted),))
        return _Needed(true=(condition,) if wanted else ())
    is_negated = isinstance(condition, NoneOf)
    parts = [_needed(part, is_true, wanted=wanted is not is_negated) for part in condition.conditions]
    # All parts are needed for `all` to be true, for `any` to be false, and for `not` to be true.
    if wanted is (is_negated or isinstance(condition, AllOf)):
        return _together(parts)
    satisfied = [part for part in parts if not part.failing]
    return _together(satisfied) if satisfied else min(parts, key=_distance)


def _together(parts: Iterable[_Needed]) -> _Needed:
    listed = tuple(parts)
    return _Needed(
        failing=tuple(leaf for part in listed for leaf in part.failing),
        true=tuple(leaf for part in listed for leaf in part.true),
    )


def _distance(needed: _Needed) -> tuple[int, int]:
    """Sort key, nearest first: fewest failing leaves, then most true leaves that few entries satisfy."""
    return len(needed.failing), -sum(map(_is_specific, needed.true))


def _is_near(needed: _Needed) -> bool:
    return 0 < len(needed.failing) <= _MOST_FAILING and any(map(_is_specific, needed.true))


def _is_specific(leaf: Leaf) -> bool:
    """Tell whether few entries satisfy a leaf; a pattern without fixed words, as for a capture, is found in most."""
    if leaf.op == "exists" or leaf.path.partition(".")[0] in BROAD_ROOTS:
        return False
    return leaf.op != "regex" or leaf.path == "httpRequest.status" or needed_words(str(leaf.value)) is not None


def _near_match(rule: Rule, needed: _Needed, entry: LogEntry) -> NearMatch:
    return NearMatch(
        rule=rule.id,
        title=rule.title,
        role=rule.role,
        failure_class=rule.failure_class,
        priority=rule.priority,
        failing=tuple(_failing(leaf, entry, wanted=wanted) for leaf, wanted in dict.fromkeys(needed.failing)),
        matched_on=_matched(needed.true, entry),
    )


def _failing(leaf: Leaf, entry: LogEntry, *, wanted: bool) -> FailingLeaf:
    values = field_reader(leaf.path)(entry)[:_VALUES]
    seen = tuple("an object" if value is None else _quoted(value, (leaf.path,), entry) for value in values)
    return FailingLeaf(leaf=describe(leaf), must_be_false=not wanted, seen=seen)


def _matched(leaves: Iterable[Leaf], entry: LogEntry) -> tuple[MatchedLeaf, ...]:
    distinct = {describe(leaf): leaf for leaf in leaves}
    return tuple(
        MatchedLeaf(leaf=text, words=_quoted(_matched_text(leaf, entry), (leaf.path,), entry))
        for text, leaf in distinct.items()
    )


def _matched_text(leaf: Leaf, entry: LogEntry) -> str:
    """Return what a true leaf matched: the words that its pattern found, else the value that it compared."""
    values = [value for value in field_reader(leaf.path)(entry) if value is not None]
    if leaf.op == "exists":
        return values[0] if values and leaf.value else ""
    text = pattern(leaf)
    if text is None:
        return next(filter(comparison(leaf), values), "")
    found = next(filter(None, map(re2.compile(text).search, map(encode_text, values))), None)
    return found.group().decode("utf-8", "replace") if found else ""


def _quoted(text: str, paths: Iterable[str], entry: LogEntry) -> str:
    """Quote a part of a field's value, redacted as in the whole value: a secret alone does not look like one."""
    if not text:
        return ""
    values = [(path, value) for path in paths for value in field_reader(path)(entry) if value is not None]
    redacted = [redact(f"{path}={encode_text(value).decode()}") for path, value in values]
    forms = (form for form in (text, redact(text)) if any(form in value for value in redacted))
    return quote(next(forms, "[redacted]"), _LONGEST)
