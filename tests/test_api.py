"""The front door: what it exports, that it answers as the command line does, and that its documents run."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.program import ROOT, run

import forensics

if TYPE_CHECKING:
    from pathlib import Path

LOGS = ROOT / "samples" / "netra-backend-staging" / "logs"
NEW, OLD = "netra-backend-staging-00180", "netra-backend-staging-00179"
FUNCTIONS = {
    "analyze": "logs, *, revision, case, service, project, region, from_time, to_time, level, baseline, baseline_logs,"
    " tests, baseline_tests, repo, commit, baseline_commit, rules, jobs -> Report",
    "compare": "before, after, **options -> Comparison",
    "exception_of": "text -> TracedException | None",
    "fingerprint": "text -> str",
    "gate": "revision, baseline, *, max_new, max_ratio, min_requests, **options -> GateResult",
    "join_traces": "lines -> list[str]",
    "load_rules": "folders -> tuple[Rule, ...]",
    "read_report": "source -> Report",
    "render": "report, *, templates -> dict[str, str]",
}
"""What other programs call. A change here is a change of what they rely on: it belongs in the changelog."""
RECORDS = """Change ChangeState Cluster Comparison Coverage Evidence Finding GateReason GateResult GateThresholds
Incident Level Link Outcome Priority Query Report Revision Role Rule
TracedException Verdict Why"""
ERRORS = """BaselineError CaseError ForensicsError LedgerError NoEntriesError RepositoryError RevisionError RuleError
SeveralRevisionsError SourceError TemplateError UsageError"""


@pytest.fixture(scope="module")
def report() -> forensics.Report:
    return forensics.analyze(LOGS, revision=NEW, baseline=OLD)


def test_the_exported_names_are_these() -> None:
    assert {*forensics.__all__} == {*FUNCTIONS, *RECORDS.split(), *ERRORS.split(), "__version__"}
    assert dir(forensics) == sorted(forensics.__all__)
    for name in forensics.__all__:
        assert getattr(forensics, name) is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_signature_stays(name: str) -> None:
    assert signature(getattr(forensics, name)) == FUNCTIONS[name]


def signature(function: object) -> str:
    assert callable(function)
    described = inspect.signature(function)
    words: list[str] = []
    for parameter in described.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        words.append(f"{'**' * (parameter.kind is parameter.VAR_KEYWORD)}{parameter.name}")
    return f"{', '.join(words)} -> {described.return_annotation}"


def test_a_name_that_is_not_exported_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        forensics.analyse  # noqa: B018 - the access is what is tried


def test_importing_costs_nothing() -> None:
    script = (
        "import sys, forensics; print(*sorted(n for n in sys.modules if n.startswith('forensics.') or n == 'msgspec'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_every_function_says_what_it_raises() -> None:
    for name in FUNCTIONS:
        assert "Raises:" in (getattr(forensics, name).__doc__ or "")


def test_the_report_is_that_of_the_command(report: forensics.Report, tmp_path: Path) -> None:
    arguments = ("analyze", "--revision", NEW, "--baseline", OLD, "--logs", str(LOGS), "--out", str(tmp_path))
    run(*arguments, check=True)
    written = {str(f.relative_to(tmp_path)): f.read_text() for f in tmp_path.rglob("*") if f.suffix in {".md", ".json"}}
    settings_of_the_checkout = {"impact", "claims"}
    own = forensics.read_report(tmp_path / "report.json")
    assert {name for name in report.__struct_fields__ if getattr(own, name) != getattr(report, name)} <= (
        settings_of_the_checkout
    )
    assert forensics.render(own) == written


def test_bounds_are_texts_or_datetimes() -> None:
    texts = forensics.analyze(LOGS, revision=NEW, from_time="2025-09-08T16:00:00Z", to_time="2025-09-08 18:10 +02:00")
    moments = forensics.analyze(
        LOGS,
        revision=NEW,
        from_time=datetime(2025, 9, 8, 16, tzinfo=UTC),
        to_time=datetime(2025, 9, 8, 16, 10),  # noqa: DTZ001 - without a zone it is UTC
    )
    assert texts == moments
    assert texts.query.from_time == "2025-09-08T16:00:00Z"


def test_a_comparison_is_the_same_by_names_reports_and_files(report: forensics.Report, tmp_path: Path) -> None:
    by_names = forensics.compare(OLD, NEW, logs=LOGS)
    assert by_names == report.comparison == forensics.compare("previous", NEW, logs=LOGS)
    before = forensics.analyze(LOGS, revision=OLD)
    (tmp_path / "report.json").write_text(forensics.render(before)["report.json"])
    assert forensics.compare(before, report).changes == by_names.changes
    assert forensics.compare(tmp_path / "report.json", NEW, logs=LOGS).changes == by_names.changes


def test_a_gate_judges_revisions_and_reports(report: forensics.Report) -> None:
    assert forensics.gate(NEW, OLD, logs=LOGS) == forensics.gate(report)
    assert forensics.gate(report).outcome is forensics.Outcome.FAIL
    assert forensics.gate(report, max_new="P0", max_ratio=99, min_requests=10**6).thresholds.max_new == "P0"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: forensics.analyze(revision=NEW), forensics.UsageError, "give either logs"),
        (lambda: forensics.analyze(LOGS, revision="shop-api-1"), forensics.RevisionError, "shop-api-1"),
        (lambda: forensics.analyze(LOGS, revision=NEW, level="LOUD"), forensics.UsageError, "'LOUD' is none of"),
        (lambda: forensics.analyze(LOGS, revision=NEW, from_time="soon"), forensics.UsageError, "'soon' is no time"),
        (lambda: forensics.analyze(LOGS, revision=NEW, baseline=NEW), forensics.BaselineError, "with itself"),
        (lambda: forensics.analyze(LOGS, revision="all", baseline=NEW), forensics.UsageError, "one revision"),
        (lambda: forensics.analyze(LOGS / "none", revision=NEW), forensics.SourceError, "none"),
        (lambda: forensics.gate(NEW, logs=LOGS), forensics.UsageError, "name its baseline"),
        (lambda: forensics.gate(NEW, OLD, logs=LOGS, max_new="P9"), forensics.UsageError, "'P9' is none of"),
        (lambda: forensics.read_report(ROOT / "none.json"), forensics.BaselineError, "none.json"),
        (lambda: forensics.read_report(ROOT / "README.md"), forensics.BaselineError, "is not JSON"),
        (lambda: forensics.load_rules(ROOT / "none"), forensics.RuleError, "none"),
    ],
)
def test_what_a_caller_can_mend_is_one_line(call: object, error: type[Exception], words: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=re.escape(words)) as raised:
        call()
    assert isinstance(raised.value, forensics.ForensicsError)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("document", ["python.md", "notebooks.md"])
def test_the_examples_of_a_document_run(document: str, tmp_path: Path) -> None:
    run("analyze", "--revision", NEW, "--baseline", OLD, "--out", str(tmp_path / "forensics-reports" / f"{NEW}-jkl"))
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    blocks = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", (ROOT / "docs" / document).read_text(), re.MULTILINE)
    program = "\n".join(re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks)
    assert len(program.splitlines()) > 5
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
