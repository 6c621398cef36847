"""Requests a few milliseconds apart: what stands at the ends of those that failed, and of no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from links.test_join import RULES
from support.builders import START, raw, request, table

from forensics.clusters import find_lives, group
from forensics.links import link
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from forensics.model import Link

MILLISECOND = 1_000_000


def page_loads(
    *, before: int, beside: int | None = None, loads: int = 4, latency: float = 0.02, late: int = 0
) -> list[Link]:
    """Pages that load three files each, of which the last fails, with an error `before` its end, in nanoseconds.

    It stands further off in the first `late` of them. With `beside` the same error stands that long before the end of
    the first file, too.
    """

    def error(end: float, earlier: int, number: int) -> dict[str, object]:
        time = format_time(START + round(end * 1000) * 1_000_000 - earlier)
        return raw("cannot price the basket", timestamp=time, severity="ERROR", number=number)

    records = []
    for load in range(loads):
        at = 6.0 * load + load * load * 0.3
        ends = [at + 0.1, at + 0.14, at + 0.24]
        for number, end in enumerate(ends):
            status = 500 if number == 2 else 200
            records.append(request(status, at=end - latency, latency=latency, number=10 * load + number))
        records.append(error(ends[2], 55 * MILLISECOND if load < late else before, 100 + load))
        if beside is not None:
            records.append(error(ends[0], beside, 200 + load))
    entries = table(*sorted(records, key=lambda record: str(record["timestamp"])), rules=RULES)
    by_id = {one.id: one for one in RULES}
    lives = find_lives(entries)
    clusters, members = group(entries, by_id, lives)
    return list(link(clusters, members, by_id, entries, lives))


@pytest.mark.parametrize("before", [1 * MILLISECOND, 20 * MILLISECOND, 50 * MILLISECOND, -30 * MILLISECOND])
def test_an_error_at_the_end_of_each_failed_request_is_no_chance(before: int) -> None:
    (found,) = page_loads(before=before)
    # Twelve requests, of which four failed: 1 in 495 ways, twice as two tests were made.
    assert (found.explained, found.of, found.lift) == (4, 4, 9.0)
    assert found.p_value == pytest.approx(2 / 495, abs=1e-5)
    assert found.keeps_order


@pytest.mark.parametrize("before", [50 * MILLISECOND + 1, -30 * MILLISECOND - 1])
def test_what_stands_further_off_is_as_near_to_its_neighbours(before: int) -> None:
    (found,) = page_loads(before=before)
    assert found.is_near_by_chance


def test_what_stands_at_the_ends_of_others_too_is_near_by_chance() -> None:
    (found,) = page_loads(before=2 * MILLISECOND, beside=2 * MILLISECOND)
    assert found.p_value is not None
    assert found.p_value > 0.05


def test_four_of_five_must_stand_at_the_ends() -> None:
    """The others stand within the window, where they are near by chance."""
    (found,) = page_loads(before=2 * MILLISECOND, loads=15, late=3)
    assert found.p_value == pytest.approx(0, abs=1e-6)
    (found,) = page_loads(before=2 * MILLISECOND, loads=15, late=4)
    assert found.is_near_by_chance


def test_how_long_requests_take_plays_no_part() -> None:
    assert page_loads(before=2 * MILLISECOND)[0].p_value == page_loads(before=2 * MILLISECOND, latency=3.0)[0].p_value


def test_the_requests_of_many_instances_are_compared_each_with_their_own() -> None:
    assert page_loads(before=2 * MILLISECOND, loads=12)[0].p_value == pytest.approx(2e-9, rel=1)


def test_two_failures_tell_nothing() -> None:
    (found,) = page_loads(before=2 * MILLISECOND, loads=2)
    assert found.p_value is None
