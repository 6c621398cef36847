"""Find rule files: the shipped ones, and a user's own, which override them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.errors import RuleError
from forensics.system.resources import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

SUFFIX = ".yaml"
MAX_BYTES = 256 * 1024
"""Largest size of one rule file; the largest known has 9 KiB."""
_MAX_DEPTH = 8
"""Deepest nesting of folders that is searched: a link back up must end somewhere."""


class RuleFile(NamedTuple):
    """One file that should be a rule."""

    source: str
    """Its path for messages, `rules/run/oom.yaml`."""
    file: Traversable

    @property
    def stem(self) -> str:
        """The name without suffix, which the rule's id repeats."""
        return self.file.name.removesuffix(SUFFIX)


def shipped_files() -> tuple[RuleFile, ...]:
    """Find the rules of this installation."""
    return tuple(_walk(bundled("rules"), "rules", _MAX_DEPTH))


def user_files(folder: Path) -> tuple[RuleFile, ...]:
    """Find the rule files of a user's folder; a folder without any is an error."""
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise RuleError(f"--rules {str(folder)!r} {problem}; name a folder that holds rule files (<id>.yaml)")
    try:
        found = tuple(_walk(folder, folder.as_posix(), _MAX_DEPTH))
    except OSError as error:
        raise RuleError(f"--rules {str(folder)!r} cannot be listed: {error.strerror} ({error.filename})") from error
    if not found:
        raise RuleError(f"--rules {str(folder)!r} holds no rule file; rule files are called <id>.yaml")
    return found


def _walk(folder: Traversable, source: str, depth: int) -> Iterator[RuleFile]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        path = f"{source}/{item.name}"
        if item.name.startswith("."):
            continue
        if item.name.endswith((SUFFIX, ".yml")) and item.is_file():
            yield RuleFile(path, item)
        elif item.is_dir():
            yield from _walk(item, path, depth - 1) if depth else ()


def read_text(rule_file: RuleFile) -> str:
    """Read a file as text.

    Raises:
        ValueError: why the file cannot be a rule.
    """
    try:
        with rule_file.file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1024} KiB; one file holds one rule")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8 text (byte {error.start}); save it as UTF-8") from error


def all_files(folders: Sequence[Path]) -> tuple[tuple[RuleFile, ...], tuple[RuleFile, ...]]:
    """Find the shipped rule files and those of the user's folders."""
    return shipped_files(), tuple(rule_file for folder in folders for rule_file in user_files(folder))
