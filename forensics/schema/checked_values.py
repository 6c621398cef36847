"""Check the values of a rule file.

A reader takes a value, its location and the diagnostics. It returns the checked value, or None after it has noted a
fault. A mapping is read by a mapping of readers, so that the code shows what a rule may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from forensics.schema.diagnostics import Diagnostics, nearest
from forensics.text.timestamps import parse_duration

if TYPE_CHECKING:
    from enum import StrEnum

    from forensics.schema.diagnostics import Location

Reader = Callable[[Any, "Location", Diagnostics], Any]
"""Value, location, diagnostics -> the checked value, or None after a fault."""


def read_table(
    value: Any,
    location: Location,
    diagnostics: Diagnostics,
    readers: Mapping[str, Reader],
    needed: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Read a mapping key by key; unknown and missing keys are faults, faulty values are left out."""
    if not isinstance(value, dict):
        diagnostics.add(
            location, f"{named(location)} must be a mapping with the keys {_listed(readers)}, not {kind(value)}"
        )
        return {}
    for key in needed:
        if key not in value:
            diagnostics.add(location, f"missing key {key!r}{_inside(location)}")
    found = {}
    for key, part in value.items():
        if key not in readers:
            diagnostics.add((*location, key), f"unknown field {key!r}{_inside(location)}{nearest(key, readers)}")
        elif (read := readers[key](part, (*location, key), diagnostics)) is not None:
            found[key] = read
    return found


def list_of(reader: Reader, *, at_least: int = 0) -> Reader:
    """Make a reader of lists; a faulty element becomes None, so that the others keep their places."""

    def read(value: Any, location: Location, diagnostics: Diagnostics) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            diagnostics.add(location, f"{named(location)} must be a list, not {kind(value)}")
            return None
        if len(value) < at_least:
            diagnostics.add(location, f"{named(location)} needs at least {at_least}, has {len(value)}")
        return tuple(reader(part, (*location, i), diagnostics) for i, part in enumerate(value))

    return read


def one_of(words: type[StrEnum]) -> Reader:
    """Make a reader of the words of an enumeration."""

    def read(value: Any, location: Location, diagnostics: Diagnostics) -> StrEnum | None:
        known = [word.value for word in words]
        if isinstance(value, str) and value in known:
            return words(value)
        hint = nearest(value, known) if isinstance(value, str) else ""
        diagnostics.add(location, f"{named(location)} must be one of {', '.join(known)}, not {shown(value)}{hint}")
        return None

    return read


def read_text(value: Any, location: Location, diagnostics: Diagnostics) -> str | None:
    """Read a text that is not empty."""
    if not isinstance(value, str):
        hint = "" if isinstance(value, dict | list) or value is None else f"; write '{value}' in quotes"
        diagnostics.add(location, f"{named(location)} must be text, not {kind(value)}{hint}")
        return None
    if not value.strip():
        diagnostics.add(location, f"{named(location)} is empty")
        return None
    return value


def read_version(value: Any, location: Location, diagnostics: Diagnostics) -> int | None:
    """Read a whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    diagnostics.add(location, f"{named(location)} must be a whole number from 1, not {shown(value)}")
    return None


def read_mapping(value: Any, location: Location, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """Read a mapping with any keys, such as a log entry."""
    if isinstance(value, dict) and value:
        return value
    diagnostics.add(location, f"{named(location)} must be a mapping, not {kind(value)}")
    return None


def read_duration(value: Any, location: Location, diagnostics: Diagnostics) -> int | None:
    """Read a duration such as `250ms`, `2s` or `3m`, as nanoseconds."""
    try:
        return int(parse_duration(value if isinstance(value, str) else ""))
    except ValueError:
        diagnostics.add(location, f"{location[-1]!r} must be a duration such as 250ms, 2s or 3m, not {shown(value)}")
        return None


def named(location: Location) -> str:
    """Name a location for a sentence: `'ask'`, `whys 2`."""
    if not location:
        return "a rule"
    if isinstance(location[-1], int):
        return f"{'.'.join(str(part) for part in location[:-1])} {location[-1] + 1}"
    return repr(location[-1])


def kind(value: Any) -> str:
    """Name the type of a value in YAML's words."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping", type(None): "nothing"}
    return names[type(value)]


def shown(value: Any) -> str:
    """Quote a scalar; say what anything larger is."""
    return repr(value) if isinstance(value, str | int | float) else kind(value)


def _inside(location: Location) -> str:
    return f" in {named(location)}" if location else ""


def _listed(readers: Mapping[str, Reader]) -> str:
    return ", ".join(readers)
