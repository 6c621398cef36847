"""The whole command on every sample, against golden files that people can read, and against the samples' own truth."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.program import ROOT, run

from forensics import __version__

SNAPSHOTS = Path(__file__).parent / "snapshots"
SAMPLES = {
    "netra-backend-staging": "netra-backend-staging-00180",
    "module-missing-crash-loop": "latest",
    "healthy": "latest",
}


def analysed(out: Path, sample: str, revision: str) -> str:
    logs = f"samples/{sample}/logs"
    done = run("analyze", "--revision", revision, "--logs", logs, "--out", str(out), check=True)
    assert done.stderr == ""
    return done.stdout.replace(str(out), "OUT")


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_documents_are_as_accepted(sample: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    texts = {"txt": analysed(tmp_path, sample, SAMPLES[sample])}
    # Neither a new rule nor a new version must change every golden file.
    index = re.sub(r"with \d+ rules", "with N rules", (tmp_path / "index.md").read_text())
    texts["index.md"] = index.replace(f"forensics {__version__}", "forensics VERSION")
    texts["postmortem.md"] = (tmp_path / "postmortem.md").read_text()
    report = json.loads((tmp_path / "report.json").read_text())
    for incident in report["incidents"][:1]:
        texts["five-whys.md"] = (tmp_path / "five-whys" / f"{incident['root_cluster']}.md").read_text()
    for kind, text in texts.items():
        golden = SNAPSHOTS / f"{sample}.{kind}"
        if request.config.getoption("--accept"):
            SNAPSHOTS.mkdir(exist_ok=True)
            golden.write_text(text)
        assert text == golden.read_text(), f"{golden.name} has changed; read the difference, then run pytest --accept"


@pytest.mark.slow
def test_the_same_command_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        analysed(tmp_path / name, "netra-backend-staging", "netra-backend-staging-00180")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*") if p.is_file())
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def truths() -> list[tuple[str, str]]:
    found = []
    for sample in SAMPLES:
        truth = json.loads((ROOT / "samples" / sample / "truth.json").read_text())
        found += [(sample, revision) for revision in truth["revisions"]]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "revision"), truths())
def test_counts_and_links_are_those_of_the_truth(sample: str, revision: str, tmp_path: Path) -> None:
    analysed(tmp_path, sample, revision)
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    truth = json.loads((ROOT / "samples" / sample / "truth.json").read_text())["revisions"][revision]
    found: dict[str, dict[str, int]] = {}
    for cluster in report["clusters"]:
        counts = found.setdefault(cluster["signature"], {"entries": 0, "occurrences": 0})
        counts["entries"] += cluster["entries"]
        counts["occurrences"] += cluster["occurrences"]
    assert found == {k: {"entries": v["entries"], "occurrences": v["occurrences"]} for k, v in truth.items()}
    signature = {c["id"]: c["signature"] for c in report["clusters"]}
    explained: dict[tuple[str, str], int] = {}
    for link in report["links"]:
        pair = (signature[link["cause"]], signature[link["symptom"]])
        explained[pair] = explained.get(pair, 0) + link["explained"]
    for cause, expected in truth.items():
        for symptom, count in expected.get("symptoms", {}).items():
            assert explained[cause, symptom] == count, (cause, symptom)


def test_the_seed_incident_shows_three_signatures(tmp_path: Path) -> None:
    printed = analysed(tmp_path, "netra-backend-staging", "netra-backend-staging-00180")
    assert printed.startswith("netra-backend-staging-00180-jkl")
    report = json.loads((tmp_path / "report.json").read_text())
    causes = {c["signature"] for c in report["clusters"] if c["role"] == "cause"}
    assert causes >= {"factory-validation", "websocket-1008-ssot-auth", "websocket-1011-serialization"}


def test_every_row_of_the_table_is_an_entry_of_the_logs_and_redacted(tmp_path: Path) -> None:
    analysed(tmp_path, "netra-backend-staging", "netra-backend-staging-00180")
    ids = set()
    for file in (ROOT / "samples/netra-backend-staging/logs").glob("*.ndjson"):
        ids |= {json.loads(line)["insertId"] for line in file.read_text().splitlines()}
    with (tmp_path / "entries.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(rows) == report["coverage"]["analysed"] == sum(c["entries"] for c in report["clusters"])
    assert {row["insert_id"].lstrip("'") for row in rows} <= ids


@pytest.mark.slow
@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_no_secret_and_no_address_reaches_a_document(sample: str, tmp_path: Path) -> None:
    analysed(tmp_path, sample, SAMPLES[sample])
    for file in tmp_path.rglob("*"):
        if file.is_file():
            text = file.read_text()
            for secret in ("e2e@example.com", "@example.com", "not-a-real", "hunter2", "fake-"):
                assert secret not in text, file


@pytest.mark.slow
def test_a_saved_report_gives_the_same_documents_without_logs(tmp_path: Path) -> None:
    analysed(tmp_path / "first", "module-missing-crash-loop", "latest")
    before = (tmp_path / "first" / "index.md").read_bytes()
    report, again = str(tmp_path / "first" / "report.json"), str(tmp_path / "again")
    run("render", report, "--out", again, cwd=tmp_path, check=True)
    assert next((tmp_path / "again").rglob("index.md")).read_bytes() == before


@pytest.mark.slow
def test_what_was_compared_is_not_to_be_compared_again(tmp_path: Path) -> None:
    """An open question whose command was just given would be answered the same again."""
    logs, out = "samples/netra-backend-staging/logs", str(tmp_path)
    run("analyze", "--revision", "00180", "--baseline", "previous", "--logs", logs, "--out", out, check=True)
    text = (tmp_path / "postmortem.md").read_text()
    assert "Is it new in this revision? It was there before: look for what began it before" in text
    assert "--baseline" not in text
