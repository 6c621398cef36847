"""Decode YAML into the values of JSON: times, `no`, `12:30`, `0o17`, `1_000` and `=` stay text.

YAML's own types are not used: they turn a timestamp into a date, `no` into False and `12:30` into 750. A plain word is
a number or a boolean here only if a writer of YAML would have quoted a text of the same spelling.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import yaml

from forensics.sources.json.json_values import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterator

# The parser in C is ten times as fast; a PyYAML that was built without it still reads.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,40})")
# With a point: to a writer of YAML 1.1 `52e10`, half of a span's id, is text and needs no quotes.
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,40})\.[0-9]+(?:[eE][-+][0-9]{1,3})?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_VALUES = 1_000_000
"""Values of one text, repeated aliases included: a few lines of nested aliases can stand for billions."""


class NotYamlError(ValueError):
    """Text is no YAML, or has too many values; the message says why, `line` where, from 0."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def decode_yaml(text: str) -> list[Any]:
    """Decode all documents of a text; raise NotYamlError."""
    try:
        return list(_Builder(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)).documents())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise NotYamlError(str(problem), mark.line if mark else 0) from error


class _Builder:
    """Builds values from the parser's events."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def documents(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._value(next(self._events), 0)

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._values
        self._count(1, event)
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif depth > DEEPEST:
            raise NotYamlError(f"nested deeper than {DEEPEST} levels", event.start_mark.line)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self._value(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
        else:
            value = {_key(key): self._value(next(self._events), depth + 1) for key in self._until(yaml.MappingEndEvent)}
        if event.anchor:
            self._anchors[event.anchor] = (value, self._values - before)
        return value

    def _until(self, end: type) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise NotYamlError(f"the alias {event.anchor!r} stands for nothing", event.start_mark.line)
        value, values = self._anchors[event.anchor]
        self._count(values, event)
        return value

    def _count(self, values: int, event: Any) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise NotYamlError(f"more than {_MOST_VALUES:,} values", event.start_mark.line)


def _key(event: Any) -> str:
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    raise NotYamlError("a key that is no text", event.start_mark.line)


def _scalar(event: Any) -> Any:
    text: str = event.value
    is_plain = event.implicit[0]
    if not is_plain:  # quoted, a block, or with a tag of its own
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
