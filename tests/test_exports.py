"""Invented exports of many teams' services against hand-made labels: found, named right, and nothing blamed when well.

`tests/exports/NAME.jsonl` holds entries as `gcloud logging read` writes them, `NAME.expected.json` what a person finds
in them. The classes there are a little wider than a rule's: `ACCEPTED` says which classes answer which label.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from forensics.classify import Classifier
from forensics.model import Cluster, EntryRow, Query, Report, Role
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Rule

EXPORTS = Path(__file__).parent / "exports"
NAMES = sorted(path.name.removesuffix(".expected.json") for path in EXPORTS.glob("*.expected.json"))
ACCEPTED = {
    "startup_failure": {
        "startup_failure",
        "import_error",
        "syntax_error",
        "config_missing",
        "deploy_failure",
        "db_connection",
        "permission_denied",
    },
    "no_instance_429": {"no_instance"},
    "malformed_response_503": {"malformed_response", "oom"},
    "auth_401_403": {"auth", "permission_denied"},
    "unhandled_exception": {
        "unhandled_exception",
        "http_error",
        "serialization",
        "db_connection",
        "dependency_api_error",
        "config_missing",
        "permission_denied",
    },
    "dependency_api_error": {"dependency_api_error", "permission_denied", "auth"},
    "permission_denied": {"permission_denied", "auth"},
    "config_missing_env": {"config_missing"},
    "serialization": {"serialization", "unhandled_exception"},
    "deploy_audit": {"deploy_failure", "startup_failure", "permission_denied"},
}
"""Labels that more than their own name answers; `other` is content with any cluster."""
RIGHT_AT_LEAST = 0.97

Label = dict[str, Any]


class Analysed(NamedTuple):
    report: Report
    rows: tuple[EntryRow, ...]


@pytest.fixture(scope="module")
def analyses() -> dict[str, Analysed]:
    rules, rulebook = load_rules()
    # A tenth of a second to compile the rules, and the questions of their whys with them, is little for one run and
    # much for as many as there are files. Every run asks for the same.
    compiled: dict[tuple[str, ...], Classifier] = {}

    def once(asked: Sequence[Rule]) -> Classifier:
        key = tuple(rule.id for rule in asked)
        return compiled.get(key) or compiled.setdefault(key, Classifier(asked))

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forensics.extract.facts_extractor.Classifier", once)
        for name in NAMES:
            logs = (str(EXPORTS / f"{name}.jsonl"),)
            query = Query(revision="all", logs=logs)
            analysis = analyze(read_records(logs), rules, query, rulebook=rulebook, tool_version="test")
            found[name] = Analysed(analysis.report, tuple(analysis.rows))
    return found


def label_of(name: str) -> Label:
    label: Label = json.loads((EXPORTS / f"{name}.expected.json").read_text(encoding="utf-8"))
    return label


def incidents() -> Iterator[tuple[str, Label]]:
    for name in NAMES:
        for incident in label_of(name)["incidents"]:
            if incident["class"] != "healthy":
                yield name, incident


def clusters_with(analysis: Analysed, incident: Label) -> list[Cluster]:
    """The clusters that hold an entry of the incident."""
    wanted = set(incident["insertIds"])
    held = {row.cluster for row in analysis.rows if row.insert_id in wanted}
    return [
        cluster
        for cluster in analysis.report.clusters
        if cluster.id in held or any(incident["key_message"] in e.message for e in cluster.exemplars)
    ]


def classes_of(analysis: Analysed, clusters: list[Cluster]) -> set[str]:
    """The classes of the clusters, and of the signatures that their entries matched as well."""
    by_signature = {c.signature: c.failure_class.value for c in analysis.report.clusters if c.signature}
    also = {by_signature[s] for c in clusters for s in c.also_matched if s in by_signature}
    return {c.failure_class.value for c in clusters} | also


def is_right(analysis: Analysed, incident: Label) -> bool:
    clusters = clusters_with(analysis, incident)
    wanted = incident["class"]
    if wanted == "other":
        return bool(clusters)
    return bool(classes_of(analysis, clusters) & ACCEPTED.get(wanted, {wanted}))


@pytest.mark.slow
def test_every_file_is_read_whole(analyses: dict[str, Analysed]) -> None:
    read = {name: analysis.report.coverage.entries_read for name, analysis in analyses.items()}
    assert read == {name: label_of(name)["entries"] for name in NAMES}


@pytest.mark.slow
def test_nearly_every_incident_is_found_and_named_right(analyses: dict[str, Analysed]) -> None:
    wrong = [f"{name}: {i['what']}" for name, i in incidents() if not is_right(analyses[name], i)]
    assert 1 - len(wrong) / len(list(incidents())) >= RIGHT_AT_LEAST, wrong


@pytest.mark.slow
def test_nothing_is_blamed_in_healthy_files(analyses: dict[str, Analysed]) -> None:
    healthy = [name for name in NAMES if all(i["class"] == "healthy" for i in label_of(name)["incidents"])]
    notable = [
        f"{name}: {cluster.title}"
        for name in healthy
        for cluster in analyses[name].report.clusters
        if cluster.role in {Role.CAUSE, Role.MECHANISM} and cluster.priority in {"P0", "P1"}
    ]
    assert len(healthy) > 15
    assert notable == []
