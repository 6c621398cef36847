"""What a shape yields: a value where an entry is expected, or the reason why there is none."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct


class Element(Struct, frozen=True, kw_only=True):
    """One line or element of a file."""

    number: int
    """The line, or the element where there are no lines; from 1."""
    value: Any = None
    problem: str | None = None
    """Why there is no value."""
    place: int | None = None
    """Where a store finds it, when it lies there already."""


class RawRun(Struct, frozen=True, kw_only=True):
    """Elements that follow each other, not decoded yet."""

    number: int
    """That of the first."""
    values: list[Raw]
