"""Parse the YAML of a rule file into plain data, and note the line of each part.

The YAML is read event by event rather than loaded: this gives lines for free, refuses aliases (a few of them unfold to
gigabytes), tags and duplicate keys, survives any depth, and follows YAML 1.2, where `no` and `12:30` are words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from forensics.schema.diagnostics import Location

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 50
_INT = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""Plain words that are no text (YAML 1.2, core schema)."""


class DocumentError(Exception):
    """A text that is not the YAML of a rule file: the line, and why."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


def parse_document(text: str) -> tuple[Any, dict[Location, int]]:
    """Read one YAML document as plain data; the second part maps each key and element to its line."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DocumentError(line, f"no valid YAML: {_problem(error)}") from error
    except yaml.YAMLError as error:
        raise DocumentError(1, f"no valid YAML: {' '.join(str(error).split())}") from error
    return builder.root, builder.lines


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Say what the parser met; by far the most frequent slip is a colon in a text without quotes."""
    words = str(error.problem or error.context)
    hint = "; put a text that holds ': ' in single quotes" if words.startswith("mapping values") else ""
    return words + hint


class _Builder:
    """Builds plain data from the events; holds the open containers and the location of the next value."""

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[Location, int] = {}
        self._open: list[tuple[Any, Location]] = []
        self._key: str | None = None
        self._documents = 0

    def take(self, event: Any) -> None:
        """Add one event of the parser."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            _refuse_extras(event, line)
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _refuse_extras(event, line)
            self._enter({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise DocumentError(line, f"aliases are not allowed here; write out what '*{event.anchor}' stands for")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise DocumentError(line, "a second document begins; one file holds one rule")

    def _scalar(self, event: Any, line: int) -> None:
        container = self._open[-1][0] if self._open else None
        if isinstance(container, dict) and self._key is None:
            self._name(event.value, container, line)
        else:
            self._put(_value(event.value, plain=event.implicit[0]), line)

    def _name(self, key: str, container: dict[str, Any], line: int) -> None:
        if key in container:
            raise DocumentError(line, f"duplicate key {key!r}")
        self._key = key
        self.lines[(*self._open[-1][1], key)] = line

    def _enter(self, container: Any, line: int) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._key is None:
            raise DocumentError(line, "a key must be a word")
        if len(self._open) >= _MAX_DEPTH:
            raise DocumentError(line, f"nested more than {_MAX_DEPTH} levels deep")
        self._open.append((container, self._put(container, line)))

    def _put(self, value: Any, line: int) -> Location:
        """Hang a value into the innermost open container and return its location."""
        if not self._open:
            self.root = value
            self.lines[()] = line
            return ()
        container, location = self._open[-1]
        if isinstance(container, dict):
            key, self._key = self._key, None
            container[key] = value
            return (*location, str(key))
        container.append(value)
        self.lines[(*location, len(container) - 1)] = line
        return (*location, len(container) - 1)


def _refuse_extras(event: Any, line: int) -> None:
    if event.anchor is not None:
        raise DocumentError(line, f"anchors are not allowed here; remove '&{event.anchor}'")
    if event.tag is not None:
        raise DocumentError(line, f"tags are not allowed here; remove {event.tag!r}")


def _value(text: str, *, plain: bool) -> Any:
    """Read a plain scalar by YAML 1.2's core schema; a quoted one is text."""
    if not plain:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
