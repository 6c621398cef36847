"""Nouns by their number: `1 entry`, `1,200 entries`."""

from __future__ import annotations

_IRREGULAR = {"entry": "entries", "life": "lives"}


def plural(noun: str) -> str:
    """Return the plural of a noun, or of a phrase that ends with one: `requests`, `instance lives`."""
    start, blank, last = noun.rpartition(" ")
    return f"{start}{blank}{_IRREGULAR.get(last) or last + 's'}"


def one_or_many(number: int, one: str, many: str | None = None) -> str:
    """Return the word that goes with a number: `entry` for 1, else `entries`; `many` where that is no plain plural."""
    return str(one) if number == 1 else many or plural(one)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 entry`, `1,200 entries`; `many` where that is no plain plural."""
    return f"{number:,} {one_or_many(number, one, many)}"
