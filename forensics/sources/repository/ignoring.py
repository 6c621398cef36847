"""Find the line of an ignore file that excludes a path.

Docker and git read nearly the same patterns in different ways. Docker's are anchored at the root of the build context
and the last one that matches a path or a folder above it wins, so that `!` brings back what lies below an excluded
folder. Git's match a name at any depth unless they hold a slash, and nothing below an excluded folder comes back.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import re2
from dulwich.ignore import Pattern as GitPattern
from dulwich.wildmatch import MalformedPattern
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINES_LIMIT = 5000
_STARS_LIMIT = 8
"""Wildcards in one git pattern; more make its regular expression slow, and nobody writes them."""


class DockerPattern(Struct, frozen=True):
    """One line of a `.dockerignore`."""

    number: int
    text: str
    keeps: bool
    """True for `!`: matching files stay in the context."""
    matches: Callable[[str], bool]


def read_dockerignore(text: str) -> tuple[DockerPattern, ...]:
    """Parse the patterns of a `.dockerignore` as Docker does: comments, blanks, `!`, `.` and `..`, leading `/`."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n")[:_LINES_LIMIT], 1):
        if line.startswith("#"):
            continue
        body = line.strip()
        keeps = body.startswith("!")
        body = body.removeprefix("!").strip()
        if not body:
            continue
        # First normalised, then stripped of leading slashes: `/../x` is `x`.
        cleaned = posixpath.normpath(body).lstrip("/") or "."
        matches = _matcher(cleaned)
        if matches is not None:
            patterns.append(DockerPattern(number, line.strip(), keeps, matches))
    return tuple(patterns)


def excluding_pattern(path: str, patterns: Sequence[DockerPattern]) -> DockerPattern | None:
    """Return the pattern that excludes a path from the build context; None when the path is included."""
    parts = path.split("/")
    steps = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    decided: DockerPattern | None = None
    for pattern in patterns:
        if any(pattern.matches(step) for step in steps):
            decided = None if pattern.keeps else pattern
    return decided


def _matcher(pattern: str) -> Callable[[str], bool] | None:
    """Compile a Docker pattern; None for one that Docker rejects."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(_expression(pattern), options)
    except re2.error:
        return None
    return lambda path: compiled.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    """Translate a Docker pattern to a regular expression: `**` spans folders, `*` and `?` stop at a slash."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*" and pattern[at : at + 1] == "*":
            at += 1
            at += pattern[at : at + 1] == "/"
            out.append("(?s:.*)" if at == len(pattern) else "(?:(?s:.*)/)?")
        elif char in _WILD:
            out.append(_WILD[char])
        elif char == "\\" and at < len(pattern):
            out.append(re2.escape(pattern[at]))
            at += 1
        else:
            out.append(char if char in "[]^-" else re2.escape(char))
    return "".join(out)


_WILD = {"*": "[^/]*", "?": "[^/]"}


class GitLine(Struct, frozen=True):
    """One line of a `.gitignore` or `.gcloudignore`."""

    number: int
    text: str
    pattern: GitPattern


def read_gitignore(data: bytes) -> tuple[GitLine, ...]:
    """Parse the patterns of a `.gitignore` as git does."""
    lines = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:_LINES_LIMIT], 1):
        body = line.rstrip(b"\r")
        while body.endswith(b" ") and not body.endswith(b"\\ "):
            body = body[:-1]
        if not body.strip() or body.startswith(b"#") or body.count(b"*") > _STARS_LIMIT:
            continue
        with suppress(MalformedPattern):
            lines.append(GitLine(number, body.decode("utf-8", "replace"), GitPattern(body.replace(b"\\ ", b" "))))
    return tuple(lines)


def ignored(path: str, files: Sequence[tuple[str, Sequence[GitLine]]]) -> tuple[str, GitLine] | None:
    """Return the line that ignores a path, with the folder of its ignore file; nearer files and later lines win.

    `files` are the folders (`""`, `app/`) with an ignore file on the way to the path, outermost first.
    """
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        decided = _last("/".join(parts[:end]), end < len(parts), files)
        if decided is not None and decided[1].pattern.is_exclude:
            return decided
    return None


def _last(step: str, is_folder: bool, files: Sequence[tuple[str, Sequence[GitLine]]]) -> tuple[str, GitLine] | None:  # noqa: FBT001 - one caller
    for folder, lines in reversed(files):
        if not step.startswith(folder):
            continue
        name = step.removeprefix(folder).encode("utf-8", "surrogateescape")
        for line in reversed(lines):
            if line.pattern.matches(name, is_folder):
                return folder, line
    return None
