"""When a later deployment ended a failure: it must have gone on without it for long enough to fail once."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.comparisons import cluster

from forensics.links.incidents import DRAIN, _is_cured
from forensics.model import Cluster, Nanoseconds, OccurrenceUnit, RevisionSpan
from forensics.text.timestamps import format_time

MINUTE = 60 * 1_000_000_000
START = 1_800_000_000 * 1_000_000_000


def span(name: str, first: float, last: float, service: str = "shop") -> RevisionSpan:
    first_, last_ = (Nanoseconds(START + round(at * MINUTE)) for at in (first, last))
    return RevisionSpan(name=name, service=service, project="p", location="l", entries=9, first=first_, last=last_)


def failed(times: int, last: float, unit: OccurrenceUnit = OccurrenceUnit.REQUEST, revision: str = "old") -> Cluster:
    return replace(
        cluster("failed", times, unit), revision=revision, last_seen=format_time(START + round(last * MINUTE))
    )


OLD = span("old", 0, 60)


@pytest.mark.parametrize(
    ("times", "served", "cured"),
    [(6, 10.0, True), (6, 9.9, False), (1, 59.0, False), (1, 60.0, True), (60, 1.0, True)],
)
def test_what_would_have_failed_once_more_and_did_not_is_cured(times: int, served: float, *, cured: bool) -> None:
    assert _is_cured([failed(times, 58)], [OLD, span("new", 60, 60 + served)]) is cured


def test_a_start_that_succeeds_shows_it_at_once() -> None:
    assert _is_cured([failed(1, 58, OccurrenceUnit.LIFE)], [OLD, span("new", 60, 61)])


def test_what_still_fails_while_the_new_one_serves_is_not_cured() -> None:
    drained = 60 + DRAIN / MINUTE
    spans = [OLD, span("new", 60, 120)]
    assert _is_cured([failed(6, drained)], spans)
    assert not _is_cured([failed(6, drained + 0.1)], spans)
    assert not _is_cured([failed(6, 70), failed(6, 58, revision="new")], spans)
    assert not _is_cured([failed(6, 58)], [OLD])
    assert not _is_cured([failed(6, 58)], [OLD, span("other", 60, 120, service="mail")])
