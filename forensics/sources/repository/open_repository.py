"""Locate a repository's objects and references from a path, or explain why they cannot be read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dulwich.config import ConfigFile
from msgspec import Struct

from forensics.errors import RepositoryError

_SMALL = 1 << 20
"""Bytes; pointer files and configurations are far smaller."""


class Places(Struct, frozen=True, kw_only=True):
    """The folders of a repository that are read."""

    control: Path
    """Holds HEAD of this checkout: `.git`, or the target of a worktree's or submodule's `.git` file."""
    common: Path
    """Holds objects and references; shared between worktrees."""
    prefix: str
    """Path of the named folder within the checkout: "" or `services/shop/`."""
    bare: bool
    """True for a repository without a checkout."""


def find_places(path: Path) -> Places:
    """Find the repository at or above a folder.

    Raises:
        RepositoryError: there is none, or its format is not supported.
    """
    if not path.is_dir():
        raise RepositoryError(f"{str(path)!r} is no folder; name a checkout with --repo PATH")
    folder = path.resolve()
    for root in (folder, *folder.parents):
        control = _control(root)
        if control is None:
            continue
        bare = control == root
        prefix = "" if bare else folder.relative_to(root).as_posix()
        common = _common(control)
        if not (common / "objects").is_dir():
            raise RepositoryError(f"{str(path)!r}: the repository has no objects ({str(common)!r}); clone it again")
        _check_format(common, path)
        return Places(control=control, common=common, prefix="" if prefix in {"", "."} else f"{prefix}/", bare=bare)
    raise RepositoryError(f"{str(path)!r} is no git repository and lies in none; name a checkout with --repo PATH")


def _control(root: Path) -> Path | None:
    """Return the control folder of a checkout, or a bare repository itself; None without either."""
    dot_git = root / ".git"
    if dot_git.is_file():
        text = _read(dot_git)
        if not text.startswith("gitdir:"):
            raise RepositoryError(f"{str(dot_git)!r} points to no repository; clone it again")
        control = (root / text.removeprefix("gitdir:").strip()).resolve()
        if not control.is_dir():
            raise RepositoryError(f"{str(dot_git)!r} points to {str(control)!r}, which is not here; name that checkout")
        return control
    if dot_git.is_dir():
        return dot_git
    is_bare = (root / "HEAD").is_file() and (root / "objects").is_dir() and (root / "refs").is_dir()
    return root if is_bare else None


def _common(control: Path) -> Path:
    pointer = control / "commondir"
    return (control / _read(pointer).strip()).resolve() if pointer.is_file() else control


def _check_format(common: Path, path: Path) -> None:
    """Reject formats that this reader does not support; included configurations are not opened."""
    config = common / "config"
    if not config.is_file():
        return
    try:
        with config.open("rb") as file:
            if os.fstat(file.fileno()).st_size > _SMALL:
                raise RepositoryError(f"{str(config)!r} is no configuration of a repository: it is too large")
            settings = ConfigFile.from_file(file, expand_includes=False)
    except (OSError, ValueError) as error:
        raise RepositoryError(f"{str(config)!r} cannot be read ({error}); try a fresh clone") from error
    for key, readable, word in (
        ("objectformat", "sha1", "object format"),
        ("refstorage", "files", "kind of references"),
    ):
        with suppress(KeyError):
            value = settings.get((b"extensions",), key.encode()).decode("utf-8", "replace")
            if value.lower() != readable:
                raise RepositoryError(f"{str(path)!r}: its {word} is {value}, and only {readable} can be read")


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_SMALL).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise RepositoryError(f"{str(file)!r} cannot be read ({error.strerror or error})") from error
