"""Of which times, instances, logs and levels a case holds every entry."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import START, raw, request, table

from forensics.log.pulled_whole import EVERYTHING, PulledWhole
from forensics.model import Level, Nanoseconds, Pulled, PulledWindow, PullPart, UnreadSpan
from forensics.text.timestamps import SECOND, format_time

REVISION = "shop-api-00042-abc"


def at(seconds: float) -> Nanoseconds:
    return Nanoseconds(START + round(seconds * SECOND))


def listing(part: PullPart, start: float = 0, end: float = 1000, **fields: Any) -> Pulled:
    usual: dict[str, Any] = {"revision": REVISION, "done": True}
    return Pulled(part=part, from_time=format_time(at(start)), to_time=format_time(at(end)), **(usual | fields))


ERRORS = listing(PullPart.ERRORS, level="ERROR")
NEAR = listing(PullPart.NEIGHBOURHOOD, windows=(PulledWindow("i1", at(100), at(200)), PulledWindow("", at(0), at(9))))
WHOLE = PulledWhole([ERRORS, NEAR], REVISION)


def test_of_an_export_everything_is_there() -> None:
    assert (EVERYTHING.is_partial, EVERYTHING.level) == (False, None)
    assert EVERYTHING.holds("i1", 0, 1 << 62)


@pytest.mark.parametrize(
    ("instance", "start", "end", "is_held"),
    [
        ("i1", 100, 200, True),
        ("i1", 99, 150, False),
        ("i1", 150, 201, False),
        ("i2", 150, 160, False),
        ("i2", 1, 8, True),  # of the whole revision
        ("", 1, 8, True),
        ("", 150, 160, False),
    ],
)
def test_a_window_holds_what_lies_within_it(instance: str, start: float, end: float, is_held: bool) -> None:  # noqa: FBT001 - a table
    assert WHOLE.holds(instance, at(start), at(end)) is is_held


def test_windows_that_overlap_hold_what_lies_across_them() -> None:
    more = listing(PullPart.CONTROLS, windows=(PulledWindow("i1", at(190), at(300)),))
    assert not WHOLE.holds("i1", at(150), at(250))
    assert PulledWhole([ERRORS, NEAR, more], REVISION).holds("i1", at(150), at(250))


def test_what_was_pulled_whole_later_is_whole() -> None:
    everything = listing(PullPart.EVERYTHING, 500, 1000)
    half = PulledWhole([ERRORS, everything], REVISION)
    assert (half.is_partial, half.level) == (True, Level.ERROR)
    assert half.holds("i9", at(500), at(1000))
    assert not half.holds("i9", at(499), at(600))
    assert not PulledWhole([ERRORS, listing(PullPart.EVERYTHING)], REVISION).is_partial
    assert PulledWhole([ERRORS, listing(PullPart.EVERYTHING, done=False)], REVISION).is_partial


def test_what_a_watch_missed_is_not_whole() -> None:
    gap = UnreadSpan(from_time=format_time(at(600)), to_time=format_time(at(700)), reason="no answer")
    watched = listing(PullPart.EVERYTHING, watched=True, gaps=(gap,))
    whole = PulledWhole([ERRORS, watched], REVISION)
    assert whole.holds("i1", at(0), at(600))
    assert not whole.holds("i1", at(0), at(601))
    assert whole.holds("i1", at(700), at(1000))
    assert PulledWhole([watched, listing(PullPart.EVERYTHING, 590, 710)], REVISION).holds("i1", at(0), at(1000))


def test_of_pulls_at_two_levels_the_louder_one_tells_from_where_on_all_is_here() -> None:
    assert PulledWhole([ERRORS, listing(PullPart.ERRORS, 0, 50, level="WARNING")], REVISION).level is Level.ERROR


def test_what_is_whole_of_one_revision_says_nothing_of_another_in_the_same_case() -> None:
    other = listing(PullPart.EVERYTHING, revision="shop-api-00041-xyz")
    both = PulledWhole([ERRORS, NEAR, other], "all")
    assert both.level is Level.ERROR
    assert not both.holds("i1", at(300), at(310))
    assert PulledWhole([ERRORS, NEAR, other], REVISION).holds("i1", at(100), at(200))
    assert not PulledWhole([ERRORS, NEAR, other], "shop-api-00041-xyz").is_partial


def test_of_a_case_for_another_revision_nothing_is_known() -> None:
    other = PulledWhole([listing(PullPart.EVERYTHING)], "shop-api-00041-xyz")
    assert other.is_partial
    assert not other.holds("i1", at(0), at(1))


@pytest.mark.parametrize(
    ("record", "has_all"),
    [
        (raw("x", severity="ERROR"), True),
        (raw("x", severity="CRITICAL"), True),
        (raw("x", severity="WARNING"), False),
        (raw("ERROR: x"), False),  # whether the filter sees it depends on its words
        (request(200, at=0, latency=0.1), False),  # perhaps a sample of them only
        (request(429, at=0, latency=0.1), True),
        (raw("x", severity="INFO", stream="varlog%2Fsystem"), True),
    ],
)
def test_errors_and_what_the_platform_logged_are_here_wherever_they_stand(
    record: dict[str, Any],
    has_all: bool,  # noqa: FBT001 - a table
) -> None:
    entries = table(record)
    assert WHOLE.has_all(entries, [0]) is has_all
    assert EVERYTHING.has_all(entries, [0])


def test_platform_entries_that_stopped_at_a_limit_are_not_all_here() -> None:
    capped = PulledWhole([ERRORS, listing(PullPart.PLATFORM, capped=True)], REVISION)
    assert not capped.has_all(table(raw("x", severity="INFO", stream="varlog%2Fsystem")), [0])


def test_controls_are_the_requests_that_were_drawn() -> None:
    drawn = listing(PullPart.CONTROLS, drawn=(at(2), at(3), at(7)), stands_for=5)
    entries = table(*(request(503 if second == 3 else 200, at=second, latency=0.1) for second in range(5)))
    found = PulledWhole([ERRORS, drawn], REVISION).controls(entries)
    assert [(one.row, one.instance, one.stands_for) for one in found] == [(2, "i1", 5)]
