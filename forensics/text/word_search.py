"""Words in; whether one of them stands in a text out, in one pass over a text that is long."""

from __future__ import annotations

from functools import cached_property

import re2

_LONG = 4_096
"""Characters from which one pass of RE2, which must be handed the text, is quicker than a search for each word."""


class WordSearch:
    """Words that are looked for together."""

    def __init__(self, *words: str) -> None:
        self._words = words

    @cached_property
    def _pattern(self) -> re2._Regexp[bytes]:
        return re2.compile("|".join(map(re2.escape, self._words)).encode())

    def is_in(self, text: str) -> bool:
        """Tell whether one of the words stands in a text."""
        if len(text) > _LONG:
            return self._pattern.search(text.encode("utf-8", "surrogatepass")) is not None
        return any(map(text.__contains__, self._words))
