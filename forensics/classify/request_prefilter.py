"""Many requests that went well in, the few that a rule might claim out, without decoding them one by one.

Each rule needs some leaf of a few to be true. Of a request without a payload only its status and its message can make
one so. The words that the leaves on messages need are looked for in all messages at once; where one is found, halves
are looked at, and so on.
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
"""Roots that a request without a payload has not, so that no leaf on them is true of it."""
_STATUS = "httpRequest.status"


class RequestPrefilter:
    """Tells of requests without a payload, below a level, which of them a rule might claim."""

    def __init__(self, rules: Iterable[Rule], level: Level) -> None:
        self.level = level
        rules = tuple(rules)
        anchors = [_needs(rule.condition, level) for rule in rules]
        self.is_blind = any(found is None for found in anchors)
        """True when some rule may claim a request by what is not looked at here: then nothing can be ruled out."""
        asked = [why.condition for rule in rules for why in rule.whys if why.condition is not None]
        anchors += [_needs(condition, level) for condition in asked if is_screened(condition, level)]
        leaves = [leaf for found in anchors for leaf in found or ()]
        self._statuses = [_tester(leaf) for leaf in leaves if leaf.path == _STATUS]
        patterns = [text for leaf in leaves if leaf.path == "message" and (text := pattern(leaf)) is not None]
        needed = {text: needed_words(text) for text in patterns}
        words = {word for found in needed.values() for word in found or ()}
        self._words = pattern_set(sorted(words), literal=True) if words else None
        self._loose = [re2.compile(text) for text, found in needed.items() if found is None]
        self.may_claim_status = lru_cache(1024)(self._may_claim_status)

    def _may_claim_status(self, status: int) -> bool:
        return any(test(str(status)) for test in self._statuses)

    def suspects(self, messages: Sequence[str]) -> list[int]:
        """Return the positions of the messages that a rule might claim, in order."""
        texts = [message.encode("utf-8", "replace") for message in messages]
        found = set(self._with_words([lowered(text) for text in texts], 0, len(texts)))
        if self._loose:
            found.update(i for i, text in enumerate(texts) if any(regex.search(text) for regex in self._loose))
        return sorted(found)

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
    """Tell whether no request that a screen ruled out can satisfy a condition of a why of its rules."""
    needed = _needs(condition, level)
    # A why may ask for requests that went well; to look at each of those because of that would not pay.
    return needed is not None and all(leaf.path != _STATUS for leaf in needed)


def _needs(condition: Condition, level: Level) -> tuple[Leaf, ...] | None:
    """Return leaves of which one must be true of a request; none where it cannot be; None where that is not known."""
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
