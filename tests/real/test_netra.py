"""The main job on real exports; skipped where they are not beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.model import Cluster, Query, Report, Role
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import read_records

NETRA = Path(__file__).parents[3] / "shared" / "data" / "netra"
pytestmark = pytest.mark.skipif(not NETRA.is_dir(), reason="the real exports (../shared) are not here")


def report(file: str, revision: str) -> Report:
    rules, info = load_rules()
    logs = (str(NETRA / file),)
    query = Query(revision=revision, logs=logs)
    return analyze(read_records(logs), rules, query, rulebook=info, tool_version="test").report


def by_signature(found: Report, signature: str) -> Cluster:
    (cluster,) = [c for c in found.clusters if c.signature == signature]
    return cluster


@pytest.fixture(scope="module")
def crash_loop() -> Report:
    return report("gcp_logs_last_hour_20250915_175001.ndjson", "netra-backend-staging-00734")


def test_the_crash_loop_has_one_root(crash_loop: Report) -> None:
    assert crash_loop.revision.name == "netra-backend-staging-00734-fvm"
    (incident,) = crash_loop.incidents
    root = by_signature(crash_loop, "python-module-missing")
    assert incident.root_cluster == root.id
    assert root.captures["module"] == (("netra_backend.app.services.monitoring", 15),)
    assert (root.occurrences, root.entries, root.unit) == (15, 120, "instance life")
    assert root.entries_by_severity == {"(none)": 45, "ERROR": 75}
    assert root.cadence is not None
    assert (round(root.cadence.median, 1), root.cadence.shortest > 6.8, root.cadence.longest < 8.0) == (7.1, True, True)


def test_worker_failures_and_exits_hang_below_it(crash_loop: Report) -> None:
    (incident,) = crash_loop.incidents
    for signature, entries in (("worker-failed-to-boot", 45), ("container-exit", 15)):
        cluster = by_signature(crash_loop, signature)
        assert cluster.id in incident.clusters
        assert (cluster.occurrences, cluster.entries) == (15, entries)


def test_nothing_is_called_a_websocket_failure(crash_loop: Report) -> None:
    for cluster in crash_loop.clusters:
        if cluster.role is not Role.NOISE:
            assert "websocket" not in f"{cluster.signature} {cluster.title} {cluster.failure_class}".lower()


def test_the_cut_and_the_missing_request_log_are_told(crash_loop: Report) -> None:
    coverage = crash_loop.coverage
    assert coverage.covered_seconds is not None
    assert round(coverage.covered_seconds, 1) == 106.9
    assert coverage.truncated is None
    assert "1,000" in str(coverage.truncation)
    assert {k: coverage.logs[k] for k in ("stderr", "stdout", "system", "requests", "audit")} == {
        "stderr": 584,
        "stdout": 371,
        "system": 45,
        "requests": 0,
        "audit": 0,
    }
    assert any("effect on users cannot be told" in warning for warning in coverage.warnings)


def test_why_nothing_stopped_the_rollout(crash_loop: Report) -> None:
    finding = next(f for f in crash_loop.findings if f.cluster == crash_loop.incidents[0].root_cluster)
    evidence = [e for why in finding.whys for e in why.evidence if e.kind == "entries" and (e.count, e.of) == (14, 14)]
    assert evidence, [(w.ask, [(e.kind, e.count, e.of) for e in w.evidence]) for w in finding.whys]


def test_the_database_is_the_root_and_22_requests_are_symptoms_of_two_occurrences() -> None:
    found = report("gcp_backend_logs_last_1hour_20250915_143747.ndjson", "00711")
    assert found.revision.name == "netra-backend-staging-00711-d6z"
    incident = found.incidents[0]
    family = {c.id: c for c in found.clusters if c.id in incident.clusters}
    assert family[incident.root_cluster].failure_class == "db_connection"
    messages = [x.message for c in family.values() for x in c.exemplars]
    assert any("Failed to run migrations" in m for m in messages)
    assert any("Database initialization timeout" in m for m in messages)
    requests = by_signature(found, "malformed-response-503")
    assert requests.id in family
    assert requests.occurrences == 22
    assert any(x.symptom == requests.id and (x.explained, x.causes) == (22, 2) for x in found.links)


def test_missing_payloads_are_told_and_nothing_is_blamed() -> None:
    found = report("gcp_backend_logs_last_1hour_20250915_143654_EMPTY_PAYLOADS.ndjson", "00711")
    assert "payload" in found.headline
    assert any("payloads are missing" in warning for warning in found.coverage.warnings)
    assert not [c for c in found.clusters if c.role in {Role.CAUSE, Role.MECHANISM}]
    assert not found.links


def test_an_error_logged_after_the_response_explains_it() -> None:
    found = report("gcp_logs_iteration_3_analysis.ndjson", "00093")
    cause = by_signature(found, "async-contract")
    links = [x for x in found.links if x.cause == cause.id]
    assert [(x.explained, x.of) for x in links] == [(3, 3)]
    assert links[0].lag is not None
    assert max(links[0].lag) < 0
    symptom = next(c for c in found.clusters if c.id == links[0].symptom)
    assert symptom.failure_class == "http_error"


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(p.name for p in NETRA.glob("*.ndjson")) if NETRA.is_dir() else [])
def test_every_line_is_an_entry(file: str) -> None:
    lines = sum(1 for line in (NETRA / file).read_bytes().splitlines() if line.strip())
    assert report(file, "all").coverage.entries_read == lines
