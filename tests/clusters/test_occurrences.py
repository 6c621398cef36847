from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import START, raw, request, table

from forensics.clusters import find_lives
from forensics.clusters.occurrences import find_occurrences, lives_by_instance
from forensics.model import OccurrenceUnit

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable


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
