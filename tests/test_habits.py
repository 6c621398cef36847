"""What keeps a public project tidy is itself in order: workflow, hooks, forms, files as git keeps them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import yaml
from support.program import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
KEPT = re.compile(r"^(samples/[^/]+/(logs|tests)|tests/exports)/")


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def checked_out() -> list[str]:
    """Files of text as git has them, apart from those that are kept byte for byte."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this folder is no checkout")
    return [name for name in listed.stdout.split("\0") if name and not KEPT.match(name) and (ROOT / name).is_file()]


def test_the_workflow_may_only_read_and_ends_what_a_newer_push_makes_pointless() -> None:
    flow = loaded(".github/workflows/ci.yml")
    assert flow["permissions"] == {"contents": "read"}
    assert flow["concurrency"]["cancel-in-progress"] is True
    assert "secrets." not in WORKFLOW
    assert all("permissions" not in job for job in flow["jobs"].values())


def test_actions_are_pinned_and_say_their_version() -> None:
    used = re.findall(r"uses: (.*)", WORKFLOW)
    assert used
    for one in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


def test_every_python_that_is_promised_is_tested_on_three_platforms() -> None:
    matrix = loaded(".github/workflows/ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert matrix["python"] == promised
    assert PROJECT["project"]["requires-python"] == f">={promised[0]}"
    assert [system.partition("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", ".github/workflows/ci.yml", ".github/pull_request_template.md", ".ci/run"]
)
def test_every_target_that_is_named_is_in_the_makefile(name: str) -> None:
    named = set(re.findall(r"(?:^\s*|`|run: )make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE))
    assert named
    assert named <= TARGETS


def test_every_target_is_phony_and_in_the_guide_for_contributors() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    assert [target for target in sorted(TARGETS) if f"make {target}" not in guide] == []


def test_forms_ask_for_what_a_reader_needs() -> None:
    assert [form.name for form in FORMS] == ["bug.yml", "config.yml", "rule.yml"]
    for form in FORMS[::2]:
        fields = {field["id"]: field for field in yaml.safe_load(form.read_text())["body"] if "id" in field}
        assert fields["scrubbed"]["attributes"]["options"][0]["required"] is True
        needed = {name for name, field in fields.items() if field.get("validations", {}).get("required")}
        assert needed >= ({"command", "version", "says"} if form.stem == "bug" else {"failure", "first", "second"})


def test_dependencies_and_actions_are_kept_up() -> None:
    updates = loaded(".github/dependabot.yml")["updates"]
    assert sorted(update["package-ecosystem"] for update in updates) == ["github-actions", "pip"]


def test_hooks_are_this_project_own() -> None:
    (repository,) = loaded(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == ["format", "lint", "rules", "tidy"]


def test_files_end_in_one_line_break_and_hold_no_conflict() -> None:
    names = checked_out()
    assert "README.md" in names
    for name in names:
        data = (ROOT / name).read_bytes()
        if data and b"\0" not in data:
            assert data.endswith(b"\n"), name
            assert not re.search(rb"^(<{7}|>{7}) ", data, re.MULTILINE), name


@pytest.mark.skipif(sys.platform == "win32", reason="a checkout on Windows may have been made before .gitattributes")
def test_lines_end_in_lf() -> None:
    assert [name for name in checked_out() if b"\r\n" in (ROOT / name).read_bytes()] == []


def test_logs_are_kept_byte_for_byte() -> None:
    kept = ["samples/healthy/logs/requests.ndjson", "tests/exports/axum-panic.jsonl", "samples/x/tests/cycle1.xml"]
    asked = subprocess.run(["git", "check-attr", "text", *kept], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        pytest.skip("this folder is no checkout")
    assert [line.rpartition(": ")[2] for line in asked.stdout.splitlines()] == ["unset"] * len(kept)


@pytest.mark.parametrize("name", ["README.md", *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_readme_leads_to_what_a_stranger_looks_for() -> None:
    readme = (ROOT / "README.md").read_text()
    for target in ("docs/glossary.md", "docs/limitations.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md"):
        assert f"]({target})" in readme


def is_slow(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(mark) == "pytest.mark.slow" for mark in test.decorator_list)


def test_what_is_quick_touches_every_room() -> None:
    quick: dict[str, int] = {}
    slow = 0
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tests = [node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
        tests = [test for test in tests if test.name.startswith("test_")]
        room = file.parent.name
        quick[room] = quick.get(room, 0) + sum(not is_slow(test) for test in tests)
        slow += sum(map(is_slow, tests))
    assert len(quick) > 10
    assert [room for room, number in quick.items() if number == 0] == []
    assert 0 < slow < sum(quick.values()) / 4
