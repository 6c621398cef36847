"""Patterns that are looked for together are found as each would be alone."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, strategies as st

from forensics.classify import patterns as module
from forensics.classify.patterns import PatternSet

PATTERNS = (
    r"(?i)lost lock",
    r"(?i)\bws\b|socket",
    r"\d+",
    r"(?i)exit\((?P<code>\d)\)",
    r"(?i)\Aerror\z",
    r"(?i)straße|größe",
    r"x{2,}",
    r"(?s)^a.*z$",
)
WORDS = [
    "lost",
    "LOCK",
    " ",
    "ws",
    "socket",
    "7",
    "Exit(3)",
    "error",
    "STRASSE",
    "Größe",
    "xx",
    "a",
    "z",
    "\n",
    "ſ",
    "K",
]
texts = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=6).map("".join)


def alone(text: bytes) -> list[int]:
    return [number for number, pattern in enumerate(PATTERNS) if re2.search(pattern, text)]


@given(texts)
def test_together_is_as_alone(text: str) -> None:
    encoded = text.encode("utf-8", "replace")
    assert sorted(PatternSet(PATTERNS).find(encoded)) == alone(encoded)


@given(st.lists(texts, max_size=5))
def test_setting_loose_patterns_apart_changes_nothing(several: list[str]) -> None:
    apart = PatternSet(PATTERNS)
    apart._set_loose_apart()
    assert len(apart._loose) == 4
    for text in several:
        encoded = text.encode("utf-8", "replace")
        assert sorted(apart.find(encoded)) == alone(encoded)


@pytest.mark.parametrize("patterns", [(), ("lost",), (r"\d",), ("lost", r"\d")])
def test_any_number_of_patterns_is_taken(patterns: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 2)
    together = PatternSet(patterns)
    expected = list(range(len(patterns)))
    assert [sorted(together.find(b"lost 7")) for _ in range(4)] == [expected] * 4
    assert together.find(b"") == []
