"""Translate one leaf of a condition into an RE2 pattern or a comparison, and into words.

Text ops become patterns, so that one pass over a text answers all of them; the others compare one value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import re2

from forensics.model import Leaf, LeafOp, Level
from forensics.text.timestamps import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    Measure = Callable[[str], float | None]
    Compare = Callable[[float | None], bool]

_NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?", re.ASCII)
"""`500`, `-1.5`, `1e3`; the bounds keep hostile digits from costing anything."""
_MAX_DURATION_TEXT = 40
_WORDS = {
    LeafOp.REGEX: "matches",
    LeafOp.CONTAINS: "contains",
    LeafOp.WORD: "has the word",
    LeafOp.EQUALS: "is",
    LeafOp.IN: "is one of",
    LeafOp.AT_LEAST: "is at least",
    LeafOp.AT_MOST: "is at most",
}


def describe(leaf: Leaf) -> str:
    """Write a leaf in words, e.g. `message contains 'exit('`."""
    if leaf.op is LeafOp.EXISTS:
        return f"{leaf.path} exists" if leaf.value else f"{leaf.path} is missing"
    value = ", ".join(map(_quoted, leaf.value)) if isinstance(leaf.value, tuple) else _quoted(leaf.value)
    return f"{leaf.path} {_WORDS[leaf.op]} {value}"


def _quoted(value: Any) -> str:
    """Put text in quotes; levels, numbers and booleans stand without."""
    if isinstance(value, str) and value not in Level.__members__:
        return f"'{value}'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def pattern(leaf: Leaf) -> str | None:
    """Translate a text op to RE2; None for a leaf that compares values."""
    if compares(leaf):
        return None
    body = _PATTERN_OF[leaf.op](leaf.value)
    return body if leaf.cased else f"(?i){body}"


def compares(leaf: Leaf) -> bool:
    """Tell whether a leaf tests presence, or the order or equality of numbers, levels or durations, instead of text."""
    if leaf.op in {LeafOp.EXISTS, LeafOp.AT_LEAST, LeafOp.AT_MOST}:
        return True
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    return all(_is_number(value) for value in values)


def comparison(leaf: Leaf) -> Callable[[str], bool]:
    """Prepare the test of a value's text by `equals`, `in`, `at_least` or `at_most`."""
    measure, holds = measured_comparison(leaf)
    return lambda text: holds(measure(text))


def measured_comparison(leaf: Leaf) -> tuple[Measure, Compare]:
    """Return how to read a value's text, and how to compare the result; many leaves share the same reading."""
    if leaf.op in {LeafOp.EQUALS, LeafOp.IN}:
        wanted = frozenset(leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
        return _number, lambda value: value in wanted
    measure, bound = _measure(leaf.value)
    if leaf.op is LeafOp.AT_LEAST:
        return measure, lambda value: value is not None and value >= bound
    return measure, lambda value: value is not None and value <= bound


def _measure(bound: Any) -> tuple[Measure, float]:
    """Choose, by the value in the rule, whether an entry's value is read as a number, a level or a duration."""
    if _is_number(bound):
        return _number, bound
    if str(bound).upper() in Level.__members__:
        return _rank, Level[str(bound).upper()].rank
    return _duration, parse_duration(bound)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _rank(text: str) -> float | None:
    """Return the rank of a level's name; some exports give LogSeverity's number, which is the rank."""
    level = Level.__members__.get(text.upper())
    return _number(text) if level is None else level.rank


def _duration(text: str) -> float | None:
    if len(text) > _MAX_DURATION_TEXT:
        return None
    try:
        return parse_duration(text)
    except ValueError:
        return None


def _regex(value: Any) -> str:
    return str(value)


def _escape(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return str(re2.escape(text))


def _word(value: Any) -> str:
    """Require a boundary only where the word itself begins or ends with a letter, so that `exit(` can be a word."""
    text = str(value)
    before = r"\b" if re.match(r"\w", text, re.ASCII) else ""
    after = r"\b" if re.search(r"\w\Z", text, re.ASCII) else ""
    return f"{before}{_escape(value)}{after}"


def _whole(value: Any) -> str:
    return rf"\A{_escape(value)}\z"


def _one_of(values: Any) -> str:
    return rf"\A(?:{'|'.join(map(_escape, values))})\z"


_PATTERN_OF: dict[LeafOp, Callable[[Any], str]] = {
    LeafOp.REGEX: _regex,
    LeafOp.CONTAINS: _escape,
    LeafOp.WORD: _word,
    LeafOp.EQUALS: _whole,
    LeafOp.IN: _one_of,
}
