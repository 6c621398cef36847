"""How an instance's life ended, and which lines open the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import query, raw, raws, request, table

from forensics.clusters import find_lives
from forensics.model import RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Life, Report

PROBE = 'Default STARTUP TCP probe {} 1 time consecutively for container "shop-1" on port 8080.'
MISSING = "ModuleNotFoundError: No module named 'pay.pdf'"
Record = dict[str, Any]


def system(text: str, *, at: float, **fields: Any) -> Record:
    return raw(text, at=at, stream="varlog%2Fsystem", **{"severity": "WARNING"} | fields)


def lives(*records: Record) -> tuple[Life, ...]:
    return find_lives(table(*records))


@pytest.mark.parametrize("late", [0.2, 30])
def test_a_failed_probe_behind_an_exit_opens_no_life(late: float) -> None:
    (one,) = lives(system("Container called exit(1).", at=5), system(PROBE.format("failed"), at=5 + late))
    assert (one.ended, one.failed) == (True, True)


def test_what_is_written_behind_an_exit_opens_the_next_life() -> None:
    first, second = lives(
        system("Container called exit(1).", at=5),
        system(PROBE.format("failed"), at=5.2),
        raw("hello", at=9),
        system(PROBE.format("succeeded"), at=10),
    )
    assert (first.failed, second.failed, second.ended) == (True, False, False)


@pytest.mark.parametrize(
    ("end", "failed"),
    [
        ("Container called exit(0).", False),
        ("Container called exit(143).", False),
        ("Uncaught signal: 15, pid=1", False),
        ("Container called exit(1).", True),
        ("Container called exit(137).", True),
        ('Container "collector" called exit(1).', True),
        ('Container "collector" called exit(0).', False),
        ("Uncaught signal: 6, pid=1", True),
        (PROBE.format("failed"), True),
        (PROBE.format("succeeded"), False),
    ],
)
def test_an_end_in_order_is_no_failure(end: str, *, failed: bool) -> None:
    (one,) = lives(raw("hello", at=1), system(end, at=5))
    assert one.failed is failed


def test_a_request_with_an_answer_was_served() -> None:
    ended = system("Container called exit(1).", at=50)
    assert [x.answered for x in lives(request(200, at=5, latency=0.1), ended)] == [True]
    assert [x.answered for x in lives(request(404, at=5, latency=0.1), ended)] == [True]
    assert [x.answered for x in lives(request(503, at=5, latency=0.1), ended)] == [False]


def crashes(*more: Record, end: str = "Container called exit(3).") -> Report:
    """Analyse three instances that end soon after the same error."""
    rules, _ = load_rules()
    records = [
        record
        for n in range(3)
        for record in (
            system("Starting new instance. Reason: AUTOSCALING", at=n * 20, instance=f"i{n}", severity="INFO"),
            raw(MISSING, at=n * 20 + 4, severity="ERROR", instance=f"i{n}"),
            system(end, at=n * 20 + 5, instance=f"i{n}"),
        )
    ]
    info = RulebookInfo(count=len(rules), folders=(), overridden=())
    return analyze(raws(*records, *more), rules, query(), rulebook=info, tool_version="test").report


def test_every_instance_dies_where_each_ended_in_failure_before_it_served() -> None:
    found = crashes()
    assert found.headline.startswith("Every instance dies at start-up: ")
    assert found.clusters[0].cadence is not None
    assert found.clusters[0].cadence.is_loop


def test_not_where_they_ended_in_order() -> None:
    found = crashes(end="Container called exit(0).")
    assert "dies at start-up" not in found.headline
    assert not any(cluster.cadence and cluster.cadence.is_loop for cluster in found.clusters)


def test_not_where_a_request_was_answered() -> None:
    served = request(200, at=21, latency=0.1, instance="i1", number=77)
    found = crashes(served)
    assert "dies at start-up" not in found.headline
    assert not any(cluster.cadence and cluster.cadence.is_loop for cluster in found.clusters)


def test_not_where_one_ended_without_the_error() -> None:
    silent = system("Container called exit(1).", at=300, instance="i9", number=78)
    assert "dies at start-up" not in crashes(silent).headline


def test_a_probe_behind_the_last_exit_is_no_instance_that_goes_on() -> None:
    found = crashes(system(PROBE.format("failed"), at=45.5, instance="i2", number=79))
    assert found.lives is not None
    assert (found.lives.ended, found.lives.cut) == (3, 0)
