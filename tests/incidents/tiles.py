"""The texts of which the lines of a document may be composed: those of the templates and of the records.

A document is a text of the templates' own words and of values of the report, and nothing else. So a line is carried
when it can be laid out without a gap from pieces of both. Templates and filters are read as they are found: a new
column needs no change here, a sentence that no record holds is found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment
from msgspec import Struct

from forensics.model import Evidence
from forensics.rendering.documents import _environment
from forensics.rendering.escape import code, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEMPLATES = Path(__file__).parents[2] / "templates"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
_ESCAPES = frozenset({"md", "code", "mermaid"})
_INCLUDED = re.compile(r"{% (?:include|import) \"([^\"]+)\"")
_HEAD = 3
"""Pieces are found by their first letters."""
_MARKS = frozenset({"`", "``"})
SHOWN_IN_A_TABLE = 5
"""Of longer lists a table says how many more there are."""
_UNFIT = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a filter raises when it is given a record that it was not written for."""


@lru_cache(maxsize=16)
def fragments(document: str) -> frozenset[str]:
    """Return the literal texts of a document's template and its includes, line by line."""
    text = (TEMPLATES / document).read_text("utf-8")
    included = _INCLUDED.findall(text)
    return literals(text).union(*(fragments(name) for name in included))


@lru_cache(maxsize=4096)
def literals(template: str) -> frozenset[str]:
    """Return the literal texts of a template, between and inside its expressions."""
    found = set()
    for _, kind, text in Environment(autoescape=False).lex(template):  # noqa: S701 - only read
        if kind == "data":
            found |= set(text.split("\n"))
        elif kind == "string":
            found.add(text[1:-1])
    cleaned = {" ".join(text.split()) for text in found}
    return frozenset(text for text in cleaned if text and not text.isdigit())


@lru_cache(maxsize=1)
def filters() -> tuple[Any, ...]:
    """Return the filters that templates may use, apart from those of Jinja and the escapes."""
    environment = _environment(None)
    own = Environment(autoescape=False).filters  # noqa: S701 - only read
    return tuple(f for name, f in environment.filters.items() if name not in own and name not in _ESCAPES)


class Shallow(NamedTuple):
    """A record as the filters of the templates show it, without what it is made of."""

    record: Any


class Values:
    """Every way in which documents may show a value of one report; remembered, for sections share most of them."""

    def __init__(self, report: Any) -> None:
        self._report = report
        self._known: dict[tuple[type, Any], frozenset[str]] = {}
        self._keep: list[Any] = []

    def below(self, *values: Any) -> set[str]:
        """Return the ways to show some values and all that they are made of."""
        found: set[str] = set()
        for value in values:
            for leaf in _walk(value):
                found |= self._shown(leaf)
        return found

    def _shown(self, value: Any) -> frozenset[str]:
        is_plain = isinstance(value, (str, int, float))
        key = (type(value), value if is_plain else id(value))
        if key not in self._known:
            self._keep.append(value)  # an id is only good while its object lives
            # Blanks are collapsed once, for most values stand in many sections.
            self._known[key] = frozenset(" ".join(way.split()) for way in self._ways(value)) - {""}
        return self._known[key]

    def _ways(self, value: Any) -> Iterator[str]:
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, int):
            yield from (str(value), f"{value:,}")
            return
        if isinstance(value, Evidence) and value.count:
            yield f"and {value.count - 1} more"
        if isinstance(value, str):
            yield from _escaped(value)
            if type(value) is str and not _TIME.match(value):
                return
        elif isinstance(value, float):
            yield from (str(value), f"{value:g}", f"{value:.2g}", f"{value:.2f}", f"{value:.3f}", f"{value:.1f}")
        for filter_ in filters():
            if _is_for(filter_, value):
                yield from self._filtered(filter_, value)

    def _filtered(self, filter_: Any, value: Any) -> Iterator[str]:
        for arguments in ((value,), (value, self._report)):
            try:
                found = filter_(*arguments)
            except _UNFIT:
                continue
            if isinstance(found, str):
                yield from _escaped(found)


def _is_for(filter_: Any, value: Any) -> bool:
    """Tell by its annotation whether a filter takes such a value: a text times a thousand million fills the memory."""
    said = next(iter(getattr(filter_, "__annotations__", {}).values()), "")
    if isinstance(value, float):
        return "float" in said
    return ("float" not in said and isinstance(value, (Struct, str))) or said.startswith(("tuple", "dict"))


def _walk(value: Any) -> Iterator[Any]:
    if isinstance(value, Shallow):
        yield value.record
        return
    yield value
    if isinstance(value, Struct):
        for field in value.__struct_fields__:
            yield from _walk(getattr(value, field))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(key)
            yield from _walk(inner)
    elif isinstance(value, (tuple, list)):
        if len(value) > SHOWN_IN_A_TABLE:
            yield f"and {len(value) - SHOWN_IN_A_TABLE} more"
        for inner in value:
            yield from _walk(inner)


def _escaped(text: str) -> Iterator[str]:
    yield text
    yield markdown(text)
    inside = code(text)
    yield inside
    yield inside.strip("`").strip()


@lru_cache(maxsize=512)
def _by_head(pieces: frozenset[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for piece in sorted(" ".join(one.split()) for one in pieces):
        found[piece[:_HEAD]].append(piece)
    return dict(found)


class Tiling:
    """What the lines of one section may be made of."""

    def __init__(self, values: Iterable[str], literal: frozenset[str]) -> None:
        """Take values, and the literal texts between them."""
        self._literal = _by_head(literal | _MARKS)
        self._values: dict[str, list[str]] = defaultdict(list)
        for piece in values:
            self._values[piece[:_HEAD]].append(piece)

    def rest(self, line: str) -> str:
        """Return the part of a line that cannot be composed from the pieces; "" when all of it can."""
        line = " ".join(line.split())
        reached, ahead = {0}, [0]
        while ahead:
            at = ahead.pop()
            if at == len(line):
                return ""
            new = [end for end in self._steps(line, at) if end not in reached]
            reached.update(new)
            ahead += new
        return line[max(reached) :]

    def _steps(self, line: str, at: int) -> Iterator[int]:
        if line[at] == " ":
            yield at + 1
        for size in range(1, min(_HEAD, len(line) - at) + 1):
            head = line[at : at + size]
            for piece in self._literal.get(head, ()):
                if line.startswith(piece, at):
                    yield at + len(piece)
            for piece in self._values.get(head, ()):
                end = at + len(piece)
                if line.startswith(piece, at) and _stands_alone(line, at, end):
                    yield end


def _stands_alone(line: str, at: int, end: int) -> bool:
    """Let a value stand for itself only: 15 is not made of 1 and 5, nor a word of others' letters."""
    return not (_run_on(line[at - 1 : at], line[at]) or _run_on(line[end - 1], line[end : end + 1]))


def _run_on(one: str, other: str) -> bool:
    return (one.isdigit() and other.isdigit()) or (one.isalpha() and other.isalpha())
