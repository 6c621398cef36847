"""What a git repository can be asked, and what a report says of the commits that were looked at."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from forensics.model.enums import CommitSource, IgnoreReader

SHORT = 7
"""Digits of a hash that documents print; `values` of evidence and the report hold all of them."""


class Commit(Struct, frozen=True, kw_only=True):
    """A commit, without its people: who wrote it is one `git show` away."""

    id: str
    """The whole hash."""
    time: str
    """When it was committed, RFC 3339 UTC."""
    subject: str
    """First line of its message, redacted, shortened, on one line."""

    @property
    def short(self) -> str:
        """The hash as documents print it."""
        return self.id[:SHORT]


class Touch(Struct, frozen=True, kw_only=True):
    """A commit that changed, added or removed what was asked for."""

    commit: Commit
    was: bool
    """It was there before."""
    present: bool
    """It is there after."""
    paths: tuple[str, ...]
    """Which of the paths that were asked for it changed."""


class Touches(Struct, frozen=True, kw_only=True):
    """Such commits, newest first."""

    found: tuple[Touch, ...]
    complete: bool
    """False when there may be more: the history is longer than was walked, or ends at a shallow commit."""


class IgnoreLine(Struct, frozen=True, kw_only=True):
    """The line that decides that a path is left out."""

    file: str
    number: int
    """From 1."""
    text: str
    by: IgnoreReader


class CodeBase(Protocol):
    """A git repository that is read, never run. Paths are relative to the folder that was named, with `/` between.

    Every method may raise `RepositoryError` when an object is missing or broken.
    """

    @property
    def name(self) -> str:
        """The folder's name, without the way to it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What limits the answers: a shallow clone, a bare one, a detached head."""

    @property
    def given(self) -> Commit | None:
        """The commit that the user says was deployed."""

    @property
    def baseline(self) -> Commit | None:
        """The commit that the user says ran before."""

    def head(self) -> Commit:
        """Return the commit at HEAD."""

    def commit(self, name: str) -> Commit | None:
        """Return a commit by its hash, whole or of seven digits at least; None when there is no such, or several."""

    def before(self, time: int) -> Commit | None:
        """Return the newest commit on HEAD's first-parent line not after a time in nanoseconds."""

    def files(self, commit: Commit) -> tuple[str, ...]:
        """List the files at a commit, sorted."""

    def submodules(self, commit: Commit) -> tuple[str, ...]:
        """List the folders at a commit that belong to other repositories."""

    def text(self, commit: Commit, path: str) -> str | None:
        """Return a file's text; None when it is not there, no plain file, no text, or too large."""

    def touching(
        self, commit: Commit, paths: tuple[str, ...], *, after: Commit | None = None, most: int = 20
    ) -> Touches:
        """List commits up to one, and not in the history of another, that changed files or folders."""

    def wrote(self, commit: Commit, path: str, line: int) -> Commit | None:
        """Return the commit that wrote a line, as the file stands at a commit; None when history does not reach it."""

    def moved(self, commit: Commit, path: str) -> tuple[tuple[str, str], ...]:
        """List where a commit moved a file, or files below a folder: old path, new path."""

    def ignored(self, commit: Commit, path: str) -> tuple[IgnoreLine, ...]:
        """List the lines of ignore files, as they stand at a commit, that leave a file out; one of each ignore file."""


class DeployedCommit(Struct, frozen=True, kw_only=True):
    """The commit that a revision was made from, and what says so."""

    revision: str
    commit: Commit | None
    how: CommitSource
    statement: str
    assumed: bool = False
    """True when nothing names the commit: it is the newest before a time."""


class Code(Struct, frozen=True, kw_only=True):
    """The repository and the commits that a report speaks of."""

    repository: str
    deployed: tuple[DeployedCommit, ...]
    baseline: Commit | None
    notes: tuple[str, ...]


class CodeView(Struct, frozen=True, kw_only=True):
    """A repository on the stage of a run, with what is known about its commits."""

    base: CodeBase
    deployed: dict[str, DeployedCommit]
    """By revision."""

    def record(self) -> Code:
        """Return what the report keeps of it."""
        base = self.base
        deployed = tuple(self.deployed[name] for name in sorted(self.deployed))
        return Code(repository=base.name, deployed=deployed, baseline=base.baseline, notes=base.notes)
