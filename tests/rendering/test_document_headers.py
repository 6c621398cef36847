"""A template says in its header what it is made for; one that would be ignored is refused in a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.builders import query, raw, raws

from forensics.errors import TemplateError
from forensics.model import ClusterId
from forensics.pipeline import analyze
from forensics.rendering import outdated_names, render_report
from forensics.rendering.document_headers import Purpose, find_documents
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Report

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report() -> Report:
    rules, info = load_rules()
    records = raws(raw("ValueError: bad", severity="ERROR"), raw("ok", at=5))
    return analyze(records, rules, query(), rulebook=info, tool_version="test").report


def header(purpose: str, name: str) -> str:
    return f"{{# forensics: document for: {purpose}; name: {name} #}}\n"


def test_shipped_documents_have_headers() -> None:
    found = find_documents(None)
    assert {document.purpose for document in found} >= set(Purpose) - {Purpose.INCIDENT}
    assert found[0].template == "index.md.j2"


def test_a_new_template_is_written(report: Report, tmp_path: Path) -> None:
    (tmp_path / "mine.md.j2").write_text(header("report", "notes/mine.md") + "{{ report.headline | md }}")
    (tmp_path / "each.md.j2").write_text(header("cluster", "each/{id}.md") + "{{ finding.headline | md }}")
    shipped, documents = dict(render_report(report)), dict(render_report(report, tmp_path))
    cluster = report.clusters[0].id
    assert documents.keys() - shipped.keys() == {"notes/mine.md", f"each/{cluster}.md"}
    assert shipped.items() <= documents.items()
    assert documents["notes/mine.md"] == report.headline


def test_each_incident_has_its_document(tmp_path: Path) -> None:
    (tmp_path / "mine.md.j2").write_text(
        header("incident", "{id}.md") + "{{ incident.title | md }}: {{ postmortem.summary[0].statement | md }}"
    )
    records = raws(raw("CRITICAL: worker died", severity="CRITICAL"), raw("ok", at=5))
    rules, info = load_rules()
    found = analyze(records, rules, query(), rulebook=info, tool_version="test").report
    documents = dict(render_report(found, tmp_path))
    assert found.incidents
    for incident in found.incidents:
        assert documents[f"{incident.id}.md"].startswith(incident.title)


@pytest.mark.parametrize("first", ["", header("report", "index.md")])
def test_a_shipped_template_is_replaced_with_and_without_a_header(report: Report, tmp_path: Path, first: str) -> None:
    (tmp_path / "index.md.j2").write_text(first + "mine")
    (tmp_path / "README.md").write_text("about these templates")
    documents = dict(render_report(report, tmp_path))
    assert documents.keys() == dict(render_report(report)).keys()
    assert documents["index.md"] == "mine"


def test_a_partial_is_included_and_not_written(report: Report, tmp_path: Path) -> None:
    (tmp_path / "mine.md.j2").write_text(header("report", "mine.md") + '{% include "part.j2" %}')
    (tmp_path / "part.j2").write_text("{# forensics: partial #}\na part")
    assert dict(render_report(report, tmp_path))["mine.md"] == "a part"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("indx.md.j2", "x", "replaces no shipped template (did you mean 'index.md.j2'?)"),
        ("zebra-quilt.md.j2", "{# my page #}", "has no header and replaces no shipped template;"),
        ("index.md", "x", "rename it to index.md.j2"),
        ("index.j2", "x", "(did you mean 'index.md.j2'?)"),
        ("mine.md.j2", header("reports", "a.md"), "unknown 'for: reports' (did you mean 'report'?)"),
        ("mine.md.j2", "{# forensics: documnt for: report; name: a.md #}", "(did you mean 'document'?)"),
        ("mine.md.j2", "{# forensics: partail #}", "(did you mean 'partial'?)"),
        ("mine.md.j2", "{# forensics: document for: report #}", "unknown header 'document for: report'"),
        ("mine.md.j2", header("cluster", "all.md"), "needs {id} once"),
        ("mine.md.j2", header("cycle", "{id}.md"), "needs {number} once"),
        ("mine.md.j2", header("report", "../a.md"), "inside the folder"),
        ("mine.md.j2", header("report", "/etc/a.md"), "inside the folder"),
        ("mine.md.j2", header("report", "a//b.md"), "inside the folder"),
        ("mine.md.j2", header("report", "C:\\a.md"), "inside the folder"),
        ("mine.md.j2", header("report", ".hidden.md"), "inside the folder"),
        ("mine.md.j2", header("report", "report.json"), "inside the folder"),
        ("mine.md.j2", header("report", "{id}.md"), "inside the folder"),
        ("mine.md.j2", header("report", "Index.md"), "both write Index.md"),
        ("cycle.md.j2", header("report", "mine.md"), "is made for: cycle"),
        ("macros.j2", header("report", "mine.md"), "is a partial"),
        ("mine.md.j2", b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_would_be_ignored_is_refused(
    report: Report, tmp_path: Path, file: str, text: str | bytes, expected: str
) -> None:
    (tmp_path / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TemplateError, match=re.escape(expected)) as error:
        list(render_report(report, tmp_path))
    assert len(str(error.value)) <= 250
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("id_", ["../../etc/passwd", "/etc/passwd", "..", "", "a\\b", "a b", "x" * 400, "ü"])
def test_an_id_never_becomes_a_path(report: Report, id_: str) -> None:
    cluster, finding = report.clusters[0], report.findings[0]
    forged = replace(
        report,
        clusters=(replace(cluster, id=ClusterId(id_)),),
        findings=(replace(finding, cluster=ClusterId(id_)),),
        incidents=(),
        postmortems=(),
    )
    name = next(name for name in dict(render_report(forged)) if name.startswith("five-whys/"))
    assert re.fullmatch(r"five-whys/\w[\w.-]{0,150}\.md", name, re.ASCII)


def test_documents_of_an_earlier_run_are_named_by_their_ids(report: Report, tmp_path: Path) -> None:
    (tmp_path / "mine.md.j2").write_text(header("cluster", "{id}.md"))
    (tmp_path / "they.md.j2").write_text(header("incident", "they/{id}.md"))
    out = tmp_path / "out"
    for name in ("five-whys/oom-a1b2c3.md", "oom-a1b2c3.md", "they/incident-1.md"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("")
    for name in ("my-latest.md", "cycle-0001.md", "they/incidents.md", "comparisons.md"):
        (out / name).write_text("")
    patterns = [pattern for pattern in outdated_names(report, tmp_path) if pattern != "comparison.md"]
    found = sorted(str(file.relative_to(out)) for pattern in patterns for file in out.glob(pattern))
    assert found == ["five-whys/oom-a1b2c3.md", "oom-a1b2c3.md", "they/incident-1.md"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ report.nothing }}", "template mine.md.j2:3: "),
        ("{{ none | md }}", "template mine.md.j2:3: 'NoneType'"),
        ("{{ 1 / 0 }}", "template mine.md.j2:3: division by zero"),
        ("{{ 'a' + 1 }}", "template mine.md.j2:3: "),
        ("{% if %}", "template mine.md.j2:3: "),
    ],
)
def test_a_fault_of_a_users_template_is_one_line_with_its_place(
    report: Report, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "mine.md.j2").write_text(header("report", "mine.md") + "two\n" + text)
    with pytest.raises(TemplateError, match=re.escape(expected)) as error:
        list(render_report(report, tmp_path))
    assert "\n" not in str(error.value)


def test_the_example_of_the_documentation_works(report: Report, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "templates.md").read_text()
    (tmp_path / "pager.md.j2").write_text(text.split("```jinja\n")[1].split("```")[0])
    written = dict(render_report(report, tmp_path))
    assert written[f"pager/{report.clusters[0].id}.md"].startswith("# ")
    assert set(re.findall(r"^\| `(\w+)` \| .* \| .* \|", text, re.MULTILINE)) >= set(Purpose)
