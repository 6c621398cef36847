"""Fast check whether a text contains any of certain words."""

from __future__ import annotations

from functools import cached_property

import re2

_LONG = 4_096
"""Characters from which one pass of RE2, despite its conversion to bytes, is faster than a search for each word."""


class WordSearch:
    """Words that are searched together."""

    def __init__(self, *words: str) -> None:
        self._words = words

    @cached_property
    def _pattern(self) -> re2._Regexp[bytes]:
        return re2.compile("|".join(map(re2.escape, self._words)).encode())

    def is_in(self, text: str) -> bool:
        """Tell whether a text contains one of the words."""
        if len(text) > _LONG:
            return self._pattern.search(text.encode("utf-8", "surrogatepass")) is not None
        return any(map(text.__contains__, self._words))
