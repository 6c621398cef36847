from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_arrows_point_down_only() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_the_command_line_prints() -> None:
    for file in (ROOT / "forensics").rglob("*.py"):
        if "cli" in file.relative_to(ROOT).parts:
            continue
        names = {
            n.func.id
            for n in ast.walk(ast.parse(file.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert not names & {"print", "input", "eval", "exec"}, file


def test_every_module_opens_with_a_sentence() -> None:
    for file in (ROOT / "forensics").rglob("*.py"):
        assert ast.get_docstring(ast.parse(file.read_text())), file
