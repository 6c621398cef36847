"""Ignore files, held to the words of Docker's and git's documentation."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from forensics.sources.repository.ignoring import excluding_pattern, ignored, read_dockerignore, read_gitignore


def line_of(text: str, path: str) -> int | None:
    found = excluding_pattern(path, read_dockerignore(text))
    return found.number if found else None


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        # The table of Docker's documentation.
        ("# comment\n*/temp*\n*/*/temp*\ntemp?", "somedir/temporary.txt", 2),
        ("*/temp*", "somedir/temp", 1),
        ("*/temp*", "temp", None),
        ("*/*/temp*", "somedir/subdir/temporary.txt", 1),
        ("*/*/temp*", "somedir/temporary.txt", None),
        ("temp?", "tempa", 1),
        ("temp?", "temp", None),
        ("temp?", "a/tempa", None),
        ("**/*.go", "main.go", 1),
        ("**/*.go", "a/b/c/main.go", 1),
        ("*.md\n!README.md", "CONTRIBUTING.md", 1),
        ("*.md\n!README.md", "README.md", None),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", 3),
        ("*.md\n!README*.md\nREADME-secret.md", "README-public.md", None),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", None),
        # Anchored at the root of the context, with or without slashes at the ends.
        ("monitoring", "app/monitoring/x.py", None),
        ("monitoring", "monitoring/x.py", 1),
        ("/monitoring/", "monitoring/x.py", 1),
        ("./monitoring", "monitoring/x.py", 1),
        ("a/../monitoring", "monitoring/x.py", 1),
        ("../monitoring", "monitoring/x.py", None),
        ("**/monitoring/", "app/services/monitoring/x.py", 1),
        ("**/monitoring/", "monitoring/x.py", 1),
        ("**/monitoring/", "app/monitoring.py", None),
        ("app/**", "app/a/b.py", 1),
        ("app/**/b.py", "app/b.py", 1),
        ("**", "any/thing", 1),
        ("*", "any/thing", 1),
        # What lies in an excluded folder comes back, unlike with git.
        ("app\n!app/keep", "app/keep/x.py", None),
        ("app\n!app/keep", "app/other.py", 1),
        ("*\n!app/**\napp/**/secret.py", "app/x/secret.py", 3),
        # Comments, blanks, line ends, byte order mark; the word case counts.
        ("#app", "app/x", None),
        (" #app", "#app", 1),
        ("  app  \t", "app/x", 1),
        ("app\r\n", "app/x", 1),
        ("\ufeffapp", "app/x", 1),
        ("\n\n! \n!\napp", "app/x", 5),
        ("App", "app/x", None),
        ("[ab].py", "a.py", 1),
        ("[^ab].py", "a.py", None),
        ("[a-c]*.py", "beta.py", 1),
        ("[.py", "[.py", None),
        (r"\*.py", "*.py", 1),
        (r"\*.py", "x.py", None),
        ("a.b", "axb", None),
        ("a+(b)|c{1}$", "a+(b)|c{1}$", 1),
        (".", "app/x", None),
        ("/", "app/x", None),
    ],
)
def test_a_dockerignore_is_read_as_docker_reads_it(text: str, path: str, line: int | None) -> None:
    assert line_of(text, path) == line


@given(st.text(max_size=60), st.text(alphabet="ab./*", min_size=1, max_size=12))
def test_any_text_is_a_dockerignore(text: str, path: str) -> None:
    found = excluding_pattern(path, read_dockerignore(text))
    assert found is None or text.removeprefix("\ufeff").split("\n")[found.number - 1].strip() == found.text


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("monitoring/", "app/monitoring/x.py", 1),
        ("/monitoring/", "app/monitoring/x.py", None),
        ("monitoring/", "app/monitoring", None),
        ("app/*.py", "app/x.py", 1),
        ("app/*.py", "b/app/x.py", None),
        ("*.py\n!x.py", "app/x.py", None),
        ("app/\n!app/x.py", "app/x.py", 1),
        ("# app", "# app", None),
        (r"\#app", "#app", 1),
        ("app  ", "app/x", 1),
        ("  ", "  ", None),
        ("**/logs", "a/b/logs/x", 1),
        ("a/**/b", "a/x/y/b", 1),
    ],
)
def test_a_gitignore_is_read_as_git_reads_it(text: str, path: str, line: int | None) -> None:
    found = ignored(path, [("", read_gitignore(text.encode()))])
    assert (found[1].number if found else None) == line


def test_the_nearer_gitignore_wins() -> None:
    files = [("", read_gitignore(b"*.log")), ("app/", read_gitignore(b"!keep.log"))]
    assert ignored("app/keep.log", files) is None
    assert ignored("app/other.log", files) is not None


@given(st.binary(max_size=60), st.text(alphabet="ab./*", min_size=1, max_size=12))
def test_any_bytes_are_a_gitignore(data: bytes, path: str) -> None:
    ignored(path, [("", read_gitignore(data))])
