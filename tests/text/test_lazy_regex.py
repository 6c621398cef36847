"""A pattern that is compiled late behaves as one that was compiled at once."""

from __future__ import annotations

import re

import pytest

from forensics.text.lazy_regex import late


def test_it_finds_the_same() -> None:
    pattern = late(r"LOST\ (?P<what>\w+)", re.VERBOSE | re.IGNORECASE)
    assert [found["what"] for found in pattern.finditer("lost lock, Lost key")] == ["lock", "key"]
    assert pattern.match("lost lock") is not None
    assert pattern.search("a lost lock") is not None
    assert pattern.fullmatch("a lost lock") is None
    assert pattern.sub("", "a lost lock") == "a "


def test_a_method_that_patterns_lack_is_an_error() -> None:
    with pytest.raises(AttributeError):
        late("x").look_for("x")  # type: ignore[attr-defined]  # that is the point
