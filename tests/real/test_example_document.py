"""The document of a real crash loop says at least what a careful person wrote by hand, with the same figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics.model import Query, Report
from forensics.pipeline import analyze
from forensics.rendering import decode_report, encode_report, render_report
from forensics.rulebook import load_rules
from forensics.sources import read_records

EXPORT = Path(__file__).parents[3] / "shared" / "data" / "netra" / "gcp_logs_last_hour_20250915_175001.ndjson"
pytestmark = pytest.mark.skipif(not EXPORT.is_file(), reason="the real exports (../shared) are not here")


@pytest.fixture(scope="module")
def report() -> Report:
    rules, info = load_rules()
    logs = (str(EXPORT),)
    query = Query(revision="netra-backend-staging-00734", logs=logs)
    return analyze(read_records(logs), rules, query, rulebook=info, tool_version="test").report


@pytest.fixture(scope="module")
def documents(report: Report) -> dict[str, str]:
    return dict(render_report(report))


@pytest.fixture(scope="module")
def document(report: Report, documents: dict[str, str]) -> str:
    return documents[f"five-whys/{report.incidents[0].root_cluster}.md"]


@pytest.mark.parametrize(
    "words",
    [
        "Every instance dies at start-up",
        "netra-backend-staging-00734-fvm (asked: `netra-backend-staging-00734`)",
        "**Whys** answered down to why 3; why 4 is open",
        "15 instance lives (120 entries: 5 ERROR and 3 without severity in each)",
        "2025-09-16T00:41:13.081881Z",
        "one every 7.1 s (6.9–7.8 s): a restart loop",
        "5.5 s from start to exit (5.2–5.8 s; both ends recorded in 14 of 15)",
        "there is no request log in these entries",
        "> python module missing → worker failed to boot → container exit",
        "0.06–0.12 s before 15 of 15",
        "0.38–0.41 s before 15 of 15",
        "`Reason: Worker failed to boot.`",
        "`Container called exit(3).`",
        "middleware_setup.py:836",
        "`setup_middleware`",
        "gcp_auth_context_middleware.py:23",
        "`ModuleNotFoundError: No module named 'netra_backend.app.services.monitoring'`",
        "ModuleNotFoundError → ModuleNotFoundError → RuntimeError",
        "the same in 15 of 15 occurrences that were compared",
        "Needs investigation (not observable)",
        "the logs cannot tell these apart",
        "2.4–2.7 s before the error in 14 of 14 instance lives",
        "`Default STARTUP TCP probe succeeded after 1 attempt",
        "Listening at: http://0.0.0.0:8000",
        "looked for and not found in the entries that were read",
        "UNASSIGNED",
        "Read: 1,000 entries, 0 unreadable",
        "newest first",
        "probably cut by a limit (1000)",
        "stdout 371, stderr 584, system 45; **absent: requests, audit**",
        "180 without a severity",
        "life 15 (25 µs)",
        "15 ended (14 of them recorded from their start), 1 had not ended",
        "68c8b23b000a68632e6e4f2b",
        "console.cloud.google.com/logs/query",
    ],
)
def test_what_the_hand_made_document_says_is_said(document: str, words: str) -> None:
    assert words in document


def test_every_answer_stands_beside_its_verdict(document: str) -> None:
    headings = re.findall(r"^## \d+\. .* — (.*)$", document, re.MULTILINE)
    assert len(headings) >= 5
    for heading in headings:
        assert re.fullmatch(
            r"(Answer \((supported|refuted)|Hypothesis \((plausible|contested)|"
            r"Needs investigation \((no evidence|not observable))(, \d+ of \d+)?\)",
            heading,
        ), heading


def test_the_open_question_is_not_answered(document: str) -> None:
    _, _, after = document.partition("Why is it missing from the image? — Needs investigation")
    section = after.split("\n## ")[0]
    assert "--repo" in section or "git log" in section
    assert "Answer" not in section


def test_the_graph_shows_shares_and_lags(document: str) -> None:
    graph = document.partition("```mermaid\n")[2].partition("\n```")[0]
    assert '-- "15 of 15, 0.38–0.41 s" -->' in graph
    assert '-- "15 of 15, 0.06–0.12 s" -->' in graph


def test_no_word_of_users_or_websockets_is_claimed(document: str, documents: dict[str, str]) -> None:
    assert "cannot be told" in document
    assert "cannot be told" in documents["postmortem.md"]
    for line in re.findall(r"^## .*$", document, re.MULTILINE):
        assert "websocket" not in line.lower()


def test_the_postmortem_has_all_its_parts(documents: dict[str, str]) -> None:
    text = documents["postmortem.md"]
    for part in ("Summary", "Impact", "Root cause", "Contributing factors", "Rivals", "Onset, detection, recovery"):
        assert f"### {part}" in text, part
    for part in ("### Actions", "### Lessons", "### Open questions", "## Timeline", "## Appendix"):
        assert part in text, part
    assert "What noticed it, and how long after it began?** Needs investigation (no evidence)" in text
    assert "15 of 15 instance lives that ended (120 entries)" in text
    assert "90 of its 180 entries carry no severity" in text


def test_the_documents_can_be_made_from_the_saved_report(report: Report, documents: dict[str, str]) -> None:
    assert dict(render_report(decode_report(encode_report(report), "report.json"))) == documents
