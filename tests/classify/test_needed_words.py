"""Every text that a pattern matches contains one of its needed words."""

from __future__ import annotations

import pytest
import re2
from hypothesis import example, given, strategies as st

from forensics.classify.needed_words import needed_words
from forensics.classify.pattern_set import lowered


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("lost lock", {"lost lock"}),
        ("(?i)Lost Lock", {"lost lock"}),
        (r"exit\(3\)", {"exit(3)"}),
        (r"relation \"(?P<table>\w+)\" does not exist", {'" does not e'}),
        ("lost|gone away", {"lost", "gone away"}),
        ("(?:lost|gone) lock", {" lock"}),
        ("ab(?:lock)?cde", {"cde"}),
        ("abcd?x*efgh", {"efgh"}),
        ("abcd+e", {"abcd"}),
        ("lock{0,2}ed", {"loc"}),
        ("lock{2}ed", {"lock"}),
        ("(?m)^lost$", {"lost"}),
        ("(?i:lost)lock(?i)x", {"lost"}),
        ("[[:alpha:]]lost[]x]", {"lost"}),
        ("error at abc", {"error at abc"}),
        ("error:.*lock", {"lock"}),
        ("größe", {"gr"}),
        ("(?i)失败|失敗", {"失败", "失敗"}),
        (r"\x{41}bc\pLxyz", {"xyz"}),
    ],
)
def test_needed_words(pattern: str, words: set[str]) -> None:
    assert set(needed_words(pattern) or ()) == words


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "x",
        ".*",
        r"\d+",
        "(?:lost)?",
        "lost|",
        "lost|\\d",
        "lost(",
        "lost)",
        "(?=lost)",
        r"\Qlost\E",
        r"lost\1",
        "[a",
    ],
)
def test_nothing_is_certain(pattern: str) -> None:
    assert needed_words(pattern) is None


PIECES = st.sampled_from(
    [
        "lost",
        "Lock",
        "ks",
        "é",
        "失败",
        "ſ",
        "K",
        "\\.",
        "\\(",
        "\\d",
        "\\b",
        "\\W",
        ".",
        "[a-k]",
        "[^]s]",
        "[[:alpha:]]",
        "^",
        "$",
        "\\x{4b}",
        "\\pL",
        " ",
        "x{2}",
    ]
)
PATTERNS = st.recursive(
    PIECES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map("|".join)
        | st.tuples(st.sampled_from(["(", "(?:", "(?i:", "(?P<name>", "(?s:"]), inner).map(
            lambda two: f"{two[0]}{two[1]})"
        )
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{0,2}", "{2}", "{1,}", "{x", "{,3}"])).map("".join)
    ),
    max_leaves=8,
)
TEXTS = st.lists(
    st.sampled_from(
        ["lost", "LOCK", "lock", "ks", "KS", "ſ", "K", "é", "É", "失败", ".", "(", "7", " ", "x", "xx", "\n", "a", "k"]
    ),
    max_size=8,
).map("".join)


@given(st.sampled_from(["", "(?i)", "(?is)"]), PATTERNS, st.lists(TEXTS, max_size=6))
@example("(?i)", "locks", ["LOC\u212a\u017f"])
@example("", "abc{,3}", ["abc{,3}"])
def test_a_text_that_a_pattern_is_found_in_holds_a_word(flags: str, pattern: str, texts: list[str]) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(flags + pattern, options)
    except re2.error:
        return
    words = needed_words(flags + pattern)
    for text in texts:
        encoded = text.encode()
        if words is not None and compiled.search(encoded):
            assert any(word.encode() in lowered(encoded) for word in words)
