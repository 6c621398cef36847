"""Map paths as a container knows them to paths of the repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

_IMAGE_ROOT = re.compile(
    r"/?(?:app|workspace|usr/src/app|usr/app|srv|code|src|opt/app|home/site/wwwroot|home/\w+/app)?/?"
)
"""Where images usually keep what they were built from; a whole way to it."""


class FoundPath(Struct, frozen=True, kw_only=True):
    """The file of the repository that a path of the image stands for."""

    path: str | None
    several: tuple[str, ...] = ()
    """Files that fit equally well, when one alone cannot be told."""


def find_file(named: str, files: Sequence[str]) -> FoundPath:
    """Find the file that shares the longest end of its path with a name; one file, or none that can be told."""
    parts = [part for part in named.removeprefix("file://").replace("\\", "/").split("/") if part not in {"", "."}]
    for start in range(len(parts)):
        suffix = "/".join(parts[start:])
        # A file's name alone says little, unless what stands before it is where an image keeps its application.
        if start == len(parts) - 1 and start and not _IMAGE_ROOT.fullmatch("/" + "/".join(parts[:start])):
            return FoundPath(path=None)
        found = [file for file in files if file == suffix or file.endswith(f"/{suffix}")]
        if len(found) == 1:
            return FoundPath(path=found[0])
        if found:
            return FoundPath(path=None, several=tuple(found))
    return FoundPath(path=None)


def below(folder: str, files: Sequence[str]) -> list[str]:
    """List the files below a folder."""
    return [file for file in files if file.startswith(f"{folder}/")]
