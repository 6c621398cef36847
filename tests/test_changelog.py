"""The changelog is one that people read, and the version stands in one place."""

from __future__ import annotations

import re
import tomllib

import pytest
from support.program import ROOT, run

from forensics import __version__

TEXT = (ROOT / "CHANGELOG.md").read_text()
RELEASES = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
THEMES = [
    "Reading",
    "Live",
    "Links and verdicts",
    "Documents",
    "Comparison, gate, cycles",
    "Command line",
    "Project",
]


def number(release: str) -> tuple[int, ...]:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - (?:\d{4}-\d\d-\d\d|unreleased)", release)
    assert found is not None, release
    return tuple(map(int, found.groups()))


def sections(mark: str, text: str) -> list[tuple[str, str]]:
    """Titles at one depth, each with what stands below it."""
    parts = re.split(rf"^{mark} (.*)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_lines_are_short_enough_to_read() -> None:
    assert [line for line in TEXT.splitlines() if len(line) > 160] == []


def test_releases_stand_newest_first_below_what_is_to_come() -> None:
    assert RELEASES[0] == "Unreleased"
    numbers = [number(release) for release in RELEASES[1:]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [release for release in RELEASES[2:] if release.endswith("unreleased")] == []


def test_the_version_of_the_program_is_the_newest_release() -> None:
    assert ".".join(map(str, number(RELEASES[1]))) == __version__


@pytest.mark.parametrize("release", RELEASES)
def test_entries_are_grouped_in_order(release: str) -> None:
    groups = sections("###", dict(sections("##", TEXT))[release])
    named = [name for name, _ in groups]
    assert named == [name for name in GROUPS if name in named]
    for _, body in groups:
        themes = [name for name, _ in sections("####", body)]
        assert themes == [name for name in THEMES if name in themes]


def test_no_entry_stands_outside_a_group() -> None:
    for release, body in sections("##", TEXT):
        assert "- " not in body.partition("### ")[0], release
        for _, group in sections("###", body):
            for _, theme in [("", group.partition("#### ")[0]), *sections("####", group)]:
                for line in theme.strip().splitlines():
                    assert line.startswith(("- ", "  ")), line


def test_the_version_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "forensics/__init__.py"
    word = re.compile(rf"(?<![\w.]){re.escape(__version__)}(?![\w.])")
    folders = ("forensics", "templates", "docs", "tests", ".github")
    kinds = {".py", ".j2", ".md", ".yml", ".toml"}
    files = [ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / "README.md", ROOT / "SECURITY.md"]
    files += [file for folder in folders for file in sorted((ROOT / folder).rglob("*")) if file.suffix in kinds]
    found = [str(file.relative_to(ROOT)) for file in files for _ in word.findall(file.read_text("utf-8"))]
    assert found == [str(ROOT.joinpath("forensics", "__init__.py").relative_to(ROOT))]


def test_the_program_says_which_version_it_is() -> None:
    assert run("--version", check=True).stdout == f"forensics, version {__version__}\n"
