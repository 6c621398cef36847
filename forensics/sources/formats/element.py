"""The element of an input: a value where an entry is expected, or the reason why it cannot be read."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct


class Element(Struct, frozen=True, kw_only=True):
    """One line or element of a file."""

    number: int
    """The number of the line, or of the element in a format without lines; from 1."""
    value: Any = None
    problem: str | None = None
    """Why the value cannot be read; None when it can."""
    place: int | None = None
    """The element's place in the record store, when it is already kept there."""


class RawRun(Struct, frozen=True, kw_only=True):
    """Consecutive elements that are not decoded yet."""

    number: int
    """The number of the first element."""
    values: list[Raw]
