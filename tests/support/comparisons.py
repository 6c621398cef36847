"""Make sides of a comparison for tests, with defaults for everything that is not the point of the test."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace

from forensics.comparison import Side, measure_of
from forensics.model import (
    Cluster,
    ClusterId,
    Coverage,
    Exposure,
    FailureClass,
    Level,
    OccurrenceUnit,
    Priority,
    ReadOrder,
    Role,
    RunOutcome,
    Span,
    Spread,
    TestRun,
    TestSuite,
)
from forensics.model.spread import write_places


def coverage(**fields: Any) -> Coverage:
    counts = dict.fromkeys(
        (
            "entries_read",
            "passed_over",
            "entries_selected",
            "duplicates",
            "errors",
            "analysed",
            "unreadable",
            "no_severity",
            "no_payload",
            "unclassified",
        ),
        0,
    )
    rest: dict[str, Any] = {
        "first_unreadable": None,
        "asked": Span(),
        "covered": Span(),
        "covered_seconds": None,
        "order": ReadOrder.UNSORTED,
        "truncated": False,
        "truncation": None,
        "gaps": (),
        "logs": {},
        "levels": {},
        "warnings": (),
    }
    return Coverage(**(counts | rest | fields))


def cluster(signature: str | None, occurrences: int, unit: OccurrenceUnit, **fields: Any) -> Cluster:
    rest: dict[str, Any] = {
        "id": ClusterId(f"{signature or 'unmatched'}-{fields.get('fingerprint', 'f')}"),
        "revision": "r",
        "signature": signature,
        "signature_version": 1,
        "group": (),
        "failure_class": FailureClass.OTHER,
        "title": f"title of {signature}",
        "role": Role.CAUSE,
        "priority": Priority.P1,
        "priority_reason": "",
        "level": Level.ERROR,
        "entries": 2 * occurrences,
        "entries_by_severity": {},
        "occurrences": occurrences,
        "unit": unit,
        "instances": 1,
        "first_seen": "",
        "last_seen": "",
        "cadence": None,
        "trend": (),
        "template": "",
        "fingerprint": "f",
        "exception": None,
        "frame": None,
        "captures": {},
        "also_matched": (),
        "exemplars": (),
    }
    bare = Cluster(**(rest | fields))
    return bare if "spread" in fields else replace(bare, spread=scattered(bare))


def scattered(cluster: Cluster, each: int = 1) -> Spread:
    """Put failures into the exposure as chance would, or so many at a time; the same ones every time."""
    of, number = max(10_000, 10 * cluster.occurrences), cluster.occurrences
    dice = random.Random(f"{cluster.signature} {number} {cluster.fingerprint}")  # noqa: S311 - no secret
    places = sorted(dice.sample(range(of), number // each))
    return Spread(
        measure=measure_of(cluster), of=of, failures=write_places((at, each, None) for at in places), count=number
    )


def side(
    revision: str, counts: dict[str, int], *, unit: OccurrenceUnit = OccurrenceUnit.REQUEST, **fields: Any
) -> Side:
    """Make a side with occurrences by signature; zero occurrences make no cluster."""
    rest: dict[str, Any] = {
        "coverage": coverage(),
        "exposure": Exposure(requests=1000, sessions=100, starts=10, lives=12),
        "clusters": tuple(cluster(name, n, unit) for name, n in counts.items() if n),
        "level": Level.ERROR,
        "versions": dict.fromkeys(counts, 1),
    }
    return Side(revision=revision, **(rest | fields))


def runs(modules: dict[str, tuple[int, int]], outcomes: dict[str, str] | None = None, not_run: int = 0) -> TestRun:
    """Make a test run from (passed, failed) by module."""
    rest: dict[str, Any] = {"errors": 0, "skipped": 0, "not_run": 0}
    suites = tuple(
        TestSuite(name=name, total=p + f, passed=p, failed=f, seconds=1.0, **rest) for name, (p, f) in modules.items()
    )
    passed, failed = (sum(pair[at] for pair in modules.values()) for at in (0, 1))
    return TestRun(
        suites=suites,
        total=passed + failed + not_run,
        passed=passed,
        failed=failed,
        failures=(),
        outcomes={name: RunOutcome(word) for name, word in (outcomes or {}).items()},
        **(rest | {"not_run": not_run}),
    )
