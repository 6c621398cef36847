"""A kind of evidence is declared in its own module, documented, and decided upon by name nowhere else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forensics.whys.evidence import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "forensics" / "whys" / "evidence"
SOURCES = sorted(file for file in (ROOT / "forensics").rglob("*.py") if FOLDER not in file.parents)


def test_every_module_declares_the_kind_of_its_name() -> None:
    modules = {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}
    assert {name: kind.name for name, kind in EVIDENCE.items()} == {name: name for name in sorted(modules)}
    assert list(EVIDENCE) == sorted(EVIDENCE)


def test_the_table_of_kinds_in_the_rules_readme_is_complete() -> None:
    text = (ROOT / "rules" / "README.md").read_text()
    rows = text.split("| kind | argument | shows |\n|---|---|---|\n")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", rows, re.MULTILINE)) == set(EVIDENCE)


def decisions(code: str) -> list[str]:
    """Names of kinds that code compares a kind with, looks something up by, or collects in a set."""
    return [name for node in ast.walk(ast.parse(code)) for name in decided(node)]


def decided(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare):
        asks_for_kind = any("kind" in ast.unparse(part) for part in (node.left, *node.comparators))
        return names_in(ast.walk(node)) if asks_for_kind else []
    if isinstance(node, ast.Dict):
        names = names_in(node.keys)
        return names if len(names) > 1 else []
    if isinstance(node, ast.Set):
        names = names_in(node.elts)
        return names if len(names) == len(node.elts) else []
    return []


def names_in(nodes: Iterable[ast.AST | None]) -> list[str]:
    return [str(node.value) for node in nodes if isinstance(node, ast.Constant) and node.value in EVIDENCE]


@pytest.mark.parametrize(
    "code",
    [
        'why.evidence[0].kind == "commits"',
        'rule.evidence_kind in {"values", "frames"}',
        'kind == "deploys"',
        'FLAGS = {"commits": 1, "tests": 2}',
        'NAMING = {"values", "frames"}',
    ],
)
def test_a_decision_by_name_is_found(code: str) -> None:
    assert decisions(code)


def test_no_other_module_decides_by_the_name_of_a_kind() -> None:
    found = {str(file.relative_to(ROOT)): decisions(file.read_text()) for file in SOURCES}
    # Filters of templates have names of their own, and one may be that of a kind.
    filters = {"forensics/rendering/labels.py"}
    assert {file: names for file, names in found.items() if names and file not in filters} == {}


def test_no_template_decides_by_the_name_of_a_kind() -> None:
    names = "|".join(EVIDENCE)
    for file in sorted((ROOT / "templates").glob("*.j2")):
        assert not re.search(rf"\.kind\b[^%}}]*[\"']({names})[\"']", file.read_text()), file.name


def test_kinds_are_found_inside_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "forensics.zip", "w") as archive:
        for file in sorted((ROOT / "forensics").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
    code = "import forensics.whys.evidence as e; print(e.__file__, *e.EVIDENCE)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "forensics.zip")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    place, *names = done.stdout.split()
    assert "forensics.zip" in place
    assert names == list(EVIDENCE)
