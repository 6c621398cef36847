"""The checker over logs that were not made for it: all samples, and a sample of the exports of many services."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path

import pytest
from incidents.checker import check
from incidents.compared import comparison_faults
from incidents.documents import check_documents
from incidents.runner import Report, Run, analysed, rulebook

from forensics.model import Place, Query, RawEntry
from forensics.pipeline import analyze
from forensics.rendering import encode_report, render_report
from forensics.sources.junit import read_test_runs

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


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "revision"), SAMPLES)
def test_every_sentence_about_a_sample_is_carried(sample: str, revision: str) -> None:
    records = records_of(*sorted((ROOT / "samples" / sample / "logs").glob("*.ndjson")))
    found = analysed(records, revision)
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


@cache
def compared() -> tuple[Run, Report]:
    """Analyse the third revision of a sample with the results of its tests, beside the revision before."""
    sample = ROOT / "samples/netra-backend-staging"
    records = records_of(*sorted((sample / "logs").glob("*.ndjson")))
    rules, info = rulebook()
    given = [RawEntry(record=one, place=Place(source="sample", record=n)) for n, one in enumerate(records, 1)]
    tests = [read_test_runs([sample / f"tests/cycle{cycle}.xml"]) for cycle in (2, 3)]
    before, now = "netra-backend-staging-00179-gdb", "netra-backend-staging-00180-jkl"
    query = Query(revision=before)
    baseline = analyze(given, rules, query, rulebook=info, tool_version="test", tests=tests[0]).report
    query = Query(revision=now)
    analysis = analyze(
        given,
        rules,
        query,
        rulebook=info,
        tool_version="test",
        tests=tests[1],
        baselines=(baseline,),
    )
    rows, documents = tuple(analysis.rows), dict(render_report(analysis.report))
    return Run(json.loads(encode_report(analysis.report)), documents, rows, tuple(records)), json.loads(
        encode_report(baseline)
    )


@pytest.mark.slow
def test_every_sentence_about_tests_and_a_baseline_is_carried() -> None:
    found, baseline = compared()
    assert found.report["comparison"]["tests"]
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0], baseline=baseline) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "old", "new"),
    [
        ("comparison.md", "38 → 6 in 55 → 73", "38 → 7 in 55 → 73"),
        ("comparison.md", "(ratio 0.12, 0.05–0.26): better", "(ratio 0.12, 0.05–0.26): gone"),
        ("comparison.md", "| requests | 143 | 165 |", "| requests | 165 | 143 |"),
        ("comparison.md", "| 0.524 |", "| 0.044 |"),
        ("comparison.md", "Only what is gone", "The serialization error is fixed. Only what is gone"),
        ("index.md", "**better** websocket-1011-serialization", "**gone** websocket-1011-serialization"),
        ("index.md", "0 → 33 in 55 → 73", "0 → 33 in 55 → 74"),
        ("index.md", "| 5 | 2 | 3 | 0 |", "| 5 | 3 | 2 | 0 |"),
        ("postmortem.md", "19 of 165 requests", "19 of 143 requests"),
        ("postmortem.md", "the first 13 min 44 s after", "the first 13 min 44 s before"),
        ("postmortem.md", "4 of 7 failed tests", "5 of 7 failed tests"),
    ],
)
def test_what_is_planted_beside_a_baseline_is_found(document: str, old: str, new: str) -> None:
    found, _baseline = compared()
    assert old in found.documents[document]
    whole, planted = found.documents[document], found.documents[document].replace(old, new, 1)
    assert new_faults(found, document, planted) > new_faults(found, document, whole)


def new_faults(found: Run, document: str, text: str) -> int:
    """Count what is found in one document; all others are missing, which is the same with and without a plant."""
    return len(list(check_documents(found.report, {document: text})))


@pytest.mark.slow
@pytest.mark.parametrize(
    "field",
    [
        "before",
        "after",
        "ratio",
        "p_value",
        "p_corrected",
        "ci_low",
        "ci_high",
        "episodes_before",
        "exposure_after",
        "state",
    ],
)
def test_a_wrong_number_of_a_change_is_found(field: str) -> None:
    found, baseline = compared()
    report = copy.deepcopy(found.report)
    change = next(c for c in report["comparison"]["changes"] if c["signature"] == "websocket-1011-serialization")
    change[field] = "gone" if field == "state" else change[field] * 2 + 1
    assert list(comparison_faults(report, baseline))
    assert not list(comparison_faults(found.report, baseline))


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted({*SOME, *ONCE_FAULTY}), ids=lambda file: file.stem)
def test_every_sentence_about_an_export_is_carried(file: Path) -> None:
    found = analysed(records_of(file), "all")
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


def test_there_are_forty_exports_of_many_kinds() -> None:
    assert len(SOME) == 40
    assert len({file.stem.partition("-")[0] for file in SOME}) > 15
