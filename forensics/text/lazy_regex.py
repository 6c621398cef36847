"""A regular expression in, one that is compiled when it is first used out: a log needs few of those that there are."""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub")


def late(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return what behaves as the compiled pattern does; it is no `re.Pattern` itself."""
    return cast("re.Pattern[str]", _LazyRegex(source, flags))


class _LazyRegex:
    """Takes over the methods of the pattern as soon as one is asked for, so that it costs nothing afterwards."""

    def __init__(self, source: str, flags: int) -> None:
        self._given = source, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(*self._given)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return self.__dict__[name]
