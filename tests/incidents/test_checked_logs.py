"""The checker over logs that were not made for it: all samples, and a sample of the exports of many services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from incidents.checker import check
from incidents.runner import analysed, rulebook

ROOT = Path(__file__).parents[2]
EXPORTS = sorted((ROOT / "tests/exports").glob("*.jsonl"))
SOME = EXPORTS[:: max(1, len(EXPORTS) // 40)][:40]
ONCE_FAULTY = [
    ROOT / f"tests/exports/{name}.jsonl"
    for name in ("dotnet-various", "firebase-v2-unhandled", "nest-typeorm-refused", "prisma-unreachable-and-pool")
]
"""One for each kind of statement that was once found to be carried by nothing."""
SAMPLES = [
    (sample.name, revision)
    for sample in sorted((ROOT / "samples").iterdir())
    if (sample / "truth.json").is_file()
    for revision in json.loads((sample / "truth.json").read_text("utf-8"))["revisions"]
]


def records_of(*files: Path) -> list[dict[str, object]]:
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]


@pytest.mark.parametrize(("sample", "revision"), SAMPLES)
def test_every_sentence_about_a_sample_is_carried(sample: str, revision: str) -> None:
    records = records_of(*sorted((ROOT / "samples" / sample / "logs").glob("*.ndjson")))
    found = analysed(records, revision)
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


@pytest.mark.parametrize("file", sorted({*SOME, *ONCE_FAULTY}), ids=lambda file: file.stem)
def test_every_sentence_about_an_export_is_carried(file: Path) -> None:
    found = analysed(records_of(file), "all")
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


def test_there_are_forty_exports_of_many_kinds() -> None:
    assert len(SOME) == 40
    assert len({file.stem.partition("-")[0] for file in SOME}) > 15
