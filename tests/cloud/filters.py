"""The part of the Logging query language that a client of ours needs: text -> a test of entries.

Its traps are the point: OR binds tighter than AND, `=` and `:` ignore case and `=~` does not, `NOT f="v"` is true
where f is missing and `f!="v"` is false. What is not understood is INVALID_ARGUMENT, never a guess.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from cloud.comparisons import COMPARISONS, Entry, Test, compare, parse_nanoseconds
from cloud.contract import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEEPEST = 100
"""Levels of parentheses and NOT; more is refused, not recursed into."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<operator>!=|!~|=~|>=|<=|[=:<>(),])
      | (?P<word>\*|[\w+-]+(?:\.(?:[\w+-]+|"(?:[^"\\]|\\.)*"))*)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_SEGMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"} | {c: c for c in "\"'\\?`"}
_KEYWORDS = {"AND", "OR", "NOT"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A test of entries, and the nanoseconds outside of which no entry can pass it."""

    test: Test
    earliest: float = -math.inf
    latest: float = math.inf

    @property
    def is_bounded(self) -> bool:
        return self.earliest > -math.inf and self.latest < math.inf


@lru_cache(maxsize=64)
def parse_filter(text: str) -> Filter:
    """The filter that this text means; RefusedError when it is not understood."""
    tokens = _read_tokens(text)
    if not tokens:
        return Filter(_always)
    parser = _Parser(tokens)
    parsed = parser.parse_and(0)
    if parser.peek() is not None:
        raise invalid(f"filter: unexpected {parser.peek()!r}")
    return parsed


def _always(_entry: Entry) -> bool:
    return True


def _read_tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise invalid(f"filter: cannot be read at character {position}: {text[position : position + 20]!r}")
        if found.lastgroup != "space":
            tokens.append(found.group())
        position = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise invalid("filter: ends too early")
        self._next += 1
        return token

    def parse_and(self, depth: int) -> Filter:
        """Terms of OR, joined by AND or by nothing at all."""
        terms = [self.parse_or(depth)]
        while self.peek() not in {None, ")"}:
            if self.peek() == "AND":
                self.take()
            terms.append(self.parse_or(depth))
        return _all_of(terms)

    def parse_or(self, depth: int) -> Filter:
        terms = [self.parse_term(depth)]
        while self.peek() == "OR":
            self.take()
            terms.append(self.parse_term(depth))
        return _any_of(terms)

    def parse_term(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise invalid("filter: nested too deeply")
        token = self.take()
        if token == "NOT":  # noqa: S105 - a keyword of the query language, no secret
            return _none_of(self.parse_term(depth + 1))
        if token != "(":  # noqa: S105 - a parenthesis, no secret
            return self.parse_comparison(token)
        inner = self.parse_and(depth + 1)
        if self.take() != ")":
            raise invalid("filter: a parenthesis is not closed")
        return inner

    def parse_comparison(self, field: str) -> Filter:
        if field in _KEYWORDS or field[0] in '"*=!<>:)':
            raise invalid(f"filter: a field was expected, not {field!r}")
        operator = self.peek()
        if field == "sample" and operator == "(":
            return self.parse_sample()
        if operator not in COMPARISONS:
            raise invalid(f"filter: a comparison was expected after {field!r}; a search of all fields is not served")
        self.take()
        value = self.take()
        path = tuple(_unquote(segment) for segment in _SEGMENT.findall(field))
        if value == "*" and operator == ":":
            return Filter(compare(path, ":*", ""))
        return _bounded(path, operator, _read_value(value))

    def parse_sample(self) -> Filter:
        """`sample(FIELD, FRACTION)`: a hash of the field's value decides, so that the same entries are chosen again."""
        tokens = [self.take() for _ in range(5)]
        try:
            fraction = float(tokens[3])
        except ValueError:
            raise invalid(f"filter: {tokens[3]!r} is no fraction") from None
        if tokens[::2] != ["(", ",", ")"] or not 0 <= fraction <= 1 or tokens[1] != "insertId":
            raise invalid("filter: a sample is written sample(insertId, 0.01)")

        def test(entry: Entry) -> bool:
            chosen = blake2b(str(entry.get("insertId")).encode(), digest_size=8).digest()
            return int.from_bytes(chosen) < fraction * (1 << 64)

        return Filter(test)


def _read_value(token: str) -> str:
    if token[0] == '"':
        return _unquote(token)
    if token in _KEYWORDS or '"' in token or token[0] in "*=!<>:()":
        raise invalid(f"filter: a value was expected, not {token!r}")
    return token


def _unquote(token: str) -> str:
    return _ESCAPE.sub(_unescape, token[1:-1]) if token.startswith('"') else token


def _unescape(found: re.Match[str]) -> str:
    """The character that an escape stands for; what Google does with others is undocumented, so they are refused."""
    *hexadecimal, octal, letter = found.groups()
    number = next((int(digits, 16) for digits in hexadecimal if digits), None)
    if number is None and octal:
        number = int(octal, 8)
    if number is not None and number < 0x110000 and not 0xD800 <= number < 0xE000:
        return chr(number)
    if number is not None or letter not in _ESCAPED:
        raise invalid(f"filter: the escape {found.group()!r} is not known")
    return _ESCAPED[letter]


def _bounded(path: tuple[str, ...], operator: str, value: str) -> Filter:
    test = compare(path, operator, value)
    if path != ("timestamp",) or operator == "!=":
        return Filter(test)
    moment = parse_nanoseconds(value)
    return Filter(
        test,
        moment if operator in {">", ">=", "="} else -math.inf,
        moment if operator in {"<", "<=", "="} else math.inf,
    )


def _all_of(filters: list[Filter]) -> Filter:
    tests = [each.test for each in filters]
    earliest, latest = max(each.earliest for each in filters), min(each.latest for each in filters)
    return filters[0] if len(filters) == 1 else Filter(_joined(all, tests), earliest, latest)


def _any_of(filters: list[Filter]) -> Filter:
    tests = [each.test for each in filters]
    earliest, latest = min(each.earliest for each in filters), max(each.latest for each in filters)
    return filters[0] if len(filters) == 1 else Filter(_joined(any, tests), earliest, latest)


def _none_of(inner: Filter) -> Filter:
    return Filter(lambda entry: not inner.test(entry))


def _joined(join: Callable[[Any], bool], tests: list[Test]) -> Test:
    def test(entry: Mapping[str, Any]) -> bool:
        return join(each(entry) for each in tests)

    return test
