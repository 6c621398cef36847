"""Find the files to read from a user's paths: files, folders, globs and `-` for standard input."""

from __future__ import annotations

import difflib
import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN = "-"

# What lies beside logs in a checkout or an evidence folder. Read all the same when given by name.
_NO_LOGS = re.compile(
    r"""\.( apk|bin|cfg|css|db|docx|gif|go|h|html?|ico|ini|ipynb|j2|jar|java|jpe?g|js|lock|md|pdf|png|pptx|py|pyc|rb|rs
    |rst|sh|so|sql|sqlite|svg|tf|toml|ts|tsx|war|webp|whl|xlsx|xml )$""",
    re.VERBOSE | re.IGNORECASE,
)


class Input(Struct, frozen=True, kw_only=True):
    """One file, or standard input."""

    name: str
    """The path as the user wrote it, or the user's folder and the path below it; `-` for standard input."""
    named: bool
    """True when the user named this very file; False when it was found in a folder or by a glob."""


class PathArgument(Struct, frozen=True, kw_only=True):
    """One path as the user wrote it, and the files that it stands for."""

    path: str
    inputs: tuple[Input, ...]


def find_inputs(logs: Sequence[str]) -> tuple[PathArgument, ...]:
    """Find the files that paths stand for, in a stable order; raise SourceError for a path that leads nowhere."""
    return tuple(_find(path) for path in dict.fromkeys(logs))


def _find(path: str) -> PathArgument:
    try:
        return PathArgument(path=path, inputs=tuple(_inputs_of(path)))
    except OSError as error:  # a folder of the path is closed, a name is too long
        raise SourceError(f"cannot read {path!r}: {error.strerror or error}") from error


def _inputs_of(argument: str) -> Iterator[Input]:
    path = Path(os.path.expanduser(argument))  # noqa: PTH111  (Path.expanduser raises where there is no home)
    if argument == STDIN:
        yield Input(name=STDIN, named=True)
    elif path.is_dir():
        yield from _files_in(path)
    elif path.exists():
        yield Input(name=str(path), named=True)
    elif glob.has_magic(argument):
        yield from _files_of_glob(argument, str(path))
    else:
        raise SourceError(_no_such_file(argument, path))


def is_passed_over(name: str) -> bool:
    """Tell whether a file that the user did not name is skipped: it is hidden, or its suffix is that of no log."""
    return is_hidden(name) or _NO_LOGS.search(name) is not None


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden."""
    return name.startswith(".") and name not in {".", ".."}


def _files_in(folder: Path) -> Iterator[Input]:
    # A folder that cannot be listed is passed on as an input: reading it fails, and the failure is reported.
    unreadable: list[str] = []
    for place, folders, files in os.walk(folder, onerror=lambda error: unreadable.append(str(error.filename))):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            path = Path(place, name)
            if not is_passed_over(name) and path.is_file():
                yield Input(name=str(path), named=False)
    for name in unreadable:
        yield Input(name=name, named=False)


def _files_of_glob(argument: str, pattern: str) -> Iterator[Input]:
    paths = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207  (absolute patterns)
    if not paths:
        raise SourceError(f"no file matches {argument!r}; quote a pattern that the shell should not expand")
    asked_for = _NO_LOGS.search(pattern) is not None  # `reports/*.md`
    for path in paths:
        if path.is_dir():
            yield from _files_in(path)
        elif path.is_file() and (asked_for or not _NO_LOGS.search(path.name)):
            yield Input(name=str(path), named=False)


def _no_such_file(argument: str, path: Path) -> str:
    folder = next(parent for parent in (path.parent, *path.parents) if parent.is_dir())
    wanted = path.relative_to(folder).parts[0]
    names = sorted(entry.name for entry in folder.iterdir())
    nearest = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    if nearest:
        return f"no such file or folder: {argument!r}; did you mean {str(folder / nearest[0])!r}?"
    return f"no such file or folder: {argument!r}; the folder {str(folder)!r} holds nothing of a like name"
