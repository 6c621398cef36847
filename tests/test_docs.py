"""What the documents promise is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.program import ROOT, run

from forensics import model
from forensics.cli import VERBS, cli
from forensics.model import (
    Change,
    Cluster,
    Comparison,
    Coverage,
    Exposure,
    Finding,
    Incident,
    Link,
    Report,
)

if TYPE_CHECKING:
    from pathlib import Path

    import click

README = (ROOT / "README.md").read_text()
RULES_README = (ROOT / "rules" / "README.md").read_text()


def command(verb: str) -> click.Command:
    found = cli.get_command(cli.make_context("forensics", [], resilient_parsing=True), verb)
    assert found is not None
    return found


def test_every_verb_is_in_the_readme() -> None:
    for verb in VERBS:
        assert f"forensics {verb}" in README


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_has_a_line_of_help(verb: str) -> None:
    for parameter in command(verb).params:
        help_ = getattr(parameter, "help", None) or parameter.param_type_name
        assert help_ != "option"
        assert "\n" not in help_


def test_every_option_of_analyze_is_in_the_readme() -> None:
    flags = {flag for parameter in command("analyze").params for flag in parameter.opts if flag.startswith("--")}
    told = set(re.findall(r"--[a-z-]+", README))
    assert flags - told <= {"--project", "--region"}


def test_the_demo_in_the_readme_is_what_the_program_prints(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    asked = ["analyze", "--revision", "netra-backend-staging-00180"]
    done = run(*asked, "--out", str(tmp_path), check=True)
    printed = done.stdout.replace(f"{tmp_path}/", "forensics-reports/netra-backend-staging-00180-jkl/")
    demo = f"\n```\n$ forensics {' '.join(asked)}\n\n{printed}```\n"
    before, _, rest = README.partition("<!-- demo -->")
    _, mark, after = rest.partition("<!-- /demo -->")
    if request.config.getoption("--accept"):
        (ROOT / "README.md").write_text(f"{before}<!-- demo -->{demo}{mark}{after}")
    assert demo in (ROOT / "README.md").read_text()


EXPLAINED = re.findall(r"```\n\$ ([^\n]*forensics rules explain[^\n]*)\n(.*?)```", RULES_README, re.DOTALL)


def test_the_documents_show_examples_of_explanations() -> None:
    assert len(EXPLAINED) == 2


@pytest.mark.parametrize(("line", "printed"), EXPLAINED)
def test_an_explanation_in_the_rules_readme_is_what_the_program_prints(line: str, printed: str) -> None:
    shell = f'forensics() {{ "{sys.executable}" -m forensics "$@"; }}; {line}'
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == printed


def test_every_key_of_the_report_is_documented() -> None:
    text = (ROOT / "docs" / "report.md").read_text()
    for record in (
        Report,
        Coverage,
        Cluster,
        Link,
        Finding,
        Incident,
        Comparison,
        Change,
        model.TestComparison,
        Exposure,
        model.Claim,
        model.ClaimQuery,
        model.ClaimCheck,
        model.CapabilityImpact,
        model.Cycle,
        model.CycleRoot,
        model.PassRate,
    ):
        for field in msgspec.structs.fields(record):
            assert re.search(rf"\b{field.encode_name}\b", text), f"{record.__name__}.{field.encode_name}"


def test_every_dependency_earns_its_line() -> None:
    table = README.split("## Dependencies")[1]
    wanted = re.search(r"dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert wanted is not None
    for name in re.findall(r'"([A-Za-z0-9-]+)', wanted.group(1)):
        assert name.lower() in table.lower(), name
