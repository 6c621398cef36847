"""`forensics verify` finds every flipped byte, and `analyze --case` says what `--logs` says."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from support.builders import REVISION, raw

from forensics.cases import Case, Checkpoint, PullRecord, check_hashes, verify
from forensics.cases.manifest import Manifest, Segment, encode_manifest
from forensics.errors import CaseError

PULL = PullRecord(filter="f", project="p", started="2025-09-08T14:00:00Z")


def run(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "forensics", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def fill(folder: Path, pages: list[list[bytes]], *, done: bool = False) -> Path:
    with Case.create(folder) as case:
        case.begin(PULL)
        for number, page in enumerate(pages, 1):
            case.append(page, Checkpoint(next_page_token=str(number), done=done and number == len(pages)))
    return folder


def entries(count: int) -> list[bytes]:
    message = "ValueError: no such card"
    records = [raw(f"{message} {i}", at=i, number=i, severity="ERROR" if i % 3 == 0 else "INFO") for i in range(count)]
    return [json.dumps(record).encode() for record in records]


# --- verify ---


def test_a_sound_case_is_told_in_one_line(pulled: Path) -> None:
    code, out, err = run(pulled.parent, "verify", "shop")
    sha256 = hashlib.sha256((pulled / "manifest.json").read_bytes()).hexdigest()
    assert (code, err) == (0, "")
    assert out == f"case is sound: 4 entries in 2 segments, sha256 of the manifest {sha256}\n"


@pytest.mark.slow
@settings(max_examples=150)
@given(position=st.floats(min_value=0, max_value=1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0, 2))
def test_a_flipped_bit_is_found(position: float, bit: int, which: int) -> None:
    with TemporaryDirectory() as folder:
        case = fill(Path(folder, "case"), [entries(3), entries(2)])
        files = [case / "manifest.json", *sorted((case / "segments").iterdir())]
        data = bytearray(files[which].read_bytes())
        data[int(position * len(data))] ^= 1 << bit
        files[which].write_bytes(data)
        problems = verify(case)
        assert len(problems) == 1
        assert files[which].name in problems[0]
        assert "\n" not in problems[0]


@pytest.mark.slow
def test_every_byte_of_a_manifest_counts(pulled: Path) -> None:
    file = pulled / "manifest.json"
    data = file.read_bytes()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        file.write_bytes(changed)
        assert len(verify(pulled)) == 1, position
    for other in (data + b"\n", data[:-1], data[1:], b"", b"[]", b"null"):
        file.write_bytes(other)
        assert len(verify(pulled)) == 1


def test_all_problems_are_listed(pulled: Path) -> None:
    first, second = sorted((pulled / "segments").iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes() + b"\0")
    code, out, err = run(pulled.parent, "verify", "shop")
    assert (code, out) == (2, "")
    one, two = err.splitlines()
    assert first.name in one
    assert "cannot be read: No such file or directory" in one
    assert second.name in two
    assert "bytes, the manifest says" in two


def test_a_manifest_with_a_good_seal_and_wrong_counts(pulled: Path) -> None:
    manifest = Case.look(pulled).manifest
    told = []
    for segment in (
        {"entries": 7},
        {"first": None},
    ):
        wrong = tuple(Segment(**{**_fields(s), **segment}) for s in manifest.segments)
        (pulled / "manifest.json").write_bytes(encode_manifest(Manifest(**{**_fields(manifest), "segments": wrong})))
        told.append(" | ".join(verify(pulled)))
    assert "holds 3 whole entries, the manifest says 7" in told[0]
    assert "its pulls brought 4 entries, its segments hold 14" in told[0]
    assert "reaches from '2025-09-08T14:00:01.123456789Z'" in told[1]


def _fields(record: Manifest | Segment) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


@pytest.mark.parametrize("file", ["../secret.ndjson.zst", "/etc/passwd", "segments/../x.zst", "segments/000001.ndjson"])
def test_a_manifest_does_not_lead_out_of_its_folder(pulled: Path, file: str) -> None:
    manifest = Case.look(pulled).manifest
    segment = Segment(**{**_fields(manifest.segments[0]), "file": file})
    (pulled / "manifest.json").write_bytes(encode_manifest(Manifest(**{**_fields(manifest), "segments": (segment,)})))
    assert "cannot be a segment's file" in verify(pulled)[0]


@pytest.mark.slow
@pytest.mark.parametrize("make", ["nothing", "empty", "file", "schema"])
def test_a_bad_folder_is_one_line(tmp_path: Path, make: str) -> None:
    if make == "empty":
        (tmp_path / "case").mkdir()
    elif make == "file":
        (tmp_path / "case").write_text("hello")
    elif make == "schema":
        (tmp_path / "case").mkdir()
        (tmp_path / "case" / "manifest.json").write_text('{"schema": "forensics.case/2"}')
    for arguments in (("verify", "case"), ("analyze", "--revision", "all", "--case", "case")):
        code, out, err = run(tmp_path, *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("forensics: ")
        assert "case" in err
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CaseError):
        Case.open(tmp_path / "case")
    assert sorted(tmp_path.rglob("*")) == before


# --- analyze --case ---


def analyzed(cwd: Path, *arguments: str) -> tuple[dict[str, Any], dict[str, str]]:
    out = cwd / "out"
    shutil.rmtree(out, ignore_errors=True)
    code, _, err = run(cwd, "analyze", "--revision", REVISION, "--out", str(out), *arguments)
    assert (code, err) == (0, "")
    files = {str(file.relative_to(out)): file.read_text() for file in sorted(out.rglob("*")) if file.is_file()}
    return json.loads(files.pop("report.json")), files


def test_a_case_and_the_same_entries_as_a_file_give_the_same_report(tmp_path: Path) -> None:
    lines = entries(33)
    (tmp_path / "logs.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    case = fill(tmp_path / "case", [lines[:10], lines[10:21], lines[21:]], done=True)
    from_file, documents = analyzed(tmp_path, "--logs", "logs.ndjson")
    from_case, documents_of_case = analyzed(tmp_path, "--case", "case")
    sha256 = hashlib.sha256((case / "manifest.json").read_bytes()).hexdigest()
    assert from_file.pop("case") is None
    assert from_case.pop("case") == {"folder": "case", "sha256": sha256}
    assert (from_case["query"].pop("logs"), from_case["query"].pop("case")) == ([], "case")
    assert (from_file["query"].pop("logs"), from_file["query"].pop("case")) == (["logs.ndjson"], None)
    assert from_case == json.loads(json.dumps(from_file).replace("--logs logs.ndjson", "--case case"))
    documents = {name: text.replace("--logs logs.ndjson", "--case case") for name, text in documents.items()}
    index, index_of_case = documents.pop("index.md"), documents_of_case.pop("index.md")
    assert documents_of_case == documents
    sentence = f"Read from the case `case`, whose `manifest.json` has the SHA-256 `{sha256}`.\n\n"
    assert index_of_case.count(sentence) == 1
    assert index_of_case.replace(sentence, "") == index


def test_a_joined_case_gives_the_same_report(tmp_path: Path) -> None:
    lines = entries(33)
    reports = []
    for name, done in (("parts", False), ("joined", True)):
        fill(tmp_path / name, [lines[:10], lines[10:21], lines[21:]], done=done)
        report, _ = analyzed(tmp_path, "--case", name)
        del report["case"], report["query"]["case"]
        assert report["coverage"]["truncated"] is not done  # a pull that has not come to its end is cut
        report["coverage"] |= {"truncated": None, "truncation": None, "cut": None, "warnings": []}
        reports.append(json.loads(json.dumps(report).replace(f"--case {name}", "--case NAME")))
    assert reports[0] == reports[1]
    assert len(Case.look(tmp_path / "joined").manifest.segments) == 1


def test_case_and_logs_together_are_bad_usage(pulled: Path) -> None:
    code, out, err = run(pulled.parent, "analyze", "--revision", "all", "--case", "shop", "--logs", "x")
    assert (code, out) == (2, "")
    assert err == "forensics: --case and --logs both say what to read: give one of them\n"


def test_an_empty_case_says_so(tmp_path: Path) -> None:
    fill(tmp_path / "case", [[]])
    code, _, err = run(tmp_path, "analyze", "--revision", "all", "--case", "case")
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no entries" in err


def test_no_report_is_made_from_a_changed_case(pulled: Path) -> None:
    file = min((pulled / "segments").iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CaseError, match="is not sound"):
        check_hashes(Case.look(pulled))
    code, _, err = run(pulled.parent, "analyze", "--revision", "all", "--case", "shop")
    assert (code, err.count("\n")) == (2, 1)
    assert "forensics verify shop" in err
    assert not (pulled.parent / "forensics-reports").exists()
