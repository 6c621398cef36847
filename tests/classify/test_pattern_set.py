"""A search for many patterns at once finds what a search for each of them finds."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, strategies as st

from forensics.classify import pattern_set as module
from forensics.classify.conditions import leaves
from forensics.classify.leaves import pattern
from forensics.classify.pattern_set import PatternSet
from forensics.entries import decode_record
from forensics.errors import RuleError
from forensics.rulebook import load_rules

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
    return [number for number, one in enumerate(PATTERNS) if re2.search(one, text)]


@given(texts)
def test_together_is_as_alone(text: str) -> None:
    encoded = text.encode("utf-8", "replace")
    assert sorted(PatternSet(PATTERNS).find(encoded)) == alone(encoded)


@given(st.lists(texts, max_size=5))
def test_joining_the_patterns_of_frequent_words_changes_nothing(several: list[str]) -> None:
    together = PatternSet((*PATTERNS, r"(?i)lost.*lock", r"(?i)lost \d"))
    single = PatternSet((*PATTERNS, r"(?i)lost.*lock", r"(?i)lost \d"))
    for text in several:
        encoded = text.encode("utf-8", "replace")
        for _ in range(module._OFTEN + 1):
            often = together.find(encoded)
        assert sorted(often) == sorted(single.find(encoded))


def test_frequent_words_join_their_patterns() -> None:
    together = PatternSet((r"lost \d", r"lost \w", r"lost \pL", "never"))
    for _ in range(module._OFTEN + 1):
        assert sorted(together.find(b"lost a")) == [1, 2]
    assert together._joined == 1


def test_shipped_patterns_are_found_as_each_would_be_alone() -> None:
    rules, _ = load_rules()
    patterns = sorted(
        {text for rule in rules for leaf in leaves(rule.condition) if (text := pattern(leaf)) is not None}
    )
    together = PatternSet(patterns)
    compiled = [re2.compile(text) for text in patterns]
    records = [record for rule in rules for record in rule.tests.match[:1]]
    for record in records[::3]:
        encoded = decode_record(record).message.encode("utf-8", "replace")
        assert sorted(together.find(encoded)) == [number for number, one in enumerate(compiled) if one.search(encoded)]


@pytest.mark.parametrize("patterns", [(), ("lost",), (r"\d",), ("lost", r"\d")])
def test_any_number_of_patterns_is_taken(patterns: tuple[str, ...]) -> None:
    together = PatternSet(patterns)
    expected = list(range(len(patterns)))
    assert [sorted(together.find(b"lost 7")) for _ in range(4)] == [expected] * 4
    assert together.find(b"") == []


@pytest.mark.parametrize("broken", ["a(", r"lost\Z", "lost**"])
def test_a_pattern_that_is_none_is_an_error_of_the_rules(broken: str) -> None:
    with pytest.raises(RuleError, match="do not fit together"):
        PatternSet((broken,)).find(b"lost")
