"""Find the folders shipped with the package, however it was installed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def bundled(kind: Literal["rules", "templates"]) -> Traversable:
    """Find the shipped `rules` or `templates`: inside an installed package, or beside the package in a checkout."""
    package = files("forensics")
    inside = package / "_bundled" / kind
    if inside.is_dir():
        return inside
    return Path(str(package)).parent / kind
