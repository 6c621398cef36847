"""Counts in words agree with their number, for every unit that reports name."""

from __future__ import annotations

import pytest

from forensics.model import OccurrenceUnit
from forensics.text.plurals import counted, one_or_many, plural


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("entry", "entries"),
        ("request", "requests"),
        ("failed test", "failed tests"),
        (OccurrenceUnit.LIFE, "instance lives"),
        (OccurrenceUnit.REQUEST, "requests"),
        (OccurrenceUnit.SESSION, "sessions"),
        (OccurrenceUnit.BURST, "bursts"),
    ],
)
def test_a_noun_has_its_plural(noun: str, many: str) -> None:
    assert plural(noun) == many
    assert [counted(number, noun) for number in (0, 1, 2, 1200)] == [
        f"0 {many}",
        f"1 {noun}",
        f"2 {many}",
        f"1,200 {many}",
    ]


def test_a_verb_goes_with_its_number() -> None:
    assert [one_or_many(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
    assert counted(180, "entry carries", "entries carry") == "180 entries carry"
