"""What a why must reach, as a rule file may set it."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.model import Thresholds
from forensics.rulebook.why_fields import read_why
from forensics.schema.diagnostics import Diagnostics


def read(thresholds: Any) -> tuple[Thresholds | None, list[str]]:
    diagnostics = Diagnostics("x.yaml", {})
    found = read_why({"ask": "Why?", "evidence": {"frames": {}}, "thresholds": thresholds}, (), diagnostics)
    return found.thresholds if found else None, diagnostics.messages()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"coverage": 0.5}, Thresholds(coverage=0.5, p_value=0.05)),
        ({"p_value": 0.01}, Thresholds(coverage=0.8, p_value=0.01)),
        ({"coverage": 1, "p_value": 0.5}, Thresholds(coverage=1.0, p_value=0.5, lift=2.0)),
        ({"lift": 10}, Thresholds(coverage=0.8, p_value=0.05, lift=10.0)),
    ],
)
def test_what_is_not_named_stays_as_it_is_for_all(given: Any, meant: Thresholds) -> None:
    assert read(given) == (meant, [])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"coverage": 80}, "'coverage' must be a share of the occurrences above 0 and up to 1, such as 0.8, not 80"),
        ({"coverage": 0}, "'coverage' must be a share"),
        ({"coverage": True}, "'coverage' must be a share"),
        ({"p_value": 0.9}, "'p_value' must be a chance above 0 and up to 0.5, such as 0.05, not 0.9"),
        ({"p_value": "5%"}, "'p_value' must be a chance"),
        ({"lift": 1}, "'lift' must be a number above 1 and up to 200, such as 2, not 1"),
        ({"lift": 500}, "'lift' must be a number"),
        ({"pvalue": 0.05}, "unknown field 'pvalue' in 'thresholds' (did you mean 'p_value'?)"),
        (0.8, "'thresholds' must be a mapping with the keys coverage, p_value, lift, not a number"),
    ],
)
def test_nonsense_is_told(given: Any, words: str) -> None:
    assert any(words in message for message in read(given)[1]), read(given)[1]


def test_a_why_without_thresholds_has_those_of_all() -> None:
    found = read_why({"ask": "Why?", "evidence": {"frames": {}}}, (), Diagnostics("x.yaml", {}))
    assert found is not None
    assert found.thresholds == Thresholds()
