"""`CodeBase` for a git repository on disk: its files, lines and commits."""

from __future__ import annotations

import string
from contextlib import suppress
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice
from stat import S_ISREG
from typing import TYPE_CHECKING

from dulwich.diff_tree import RenameDetector, tree_changes
from dulwich.objects import ObjectID
from dulwich.refs import DiskRefsContainer, Ref
from dulwich.walk import Walker

from forensics.errors import RepositoryError
from forensics.model import Commit, IgnoreLine, IgnoreReader, Touch, Touches
from forensics.sources.repository.ignoring import (
    GitLine,
    excluding_pattern,
    ignored,
    read_dockerignore,
    read_gitignore,
)
from forensics.sources.repository.moved_lines import place_before
from forensics.sources.repository.objects import FOLDER, Objects, is_folder, is_submodule, unbroken
from forensics.sources.repository.open_repository import find_places
from forensics.text.redact import first_line
from forensics.text.timestamps import SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forensics.sources.repository.ignoring import DockerPattern

_HISTORY = 50_000
"""Commits that a walk reads at most; results over a longer history are marked as incomplete."""
_SUBJECT = 120
_HEX = frozenset(string.hexdigits)
_SHORTEST = 7
_HASH = 40
_RENAMES = 500
"""Added and removed files of one commit up to which renames are found by similarity; beyond that by equality only."""
_LATEST = 253_402_300_799
"""Seconds: the end of the year 9999; a commit may claim any time."""


class GitRepository:
    """A git repository, read object by object; nothing in it is run."""

    def __init__(self, path: Path, commit: str | None = None, baseline: str | None = None) -> None:
        """Open the repository at or above a folder, and look up the commits that the user names.

        Raises:
            RepositoryError: there is no repository, it is empty or broken, or it lacks a named commit.
        """
        self._places = find_places(path)
        self.name = path.resolve().name
        self._prefix = self._places.prefix.encode("utf-8", "surrogateescape")
        shallow = _shallow(self._places.common)
        self._objects = Objects(self._places.common / "objects", shallow)
        self._summary = lru_cache(100_000)(self._commit)
        self._files = lru_cache(8)(self._list)
        self._docker = lru_cache(64)(self._read_docker)
        self._git = lru_cache(256)(self._read_git)
        self._between = lru_cache(16)(self._range)
        try:
            with unbroken("its references"):
                self._refs = DiskRefsContainer(str(self._places.common), str(self._places.control))
            self._head = self._find_head(path)
            self.notes = tuple(self._limits(shallow))
            self.given = self._named(commit, "--commit")
            self.baseline = self._named(baseline, "--baseline-commit")
        except RepositoryError:
            self.close()
            raise

    def close(self) -> None:
        """Close the open files."""
        self._objects.close()

    def head(self) -> Commit:
        """Return the commit at HEAD."""
        return self._summary(self._head)

    def commit(self, name: str) -> Commit | None:
        """Return a commit by its full hash or at least seven digits of it; None when none or several match."""
        text = name.strip().lower()
        if not _SHORTEST <= len(text) <= _HASH or not _HEX.issuperset(text):
            return None
        with unbroken(f"commit {text[:12]}"):
            ids = list(islice(self._objects.store.iter_prefix(text.encode()), 3))
        commits = [commit for id_ in ids if (commit := self._objects.find_commit(bytes(id_))) is not None]
        return self._summary(bytes(commits[0].id)) if len({c.id for c in commits}) == 1 else None

    def before(self, time: int) -> Commit | None:
        """Return the newest commit on HEAD's first-parent line that is not later than a time in nanoseconds."""
        at: bytes | None = self._head
        for _ in range(_HISTORY):
            if at is None:
                return None
            node = self._objects.node(at)
            if node.seconds * SECOND <= time:
                return self._summary(at)
            at = node.parents[0] if node.parents else None
        return None

    def files(self, commit: Commit) -> tuple[str, ...]:
        """List the files at a commit, sorted."""
        return self._files(commit.id)[0]

    def submodules(self, commit: Commit) -> tuple[str, ...]:
        """List the folders at a commit that belong to other repositories."""
        return self._files(commit.id)[1]

    def text(self, commit: Commit, path: str) -> str | None:
        """Return a file's text; None when it is missing, no plain file, binary, or too large."""
        data = self._bytes(commit.id.encode(), path)
        if data is None or b"\0" in data:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def touching(
        self, commit: Commit, paths: tuple[str, ...], *, after: Commit | None = None, most: int = 20
    ) -> Touches:
        """List the commits up to `commit`, and not in the history of `after`, that changed files or folders."""
        touches: list[Touch] = []
        seen = 0
        inside = tuple(self._path(path) for path in paths)
        for id_ in self._walk(commit, after):
            seen += 1
            if seen > _HISTORY or len(touches) >= most:
                return Touches(found=tuple(touches), complete=False)
            ids = self._ids(id_, inside)
            nothing: tuple[bytes | None, ...] = (None,) * len(ids)
            before = [self._ids(parent, inside) for parent in self._objects.node(id_).parents] or [nothing]
            changed = tuple(path for path, now, *old in zip(paths, ids, *before, strict=True) if now not in old)
            if not changed or ids in before:
                continue
            was = any(any(old) for old in before)
            touches.append(Touch(commit=self._summary(id_), was=was, present=any(ids), paths=changed))
        return Touches(found=tuple(touches), complete=not self._objects.shallow)

    def wrote(self, commit: Commit, path: str, line: int) -> Commit | None:
        """Return the commit that wrote a line of a file at a commit; None when history does not reach back to it."""
        at, name = commit.id.encode(), self._path(path)
        index, lines = line - 1, self._lines(at, path)
        if not 0 <= index < len(lines):
            return None
        for _ in range(_HISTORY):
            ids = self._ids(at, (name,))
            parents = self._objects.node(at).parents
            same = next((parent for parent in parents if self._ids(parent, (name,)) == ids), None)
            if same is not None:
                at = same
                continue
            for parent in parents:
                older = self._lines(parent, path)
                place = place_before(lines, older, index)
                if place is not None:
                    at, lines, index = parent, older, place
                    break
            else:
                return None if at in self._objects.shallow else self._summary(at)
        return None

    def moved(self, commit: Commit, path: str) -> tuple[tuple[str, str], ...]:
        """List the moves by a commit of a file, or of files below a folder: pairs of old and new path."""
        node = self._objects.node(commit.id.encode())
        if not node.parents:
            return ()
        old = self._path(path)
        store = self._objects.store
        with unbroken(f"commit {commit.short}"):
            detector = RenameDetector(store, max_files=_RENAMES)
            before = ObjectID(self._objects.node(node.parents[0]).tree)
            changes = list(tree_changes(store, before, ObjectID(node.tree), rename_detector=detector))
        moves = []
        for change in changes:
            source, target = change.old and change.old.path, change.new and change.new.path
            is_below = source is not None and (source == old or source.startswith(old + b"/"))
            if change.type == "rename" and is_below and source is not None and target is not None:
                moves.append((self._relative(source), self._relative(target)))
        return tuple(sorted(moves))

    def ignored(self, commit: Commit, path: str) -> tuple[IgnoreLine, ...]:
        """List the ignore-file lines at a commit that exclude a file; at most one for each ignore file."""
        lines = [*self._docker_lines(commit, path)]
        # Git reads the ignore files of every folder from the root of the checkout on, gcloud that of its folder alone.
        whole = _text(self._path(path))
        above = [(folder, read) for folder in _folders(whole) if (read := self._git(commit.id, f"{folder}.gitignore"))]
        beside = [("", self._git(commit.id, self._places.prefix + ".gcloudignore"))]
        for name, by, judged in (
            (".gitignore", IgnoreReader.GIT, ignored(whole, above)),
            (".gcloudignore", IgnoreReader.GCLOUD, ignored(path, beside)),
        ):
            if judged is not None:
                folder, line = judged
                inside = f"{folder}{name}".encode("utf-8", "surrogateescape")
                file = self._relative(inside) if by is IgnoreReader.GIT else name
                lines.append(IgnoreLine(file=file, number=line.number, text=line.text, by=by))
        return tuple(lines)

    def _docker_lines(self, commit: Commit, path: str) -> Iterator[IgnoreLine]:
        """Yield the Docker ignore lines that exclude a path, for every folder above it that may be a build context."""
        for folder in _folders(path):
            for file in self._docker_files(commit.id, folder):
                line = excluding_pattern(path.removeprefix(folder), self._docker(commit.id, file))
                if line is not None:
                    yield IgnoreLine(file=file, number=line.number, text=line.text, by=IgnoreReader.DOCKER)

    def _docker_files(self, id_: str, folder: str) -> list[str]:
        """Return a folder's Docker ignore files: `.dockerignore`, and per Dockerfile `web.Dockerfile.dockerignore`."""
        tree = self._folder(id_, folder)
        names = [name for name, (mode, _) in self._objects.tree(tree).items() if S_ISREG(mode)] if tree else []
        return sorted(folder + _text(name) for name in names if name.endswith(b".dockerignore"))

    def _folder(self, id_: str, folder: str) -> bytes | None:
        """Return the hash of a folder; None when it does not exist."""
        root = self._objects.node(id_.encode()).tree
        inside = self._path(folder).rstrip(b"/")
        entry = self._objects.entry(root, inside) if inside else (FOLDER, root)
        return entry[1] if entry and is_folder(entry[0]) else None

    def _read_docker(self, id_: str, file: str) -> tuple[DockerPattern, ...]:
        data = self._bytes(id_.encode(), file)
        return read_dockerignore(data.decode("utf-8", "replace")) if data else ()

    def _read_git(self, id_: str, file: str) -> tuple[GitLine, ...]:
        tree = self._objects.node(id_.encode()).tree
        data = self._objects.bytes_at(tree, file.encode("utf-8", "surrogateescape"))
        return read_gitignore(data) if data else ()

    def _walk(self, commit: Commit, after: Commit | None) -> Iterator[bytes]:
        """Yield a commit and its ancestors, newest first, without the history of `after`."""
        return self._ancestors(commit.id.encode()) if after is None else iter(self._between(commit.id, after.id))

    def _range(self, commit: str, after: str) -> tuple[bytes, ...]:
        objects = self._objects
        with unbroken("its history"):
            walker = Walker(
                objects.store,
                [ObjectID(commit.encode())],
                exclude=[ObjectID(after.encode())],
                get_parents=lambda node: [ObjectID(id_) for id_ in objects.node(bytes(node.id)).parents],
            )
            return tuple(bytes(entry.commit.id) for entry in islice(walker, _HISTORY + 1))

    def _ancestors(self, id_: bytes) -> Iterator[bytes]:
        queue = [(-self._objects.node(id_).seconds, 0, id_)]
        seen = {id_}
        while queue:
            _, _, at = heappop(queue)
            yield at
            for parent in self._objects.node(at).parents:
                if parent not in seen:
                    seen.add(parent)
                    heappush(queue, (-self._objects.node(parent).seconds, len(seen), parent))

    def _ids(self, id_: bytes, paths: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
        tree = self._objects.node(id_).tree
        entries = (self._objects.entry(tree, path) for path in paths)
        return tuple(entry[1] if entry else None for entry in entries)

    def _lines(self, id_: bytes, path: str) -> list[str]:
        data = self._bytes(id_, path)
        return data.decode("utf-8", "surrogateescape").split("\n") if data else []

    def _bytes(self, id_: bytes, path: str) -> bytes | None:
        return self._objects.bytes_at(self._objects.node(id_).tree, self._path(path))

    def _list(self, id_: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        tree = self._folder(id_, "")
        files: list[str] = []
        modules: list[str] = []
        for path, mode, _ in self._objects.walk(tree) if tree else ():
            (modules if is_submodule(mode) else files).append(_text(path))
        return tuple(sorted(files)), tuple(sorted(modules))

    def _path(self, path: str) -> bytes:
        return (self._prefix + path.encode("utf-8", "surrogateescape")).rstrip(b"/")

    def _relative(self, path: bytes) -> str:
        """Write a path relative to the folder that the user named; a path outside of it begins with a slash."""
        return _text(path.removeprefix(self._prefix)) if path.startswith(self._prefix) else "/" + _text(path)

    def _commit(self, id_: bytes) -> Commit:
        commit = self._objects.commit(id_)
        with unbroken(f"commit {id_.decode('ascii')[:12]}"):
            message = commit.message.decode("utf-8", "replace")
            seconds = max(0, min(commit.commit_time, _LATEST))
        subject = " ".join(first_line(message, _SUBJECT).split()).replace("`", "'")
        return Commit(id=id_.decode("ascii"), time=format_time(seconds * SECOND), subject=subject or "no message")

    def _named(self, name: str | None, flag: str) -> Commit | None:
        """Return the commit that a flag names by hash, tag, branch or HEAD."""
        if name is None:
            return None
        commit = self.commit(name) or self._of_reference(name)
        if commit is None:
            where = (
                ", which is shallow: fetch its whole history (git fetch --unshallow)" if self._objects.shallow else ""
            )
            raise RepositoryError(
                f"{flag} {name!r} names no commit, or several, of the repository {self.name!r}{where}"
            )
        return commit

    def _of_reference(self, name: str) -> Commit | None:
        for full in (name, f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}"):
            if full == "HEAD" or full.startswith("refs/"):
                with unbroken(f"reference {full!r}"), suppress(KeyError):
                    commit = self._objects.find_commit(bytes(self._refs[Ref(full.encode())]))
                    return self._summary(bytes(commit.id)) if commit else None
        return None

    def _find_head(self, path: Path) -> bytes:
        with unbroken("HEAD"):
            try:
                head = bytes(self._refs[Ref(b"HEAD")])
            except KeyError:
                raise RepositoryError(
                    f"{str(path)!r}: HEAD names no commit; the repository is empty, or its branch is gone"
                ) from None
        self._objects.node(head)
        return head

    def _limits(self, shallow: frozenset[bytes]) -> Iterator[str]:
        if shallow:
            yield "the clone is shallow: what is older than its last commits cannot be seen (git fetch --unshallow)"
        if self._places.bare:
            yield "the repository is bare"
        elif self._places.control.name != ".git" or self._places.control != self._places.common:
            yield "the checkout is a worktree or a submodule"
        with unbroken("HEAD"):
            chain, _ = self._refs.follow(Ref(b"HEAD"))
        if len(chain) == 1:
            yield "HEAD is detached"


def _shallow(common: Path) -> frozenset[bytes]:
    """Read the commits at which a shallow clone ends."""
    file = common / "shallow"
    try:
        return frozenset(file.read_bytes().split()) if file.is_file() else frozenset()
    except OSError as error:
        raise RepositoryError(f"{str(file)!r} cannot be read ({error.strerror or error})") from error


def _folders(path: str) -> Iterator[str]:
    """Yield the folders above a path, outermost first: "", `app/`, `app/services/`."""
    parts = path.split("/")[:-1]
    for end in range(len(parts) + 1):
        yield "".join(f"{part}/" for part in parts[:end])


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
