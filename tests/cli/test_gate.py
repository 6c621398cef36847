"""`forensics gate` as CI runs it: exit codes, the screen, limits, and what docs/gate.md shows."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import msgspec
import pytest
import yaml
from cli.gates import check_sarif, gate, run
from cloud.server import CloudServer
from support.program import ROOT

from forensics.model import GateReason, GateResult, GateThresholds, Outcome, Priority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs" / "gate.md"


def blocks(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield each example: its opening mark, the flags that it shows, and what stands between the marks."""
    for found in re.finditer(r"(<!-- gate (.*?) -->\n)(.*?)<!-- /gate -->", text, re.DOTALL):
        yield found[1], shlex.split(found[2]), found[3]


@pytest.mark.slow
def test_the_outputs_in_the_docs_are_what_the_program_prints(pytestconfig: pytest.Config) -> None:
    text = DOCS.read_text()
    codes = []
    for mark, flags, _ in list(blocks(text)):
        words = ["gate", "--revision", flags[0], "--baseline", "previous", *flags[1:]]
        done = run(*words)
        codes.append(done.returncode)
        shown = f"```\n$ forensics {' '.join(words)}\n{done.stdout}$ echo $?\n{done.returncode}\n```\n"
        if pytestconfig.getoption("--accept"):
            before, _, rest = text.partition(mark)
            text = before + mark + shown + rest[rest.index("<!-- /gate -->") :]
            DOCS.write_text(text)
        assert shown in DOCS.read_text()
    assert codes == [1, 3, 0]


@pytest.mark.slow
def test_the_workflow_of_the_docs_runs_on_the_sample(tmp_path: Path) -> None:
    found = re.search(r"<!-- workflow -->\n```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    workflow = yaml.safe_load(found[1])
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("forensics ")]
    logs = ROOT / "samples" / "netra-backend-staging" / "logs"
    entries = [json.loads(line) for file in sorted(logs.iterdir()) for line in file.read_text().splitlines()]
    span = ("--from", "2025-09-08T12:00:00Z", "--to", "2025-09-08T18:00:00Z", "--project", "netra-staging")
    with CloudServer(entries) as server:
        for number in ("00179", "00180"):
            where = ("--case", "cases/netra-backend-staging", "--endpoint", server.rest_endpoint)
            pulled = run("pull", "--revision", f"netra-backend-staging-{number}", *span, *where, cwd=tmp_path)
            assert pulled.returncode == 0, pulled.stderr
    summary = tmp_path / "summary.md"
    done = [run(*shlex.split(c)[1:], cwd=tmp_path, summary=str(summary)) for c in commands]
    assert [one.returncode for one in done] == [0, 1], [one.stderr for one in done]
    assert done[1].stdout.startswith("✗ fail: netra-backend-staging-00180-jkl")
    assert "## ✗ fail" in summary.read_text()
    check_sarif(json.loads((tmp_path / "gate.sarif").read_bytes()))
    assert (tmp_path / "gate.xml").is_file()


def test_the_result_as_json_is_the_record(tmp_path: Path) -> None:
    done = gate("--revision", "00180", "--baseline", "00179", "--json", "--out", str(tmp_path / "out"))
    result = msgspec.json.decode(done.stdout, type=GateResult)
    assert (done.returncode, result.outcome, result.baseline) == (1, Outcome.FAIL, "netra-backend-staging-00179-gdb")
    text = DOCS.read_text()
    for record in (GateResult, GateReason, GateThresholds):
        for field in msgspec.structs.fields(record):
            assert re.search(rf"\b{field.encode_name}\b", text), field.encode_name
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    known = {ref["insert_id"] for c in report["clusters"] for ref in c["exemplars"]}
    assert {one for reason in result.reasons for one in reason.evidence} <= known
    assert all(reason.evidence for reason in result.deciding())


@pytest.mark.slow
def test_limits_come_from_the_settings_and_flags_beat_them(tmp_path: Path) -> None:
    logs = ROOT / "samples" / "netra-backend-staging" / "logs"
    settings = tmp_path / "forensics.toml"
    asked = ("gate", "--revision", "00179", "--baseline", "00178", "--logs", str(logs))
    settings.write_text("[gate]\nmin_requests = 80\n")
    assert run(*asked, cwd=tmp_path).returncode == 0
    assert run(*asked, "--min-requests", "200", cwd=tmp_path).returncode == 3
    for text, said in (("max_new = 'P9'", "P9"), ("min_request = 1", "min_request"), ("max_ratio = 0.5", "max_ratio")):
        settings.write_text(f"[gate]\n{text}\n")
        done = run(*asked, cwd=tmp_path)
        assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name it with --baseline"),
        (("--baseline", "00180"), "would be compared with itself"),
        (("--baseline", "00999"), "no revision '00999'"),
        (("--baseline", "00179", "--wait", "1m"), "add --live"),
        (("--baseline", "00179", "--sarif", "/nowhere/x.sarif"), "name another file with --sarif"),
        (("--baseline", "00179", "--live", "--wait", "soon"), "write 30s, 10m or 1h"),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    done = gate("--revision", "00180", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


@pytest.mark.slow
def test_the_summary_is_appended(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Build\n\n")
    asked = ("--revision", "00179", "--baseline", "00178")
    assert gate(*asked, "--summary", str(summary)).returncode == 3
    assert gate(*asked, summary=str(summary)).returncode == 3
    text = summary.read_text()
    assert text.startswith("# Build\n\n## ? not enough traffic: ")
    assert text.count("## ? not enough traffic") == 2


def test_every_priority_is_a_choice() -> None:
    done = gate("--help")
    assert "|".join(Priority).lower() in done.stdout.replace("\n", "").lower()
    assert "3  not enough traffic" in done.stdout
