"""The crash loop of a missing module, with a repository that shows why: skipped where the exports are not here."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.repositories import Made

from forensics.model import Query, Verdict, Why
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import read_records
from forensics.sources.repository import GitRepository

NETRA = Path(__file__).parents[3] / "shared" / "data" / "netra"
pytestmark = pytest.mark.skipif(not NETRA.is_dir(), reason="the real exports (../shared) are not here")

MODULE = "netra_backend/app/services/monitoring"
IMPORTER = "netra_backend/app/middleware/gcp_auth_context_middleware.py"


def why_it_is_missing(code: GitRepository | None) -> Why:
    rules, info = load_rules()
    logs = (str(NETRA / "gcp_logs_last_hour_20250915_175001.ndjson"),)
    query = Query(revision="netra-backend-staging-00734", logs=logs)
    found = analyze(read_records(logs), rules, query, rulebook=info, tool_version="test", code=code).report
    (cluster,) = [c for c in found.clusters if c.signature == "python-module-missing"]
    (finding,) = [f for f in found.findings if f.cluster == cluster.id]
    assert finding.whys[3].ask == "Why is it missing from the image?"
    return finding.whys[3]


def asked_of(made: Made, commit: str | None = "HEAD") -> Why:
    with closing(GitRepository(made.path, commit=commit)) as code:
        return why_it_is_missing(code)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = Made(tmp_path / "netra")
    importer = "\n" * 22 + "from netra_backend.app.services.monitoring.gcp_error_reporter import set_request_context\n"
    made.commit(
        "Application",
        {"Dockerfile": "FROM python:3.11-slim\nCOPY . /app\n", IMPORTER: importer, ".dockerignore": "node_modules/\n"},
        at="2025-09-10T10:00:00Z",
    )
    return made


@pytest.mark.slow
def test_left_out_of_the_image_by_that_line_of_that_commit(made: Made) -> None:
    reporter = f"{MODULE}/gcp_error_reporter.py"
    made.commit("Report errors", {f"{MODULE}/__init__.py": "", reporter: "x = 1\n"}, at="2025-09-12T10:00:00Z")
    added = made.commit(
        "Smaller image", {".dockerignore": "node_modules/\n**/monitoring/\n"}, at="2025-09-15T20:00:00Z"
    )
    words = (
        f"`{MODULE}/` exists at commit {added[:7]} and is left out of the image by line 2 of `.dockerignore` "
        f"(`**/monitoring/`), added in {added[:7]} (Smaller image)"
    )
    why = asked_of(made, added)
    assert (why.verdict, why.answer) == (Verdict.SUPPORTED, words)
    made.commit("Mended", {".dockerignore": "node_modules/\n"}, at="2025-09-17T10:00:00Z")
    assumed = asked_of(made, None)
    assert (assumed.verdict, assumed.answer) == (Verdict.PLAUSIBLE, words)
    assert any("is an assumption" in evidence.statement for evidence in assumed.evidence)


@pytest.mark.slow
def test_never_committed(made: Made) -> None:
    why = asked_of(made)
    assert why.verdict is Verdict.SUPPORTED
    assert "it was never committed" in str(why.answer)


def test_neither_is_an_open_question(made: Made) -> None:
    made.commit("Report errors", {f"{MODULE}/__init__.py": ""}, at="2025-09-12T10:00:00Z")
    why = asked_of(made)
    assert (why.verdict, why.answer) == (Verdict.NO_EVIDENCE, None)


def test_without_a_repository_the_option_is_named() -> None:
    why = why_it_is_missing(None)
    assert (why.verdict, why.answer) == (Verdict.NOT_OBSERVABLE, None)
    assert "forensics analyze … --repo PATH" in str(why.next_step)
