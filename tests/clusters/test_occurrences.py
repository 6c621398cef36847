from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import REVISION, START, raw, request, table

from forensics.clusters import find_lives
from forensics.clusters.occurrences import FailedRequests, find_occurrences, life_of, lives_by_instance, request_key
from forensics.model import Life, Nanoseconds, OccurrenceUnit
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable

SECOND = 1_000_000_000


def _crash(instance: str, at: float) -> list[dict[str, object]]:
    return [
        raw("Starting new instance. Reason: AUTOSCALING", at=at, stream="system", severity="INFO", instance=instance),
        raw("ValueError: bad", at=at + 2.0, severity="ERROR", instance=instance),
        raw("giving up", at=at + 3.5, severity="ERROR", instance=instance),
        raw("Container called exit(1).", at=at + 4.0, stream="system", severity="WARNING", instance=instance),
    ]


def errors(entries: EntryTable) -> list[int]:
    return [row for row in entries.rows() if entries.facts(row).severity == "ERROR"]


def test_a_life_runs_from_start_to_exit() -> None:
    (life,) = find_lives(table(*_crash("i1", 0)))
    assert (life.ended, life.started, life.end - life.start) == (True, True, 4_000_000_000)


def test_an_instance_that_starts_again_has_two_lives() -> None:
    lives = find_lives(table(*_crash("i1", 0), *_crash("i1", 10)))
    assert [(life.number, life.ended) for life in lives] == [(1, True), (2, True)]


def test_what_arrives_just_after_the_exit_belongs_to_the_life_that_ended() -> None:
    late = raw("Worker exiting", at=4.3, severity="ERROR")
    (life,) = find_lives(table(*_crash("i1", 0), late))
    assert life.ended


def test_all_errors_of_a_dying_life_are_one_occurrence() -> None:
    entries = table(*_crash("i1", 0), *_crash("i2", 7))
    found = find_occurrences(errors(entries), entries, lives_by_instance(find_lives(entries)))
    assert [(o.unit, len(o.rows)) for o in found] == [(OccurrenceUnit.LIFE, 2), (OccurrenceUnit.LIFE, 2)]


def test_requests_count_one_by_one() -> None:
    entries = table(*(request(500, at=i, latency=0.1, trace=f"t{i}") for i in range(3)))
    found = find_occurrences([*entries.rows()], entries, {})
    assert [o.unit for o in found] == [OccurrenceUnit.REQUEST] * 3
    assert found[0].end == found[0].start + 100_000_000


def test_lines_without_life_or_request_count_by_bursts() -> None:
    entries = table(*(raw("lost", at=at, severity="ERROR", number=n) for n, at in enumerate((0, 0.1, 0.2, 5, 5.1))))
    assert [len(o.rows) for o in find_occurrences([*entries.rows()], entries, {})] == [3, 2]


def test_every_entry_is_in_exactly_one_occurrence() -> None:
    entries = table(*_crash("i1", 0), request(500, at=1, latency=2, trace="t"), raw("x", at=100, severity="ERROR"))
    found = find_occurrences([*entries.rows()], entries, lives_by_instance(find_lives(entries)))
    assert sorted(row for o in found for row in o.rows) == list(entries.rows())
    assert sorted(entries.entry(row).insert_id for o in found for row in o.rows) == sorted(
        entries.original(row).insert_id for row in range(6)
    )


def test_occurrences_are_numbered_in_order_of_time_and_can_be_picked() -> None:
    entries = table(*(raw("lost", at=at, severity="ERROR") for at in (0, 5, 10, 15)))
    found = find_occurrences([*entries.rows()], entries, {})
    assert [(o.id, o.start) for o in found] == [(str(n), START + (n - 1) * 5 * 10**9) for n in range(1, 5)]
    assert [found[n] for n in (0, 1, -2, -1)] == list(found)
    assert [o.id for o in found[1:3]] == ["2", "3"]
    with pytest.raises(IndexError):
        found[4]


# ── lives ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def life(number: int, end: float, *, instance: str = "i1", ended: bool = True, failed: bool = True) -> Life:
    """A life of ten seconds."""
    return Life(
        instance=instance,
        number=number,
        revision=REVISION,
        start=Nanoseconds(START + round((end - 10) * SECOND)),
        end=Nanoseconds(START + round(end * SECOND)),
        ended=ended,
        started=True,
        failed=ended and failed,
    )


@pytest.mark.parametrize(
    ("at", "number"),
    [(5, 1), (10, 1), (11, 1), (11.000001, 2), (21, 2), (21.000001, 3), (30, 3), (99, 3)],
)
def test_an_entry_belongs_to_the_life_that_ends_behind_it_or_ended_within_the_second_before(
    at: float, number: int
) -> None:
    found = life_of(0, table(raw("x", at=at)), lives_by_instance([life(1, 10), life(2, 20), life(3, 30)]))
    assert found is not None
    assert found.number == number


def test_of_two_lives_an_entry_belongs_to_the_second_once_the_first_has_ended() -> None:
    lives = lives_by_instance([life(1, 10), life(2, 20)])
    found = [life_of(0, table(raw("x", at=at)), lives) for at in (5, 15, 99)]
    assert [one and one.number for one in found] == [1, 2, 2]


def test_an_instance_without_a_life_has_none() -> None:
    lives = lives_by_instance([life(1, 10)])
    assert life_of(0, table(raw("x", at=5, instance="i2")), lives) is None
    found = life_of(0, table(raw("x", at=99)), lives)
    assert found is not None
    assert found.number == 1


def test_an_entry_before_an_orderly_end_is_not_what_ended_it() -> None:
    entries = table(raw("going", at=95, severity="ERROR"))
    (found,) = find_occurrences([0], entries, lives_by_instance([life(1, 100, failed=False)]))
    assert found.unit == "burst"


@pytest.mark.parametrize(("at", "unit"), [(40, "instance life"), (40.000001, "instance life"), (39.999999, "burst")])
def test_an_entry_in_the_minute_before_an_exit_tells_of_that_ending(at: float, unit: str) -> None:
    entries = table(raw("going", at=at, severity="ERROR"))
    (found,) = find_occurrences([0], entries, lives_by_instance([life(1, 100)]))
    assert found.unit == unit


def test_where_a_rule_counts_lives_an_entry_of_any_time_tells_of_the_ending() -> None:
    entries = table(raw("going", at=1, severity="ERROR"))
    (found,) = find_occurrences([0], entries, lives_by_instance([life(1, 100)]), OccurrenceUnit.LIFE)
    assert found.unit is OccurrenceUnit.LIFE
    lasting = lives_by_instance([life(1, 100, ended=False)])
    (found,) = find_occurrences([0], entries, lasting, OccurrenceUnit.LIFE)
    assert found.unit is OccurrenceUnit.BURST


def test_a_request_that_fails_while_its_instance_dies_is_counted_as_a_request() -> None:
    entries = table(request(500, at=95, latency=1))
    (found,) = find_occurrences([0], entries, lives_by_instance([life(1, 100)]))
    assert found.unit is OccurrenceUnit.REQUEST


@pytest.mark.parametrize(("apart", "bursts"), [(SECOND, 1), (SECOND + 1, 2)])
def test_lines_more_than_a_second_apart_are_two_bursts(apart: int, bursts: int) -> None:
    later = raw("lost", at=1, severity="ERROR", timestamp=format_time(START + apart))
    entries = table(raw("lost", at=0, severity="ERROR"), later)
    assert len(find_occurrences([0, 1], entries, {})) == bursts


# ── the request that a line belongs to ───────────────────────────────────────────────────────────────────────────────


def around(line: dict[str, object], *requests: dict[str, object]) -> str | None:
    """Return the path of the failed request to which a line belongs, None for no request."""
    entries = table(line, *requests)
    by_key = {}
    for row in entries.rows():
        http = entries.entry(row).http
        if http is not None:
            by_key[request_key(row, entries)] = http.path
    (of_line,) = (row for row in entries.rows() if entries.entry(row).http is None)
    key = FailedRequests(entries.rows(), entries).around(of_line)
    return by_key[key] if key else None


@pytest.mark.parametrize(
    ("at", "belongs"),
    [(1.5, True), (1.499999, False), (2, True), (2.25, True), (2.250001, False)],
)
def test_a_line_belongs_to_the_request_that_ends_within_half_a_second_or_ended_a_quarter_ago(
    at: float, *, belongs: bool
) -> None:
    found = around(raw("it fails", at=at, severity="ERROR"), request(500, at=0, latency=2, path="/pay"))
    assert found == ("/pay" if belongs else None)


@pytest.mark.parametrize(("at", "path"), [(2.05, "/first"), (2.15, "/second"), (1.9, "/first")])
def test_of_two_requests_a_line_belongs_to_the_one_whose_end_is_nearer(at: float, path: str) -> None:
    both = request(500, at=0, latency=2, path="/first"), request(500, at=1, latency=1.2, path="/second")
    assert around(raw("it fails", at=at, severity="ERROR"), *both) == path


def test_a_line_does_not_belong_to_a_request_that_began_behind_it() -> None:
    line = raw("it fails", at=1, severity="ERROR")
    assert around(line, request(500, at=1, latency=0.1, path="/pay")) == "/pay"
    assert around(line, request(500, at=1.000001, latency=0.1)) is None


def test_a_line_belongs_to_no_request_that_went_well_or_was_refused_or_ran_elsewhere() -> None:
    line = raw("it fails", at=1, severity="ERROR")
    assert around(line) is None
    assert around(line, request(404, at=0, latency=1)) is None
    assert around(line, request(500, at=0, latency=1, instance="i2")) is None
    # What names no instance may be anywhere.
    assert around(line | {"labels": {}}, request(500, at=0, latency=1, instance="")) is None


def test_a_request_and_its_lines_have_one_key_and_every_other_request_another() -> None:
    entries = table(
        request(200, at=0, latency=1),
        request(500, at=10, latency=1),
        raw("it fails", at=10.9, severity="ERROR"),
        request(500, at=20, latency=1, trace="t"),
        raw("far from any end", at=20.4, severity="ERROR"),
        raw("it fails", at=20.5, severity="ERROR", trace="t"),
        raw("it fails", at=20.6, severity="ERROR"),
    )
    well, failed, line, traced, far, of_trace, near = FailedRequests(entries.rows(), entries).keys(entries.rows())
    assert failed == line == request_key(1, entries)
    assert traced == of_trace == near == entries.traces[3]
    assert far == 0
    assert len({well, failed, traced, 0}) == 4
