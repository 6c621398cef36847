"""The committed samples are what their maker makes, and hold what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from forensics.text.timestamps import parse_duration, parse_time

SAMPLES = Path(__file__).parent.parent / "samples"
FOLDERS = ("netra-backend-staging", "module-missing-crash-loop", "healthy")


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def entries(sample: str) -> list[dict[str, Any]]:
    paths = sorted((SAMPLES / sample / "logs").glob("*.ndjson"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def truth(sample: str) -> dict[str, dict[str, Any]]:
    revisions: dict[str, dict[str, Any]] = json.loads((SAMPLES / sample / "truth.json").read_bytes())["revisions"]
    return revisions


def text_of(entry: dict[str, Any]) -> str:
    return str(entry.get("textPayload") or entry.get("jsonPayload", {}).get("message", ""))


def test_the_maker_makes_the_committed_files(tmp_path: Path) -> None:
    script = SAMPLES / "make_samples.py"
    subprocess.run([sys.executable, "-B", str(script), str(tmp_path)], check=True, capture_output=True)
    assert contents(tmp_path) == contents(SAMPLES)


def test_each_sample_is_listed_and_explained() -> None:
    index = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for sample in FOLDERS:
        assert f"({sample}/README.md)" in index
        assert (SAMPLES / sample / "README.md").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("sample", FOLDERS)
def test_logs_are_as_gcloud_gives_them(sample: str) -> None:
    for path in (SAMPLES / sample / "logs").glob("*.ndjson"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        times = [parse_time(line["timestamp"]) for line in lines]
        assert times == sorted(times, reverse=True)
    ids = [(entry["logName"], entry["insertId"]) for entry in entries(sample)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("sample", FOLDERS)
def test_an_insert_id_tells_the_time_at_which_the_entry_was_over(sample: str) -> None:
    for entry in entries(sample):
        if "cloudaudit" not in entry["logName"]:
            over = parse_time(entry["timestamp"]) + parse_duration(entry.get("httpRequest", {}).get("latency", "0s"))
            seconds, micros = int(entry["insertId"][:8], 16), int(entry["insertId"][8:16], 16)
            assert abs(seconds * 1_000_000_000 + micros * 1000 - over) < 1_000_000


@pytest.mark.parametrize("sample", FOLDERS)
def test_nobody_real_is_named(sample: str) -> None:
    for name, content in contents(SAMPLES / sample).items():
        text = content.decode()
        assert set(re.findall(r"[\w.]+@([\w-]+\.[\w.-]*\w)", text)) <= {"example.com", "127.0.0.1"}, name
        assert not re.search(r"AIza|BEGIN [A-Z ]*KEY", text), name


def test_the_incident_has_what_its_truth_says() -> None:
    words = {
        "websocket-1011-serialization": "is not JSON serializable",
        "container-exit": "Container called exit(3)",
    }
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries("netra-backend-staging"):
        revision = entry["resource"]["labels"]["revision_name"]
        found.update((revision, signature) for signature, part in words.items() if part in text_of(entry))
        found[revision, f"{entry.get('httpRequest', {}).get('status')}"] += 1
    for revision, signatures in truth("netra-backend-staging").items():
        for signature in words:
            assert found[revision, signature] == signatures.get(signature, {}).get("entries", 0)
        assert found[revision, "500"] == signatures["http-5xx"]["entries"]
        assert found[revision, "403"] == signatures["http-401-403"]["entries"]


def test_the_truth_of_the_incident() -> None:
    first, second, last = truth("netra-backend-staging").values()
    assert [r["websocket-1011-serialization"]["occurrences"] for r in (first, second, last)] == [46, 38, 6]
    assert last["factory-validation"]["occurrences"] > last["websocket-1008-ssot-auth"]["occurrences"] > 6
    assert last["container-exit"]["occurrences"] == 1


def test_the_truth_of_the_crash_loop() -> None:
    (loop,) = truth("module-missing-crash-loop").values()
    assert {loop[s]["occurrences"] for s in ("python-module-missing", "container-exit", "worker-failed-to-boot")} == {
        12
    }


def test_nothing_fails_in_the_healthy_service() -> None:
    assert set(truth("healthy")["catalog-api-00112-mvz"]) == {"http-4xx", "python-warning"}
    assert not [entry for entry in entries("healthy") if entry.get("severity") in {"ERROR", "CRITICAL"}]
