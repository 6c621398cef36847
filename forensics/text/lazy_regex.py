"""Regular expressions compiled on first use; most logs need only a few."""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub")


def late(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return an object that behaves like the compiled pattern, but is no `re.Pattern`."""
    return cast("re.Pattern[str]", _LazyRegex(source, flags))


class _LazyRegex:
    """Compiles the pattern on the first method call and then copies its methods, so that later calls are as fast."""

    def __init__(self, source: str, flags: int) -> None:
        self._arguments = source, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(*self._arguments)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return self.__dict__[name]
