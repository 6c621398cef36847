"""Requests by minute, status and client, and the starts of instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders import request, table

from forensics.clusters import find_lives, traffic, traffic_of
from forensics.model import ClientKind

if TYPE_CHECKING:
    import pytest


def test_requests_are_counted_by_the_minute_in_which_they_began() -> None:
    entries = table(*[request(500 if n == 2 else 200, at=n * 25.0, latency=0.1, number=n) for n in range(4)])
    found = traffic_of(entries, find_lives(entries))
    assert [(one.minute[11:16], one.status, one.requests) for one in found.minutes] == [
        ("10:00", 200, 2),
        ("10:00", 500, 1),
        ("10:01", 200, 1),
    ]
    assert {one.kind for one in found.minutes} <= {ClientKind.UNNAMED, ClientKind.BROWSER, ClientKind.PROGRAM}
    assert found.starts == ()


def test_more_requests_than_are_worth_decoding_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = table(*[request(200, at=n, latency=0.1, number=n) for n in range(3)])
    monkeypatch.setattr(traffic, "MOST", 2)
    assert traffic_of(entries, ()).minutes == ()
