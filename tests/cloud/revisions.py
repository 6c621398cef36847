"""Invented revisions that are pulled from the test server, and their reports: live, and from a file."""

from __future__ import annotations

import json
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from cloud.pulls import Clock
from cloud.server import CloudServer
from incidents.runner import compiled, rulebook
from incidents.scenario import EPOCH, MILLISECOND, PROJECT, REVISION, SECOND, World

from forensics.cases import Case
from forensics.cloud.connection import Access, connect
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.model import Level, Nanoseconds, Place, Query, RawEntry
from forensics.pipeline import analyze
from forensics.pulling import NoObserver, PullRequest, find_target, pull, pulled_of
from forensics.rendering import encode_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from incidents.scenario import Record

    from forensics.model import Pulled, Report

START = round(EPOCH.timestamp()) * SECOND
HOUR = 3600 * SECOND
LEAD = 600 * SECOND
"""A deployment stands before the first entry."""
SMALL = 100_000
WARNING = "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out"
"""A rule says that it explains failed requests within a minute."""
POOL, FAILED = "database-pool-exhausted", "http-5xx"


class Plan(NamedTuple):
    """How much happens within the hour of a revision."""

    requests: int = 2_000
    failures: int = 40
    warnings: int = 300
    instances: int = 4
    is_true: bool = False
    """Whether a warning stands 0.3 s before each failure."""


def invent(seed: int, plan: Plan, revision: str = REVISION) -> list[Record]:
    """A revision whose warnings come at any time, and have nothing to do with its failures unless the plan says so."""
    world = World(f"live {seed}", revision)
    instances = [world.started(0) for _ in range(plan.instances)]

    def moment() -> int:
        return world.between(10 * SECOND, HOUR - 20 * SECOND)

    for number in range(plan.requests):
        status = 500 if number < plan.failures else 200
        one, end = world.rng.choice(instances), moment()
        world.request(one, end, world.between(20, 300) * MILLISECOND, "/api/orders", status)
        if plan.is_true and status == 500:
            world.line(one, end - world.between(280, 320) * MILLISECOND, WARNING, "WARNING")
    for _ in range(plan.warnings):
        world.line(world.rng.choice(instances), moment(), WARNING, "WARNING")
    return world.records


def fill(
    server: CloudServer,
    folder: Path,
    *,
    small: int = SMALL,
    revision: str = REVISION,
    until: int = HOUR,
    now: str = "2026-05-02T00:00:00Z",
    clock: Clock | None = None,
) -> Case:
    """Pull a revision as `forensics analyze --live` does, whole up to a number of entries; return its case."""
    clock = clock or Clock()
    span = TimeSpan(Nanoseconds(START - LEAD), Nanoseconds(START + until))
    with closing(connect(Access(project=PROJECT, endpoint=server.rest_endpoint), {})) as transport:
        pacer, backoff = Pacer(clock, clock.sleep), Backoff(Random(0))  # noqa: S311 - nothing secret
        reader = PageReader(transport, pacer=pacer, backoff=backoff, sleep=clock.sleep)
        target = find_target(reader, Target(revision=revision, project=PROJECT), span, lambda *_: None)
        is_there = (folder / "manifest.json").exists()
        with Case.open(folder) if is_there else Case.create(folder) as case:
            order = PullRequest(target=target, span=span, level=Level.ERROR, whole_up_to=small)
            pull(case, reader, order, NoObserver(), now)
    return Case.look(folder)


def report_of(
    records: Sequence[Record], pulled: Sequence[Pulled] = (), revision: str = REVISION, baseline: Report | None = None
) -> Report:
    """Analyse records in this process; `pulled` are the listings that brought them."""
    rules, info = rulebook()
    given = [RawEntry(record=record, place=Place(source="case", record=n)) for n, record in enumerate(records, 1)]
    query = Query(revision=revision)
    with patch("forensics.extract.facts_extractor.Classifier", compiled):
        baselines = (baseline,) if baseline else ()
        return analyze(
            given, rules, query, rulebook=info, tool_version="test", pulled=pulled, baselines=baselines
        ).report


def report_of_case(case: Case, revision: str = REVISION, baseline: Report | None = None) -> Report:
    """Analyse what a case holds of a revision."""
    return report_of([json.loads(line) for line in case.lines()], pulled_of(case.manifest), revision, baseline)


def live(seed: int, plan: Plan, folder: Path, *, small: int = SMALL) -> Report:
    """Invent a revision, serve it, pull it and analyse it."""
    with CloudServer(invent(seed, plan)) as server:
        case = fill(server, folder, small=small)
        assert server.breaches == []
    return report_of_case(case)


def as_json(report: Report) -> Any:
    return json.loads(encode_report(report))
