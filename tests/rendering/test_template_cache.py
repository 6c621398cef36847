"""Templates are compiled once; what is kept is used only when it is of this very text, and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from jinja2 import Environment
from support.builders import query, raw, raws

from forensics.pipeline import analyze
from forensics.rendering import render_report, template_cache as compiled_module
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import Report


@pytest.fixture(scope="module")
def report() -> Report:
    rules, info = load_rules()
    records = raws(raw("ValueError: bad", severity="ERROR"), raw("ok", at=5))
    return analyze(records, rules, query(), rulebook=info, tool_version="test").report


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kept"
    monkeypatch.setattr(compiled_module, "_folder", lambda: folder)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "index.md.j2").write_text("{{ report.revision.name | code }} first")
    return folder


def compile_nothing(*_: object, **__: object) -> NoReturn:
    pytest.fail("compiled again")


def test_what_is_kept_is_used_and_says_the_same(report: Report, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dict(render_report(report))
    assert list(kept.iterdir())
    monkeypatch.setattr(Environment, "compile", compile_nothing)
    assert dict(render_report(report)) == first


def test_a_users_template_is_kept_by_its_text(report: Report, kept: Path, own: Path) -> None:
    shipped = dict(render_report(report))
    assert dict(render_report(report, own))["index.md"].endswith("first")
    (own / "index.md.j2").write_text("{{ report.revision.name | code }} second")
    assert dict(render_report(report, own))["index.md"].endswith("second")
    assert dict(render_report(report)) == shipped
    assert kept.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"x", b"\x00" * 5000])
def test_a_damaged_file_is_ignored_and_written_anew(report: Report, kept: Path, damage: bytes) -> None:
    first = dict(render_report(report))
    whole = {file: file.read_bytes() for file in kept.iterdir()}
    for file, data in whole.items():
        file.write_bytes(data[: len(data) // 2] + damage)
    assert dict(render_report(report)) == first
    assert {file: file.read_bytes() for file in kept.iterdir()} == whole


def test_a_file_of_another_version_is_ignored(report: Report, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dict(render_report(report))
    before = {file.name: file.read_bytes() for file in kept.iterdir()}
    monkeypatch.setattr(compiled_module, "__version__", "another")
    assert dict(render_report(report)) == first
    assert {file.name for file in kept.iterdir()} == before.keys()
    assert all(file.read_bytes() != before[file.name] for file in kept.iterdir())


def test_where_nothing_can_be_written_documents_come_out_all_the_same(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(compiled_module, "_folder", lambda: tmp_path / "file")
    assert dict(render_report(report))["index.md"]
