"""Repositories in every state: each is read, or refused in one clear sentence; nothing in them is run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.platforms import pipes
from support.repositories import Made

from forensics.errors import RepositoryError
from forensics.sources.repository import GitRepository
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> None:
    """Run git as nobody: no settings of the machine's user."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env=env)


def refused(path: Path, **named: str) -> str:
    with pytest.raises(RepositoryError) as caught:
        GitRepository(path, **named)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def shop(tmp_path: Path) -> Made:
    made = Made(tmp_path / "shop")
    made.commit("First\n\nlonger words", {"shop/pay.py": "a = 1\nb = 2\n", "README.md": "x\n"})
    made.commit("Second", {"shop/pay.py": "a = 1\nb = 3\n"})
    made.commit("Third", {"README.md": "y\n"})
    return made


def test_no_repository_no_folder_and_an_empty_repository(tmp_path: Path) -> None:
    assert "is no folder" in refused(tmp_path / "nowhere")
    # The folder of tests may itself lie in a checkout: bound the search by a file that points nowhere.
    (tmp_path / ".git").write_text("gitdir: gone\n")
    assert "which is not here" in refused(tmp_path)
    (tmp_path / ".git").write_text("hello\n")
    assert "points to no repository" in refused(tmp_path)
    Made(tmp_path / "empty")
    assert "is empty" in refused(tmp_path / "empty")


def test_a_folder_that_lies_in_no_repository(tmp_path: Path) -> None:
    if any((folder / ".git").exists() for folder in (tmp_path, *tmp_path.parents)):
        pytest.skip("temporary folders lie inside a repository")
    assert "is no git repository" in refused(tmp_path)


def test_commits_are_found_by_hash_short_hash_tag_and_branch(shop: Made) -> None:
    assert shop.last is not None
    for name in (shop.last, shop.last[:7], shop.last[:9].upper(), "main", "HEAD"):
        with closing(GitRepository(shop.path, commit=name)) as found:
            assert found.given is not None
            assert (found.given.id, found.given.subject, found.given.short) == (shop.last, "Third", shop.last[:7])
    for name in ("0" * 40, "deadbee", "no-such-branch", "", "../../etc/passwd", "é"):
        assert "--commit" in refused(shop.path, commit=name)
    assert "--baseline-commit" in refused(shop.path, baseline="deadbee")


def test_a_tree_or_a_file_is_no_commit(shop: Made) -> None:
    blob = next(iter(shop.files.values()))[1].decode()
    assert "names no commit" in refused(shop.path, commit=blob)


def test_the_newest_commit_before_a_time(shop: Made) -> None:
    with closing(GitRepository(shop.path)) as found:
        second = found.before(int(parse_time("2026-03-01T08:02:30Z")))
        assert second is not None
        assert second.subject == "Second"
        assert found.before(int(parse_time("2026-03-01T08:00:59Z"))) is None


def test_lines_have_writers_and_files_have_commits(shop: Made) -> None:
    with closing(GitRepository(shop.path)) as found:
        head = found.head()
        writers = [found.wrote(head, "shop/pay.py", line) for line in (1, 2, 9)]
        assert [commit and commit.subject for commit in writers] == ["First", "Second", None]
        touches = found.touching(head, ("shop/pay.py",))
        assert touches.complete
        assert [(t.commit.subject, t.was, t.present) for t in touches.found] == [
            ("Second", True, True),
            ("First", False, True),
        ]
        first = touches.found[-1].commit
        between = found.touching(head, ("shop", "README.md"), after=first)
        assert [(t.commit.subject, t.paths) for t in between.found] == [
            ("Third", ("README.md",)),
            ("Second", ("shop",)),
        ]


def test_a_line_is_followed_through_a_merge(tmp_path: Path) -> None:
    made = Made(tmp_path / "r")
    base = made.commit("base", {"f": "1\n2\n"})
    made.commit("left", {"f": "0\n1\n2\n"})
    left = made.last
    made.files[b"f"] = (0o100644, made.files[b"f"][1])
    right = made.commit("right", {"f": "1\n2\n3\n"}, parents=[base])
    assert left is not None
    made.commit("merge", {"f": "0\n1\n2\n3\n"}, parents=[left, right])
    with closing(GitRepository(made.path)) as found:
        writers = [found.wrote(found.head(), "f", line) for line in (1, 2, 4)]
        assert [commit and commit.subject for commit in writers] == ["left", "base", "right"]


def test_a_removed_file_and_where_it_went(tmp_path: Path) -> None:
    made = Made(tmp_path / "r")
    text = "".join(f"line {i}\n" for i in range(30))
    made.commit("add", {"a/x.py": text, "b.py": "1"})
    made.commit("move", {"a/x.py": None, "c/x.py": text + "more\n"})
    with closing(GitRepository(made.path)) as found:
        (last, _) = found.touching(found.head(), ("a/x.py",)).found
        assert (last.was, last.present) == (True, False)
        assert found.moved(last.commit, "a") == (("a/x.py", "c/x.py"),)
        assert found.moved(last.commit, "b.py") == ()


def test_a_folder_of_a_repository_is_a_root_of_its_own(tmp_path: Path) -> None:
    made = Made(tmp_path / "mono")
    made.commit(
        "x", {"services/shop/a.py": "1", "services/shop/.dockerignore": "a.py", "other.py": "2", ".gitignore": "*.py"}
    )
    (made.path / "services" / "shop").mkdir(parents=True)
    with closing(GitRepository(made.path / "services" / "shop")) as found:
        head = found.head()
        assert found.files(head) == (".dockerignore", "a.py")
        assert found.text(head, "a.py") == "1"
        assert found.text(head, "../../other.py") is None
        assert [(line.by, line.file) for line in found.ignored(head, "a.py")] == [
            ("docker", ".dockerignore"),
            ("git", "/.gitignore"),
        ]


def test_packed_objects_and_references_a_detached_head_and_a_bare_copy(shop: Made) -> None:
    git(shop.path, "gc", "-q")
    git(shop.path, "pack-refs", "--all")
    assert not (shop.path / ".git/refs/heads/main").exists()
    with closing(GitRepository(shop.path)) as found:
        assert (found.head().subject, found.notes) == ("Third", ())
    (shop.path / ".git/HEAD").write_text(f"{shop.last}\n")
    with closing(GitRepository(shop.path)) as found:
        assert (found.head().subject, found.notes) == ("Third", ("HEAD is detached",))
    bare = shop.path.parent / "bare"
    git(shop.path.parent, "clone", "-q", "--bare", str(shop.path), str(bare))
    with closing(GitRepository(bare)) as found:
        assert found.head().subject == "Third"
        assert "the repository is bare" in found.notes


def test_a_shallow_clone_says_that_its_history_ends(shop: Made) -> None:
    clone = shop.path.parent / "clone"
    git(shop.path.parent, "clone", "-q", "--depth", "1", shop.path.as_uri(), str(clone))
    with closing(GitRepository(clone)) as found:
        assert any("shallow" in note for note in found.notes)
        head = found.head()
        assert found.wrote(head, "shop/pay.py", 1) is None
        assert not found.touching(head, ("nothing",)).complete
    assert "git fetch --unshallow" in refused(clone, commit="0" * 40)


def test_a_worktree_and_a_submodule(shop: Made) -> None:
    side = shop.path.parent / "side"
    git(shop.path, "worktree", "add", "-q", str(side), "HEAD")
    with closing(GitRepository(side)) as found:
        assert found.head().subject == "Third"
        assert any("worktree" in note for note in found.notes)
    assert shop.last is not None
    shop.files[b"vendor/lib"] = (0o160000, shop.last.encode())
    shop.commit("a submodule")
    with closing(GitRepository(shop.path)) as found:
        assert found.submodules(found.head()) == ("vendor/lib",)
        assert found.text(found.head(), "vendor/lib") is None


@pytest.mark.parametrize(
    ("setting", "word"),
    [("objectformat = sha256", "object format is sha256"), ("refstorage = reftable", "kind of references is reftable")],
)
def test_formats_that_cannot_be_read_are_named(shop: Made, setting: str, word: str) -> None:
    (shop.path / ".git/config").write_text(f"[core]\n\trepositoryformatversion = 1\n[extensions]\n\t{setting}\n")
    assert word in refused(shop.path)


def test_symbolic_links_large_files_binary_files_and_names_that_are_no_utf8(tmp_path: Path) -> None:
    made = Made(tmp_path / "r")
    made.commit(
        "odd",
        {
            "link": "/etc/passwd",
            "large.py": "x" * (3 << 20),
            "binary.py": b"a\0b",
            "caf\udce9.py": "1",
            "latin.py": b"caf\xe9",
        },
        modes={"link": 0o120000},
    )
    with closing(GitRepository(made.path)) as found:
        head = found.head()
        assert "caf\udce9.py" in found.files(head)
        assert found.text(head, "caf\udce9.py") == "1"
        assert found.text(head, "latin.py") == "café"
        assert [found.text(head, name) for name in ("link", "large.py", "binary.py", "absent.py")] == [None] * 4


@pytest.mark.slow
def test_damaged_repositories_are_refused_in_words_or_read(shop: Made, tmp_path: Path) -> None:
    """Whatever bytes the files of a repository hold, what is raised is what a user can mend."""
    packed = tmp_path / "packed"
    shutil.copytree(shop.path, packed)
    git(packed, "gc", "-q")
    dice = random.Random(7)  # noqa: S311 - the same damage every time
    outcomes = set()
    for number in range(60):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(dice.choice((shop.path, packed)), copy)
        files = sorted(file for file in (copy / ".git").rglob("*") if file.is_file() and file.parent.name != "hooks")
        victim = dice.choice(files)
        data = victim.read_bytes()
        victim.chmod(0o644)
        victim.write_bytes(dice.choice((b"", data[: len(data) // 2], dice.randbytes(len(data)), data[::-1])))
        try:
            with closing(GitRepository(copy)) as found:
                head = found.head()
                found.files(head)
                found.touching(head, ("shop", "README.md"))
                found.wrote(head, "shop/pay.py", 2)
                found.ignored(head, "shop/pay.py")
                outcomes.add("read")
        except RepositoryError as error:
            outcomes.add("refused" if "\n" not in str(error) else str(error))
        shutil.rmtree(copy)
    assert outcomes == {"read", "refused"}


@pipes
def test_nothing_of_a_hostile_repository_runs(shop: Made, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    run = f"touch {trap}"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (shop.path / ".git/config").write_text(
        f"""[core]
    fsmonitor = {run}
    hooksPath = hooks
    pager = {run}
    sshCommand = {run}
    attributesFile = attributes
[filter "x"]
    clean = {run}
    smudge = {run}
    process = {run}
[diff "x"]
    textconv = {run}
    external = {run}
[alias]
    log = !{run}
[uploadpack]
    packObjectsHook = {run}
[include]
    path = {pipe}
"""
    )
    hooks = shop.path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "fsmonitor-watchman", "reference-transaction", "pre-commit", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\n{run}\n")
        (hooks / name).chmod(0o755)
    shop.commit(
        "trap",
        {".gitattributes": "* filter=x diff=x\n", ".gitmodules": f'[submodule "x"]\n path = x\n update = !{run}\n'},
    )
    before = sorted(file for file in shop.path.rglob("*"))
    with closing(GitRepository(shop.path)) as found:
        head = found.head()
        for path in found.files(head):
            assert found.text(head, path) is not None
            found.wrote(head, path, 1)
            found.ignored(head, path)
            found.moved(head, path)
        assert found.touching(head, found.files(head)).found
    assert not trap.exists()
    assert sorted(file for file in shop.path.rglob("*")) == before


def test_no_address_of_a_person_leaves_a_repository(shop: Made) -> None:
    shop.commit("Reviewed by jo.dev@example.com `x`\u202e", {"x": "1"})
    with closing(GitRepository(shop.path)) as found:
        assert found.head().subject == "Reviewed by [redacted:email] 'x'"
