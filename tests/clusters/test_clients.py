"""Who sent the requests that failed: the kind of client and its product, counted by route and status."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import request, table

from forensics.clusters import find_lives, group
from forensics.clusters.clients import MOST, RouteCounts
from forensics.model import ClientKind, FailedRoute
from forensics.text.user_agents import client_kind, product

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "kind", "named"),
    [
        (BROWSER, ClientKind.BROWSER, ""),
        ("Mozilla/5.0", ClientKind.PROGRAM, "Mozilla"),  # a browser says on which system it runs
        ("Mozilla/5.0 (compatible; Shopbot/2.1; +http://shop.example/bot)", ClientKind.PROGRAM, "Mozilla"),
        (BROWSER.replace("Chrome/", "HeadlessChrome/"), ClientKind.TEST_TOOL, "Mozilla"),
        ("python-httpx/0.28.1", ClientKind.PROGRAM, "python-httpx"),
        ("Python/3.12 websockets/15.0.1", ClientKind.PROGRAM, "websockets"),
        ("curl/8.9.0", ClientKind.TEST_TOOL, "curl"),
        ("Shop-E2E-Tests/1.0", ClientKind.TEST_TOOL, "Shop-E2E-Tests"),
        ("Latest-News/2.0", ClientKind.PROGRAM, "Latest-News"),
        ("GoogleHC/1.0", ClientKind.HEALTH_CHECKER, "GoogleHC"),
        ("Google-Cloud-Scheduler", ClientKind.SCHEDULER, "Google-Cloud-Scheduler"),
        ("APIs-Google; (+https://developers.google.com/x)", ClientKind.PUBSUB, "APIs-Google"),
        ("Google-Cloud-Tasks", ClientKind.TASKS, "Google-Cloud-Tasks"),
        (" ", ClientKind.UNNAMED, ""),
    ],
)
def test_a_user_agent_tells_the_client(user_agent: str, kind: ClientKind, named: str) -> None:
    assert (client_kind(user_agent), product(user_agent)) == (kind, named)


def asked(status: int, number: int, user_agent: str = BROWSER, **fields: Any) -> dict[str, Any]:
    made = request(status, at=float(number), latency=0.1, number=number, **fields)
    made["httpRequest"]["userAgent"] = user_agent
    return made


def routes(*records: dict[str, Any]) -> tuple[FailedRoute, ...]:
    entries = table(*records)
    clusters = group(entries, {}, find_lives(entries))[0]
    return tuple(route for cluster in clusters for route in cluster.affected.routes)


def test_failed_requests_are_counted_by_client_among_all_of_their_route() -> None:
    mixed = [asked(503, n, "python-httpx/0.28.1") for n in range(3)]
    mixed += [asked(503, 3), *(asked(200, n) for n in range(4, 9))]
    first, second = routes(*mixed)
    assert (first.requests, first.of, first.client, first.kind) == (3, 9, "python-httpx", ClientKind.PROGRAM)
    assert (second.requests, second.of, second.client, second.kind) == (1, 9, "", ClientKind.BROWSER)
    assert first.status == second.status == 503


def test_another_method_of_the_route_is_not_counted() -> None:
    other = asked(200, 5)
    other["httpRequest"]["requestMethod"] = "DELETE"
    (only,) = routes(asked(500, 1), asked(500, 2), other)
    assert (only.requests, only.of) == (2, 2)


def test_too_many_requests_of_a_route_are_not_decoded() -> None:
    entries = table(*[asked(200, n) for n in range(MOST + 1)])
    http = entries.original(0).http
    assert http is not None
    assert RouteCounts(entries).of(0, http) is None
