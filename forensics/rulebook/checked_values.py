"""One value of a rule file in, the same value checked out, or None and a fault.

A reader takes a value, its spot and the faults to add to. Tables of keys are read by a table of readers, so that what
a rule may hold can be read off the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from forensics.rulebook.diagnostics import Diagnostics, nearest

if TYPE_CHECKING:
    from enum import StrEnum

    from forensics.rulebook.diagnostics import Spot

Reader = Callable[[Any, "Spot", Diagnostics], Any]


def read_table(
    value: Any, location: Spot, diagnostics: Diagnostics, readers: Mapping[str, Reader], needed: tuple[str, ...] = ()
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
    """Make a reader of lists; it keeps the place of a faulty element as None."""

    def read(value: Any, location: Spot, diagnostics: Diagnostics) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            diagnostics.add(location, f"{named(location)} must be a list, not {kind(value)}")
            return None
        if len(value) < at_least:
            diagnostics.add(location, f"{named(location)} needs at least {at_least}, has {len(value)}")
        return tuple(reader(part, (*location, i), diagnostics) for i, part in enumerate(value))

    return read


def one_of(words: type[StrEnum]) -> Reader:
    """Make a reader of a closed list of words."""

    def read(value: Any, location: Spot, diagnostics: Diagnostics) -> StrEnum | None:
        known = [word.value for word in words]
        if isinstance(value, str) and value in known:
            return words(value)
        hint = nearest(value, known) if isinstance(value, str) else ""
        diagnostics.add(location, f"{named(location)} must be one of {', '.join(known)}, not {shown(value)}{hint}")
        return None

    return read


def read_text(value: Any, location: Spot, diagnostics: Diagnostics) -> str | None:
    """Read a text that says something."""
    if not isinstance(value, str):
        hint = "" if isinstance(value, dict | list) or value is None else f"; write '{value}' in quotes"
        diagnostics.add(location, f"{named(location)} must be text, not {kind(value)}{hint}")
        return None
    if not value.strip():
        diagnostics.add(location, f"{named(location)} is empty")
        return None
    return value


def read_version(value: Any, location: Spot, diagnostics: Diagnostics) -> int | None:
    """Read a whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    diagnostics.add(location, f"{named(location)} must be a whole number from 1, not {shown(value)}")
    return None


def read_mapping(value: Any, location: Spot, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """Read a mapping whose keys are free, such as a log entry."""
    if isinstance(value, dict) and value:
        return value
    diagnostics.add(location, f"{named(location)} must be a mapping, not {kind(value)}")
    return None


def named(location: Spot) -> str:
    """Name a spot for a sentence: `'ask'`, `whys 2`."""
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


def _inside(location: Spot) -> str:
    return f" in {named(location)}" if location else ""


def _listed(readers: Mapping[str, Reader]) -> str:
    return ", ".join(readers)
