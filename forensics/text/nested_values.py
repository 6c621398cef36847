"""Follow a path of keys into decoded JSON, where any value may be absent or of another type than expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, Any] = {}


def value_at(value: Any, *path: str) -> Any:
    """Return the value at a path, None where the path leads nowhere."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def dict_at(record: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at a path, or an empty one."""
    value: Any = record
    for key in path:
        value = value.get(key)
        if not isinstance(value, dict):
            return _NOTHING
    return value  # type: ignore[no-any-return]


def text_at(value: Any, *path: str) -> str:
    """Return the text at a path, or ""."""
    for key in path:
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    return value if isinstance(value, str) else ""
