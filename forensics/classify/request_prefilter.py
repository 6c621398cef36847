"""Find the successful requests that a rule might match, without decoding them one by one.

For each rule there are a few leaves without which it cannot match. In a request without a payload, only status and
message can make one of them true. The words that leaves on messages need are searched for in all messages at once;
where one is found, the search goes on in each half.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from forensics.classify.leaves import compares, comparison, pattern
from forensics.classify.needed_words import needed_words
from forensics.classify.pattern_set import lowered, pattern_set
from forensics.model import AllOf, AnyOf, Leaf, LeafOp, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.model import Condition, Rule

_ABSENT = frozenset({"exception", "frame", "close", "jsonPayload", "protoPayload", "textPayload"})
"""Root fields that a request without a payload lacks, so that no leaf on them is true of it."""
_STATUS = "httpRequest.status"


class RequestPrefilter:
    """Selects, among requests without a payload and below a level, those that a rule might match."""

    def __init__(self, rules: Iterable[Rule], level: Level) -> None:
        self.level = level
        rules = tuple(rules)
        needs = [_needs(rule.condition, level) for rule in rules]
        self.is_blind = any(leaves is None for leaves in needs)
        """True when some rule may match a request by a field that is not read here: then nothing can be ruled out."""
        leaves = [leaf for rule_leaves in needs for leaf in rule_leaves or ()]
        leaves += _needs_of_whys(rules, level)
        self._statuses = [_tester(leaf) for leaf in leaves if leaf.path == _STATUS]
        self._words, self._wordless = _message_tests(leaves)
        """One automaton for the words that message patterns need, and the patterns that need no word."""
        self.may_claim_status = lru_cache(1024)(self._may_claim_status)

    def _may_claim_status(self, status: int) -> bool:
        return any(test(str(status)) for test in self._statuses)

    def suspects(self, messages: Sequence[str]) -> list[int]:
        """Return the positions, in order, of the messages that a rule might match."""
        texts = [message.encode("utf-8", "replace") for message in messages]
        positions = set(self._with_words([lowered(text) for text in texts], 0, len(texts)))
        if self._wordless:
            positions.update(i for i, text in enumerate(texts) if any(regex.search(text) for regex in self._wordless))
        return sorted(positions)

    def _with_words(self, texts: Sequence[bytes], start: int, end: int) -> Iterator[int]:
        if start == end or self._words is None or not self._words.Match(b"\n".join(texts[start:end])):
            return
        if end - start == 1:
            yield start
            return
        middle = (start + end) // 2
        yield from self._with_words(texts, start, middle)
        yield from self._with_words(texts, middle, end)


def is_screened(condition: Condition, level: Level) -> bool:
    """Tell whether the prefilter of a rule also covers a why's condition: no request that it rules out satisfies it."""
    needed = _needs(condition, level)
    # A why may ask for successful requests by status; decoding each of those for that would not pay.
    return needed is not None and all(leaf.path != _STATUS for leaf in needed)


def _needs_of_whys(rules: Iterable[Rule], level: Level) -> list[Leaf]:
    """Collect the needed leaves of the whys' conditions that the prefilter covers."""
    conditions = [why.condition for rule in rules for why in rule.whys if why.condition is not None]
    covered = [condition for condition in conditions if is_screened(condition, level)]
    return [leaf for condition in covered for leaf in _needs(condition, level) or ()]


def _message_tests(leaves: Iterable[Leaf]) -> tuple[Any, list[Any]]:
    """Compile the leaves on messages: a set of needed words (None without one), and the patterns that need none."""
    patterns = [text for leaf in leaves if leaf.path == "message" and (text := pattern(leaf)) is not None]
    needed = {text: needed_words(text) for text in patterns}
    words = {word for text_words in needed.values() for word in text_words or ()}
    word_set = pattern_set(sorted(words), literal=True) if words else None
    return word_set, [re2.compile(text) for text, text_words in needed.items() if text_words is None]


def _needs(condition: Condition, level: Level) -> tuple[Leaf, ...] | None:
    """Return leaves such that a request satisfies the condition only if one of them is true.

    Empty when no request can satisfy it; None when there are no such leaves.
    """
    if isinstance(condition, Leaf):
        return _leaf_needs(condition, level)
    if not isinstance(condition, AllOf | AnyOf):
        return None
    parts = [_needs(part, level) for part in condition.conditions]
    known = [part for part in parts if part is not None]
    if isinstance(condition, AllOf):
        return min(known, key=len, default=None)
    return tuple(leaf for part in known for leaf in part) if len(known) == len(parts) else None


def _leaf_needs(leaf: Leaf, level: Level) -> tuple[Leaf, ...] | None:
    if leaf.op is LeafOp.EXISTS:
        return () if leaf.value and _root(leaf) in _ABSENT else None
    if _root(leaf) in _ABSENT:
        return ()
    if leaf.path == "level" and leaf.op is LeafOp.AT_LEAST:
        wanted = Level.__members__.get(str(leaf.value).upper())
        return () if wanted is not None and wanted.rank >= level.rank else None
    return (leaf,) if leaf.path == _STATUS or (leaf.path == "message" and not compares(leaf)) else None


def _root(leaf: Leaf) -> str:
    return leaf.path.partition(".")[0]


def _tester(leaf: Leaf) -> Any:
    text = pattern(leaf)
    return comparison(leaf) if text is None else re2.compile(text).search
