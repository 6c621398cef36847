from __future__ import annotations

from builders import decoded, raw, request

from forensics.clusters import find_lives
from forensics.clusters.occurrences import find_occurrences, lives_by_instance
from forensics.model import OccurrenceUnit


def _crash(instance: str, at: float) -> list[dict[str, object]]:
    return [
        raw("Starting new instance. Reason: AUTOSCALING", at=at, stream="system", severity="INFO", instance=instance),
        raw("ValueError: bad", at=at + 2.0, severity="ERROR", instance=instance),
        raw("giving up", at=at + 3.5, severity="ERROR", instance=instance),
        raw("Container called exit(1).", at=at + 4.0, stream="system", severity="WARNING", instance=instance),
    ]


def test_a_life_runs_from_start_to_exit() -> None:
    (life,) = find_lives(decoded(*_crash("i1", 0)))
    assert (life.ended, life.started, life.end - life.start) == (True, True, 4_000_000_000)


def test_an_instance_that_starts_again_has_two_lives() -> None:
    lives = find_lives(decoded(*_crash("i1", 0), *_crash("i1", 10)))
    assert [(life.number, life.ended) for life in lives] == [(1, True), (2, True)]


def test_what_arrives_just_after_the_exit_belongs_to_the_life_that_ended() -> None:
    late = raw("Worker exiting", at=4.3, severity="ERROR")
    (life,) = find_lives(decoded(*_crash("i1", 0), late))
    assert life.ended


def test_all_errors_of_a_dying_life_are_one_occurrence() -> None:
    entries = decoded(*_crash("i1", 0), *_crash("i2", 7))
    lives = lives_by_instance(find_lives(entries))
    errors = [e for e in entries if e.severity == "ERROR"]
    found = find_occurrences(errors, lives)
    assert [(o.unit, len(o.entries)) for o in found] == [(OccurrenceUnit.LIFE, 2), (OccurrenceUnit.LIFE, 2)]


def test_requests_count_one_by_one() -> None:
    entries = decoded(*(request(500, at=i, latency=0.1, trace=f"t{i}") for i in range(3)))
    found = find_occurrences(entries, {})
    assert [o.unit for o in found] == [OccurrenceUnit.REQUEST] * 3
    assert found[0].end == found[0].start + 100_000_000


def test_lines_without_life_or_request_count_by_bursts() -> None:
    entries = decoded(*(raw("lost", at=at, severity="ERROR", number=n) for n, at in enumerate((0, 0.1, 0.2, 5, 5.1))))
    assert [len(o.entries) for o in find_occurrences(entries, {})] == [3, 2]


def test_every_entry_is_in_exactly_one_occurrence() -> None:
    entries = decoded(*_crash("i1", 0), request(500, at=1, latency=2, trace="t"), raw("x", at=100, severity="ERROR"))
    found = find_occurrences(entries, lives_by_instance(find_lives(entries)))
    assert sorted(e.sort_key for o in found for e in o.entries) == sorted(e.sort_key for e in entries)
