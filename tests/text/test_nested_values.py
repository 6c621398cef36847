"""Paths into decoded JSON whose values may be of any type."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.text.nested_values import dict_at, text_at, value_at

RECORD: dict[str, Any] = {"a": {"b": {"c": "text", "n": 3, "none": None}, "list": [{"b": 1}]}, "text": "x"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), RECORD),
        (("a", "b", "n"), 3),
        (("a", "b", "none"), None),
        (("a", "missing", "n"), None),
        (("text", "b"), None),
        (("a", "list", "b"), None),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(path: tuple[str, ...], value: object) -> None:
    assert value_at(RECORD, *path) == value


def test_what_is_of_another_type_is_empty() -> None:
    assert dict_at(RECORD, "a", "b") is RECORD["a"]["b"]
    assert dict_at(RECORD, "a", "list") == dict_at(RECORD, "text", "b") == dict_at(RECORD, "missing") == {}
    assert text_at(RECORD, "a", "b", "c") == "text"
    assert text_at(RECORD, "a", "b", "n") == text_at(RECORD, "text", "b") == text_at(None, "a") == ""
    assert value_at(None, "a") is None
