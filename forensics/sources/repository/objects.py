"""Read commits, trees and files by hash, each once; a missing or damaged object becomes a RepositoryError."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager, suppress
from functools import lru_cache
from stat import S_IFDIR, S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    MissingCommitError,
    NotGitRepository,
    WrongObjectException,
)
from dulwich.object_store import DiskObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit as GitCommit, ObjectID, ShaFile, Tag, Tree
from msgspec import Struct

from forensics.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BROKEN = (
    *(ApplyDeltaError, AssertionError, ChecksumMismatch, EOFError, FileFormatException, IndexError, KeyError),
    *(MissingCommitError, NotGitRepository, OSError, OverflowError, StopIteration, struct.error, TypeError),
    *(ValueError, WrongObjectException, zlib.error),
)
"""Errors that the library raises for damaged objects; a damaged clone must not look like a bug."""
FOLDER = S_IFDIR
"""The mode of a folder."""
_LOOSE_LIMIT = 64 << 20
TEXT_LIMIT = 2 << 20
"""Bytes up to which a file is read as text; source files, requirement files and ignore files are smaller."""
_FILES_LIMIT = 300_000
_DEPTH_LIMIT = 200
_TAGS_LIMIT = 10


class Node(Struct, frozen=True, gc=False):
    """The fields of a commit that a walk over history needs."""

    tree: bytes
    parents: tuple[bytes, ...]
    seconds: int
    """Commit time since 1970."""


@contextmanager
def unbroken(what: str) -> Iterator[None]:
    """Turn the library's errors over a damaged repository into a RepositoryError that names `what`.

    Raises:
        RepositoryError: the repository is damaged or incomplete.
    """
    try:
        yield
    except RepositoryError:
        raise
    except _BROKEN as error:
        kind = "is not in this clone" if isinstance(error, KeyError | MissingCommitError) else "cannot be read"
        raise RepositoryError(f"{what} {kind}; run git fsck there, or take a full clone") from error


class Objects:
    """The object store of a repository, with a cache of parsed commits and trees."""

    def __init__(self, folder: Path, shallow: frozenset[bytes]) -> None:
        self.shallow = shallow
        with unbroken(f"the store {folder.name!r}"):
            self.store = DiskObjectStore(str(folder), loose_object_size_limit=_LOOSE_LIMIT)
        self.node = lru_cache(200_000)(self._node)
        self.tree = lru_cache(20_000)(self._tree)

    def close(self) -> None:
        """Close the pack files."""
        # While an error over a damaged pack is being handled, its traceback still refers to the mapped file.
        with suppress(BufferError):
            self.store.close()

    def _get(self, id_: bytes) -> ShaFile:
        with unbroken(f"object {id_.decode('ascii', 'replace')[:12]}"):
            return self.store[ObjectID(id_)]

    def find_commit(self, id_: bytes) -> GitCommit | None:
        """Return the commit of a hash, following tags; None when the hash names something else."""
        target = self._get(id_)
        for _ in range(_TAGS_LIMIT):
            if not isinstance(target, Tag):
                break
            target = self._get(target.object[1])
        return target if isinstance(target, GitCommit) else None

    def commit(self, id_: bytes) -> GitCommit:
        """Return the commit of a hash; RepositoryError when it is none."""
        commit = self._get(id_)
        if not isinstance(commit, GitCommit):
            raise RepositoryError(f"object {id_.decode('ascii', 'replace')[:12]} is no commit")
        return commit

    def _node(self, id_: bytes) -> Node:
        commit = self.commit(id_)
        with unbroken(f"commit {id_.decode('ascii')[:12]}"):
            parents = () if id_ in self.shallow else tuple(commit.parents)
            return Node(bytes(commit.tree), parents, commit.commit_time)

    def _tree(self, id_: bytes) -> dict[bytes, tuple[int, bytes]]:
        tree = self._get(id_)
        if not isinstance(tree, Tree):
            raise RepositoryError(f"object {id_.decode('ascii', 'replace')[:12]} is no folder")
        with unbroken(f"object {id_.decode('ascii')[:12]}"):
            return {name: (mode, bytes(sha)) for name, mode, sha in tree.iteritems()}

    def entry(self, tree: bytes, path: bytes) -> tuple[int, bytes] | None:
        """Return mode and hash of the object at a path; None when there is none."""
        at: tuple[int, bytes] = (FOLDER, tree)
        for part in path.split(b"/"):
            if not is_folder(at[0]):
                return None
            child = self.tree(at[1]).get(part)
            if child is None:
                return None
            at = child
        return at

    def walk(self, tree: bytes, prefix: bytes = b"") -> Iterator[tuple[bytes, int, bytes]]:
        """Yield path, mode and hash of all files, links and submodules below a folder."""
        stack = [(prefix, tree, 0)]
        count = 0
        while stack:
            above, id_, depth = stack.pop()
            if depth > _DEPTH_LIMIT:
                raise RepositoryError(f"folders are nested more than {_DEPTH_LIMIT} deep")
            for name, (mode, child) in self.tree(id_).items():
                if is_folder(mode):
                    stack.append((above + name + b"/", child, depth + 1))
                    continue
                count += 1
                if count > _FILES_LIMIT:
                    raise RepositoryError(f"more than {_FILES_LIMIT:,} files; name the service's folder with --repo")
                yield above + name, mode, child

    def bytes_at(self, tree: bytes, path: bytes) -> bytes | None:
        """Return a plain file's bytes; None when it is missing or too large."""
        entry = self.entry(tree, path)
        if entry is None or not S_ISREG(entry[0]):
            return None
        blob = self._get(entry[1])
        return blob.data if isinstance(blob, Blob) and len(blob.data) <= TEXT_LIMIT else None


def is_folder(mode: int) -> bool:
    """Tell whether a mode is that of a folder, and not of a file, a symbolic link or a submodule."""
    return S_ISDIR(mode)


def is_submodule(mode: int) -> bool:
    """Tell whether a mode is that of a submodule, a commit of another repository."""
    return S_ISGITLINK(mode)
