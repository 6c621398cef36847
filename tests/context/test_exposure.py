from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.builders import START, raw, request, table

from forensics.clusters import find_lives
from forensics.context.exposure import MOST_INSTANCES, measure_exposure, strangers
from forensics.model import RequestMark, Sampled
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from forensics.model import Exposure

SECOND = 1_000_000_000


def measured(*records: dict[str, Any], system: int = 0, sampled: tuple[Sampled, ...] = ()) -> Exposure:
    found = table(*records)
    return measure_exposure(found, find_lives(found), {"system": system}, sampled)


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


def asked(*requests: tuple[int, str], instance: str = "i1", agent: str = "curl/8") -> list[dict[str, Any]]:
    """Requests of one instance, a second apart: status and path."""
    records = [
        request(status, at=n, latency=0.1, path=path, instance=instance) for n, (status, path) in enumerate(requests)
    ]
    for number, record in enumerate(records):
        record["httpRequest"]["userAgent"] = agent
        record["insertId"] = f"{instance}-{agent}-{number}"
    return records


def test_requests_of_warning_and_above_have_failed() -> None:
    records = asked((200, "/a"), (302, "/a"), (404, "/a"), (500, "/a"), (503, "/b"))
    assert measured(*records, raw("it fails", at=7, severity="ERROR")).failed == 3


def test_requests_are_counted_by_route_and_kind_without_those_that_were_sent_again() -> None:
    found = measured(*asked((200, "/a"), (200, "/a"), (500, "/a"), (200, "/b")), raw("ready", at=9))
    assert sorted(found.routes.values()) == [1, 3]
    entries = table(*asked((200, "/a"), (500, "/a"), (500, "/a"), (500, "/b")))
    rows = [row for row in entries.rows() if entries.marks[row]]
    without = measure_exposure(entries, [], {}, (), retries=[rows[2], rows[3]])
    assert (list(without.routes.values()), without.retries, without.requests) == ([2], 2, 4)
    assert measured(*asked((200, "/a")), sampled=(sample(100, 200, one_in=10, listed=9),)).routes == {}


def test_strangers_are_refused_where_nobody_was_ever_answered() -> None:
    records = asked((404, "/wp-login.php"), (404, "/wp-login.php"), (403, "/.env"), (404, "/orders"), (200, "/orders"))
    assert measured(*records).refused == 3
    # What was answered once and is left out as sent again still shows that the route is known.
    assert strangers({1 | RequestMark.REFUSED: 2, 1: 0, 2: 1, 2 | RequestMark.REFUSED: 4}) == {1 | RequestMark.REFUSED}


def test_requests_of_each_instance_are_counted_without_probes() -> None:
    probes = asked((200, "/"), (200, "/"), instance="i2", agent="GoogleHC/1.0")
    records = [*asked((200, "/"), (500, "/"), instance="i1"), *asked((200, "/a"), instance="i2"), *probes]
    found = measured(*records, raw("ready", at=9, instance="i3"))
    assert (found.instances, found.probes) == ((2, 1), 2)


def test_very_many_instances_are_not_listed() -> None:
    def of(count: int) -> Exposure:
        records = [record for n in range(count) for record in asked((200, "/"), instance=f"i{n}")]
        return measured(*records)

    assert of(MOST_INSTANCES).instances == (1,) * MOST_INSTANCES
    assert of(MOST_INSTANCES + 1).instances == ()


def sample(first: int, last: int, *, one_in: int, listed: int) -> Sampled:
    times = [format_time(START + at * SECOND) for at in (first, last)]
    return Sampled(from_time=times[0], to_time=times[1], one_in=one_in, listed=listed)


def test_what_a_sample_stands_for_is_counted_once_and_within_a_margin() -> None:
    """Nine of one in ten stand for ninety: with the five before them 95, give or take 1.96 × √(9 × 9 × 10) = 55.8."""
    before = [request(200, at=n, latency=0.1) for n in range(5)]
    within = [request(500 if n % 3 else 200, at=100 + n, latency=0.1) for n in range(11)]
    found = measured(*before, *within, sampled=(sample(100, 200, one_in=10, listed=9),))
    assert (found.requests, found.requests_margin, found.sessions) == (95, 56, None)


def test_samples_add_up_and_so_do_the_squares_of_their_margins() -> None:
    """Beside the one request that is here: 90 and 80 more, give or take 1.96 × √(9 × 9 × 10 + 4 × 19 × 20) = 94.6."""
    samples = (sample(100, 200, one_in=10, listed=9), sample(200, 300, one_in=20, listed=4))
    found = measured(request(200, at=0, latency=0.1), sampled=samples)
    assert (found.requests, found.requests_margin) == (171, 95)


def test_where_more_requests_are_here_than_a_sample_stands_for_those_are_counted() -> None:
    records = [request(500, at=100 + n, latency=0.1) for n in range(11)]
    assert measured(*records, sampled=(sample(100, 200, one_in=2, listed=3),)).requests == 11


def test_without_a_sample_requests_have_no_margin() -> None:
    assert measured(request(200, at=0, latency=0.1)).requests_margin == 0


def test_a_sample_of_which_no_request_is_here_tells_no_traffic() -> None:
    found = measured(raw("hello", at=0), sampled=(sample(100, 200, one_in=10, listed=9),))
    assert (found.requests, found.requests_margin) == (None, 0)
