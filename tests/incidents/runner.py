"""Analyse a scenario in this process and without files: its report, documents and table of entries."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import pytest
from incidents.order import ORDER
from incidents.platform import PLATFORM
from incidents.requests import REQUESTS
from incidents.starts import STARTS
from incidents.traps import TRAPS

from forensics.classify import Classifier
from forensics.model import EntryRow, Place, Query, RawEntry
from forensics.pipeline import analyze
from forensics.rendering import encode_report, render_report
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from incidents.scenario import Expected, Record, Scenario

    from forensics.model import Rule, RulebookInfo

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (make() for make in (*REQUESTS, *PLATFORM, *STARTS, *ORDER, *TRAPS))
}

QUICK = frozenset({"by-arrival", "crash-loop", "database-refused", "healthy", "job-fails", "serialization"})
"""A request, a start, the platform, an order and a trap: one incident of each kind that costs little."""


def mostly_slow(names: Iterable[str]) -> list[Any]:
    """Parameters for a test of many incidents: all but a few are left out by `make quick`."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in sorted(names)]


Report = dict[str, Any]
"""`report.json` as a reader of the file sees it."""


class Run(NamedTuple):
    """The output of one analysis."""

    report: Report
    documents: dict[str, str]
    rows: tuple[EntryRow, ...]
    records: tuple[Record, ...]


@lru_cache(maxsize=1)
def rulebook() -> tuple[tuple[Rule, ...], RulebookInfo]:
    """Load the shipped rules, once."""
    rules, info = load_rules()
    return tuple(rules), info


_COMPILED: dict[tuple[str, ...], Classifier] = {}


def compiled(rules: Sequence[Rule]) -> Classifier:
    """Compile rules and the questions of their whys once: a tenth of a second is much for hundreds of analyses."""
    key = tuple(rule.id for rule in rules)
    if key not in _COMPILED:
        _COMPILED[key] = Classifier(rules)
    return _COMPILED[key]


def analysed(
    records: Sequence[Record],
    revision: str,
    *,
    render: bool = True,
    from_time: str | None = None,
    to_time: str | None = None,
) -> Run:
    """Analyse records as `forensics analyze --revision R --from … --to …` does."""
    rules, info = rulebook()
    given = [RawEntry(record=record, place=Place(source="scenario", record=n)) for n, record in enumerate(records, 1)]
    query = Query(revision=revision, from_time=from_time, to_time=to_time)
    with patch("forensics.extract.facts_extractor.Classifier", compiled):
        analysis = analyze(given, rules, query, rulebook=info, tool_version="test")
    rows = tuple(analysis.rows)
    documents = dict(render_report(analysis.report)) if render else {}
    return Run(json.loads(encode_report(analysis.report)), documents, rows, tuple(records))


@cache
def run(name: str) -> Run:
    """Analyse a scenario, once."""
    scenario = SCENARIOS[name]
    return analysed(scenario.records, scenario.revision)


def names(cluster: dict[str, Any]) -> set[str]:
    """Return the names that a truth uses for a cluster: its signature, or without one the type of its exception."""
    exception = cluster["exception"]
    return {cluster["signature"] or (exception["type"] if exception else "")}


def clusters_called(report: Report, name: str) -> list[dict[str, Any]]:
    """Return the clusters with a name of a truth."""
    return [cluster for cluster in report["clusters"] if name in names(cluster)]


def first_root(report: Report) -> str | None:
    """Return the first root cause of the report."""
    if not report["root_causes"]:
        return None
    by_id = {cluster["id"]: cluster for cluster in report["clusters"]}
    return min(names(by_id[report["root_causes"][0]["cluster"]]))


def verdicts_of(report: Report, expected: Expected) -> set[str]:
    """Return the verdicts of a why, one for each cluster of that name."""
    ids = {cluster["id"] for cluster in clusters_called(report, expected.cluster)}
    found = set()
    for finding in report["findings"]:
        if finding["cluster"] in ids:
            for number, why in enumerate(finding["whys"], 1):
                if number == expected.ask if isinstance(expected.ask, int) else expected.ask in why["ask"]:
                    found.add(why["verdict"])
    return found
