"""One file adds one thing: each is added to a copy of the program, which is run, and what was touched is counted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from difflib import ndiff
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("forensics", "rules", "templates")
PATCHES = {
    "forensics/sources/formats/__init__.py": ('    "gcloud_table",\n', '    "beats",\n'),
    "forensics/cli/__init__.py": ('    "rules": (', '    "beat": ("forensics.cli.verbs.beat", "Beat once."),\n'),
    "forensics/model/enums.py": ('    OTHER = "other"', '    CLOCK_SKEW = "clock_skew", Phase.SERVING\n'),
}
"""File → the line before which one line is put, and that line."""
RULE = """\
id: beat-lost
version: 1
title: A beat was lost
class: other
role: cause
priority: P1
match: {message: {regex: 'beat (?P<beat>[0-9]+) was lost'}}
whys:
  - ask: Which beat was it?
    evidence: {values: [beat]}
    answer: 'Beat {{ beat }} was lost.'
tests:
  match:
    - {severity: ERROR, textPayload: beat 7 was lost}
    - {severity: ERROR, textPayload: beat 8 was lost}
  no_match:
    - {severity: ERROR, textPayload: beat was lost}
    - {severity: ERROR, textPayload: beat 9 was kept}
"""
KIND = '''\
"""Evidence `beat_rate`: how far apart the occurrences lie."""

from __future__ import annotations

from forensics.model import Evidence, Verdict, WhyRule
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import EvidenceKind, always


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Say how often it happened."""
    del why
    statement = f"{context.cluster.entries} beats apart"
    evidence = (Evidence(kind="beat_rate", statement=statement),)
    return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=evidence, values={"rate": context.cluster.entries})


KIND = EvidenceKind(name="beat_rate", gather=gather, provides=("rate",), names_a_thing=always, in_table=False)
'''
FORMAT = '''\
"""Beats, one a line, below `#beats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.sources.formats.element import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "beats"


def accepts(content: TextContent) -> bool:
    """Tell by the first line."""
    return content.head.startswith(b"#beats")


def read(content: TextContent) -> Iterator[Element]:
    """Yield an entry for each line."""
    for number, line in enumerate(content.everything().decode().splitlines()[1:], 2):
        yield Element(number=number, value={"severity": "ERROR", "timestamp": line[:20], "textPayload": line[21:]})
'''
VERB = '''\
"""`forensics beat`."""

import click


@click.command("beat")
def command() -> None:
    """Beat once."""
    click.echo("beaten")
'''
DOCUMENT = "{# forensics: document for: cluster; name: beats/{id}.md #}\nbeats of {{ cluster.signature or 'nobody' }}\n"


class Touched(NamedTuple):
    """What makes a copy differ from the original."""

    added: list[str]
    lines: dict[str, int]
    """Lines that are new in files that were there."""


class Copy:
    """A copy of the program in a folder of its own, beside a small log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / part)
        entries = [
            {"severity": "ERROR", "timestamp": f"2025-11-03T09:00:0{n}Z", "textPayload": f"beat {n} was lost"}
            for n in range(3)
        ]
        (folder / "log.ndjson").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))

    def add(self, path: str, text: str) -> None:
        """Write a new file."""
        assert not (self.folder / path).exists()
        (self.folder / path).write_text(text)

    def patch(self, path: str) -> None:
        """Put one line into a file."""
        before, line = PATCHES[path]
        text = (self.folder / path).read_text()
        assert text.count(before) == 1
        (self.folder / path).write_text(text.replace(before, line + before))

    def run(self, *arguments: str) -> str:
        """Run the copy; it must end with 0."""
        command = [sys.executable, "-m", "forensics", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def analyze(self, log: str = "log.ndjson", *arguments: str) -> dict[str, str]:
        """Analyse a log with the copy; return the documents by name."""
        out = self.folder / "out"
        self.run("analyze", "--revision", "all", "--logs", log, "--out", str(out), *arguments)
        return {file.relative_to(out).as_posix(): file.read_text() for file in out.rglob("*.md")}

    def touched(self) -> Touched:
        """Compare the copy with the original."""
        files = [file for part in PARTS for file in sorted((self.folder / part).rglob("*")) if file.is_file()]
        names = [file.relative_to(self.folder).as_posix() for file in files if file.parent.name != "__pycache__"]
        added = [name for name in names if not (ROOT / name).exists()]
        lines = {name: self._new_lines(name) for name in names if name not in added}
        return Touched(added, {name: number for name, number in lines.items() if number})

    def _new_lines(self, name: str) -> int:
        before, after = (ROOT / name).read_bytes(), (self.folder / name).read_bytes()
        if before == after:
            return 0
        compared = ndiff(before.decode().splitlines(), after.decode().splitlines())
        return sum(line.startswith(("+ ", "- ")) for line in compared)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def page(documents: dict[str, str]) -> str:
    return next(text for name, text in documents.items() if name.startswith("five-whys/"))


@pytest.mark.slow
def test_a_rule(copy: Copy) -> None:
    assert "beat-lost" not in page(copy.analyze())
    copy.add("rules/run/beat-lost.yaml", RULE)
    assert "Beat 0 was lost." in page(copy.analyze())
    assert copy.touched() == (["rules/run/beat-lost.yaml"], {})


@pytest.mark.slow
def test_a_format(copy: Copy) -> None:
    copy.add("forensics/sources/formats/beats.py", FORMAT)
    copy.patch("forensics/sources/formats/__init__.py")
    (copy.folder / "log.beats").write_text("#beats\n2025-11-03T09:00:00Z beat 1 was lost\n")
    assert "beat 1 was lost" in page(copy.analyze("log.beats"))
    assert copy.touched() == (["forensics/sources/formats/beats.py"], {"forensics/sources/formats/__init__.py": 1})


@pytest.mark.slow
def test_a_kind_of_evidence(copy: Copy) -> None:
    copy.add("forensics/whys/evidence/beat_rate.py", KIND)
    assert copy.touched() == (["forensics/whys/evidence/beat_rate.py"], {})
    (copy.folder / "own").mkdir()
    (copy.folder / "own" / "beat-lost.yaml").write_text(
        RULE.replace("evidence: {values: [beat]}", "evidence: {beat_rate: {}}").replace(
            "answer: 'Beat {{ beat }} was lost.'", "answer: 'Beats {{ rate }} apart were lost.'"
        )
    )
    written = page(copy.analyze("log.ndjson", "--rules", "own"))
    assert "3 beats apart" in written
    assert "Beats 3 apart were lost" in written


@pytest.mark.slow
def test_a_shipped_document(copy: Copy) -> None:
    copy.add("rules/run/beat-lost.yaml", RULE)
    copy.add("templates/beats.md.j2", DOCUMENT)
    documents = copy.analyze()
    assert [text for name, text in documents.items() if name.startswith("beats/beat-lost-")] == ["beats of beat-lost\n"]
    assert copy.touched() == (["rules/run/beat-lost.yaml", "templates/beats.md.j2"], {})


@pytest.mark.slow
def test_a_document_of_a_user(copy: Copy) -> None:
    (copy.folder / "mine").mkdir()
    (copy.folder / "mine" / "beats.md.j2").write_text(DOCUMENT)
    documents = copy.analyze("log.ndjson", "--templates", "mine")
    assert [text for name, text in documents.items() if name.startswith("beats/")] == ["beats of nobody\n"]
    assert copy.touched() == ([], {})


def test_a_verb(copy: Copy) -> None:
    copy.add("forensics/cli/verbs/beat.py", VERB)
    copy.patch("forensics/cli/__init__.py")
    assert "Beat once." in copy.run("--help")
    assert copy.run("beat") == "beaten\n"
    assert copy.touched() == (["forensics/cli/verbs/beat.py"], {"forensics/cli/__init__.py": 1})


@pytest.mark.slow
def test_a_class_of_failure(copy: Copy) -> None:
    copy.patch("forensics/model/enums.py")
    (copy.folder / "own").mkdir()
    (copy.folder / "own" / "beat-lost.yaml").write_text(RULE.replace("class: other", "class: clock_skew"))
    assert "**Class** clock_skew" in page(copy.analyze("log.ndjson", "--rules", "own"))
    assert copy.touched() == ([], {"forensics/model/enums.py": 1})
