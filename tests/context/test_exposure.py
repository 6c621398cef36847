from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.builders import raw, request, table

from forensics.clusters import find_lives
from forensics.context.exposure import measure_exposure

if TYPE_CHECKING:
    from forensics.model import Exposure


def measured(*records: dict[str, Any], system: int = 0) -> Exposure:
    found = table(*records)
    return measure_exposure(found, find_lives(found), {"system": system})


def started(instance: str, at: float) -> dict[str, Any]:
    text = "Starting new instance. Reason: AUTOSCALING"
    return raw(text, at=at, stream="varlog%2Fsystem", severity="INFO", instance=instance)


def exited(instance: str, at: float) -> dict[str, Any]:
    return raw("Container called exit(1).", at=at, stream="varlog%2Fsystem", severity="WARNING", instance=instance)


def test_requests_of_every_status_are_counted() -> None:
    assert (
        measured(*(request(status, at=n, latency=0.1) for n, status in enumerate((200, 204, 404, 500)))).requests == 4
    )


def test_without_a_request_log_neither_requests_nor_sessions_are_known() -> None:
    found = measured(raw("listening", at=0))
    assert (found.requests, found.sessions) == (None, None)


def test_a_session_is_a_handshake_that_opened_or_failed_where_others_opened() -> None:
    asked = [(101, "/rooms/17/ws"), (101, "/rooms/18/ws"), (403, "/rooms/19/ws"), (500, "/rooms/x/ws"), (404, "/a")]
    records = [request(status, at=n, latency=1, path=path) for n, (status, path) in enumerate(asked)]
    assert measured(*records, request(200, at=9, latency=1, path="/rooms/20/ws")).sessions == 3
    assert measured(request(500, at=0, latency=1, path="/ws")).sessions == 0


def test_a_start_is_one_that_the_entries_show() -> None:
    records = [started("i1", 0), raw("hello", at=1), exited("i1", 2), raw("again", at=9), exited("i1", 10)]
    found = measured(*records, raw("running since yesterday", at=3, instance="i2"), system=3)
    assert (found.starts, found.lives) == (2, 3)


def test_no_start_is_not_the_same_as_no_system_log() -> None:
    assert measured(raw("hello", at=0)).starts is None
    assert measured(raw("hello", at=0), system=1).starts == 0
    assert measured(raw("hello", at=0, instance="")).lives is None
