"""The wheel, built and run elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_rules_and_templates_of_this_folder(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {
            n.removeprefix("forensics/_bundled/") for n in archive.namelist() if n.startswith("forensics/_bundled/")
        }
    here = {
        str(p.relative_to(ROOT)) for kind in ("rules", "templates") for p in (ROOT / kind).rglob("*") if p.is_file()
    }
    assert names == here


@pytest.mark.slow
def test_the_wheel_runs_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    """Unpacked beside the dependencies of this environment, with neither checkout nor editable install in sight."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(tmp_path / "site")}
    logs = ROOT / "samples" / "module-missing-crash-loop" / "logs"
    command = [sys.executable, "-m", "forensics", "analyze", "--revision", "latest", "--logs", str(logs), "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["root_causes"][0]["signature"] == "python-module-missing"
    assert next((tmp_path / "forensics-reports").glob("*/index.md")).read_text().startswith("# ")


def test_a_program_that_uses_the_wheel_is_type_checked(wheel: Path, tmp_path: Path) -> None:
    """mypy finds `py.typed`, knows what the functions return, and refuses a wrong call."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = tmp_path / "program.py"
    program.write_text(
        "import forensics\n"
        "report = forensics.analyze('logs', revision='shop-api-00042')\n"
        "reveal_type(report.headline)\n"
        "reveal_type(forensics.compare('a', report).changes[0].state)\n"
        "reveal_type(forensics.gate(report).outcome.exit_code)\n"
        "forensics.analyze(revison='x')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    environment = {**os.environ, "MYPYPATH": str(tmp_path / "site"), "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert re.findall(r'Revealed type is "(.*)"', done.stdout) == [
        "str",
        "forensics.model.comparison.ChangeState",
        "int",
    ]
    assert 'Unexpected keyword argument "revison"' in done.stdout
    assert "missing library stubs" not in done.stdout
