from __future__ import annotations

from hypothesis import given, strategies as st

from forensics.text.word_search import WordSearch

WORDS = ("code", ".go:", ":in ", "é", "ab")
ANY = WordSearch(*WORDS)
PIECES = st.sampled_from([*WORDS, "cod", "e", ".", "go:", "a", "b", "\n", "\ud800", " "])


@given(st.lists(PIECES, max_size=6).map("".join))
def test_words_are_found_in_short_and_in_long_texts(text: str) -> None:
    found = any(word in text for word in WORDS)
    assert ANY.is_in(text) is found
    assert ANY.is_in("-" * 5_000 + text) is found
    assert ANY.is_in(text + "-" * 5_000) is found
