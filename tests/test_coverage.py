"""What was read, what is missing, and what a reader must not conclude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import digested, query, raw, request, shelved

from forensics.coverage import measure

if TYPE_CHECKING:
    from forensics.model import Coverage


def covered(*records: dict[str, Any], **asked: str) -> Coverage:
    intake, shelf = shelved(*records)
    journal, lost = digested(intake, shelf)
    return measure(intake, journal, [], query(**asked), analysed=0, unclassified=0, lost=lost)


def lines(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [raw("x", at=i, number=i, **fields) for i in range(count)]


def test_a_round_number_newest_first_looks_cut() -> None:
    found = covered(*lines(50)[::-1])
    assert found.truncated is None
    assert "exactly 50 entries, newest first" in str(found.truncation)


@pytest.mark.parametrize("count", [3, 49, 51, 163])
def test_a_number_that_nobody_would_choose_does_not(count: int) -> None:
    assert covered(*lines(count)[::-1]).truncated is False


def test_a_limit_for_each_severity_is_told() -> None:
    found = covered(
        *lines(20, severity="ERROR"), *lines(20, severity="INFO", stream="stdout"), *lines(3, instance="i9")
    )
    assert "20 entries each of ERROR, INFO" in str(found.truncation)


def test_a_span_far_shorter_than_asked_is_told() -> None:
    found = covered(*lines(7), from_time="2026-03-01T10:00:00Z", to_time="2026-03-01T11:00:00Z")
    assert "6 s of the 1 h asked for" in str(found.truncation)


def test_logs_that_are_not_there_are_listed_with_0() -> None:
    found = covered(*lines(3))
    assert found.logs == {"requests": 0, "stdout": 0, "stderr": 3, "system": 0, "audit": 0}
    assert any("effect on users cannot be told" in w for w in found.warnings)


def test_with_requests_nothing_is_said_of_users() -> None:
    found = covered(*lines(3), request(200, at=9, latency=0.1))
    assert not any("users" in w for w in found.warnings)


def test_a_pull_by_severity_is_told() -> None:
    found = covered(*lines(3, severity="ERROR"))
    assert any("severity WARNING or above" in w for w in found.warnings)


def test_entries_without_severity_are_counted_and_errors_by_their_text() -> None:
    found = covered(*lines(2), raw("ERROR:shop:lost", at=5))
    assert (found.no_severity, found.errors) == (3, 1)


def test_a_silence_that_stands_out_is_a_gap() -> None:
    found = covered(*lines(60), raw("back", at=4000))
    assert [gap.seconds for gap in found.gaps] == [3941.0]


def test_a_log_by_an_unknown_name_is_named_by_what_it_holds() -> None:
    bare = request(200, at=0, latency=0.1) | {"logName": ""}
    assert covered(bare).logs["requests"] == 1
