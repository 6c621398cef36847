"""Whatever breaks and for how long: each entry arrives, or the time at which it was logged is reported as unread."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cloud.pulls import Clock
from cloud.samples import make_entry
from hypothesis import given, settings, strategies as st

from forensics.cases import Case
from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.cloud.refusals import OK, HttpAnswer
from forensics.cloud.tailing import Arrival, FollowRequest, Tailing, WatchClock, WatchEvent
from forensics.model import Nanoseconds
from forensics.pulling import Follower, begin
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from pathlib import Path

_LAG = 1.5
"""Seconds until an opened tail really follows."""
_LENGTH = 200.0
TARGET = Target(revision="backend-00042", service="backend", project="p")


class World(Clock):
    """Cloud Logging as far as a watch sees it: entries at their times, and times at which nothing is answered."""

    project = "p"

    def __init__(self, logged: list[float], outages: list[tuple[float, float, bool, bool]]) -> None:
        super().__init__()
        self.start = self.now
        self.logged = sorted(self.start + at for at in logged)
        self._outages = [(self.start + at, self.start + at + long, *of) for at, long, *of in outages]
        self.opened = 0

    def is_down(self, what: int) -> bool:
        return any(outage[0] <= self.now < outage[1] and outage[2 + what] for outage in self._outages)

    def nanoseconds(self) -> int:
        return int(self.now * SECOND)

    def entry(self, at: float) -> dict[str, Any]:
        number = self.logged.index(at)
        return make_entry(number, timestamp=format_time(int(at * SECOND)))

    def list_entries(self, body: bytes) -> HttpAnswer:
        if self.is_down(1):
            raise BrokenOffError("no listing")
        asked = json.loads(body)
        since = max(parse_time(text) for text in re.findall('timestamp>="([^"]*)"', asked["filter"]))
        found = [at for at in self.logged if since <= int(at * SECOND) and at <= self.now]
        first = int(asked.get("pageToken") or 0)
        page: dict[str, Any] = {"entries": [self.entry(at) for at in found[first : first + 3]]}
        if len(found) > first + 3:
            page["nextPageToken"] = str(first + 3)
        return HttpAnswer(OK, {}, json.dumps(page).encode())

    def open_stream(self) -> Stream:
        self.opened += 1
        return Stream(self)


class Stream:
    """Delivers what is logged from a moment after its opening on."""

    def __init__(self, world: World) -> None:
        self._world, self._from = world, world.now + _LAG

    def receive(self, seconds: float) -> HttpAnswer | None:
        world = self._world
        if world.is_down(0):
            raise BrokenOffError("no tail")
        world.sleep(seconds)
        if world.is_down(0):
            raise BrokenOffError("no tail")
        came = [at for at in world.logged if self._from < at <= world.now]
        self._from = max(self._from, world.now)
        return HttpAnswer(OK, {}, json.dumps({"entries": [world.entry(at) for at in came]}).encode()) if came else None

    def close(self) -> None:
        pass


def patient(patience: float) -> Backoff:
    return Backoff(Random(0), longest=10.0, patience=patience)  # noqa: S311 - nothing secret


def reading(world: World) -> PageReader:
    return PageReader(world, pacer=Pacer(world, world.sleep), backoff=patient(2.0), sleep=world.sleep)


def clock_of(world: World) -> WatchClock:
    return WatchClock(monotonic=world, now=world.nanoseconds, sleep=world.sleep)


def unread_spans(world: World, tailing: Tailing) -> list[tuple[int, int]]:
    """Start and end of each span that may lack entries, nanoseconds."""
    spans = tailing.unread.spans(world.nanoseconds())
    return [(parse_time(span.from_time), parse_time(span.to_time)) for span in spans]


def follow(world: World, *, polls: bool = False) -> tuple[list[str], Tailing, list[WatchEvent]]:
    """The ids that came, in order; the tailing; what was said."""
    tailing = Tailing(
        reading(world),
        FollowRequest(
            filter=f'timestamp>="{format_time(world.nanoseconds())}"',
            since=world.nanoseconds(),
            open_stream=None if polls else world.open_stream,
        ),
        patient(1e9),
        clock_of(world),
    )
    came: list[str] = []
    said: list[WatchEvent] = []

    def note(arrival: Arrival) -> None:
        came.extend(json.loads(entry)["insertId"] for entry in arrival.entries)
        said.extend([arrival.news.kind] if arrival.news else [])

    for arrival in tailing.arrivals():
        note(arrival)
        if world.now >= world.start + _LENGTH:
            break
    for arrival in tailing.finish(20.0):
        note(arrival)
    return came, tailing, said


times = st.floats(0.1, _LENGTH).map(lambda at: round(at, 3))
outage = st.tuples(times, st.floats(0.1, 90.0), st.booleans(), st.booleans())


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(logged=st.lists(times, max_size=40, unique=True), outages=st.lists(outage, max_size=4), polls=st.booleans())
def test_an_entry_arrives_or_lies_in_an_unread_span(
    logged: list[float],
    outages: list[tuple[float, float, bool, bool]],
    polls: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    world = World(logged, outages)
    came, tailing, _ = follow(world, polls=polls)
    for at in world.logged:
        time = parse_time(str(world.entry(at)["timestamp"]))
        is_unread = any(start <= time <= end for start, end in unread_spans(world, tailing))
        assert world.entry(at)["insertId"] in came or is_unread, (at - world.start, unread_spans(world, tailing))


def test_without_an_outage_nothing_is_unread_and_listings_are_few() -> None:
    world = World([float(at) for at in range(1, 150)], [])
    came, tailing, said = follow(world)
    assert (unread_spans(world, tailing), said, world.opened) == ([], [], 1)
    assert len(set(came)) == 149


def test_a_break_is_said_once_and_so_is_its_end() -> None:
    world = World([10.0, 30.0, 60.0], [(20.0, 25.0, True, True)])
    came, tailing, said = follow(world)
    assert said == [WatchEvent.BROKEN, WatchEvent.REOPENED]
    assert len(set(came)) == 3
    assert unread_spans(world, tailing) == []


def test_an_unread_span_ends_where_the_tail_brings_entries_again() -> None:
    world = World([10.0, 30.0, 60.0, 100.0], [(20.0, 25.0, True, True), (20.0, 300.0, False, True)])
    _, tailing, said = follow(world)
    ((start, end),) = unread_spans(world, tailing)
    assert start == parse_time(str(world.entry(world.logged[0])["timestamp"]))
    assert 60 * SECOND <= end - int(world.start * SECOND) <= 61 * SECOND
    assert said == [WatchEvent.BROKEN]


def test_a_stream_that_is_refused_for_good_is_replaced_by_listings() -> None:
    class Refusing(Stream):
        def receive(self, seconds: float) -> HttpAnswer | None:
            del seconds
            error = {"code": 403, "status": "PERMISSION_DENIED", "message": "no tail", "details": []}
            return HttpAnswer(403, {}, json.dumps({"error": error}).encode())

    world = World([10.0, 30.0], [])
    world.open_stream = lambda: Refusing(world)  # type: ignore[method-assign]  # the one thing that differs
    came, tailing, said = follow(world)
    assert said == [WatchEvent.POLLING]
    assert (len(set(came)), unread_spans(world, tailing)) == (2, [])


def test_a_stream_that_ends_after_an_hour_is_opened_again() -> None:
    class Ending(Stream):
        def receive(self, seconds: float) -> HttpAnswer | None:
            if self._world.opened > 1:
                return super().receive(seconds)
            error = {"code": 400, "status": "OUT_OF_RANGE", "message": "the maximum duration", "details": []}
            return HttpAnswer(400, {}, json.dumps({"error": error}).encode())

    world = World([10.0, 30.0], [])

    def open_stream() -> Stream:
        world.opened += 1
        return Ending(world)

    world.open_stream = open_stream  # type: ignore[method-assign]  # as above
    came, tailing, said = follow(world)
    assert (said, world.opened) == ([WatchEvent.BROKEN, WatchEvent.REOPENED], 2)
    assert (len(set(came)), unread_spans(world, tailing)) == (2, [])


def test_a_listing_that_is_refused_for_good_ends_the_watch() -> None:
    class Refusing(World):
        def list_entries(self, body: bytes) -> HttpAnswer:
            del body
            return HttpAnswer(403, {}, json.dumps(refused).encode())

    refused = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no", "details": []}}
    with pytest.raises(AccessError, match="no permission"):
        follow(Refusing([], []))


def test_a_case_takes_each_entry_once_and_the_next_watch_begins_where_a_killed_one_was_sure(tmp_path: Path) -> None:
    world = World([10.0, 20.0, 30.0], [])
    span = TimeSpan(Nanoseconds(world.nanoseconds()), Nanoseconds(world.nanoseconds() + 300 * SECOND))
    with Case.create(tmp_path / "case") as case:
        begun = begin(case, TARGET, span, transport="grpc tail", started="2026-05-01T00:00:00Z")
        tailing = Tailing(
            reading(world),
            FollowRequest(filter=begun.filter, since=begun.start, open_stream=world.open_stream),
            patient(1e9),
            clock_of(world),
        )
        follower = Follower(case, begun, tailing, clock_of(world))
        for arrival in tailing.arrivals():
            fresh = follower.take(arrival)
            assert follower.take(arrival) == []
            assert all(msgspec.json.decode(line) for line in fresh)
            if world.now > world.start + 40:
                break
        assert (case.manifest.entries, follower.entries) == (3, 3)
        again = begin(case, TARGET, TimeSpan(Nanoseconds(span.end - 1), span.end), transport="rest", started="")
        assert again.start == parse_time(str(world.entry(world.logged[2])["timestamp"])) - 30 * SECOND
        assert [record.checkpoint.done for record in case.manifest.pulls] == [True, False]
