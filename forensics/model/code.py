"""The interface to a git repository, and what a report contains about commits."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from forensics.model.enums import CommitSource, IgnoreReader

SHORT = 7
"""Digits of a hash in documents; the report and `values` of evidence have the whole hash."""


class Commit(Struct, frozen=True, kw_only=True):
    """A commit, without author and committer: `git show` names them."""

    id: str
    """The full hash."""
    time: str
    """Commit time, RFC 3339 in UTC."""
    subject: str
    """First line of the commit message, redacted and shortened."""

    @property
    def short(self) -> str:
        """The abbreviated hash, as documents print it."""
        return self.id[:SHORT]


class Touch(Struct, frozen=True, kw_only=True):
    """A commit that changed, added or removed the requested paths."""

    commit: Commit
    was: bool
    """True when a path existed before the commit."""
    present: bool
    """True when a path exists after the commit."""
    paths: tuple[str, ...]
    """The requested paths that the commit changed."""


class Touches(Struct, frozen=True, kw_only=True):
    """The commits that touched certain paths, newest first."""

    found: tuple[Touch, ...]
    complete: bool
    """False when there may be more commits: the walk stopped early, or the clone is shallow."""


class IgnoreLine(Struct, frozen=True, kw_only=True):
    """The line of an ignore file that excludes a path."""

    file: str
    number: int
    """The line's number, from 1."""
    text: str
    by: IgnoreReader


class CodeBase(Protocol):
    """A git repository that is only read; nothing in it is executed.

    Paths are relative to the folder that the user named, with `/` as separator. Every method may raise
    `RepositoryError` when an object is missing or broken.
    """

    @property
    def name(self) -> str:
        """The name of the folder, without its path."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Limits of the answers: a shallow clone, a bare repository, a detached HEAD."""

    @property
    def given(self) -> Commit | None:
        """The commit that the user named as deployed."""

    @property
    def baseline(self) -> Commit | None:
        """The commit that the user named as the previous deployment."""

    def head(self) -> Commit:
        """Return the commit at HEAD."""

    def commit(self, name: str) -> Commit | None:
        """Return a commit by its hash, abbreviated to no less than seven digits; None when none or several match."""

    def before(self, time: int) -> Commit | None:
        """Return the newest commit on HEAD's first-parent line up to a time in nanoseconds."""

    def files(self, commit: Commit) -> tuple[str, ...]:
        """List the files at a commit, sorted."""

    def submodules(self, commit: Commit) -> tuple[str, ...]:
        """List the folders at a commit that belong to other repositories."""

    def text(self, commit: Commit, path: str) -> str | None:
        """Return a file's text; None when it is missing, no plain file, no text, or too large."""

    def touching(
        self, commit: Commit, paths: tuple[str, ...], *, after: Commit | None = None, most: int = 20
    ) -> Touches:
        """List the commits that changed files or folders, in the history of one commit and not in that of `after`."""

    def wrote(self, commit: Commit, path: str, line: int) -> Commit | None:
        """Return the commit that last changed a line of a file at a commit; None when the history does not reach it."""

    def moved(self, commit: Commit, path: str) -> tuple[tuple[str, str], ...]:
        """List the files that a commit moved, at or below a path: (old path, new path)."""

    def ignored(self, commit: Commit, path: str) -> tuple[IgnoreLine, ...]:
        """List the lines that exclude a file at a commit; at most one for each ignore file."""


class DeployedCommit(Struct, frozen=True, kw_only=True):
    """The commit that a revision was built from, and how it was found."""

    revision: str
    commit: Commit | None
    how: CommitSource
    statement: str
    assumed: bool = False
    """True when nothing names the commit, and it is merely the newest before a time."""


class Code(Struct, frozen=True, kw_only=True):
    """The repository and the deployed commits in a report."""

    repository: str
    deployed: tuple[DeployedCommit, ...]
    baseline: Commit | None
    notes: tuple[str, ...]


class CodeView(Struct, frozen=True, kw_only=True):
    """A repository together with the deployed commits of a run."""

    base: CodeBase
    deployed: dict[str, DeployedCommit]
    """The deployed commit by revision."""

    def record(self) -> Code:
        """Return the part that is kept in the report."""
        base = self.base
        deployed = tuple(self.deployed[name] for name in sorted(self.deployed))
        return Code(repository=base.name, deployed=deployed, baseline=base.baseline, notes=base.notes)
