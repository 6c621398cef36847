"""Links of which only windows were pulled: what they are compared with, and when nothing is measured."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.builders import START, leaf, raw, request, rule, table

from forensics.clusters import find_lives, group
from forensics.links import link
from forensics.links.partly_pulled import _Controls
from forensics.log.pulled_whole import Control, PulledWhole
from forensics.model import (
    DEFAULT_THRESHOLDS,
    Explains,
    JoinKey,
    Link,
    Nanoseconds,
    Pulled,
    PulledWindow,
    PullPart,
    Role,
)
from forensics.text.timestamps import SECOND, format_time

if TYPE_CHECKING:
    from forensics.links.control_groups import Event

Record = dict[str, Any]

REVISION = "shop-api-00042-abc"
EXPLAINS = (Explains(signature="failed", within=Nanoseconds(300 * SECOND)),)
RULES = {
    "cause": rule("cause", leaf(contains="the cause"), explains=EXPLAINS),
    "failed": rule("failed", leaf("httpRequest.status", at_least=500), Role.SYMPTOM),
}
DAY = 86_400


class Place(NamedTuple):
    """Where a request was answered, and when it ended, seconds after the start."""

    instance: str
    end: float


def window(place: Place, before: float = 68, after: float = 10) -> PulledWindow:
    start, end = (START + round((place.end + by) * SECOND) for by in (-before, after))
    return PulledWindow(place.instance, Nanoseconds(start), Nanoseconds(end))


def listing(part: PullPart, **fields: Any) -> Pulled:
    until = format_time(START + DAY * SECOND)
    return Pulled(revision=REVISION, part=part, done=True, from_time=format_time(START), to_time=until, **fields)


def pulled(failed: list[Place], well: list[Place], **of_windows: float) -> list[Pulled]:
    """The listings of errors and of what is around them and around requests that went well."""
    drawn = tuple(Nanoseconds(START + round((place.end - 0.1) * 1_000_000) * 1000) for place in well)
    return [
        listing(PullPart.ERRORS, level="ERROR"),
        listing(PullPart.NEIGHBOURHOOD, windows=tuple(window(place, **of_windows) for place in failed)),
        listing(PullPart.CONTROLS, windows=tuple(map(window, well)), drawn=drawn, stands_for=10),
    ]


def requests(places: list[Place], status: int, **fields: Any) -> list[Record]:
    return [
        request(status, at=round(one.end - 0.1, 6), latency=0.1, instance=one.instance, number=number, **fields)
        for number, one in enumerate(places, status * 1000)
    ]


def said(places: list[Place], severity: str = "WARNING", **fields: Any) -> list[Record]:
    return [
        raw("the cause", at=round(one.end, 6), instance=one.instance, number=number, severity=severity, **fields)
        for number, one in enumerate(places)
    ]


def linked(records: list[Record], listings: list[Pulled]) -> Link:
    entries = table(*sorted(records, key=lambda one: str(one["timestamp"])), rules=tuple(RULES.values()))
    lives, whole = find_lives(entries), PulledWhole(listings, REVISION)
    clusters, members = group(entries, RULES, lives, whole)
    (found,) = link(clusters, members, RULES, entries, lives, whole=whole)
    return found


def spread(count: int, seed: int, instances: int = 2) -> list[Place]:
    """Requests some minutes apart, without a period."""
    dice = Random(seed)  # noqa: S311 - seeded on purpose
    ends = accumulate(round(200 + dice.random() * 600, 3) for _ in range(count))
    return [Place(f"i{number % instances + 1}", round(end, 3)) for number, end in enumerate(ends)]


FAILED, WELL = spread(20, 1), spread(40, 2)


def before(places: list[Place], lag: float) -> list[Place]:
    return [Place(place.instance, place.end - lag) for place in places]


def test_a_cause_before_each_failure_and_before_no_other_request_is_supported() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3))]
    found = linked(records, pulled(FAILED, WELL))
    assert (found.controls, found.lift, found.p_value) == (40, 41.0, 0.005)
    assert found.keeps_order
    assert found.meets(DEFAULT_THRESHOLDS)


def test_what_stands_before_requests_that_went_well_as_often_explains_nothing() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before([*FAILED, *WELL], 0.3))]
    found = linked(records, pulled(FAILED, WELL))
    assert found.lift == pytest.approx(1.0, abs=0.1)
    assert found.is_near_by_chance


def test_the_lift_is_that_of_the_lag_among_lines_that_stand_anywhere() -> None:
    """Ten seconds before each failure, and in each minute before any request."""
    dice = Random(3)  # noqa: S311 - seeded on purpose
    anywhere = [Place(one.instance, one.end - 3 - dice.random() * 50) for one in [*FAILED, *WELL] for _ in range(2)]
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said([*before(FAILED, 10), *anywhere])]
    found = linked(records, pulled(FAILED, WELL))
    assert found.keeps_order
    assert found.lift is not None
    assert found.lift > 4


@pytest.mark.parametrize(("well", "is_measured"), [(20, True), (19, False)])
def test_with_fewer_than_twenty_requests_nothing_is_measured(well: int, is_measured: bool) -> None:  # noqa: FBT001
    records = [*requests(FAILED, 500), *requests(WELL[:well], 200), *said(before(FAILED, 0.3))]
    found = linked(records, pulled(FAILED, WELL[:well]))
    assert found.controls == well
    assert (found.lift is not None, found.p_value is not None) == (is_measured, is_measured)
    assert found.meets(DEFAULT_THRESHOLDS) is is_measured


def test_failures_whose_windows_are_not_whole_tell_nothing() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3))]
    found = linked(records, pulled(FAILED, WELL, before=59))
    assert (found.explained, found.p_value, found.lift, found.order_p) == (20, None, None, None)
    assert not found.meets(DEFAULT_THRESHOLDS)


@pytest.mark.parametrize(
    ("of_windows", "is_measured", "is_ordered"),
    [
        ({"before": 60, "after": 0.25}, True, False),
        ({"before": 59.999}, False, False),
        ({"after": 0.249}, False, False),
        ({"before": 68, "after": 8.25}, True, True),
        ({"before": 67.999}, True, False),
        ({"after": 8.249}, True, False),
    ],
)
def test_a_window_is_whole_to_the_minute_and_to_where_an_onset_may_be_moved(
    of_windows: dict[str, float],
    is_measured: bool,  # noqa: FBT001 - a table
    is_ordered: bool,  # noqa: FBT001 - a table
) -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3))]
    found = linked(records, pulled(FAILED, WELL, **of_windows))
    assert (found.p_value is not None, found.order_p is not None) == (is_measured, is_ordered)


def test_three_failures_are_enough() -> None:
    records = [*requests(FAILED[:3], 500), *requests(WELL, 200), *said(before(FAILED[:3], 0.3))]
    found = linked(records, pulled(FAILED[:3], WELL))
    assert (found.lift, found.controls) == (41.0, 40)


def test_without_order_the_lift_is_that_of_the_usual_distance() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before([*FAILED, *WELL[:4]], 5))]
    found = linked(records, pulled(FAILED, WELL, before=61))
    assert found.lift == pytest.approx(41 / 5, abs=0.01)


def test_a_cause_that_is_also_logged_without_an_instance_needs_windows_of_the_whole_revision() -> None:
    nowhere = [raw("the cause", at=50_000, instance="", severity="WARNING")]
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3)), *nowhere]
    found = linked(records, pulled(FAILED, WELL))
    assert (found.by, found.p_value, found.controls) == (JoinKey.INSTANCE, None, 0)


def test_windows_too_short_to_move_an_onset_leave_the_order_open() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3))]
    found = linked(records, pulled(FAILED, WELL, before=61))
    assert (found.p_value, found.order_p) == (0.005, None)


def test_what_keeps_time_with_failures_is_not_told_from_their_cause() -> None:
    failed = [Place("i1", 600 * number + 100.0) for number in range(1, 21)]
    records = [*requests(failed, 500), *requests(WELL, 200), *said(before(failed, 5))]
    found = linked(records, pulled(failed, WELL))
    assert (found.p_value, found.order_p) == (0.025, None)
    assert not found.meets(DEFAULT_THRESHOLDS)


def test_errors_are_here_everywhere_and_compared_with_every_request() -> None:
    records = [*requests(FAILED, 500), *requests(WELL, 200), *said(before(FAILED, 0.3), "ERROR")]
    found = linked(records, pulled(FAILED, []))
    assert found.controls is None
    assert found.p_value is not None


@pytest.mark.parametrize(("well", "lift"), [(40, 1 / (11 / 41)), (20, 1 / (11 / 21)), (19, None)])
def test_traces_are_compared_with_those_of_requests_that_were_drawn(well: int, lift: float | None) -> None:
    def traced(places: list[Place], status: int, kind: str) -> list[Record]:
        made = requests(places, status)
        return [one | {"trace": f"projects/shop/traces/{kind}{number:030d}"} for number, one in enumerate(made)]

    causes = [
        one | {"trace": f"projects/shop/traces/{kind}{number:030d}"}
        for kind, places in (("f", FAILED), ("w", WELL[:10]))
        for number, one in enumerate(said(before(places, 0.05), insert_id=None))
    ]
    for number, one in enumerate(causes):
        one["insertId"] = f"cause{number}"
    found = linked([*traced(FAILED, 500, "f"), *traced(WELL[:well], 200, "w"), *causes], pulled(FAILED, WELL[:well]))
    assert (found.by, found.controls) == (JoinKey.TRACE, well)
    assert found.lift == (None if lift is None else pytest.approx(lift, abs=0.01))


class Groups:
    """As much of the control groups as a list of requests needs."""

    def __init__(self, instances: list[str]) -> None:
        self._instances = instances

    def instance(self, row: int) -> str:
        return self._instances[row]

    def end_of_request(self, row: int) -> int:
        return row


def test_an_instance_counts_by_its_requests_and_not_by_its_windows() -> None:
    """Of ten requests nine are of i1; of two of these the windows are whole, and one has the cause."""
    groups: Any = Groups(["i1"] * 9 + ["i2"])
    drawn = [Control(row, groups.instance(row), 7) for row in range(10)]

    def is_whole(event: Event) -> bool:
        return event.time in {0, 1, 9}

    controls = _Controls(groups, drawn, is_whole, names_instances=True)
    assert len(controls) == 3
    assert controls.base_rate(lambda event: event.time in {0, 9}) == pytest.approx(0.9 / 2 + 0.1)
    assert list(controls.other_requests(None, "i1", 9)) == [0, 1]  # type: ignore[arg-type]  # it does not matter
    assert list(controls.other_requests(None, "", 9)) == [0, 1, 9]  # type: ignore[arg-type]  # likewise
