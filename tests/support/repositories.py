"""Git repositories for tests, written object by object: fast, and without the git program and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from pathlib import Path

    Files = dict[str, str | bytes | None]

_PERSON = b"Jo Dev <jo.dev@example.com>"


class Made:
    """A repository that grows by whole commits on the branch `main`."""

    def __init__(self, folder: Path, *, bare: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder
        self.repo = Repo.init_bare(str(folder)) if bare else Repo.init(str(folder))
        self.repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")  # type: ignore[arg-type]  # a NewType of bytes
        self.files: dict[bytes, tuple[int, bytes]] = {}
        self.last: str | None = None
        self.count = 0

    def commit(
        self,
        subject: str,
        files: Files | None = None,
        *,
        at: str = "",
        modes: dict[str, int] | None = None,
        parents: list[str] | None = None,
    ) -> str:
        """Commit changed files (None removes one) and return the hash; without `at`, commits are a minute apart."""
        for name, text in (files or {}).items():
            path = name.encode("utf-8", "surrogateescape")
            if text is None:
                del self.files[path]
                continue
            blob = Blob.from_string(text.encode() if isinstance(text, str) else text)
            self.repo.object_store.add_object(blob)
            self.files[path] = ((modes or {}).get(name, 0o100644), bytes(blob.id))
        self.count += 1
        seconds = parse_time(at or "2026-03-01T08:00:00Z") // 1_000_000_000 + (0 if at else 60 * self.count)
        made = Commit()
        made.tree = ObjectID(self._tree(self.files))
        before = [self.last] if parents is None and self.last else parents or []
        made.parents = [ObjectID(parent.encode()) for parent in before]
        made.author = made.committer = _PERSON
        made.author_time = made.commit_time = seconds
        made.author_timezone = made.commit_timezone = 0
        made.message = subject.encode()
        self.repo.object_store.add_object(made)
        self.last = made.id.decode()
        self.repo.refs[b"refs/heads/main"] = made.id  # type: ignore[index]  # a NewType of bytes
        return self.last

    def _tree(self, files: dict[bytes, tuple[int, bytes]]) -> bytes:
        tree = Tree()
        folders: dict[bytes, dict[bytes, tuple[int, bytes]]] = {}
        for path, entry in files.items():
            top, slash, rest = path.partition(b"/")
            if slash:
                folders.setdefault(top, {})[rest] = entry
            else:
                tree.add(path, entry[0], ObjectID(entry[1]))
        for name, inner in folders.items():
            tree.add(name, 0o040000, ObjectID(self._tree(inner)))
        self.repo.object_store.add_object(tree)
        return bytes(tree.id)
