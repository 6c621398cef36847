"""What is counted while entries arrive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st
from support.builders import REVISION, raw

from forensics.model import Level, Priority, Role
from forensics.rulebook import load_rules
from forensics.text.timestamps import SECOND
from forensics.watch import SightingState, Tally

if TYPE_CHECKING:
    from forensics.watch import Sighting

RULES, _ = load_rules([])
P0 = "TypeError: Object of type WebSocketState is not JSON serializable"


def tally(*groups: list[dict[str, Any]], revision: str = REVISION) -> tuple[Tally, list[Sighting]]:
    counted = Tally(RULES, Level.ERROR, revision)
    new: list[Sighting] = []
    for records in groups:
        new += counted.add(json.dumps(record).encode() for record in records)
    return counted, new


def error(text: str, at: float = 0, **fields: Any) -> dict[str, Any]:
    return raw(text, at=at, severity="ERROR", **fields)


def test_what_says_the_same_is_one_failure_and_new_once() -> None:
    counted, new = tally([error("ValueError: no order 1", 0, number=1)], [error("ValueError: no order 2", 5, number=2)])
    (sighting,) = counted.sightings()
    assert new == [sighting]
    assert (sighting.name, sighting.entries, sighting.last - sighting.first) == (
        "ValueError: no order <*>",
        2,
        5 * SECOND,
    )
    assert (sighting.role, sighting.priority, sighting.state) == (None, Priority.P2, SightingState.NO_BASELINE)
    assert (counted.entries, counted.errors, counted.first_p0) == (2, 2, None)


def test_what_a_rule_knows_goes_by_its_name_and_the_first_p0_is_kept() -> None:
    counted, _ = tally([error("ValueError: no order 1", 0, number=1), error(P0, 3, number=2), error(P0, 9, number=3)])
    first = counted.first_p0
    assert first is not None
    assert (first.key, first.role, first.entries) == ("websocket-1011-serialization", Role.CAUSE, 2)
    assert counted.sightings()[0].key == first.key


def test_entries_of_other_revisions_and_what_is_no_entry_count_for_nothing() -> None:
    other = error(P0)
    other["resource"]["labels"]["revision_name"] = "other-00001-abc"
    counted, new = tally([other])
    assert (counted.add([b"", b"[]", b"{", b"1"]), counted.entries, new) == ((), 0, [])
    assert tally([other], revision="all")[0].entries == 1


def test_the_rate_is_that_of_the_last_minute_whatever_order_entries_come_in() -> None:
    counted, _ = tally([error("ValueError: x", at, number=int(at)) for at in (100, 10, 95, 96, 41, 40)])
    (sighting,) = counted.sightings()
    assert sighting.per_minute(sighting.last) == 4
    assert sighting.per_minute(sighting.last + 30 * SECOND) == 3
    assert sighting.per_minute(sighting.last + 90 * SECOND) == 0


def test_pieces_that_arrive_together_are_one_failure() -> None:
    lines = ["Traceback (most recent call last):", '  File "/app/shop.py", line 3, in order', "KeyError: 'cart'"]
    pieces = [raw(text, at=number / 1000, number=number) for number, text in enumerate(lines)]
    counted, _ = tally(pieces)
    (sighting,) = counted.sightings()
    assert (sighting.name, sighting.entries) == ("KeyError: 'cart'", 3)


@pytest.mark.slow
@given(st.lists(st.lists(st.text(max_size=30), max_size=4), max_size=6))
def test_every_error_is_counted_in_exactly_one_failure(batches: list[list[str]]) -> None:
    number = iter(range(1000))
    groups = [
        [error(text, n, number=n, instance=f"i{n}") for text in texts for n in [next(number)]] for texts in batches
    ]
    counted, new = tally(*groups)
    assert sum(sighting.entries for sighting in counted.sightings()) == counted.entries == sum(map(len, batches))
    assert len(new) == len(counted.sightings()) == len({sighting.key for sighting in new})


def test_no_log_makes_more_failures_than_a_person_can_look_at() -> None:
    words = [f"{first}{second}{third} broke" for first in "abcdefghij" for second in "klmnopqrst" for third in "uvwxyz"]
    counted, _ = tally([error(text, number=number, instance=f"i{number}") for number, text in enumerate(words)])
    assert len(counted.sightings()) == 501
    assert counted.sightings()[0].name == "(others)"
    assert counted.sightings()[0].entries == 100
