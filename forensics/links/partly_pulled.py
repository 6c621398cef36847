"""Links in a log of which only windows were pulled whole: around failures, and around requests that went well.

A link is tested by these windows alone. Failures are compared with the requests that were drawn from all that went
well, each instance counted by its share of the requests. With fewer than twenty of them nothing is measured. Where
failures follow the cause at one lag, the lift is that of the lag: in a whole minute an unrelated line stands near
everything.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from forensics.links.chance import CASES, NEAR, against_requests, against_traces, usual_distance
from forensics.links.control_groups import Event, evenly
from forensics.links.order import CELL, ONSETS, SCALES, order_of
from forensics.model import FEWEST, FEWEST_CONTROLS, JoinKey, Nanoseconds
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from forensics.links.control_groups import ControlGroups, TestedSymptom
    from forensics.links.order import Order
    from forensics.log.pulled_whole import Control, PulledWhole
    from forensics.model import Link

LONGEST = Nanoseconds(60 * SECOND)
"""How long before a failure causes are looked for: no more is pulled."""
LATE = SECOND // 4
_MOVED = CELL // 2 * max(SCALES)
"""Nanoseconds by which the test of order moves an onset."""


class CauseTimes(Protocol):
    """Where the entries of a cause stand."""

    traces: set[int]

    @property
    def is_everywhere(self) -> bool:
        """Whether some of them name no instance, so that only what was pulled of the whole revision tells."""

    def distance(self, window: Nanoseconds) -> Callable[[Event], int]:
        """Return a function that measures the nanoseconds from an event to the nearest entry of the cause."""

    def stands_between(self, instance: str, start: int, end: int) -> bool:
        """Tell whether the cause was logged by an instance, or by none, after `start` and not after `end`."""

    def times_for(self, instance: str) -> list[int]:
        """Return the times at which the cause was logged by an instance, else by none."""


class PartlyPulled:
    """The windows of a revision that were pulled whole, and the requests that failures are compared with."""

    def __init__(self, whole: PulledWhole, groups: ControlGroups, drawn: Sequence[Control]) -> None:
        self._whole = whole
        self._groups = groups
        self._drawn = drawn

    def tested(self, found: Link, case: TestedSymptom, causes: CauseTimes, window: Nanoseconds) -> Link:
        """Test a link against chance and for order; without enough windows it keeps neither p-value nor lift."""
        if found.by is JoinKey.TRACE:
            return self._by_trace(found, case, causes)
        window = min(window, LONGEST)
        by_revision = found.by is JoinKey.REVISION or causes.is_everywhere

        def is_whole(event: Event, more: int = 0) -> bool:
            place = "" if by_revision else event.instance
            return self._whole.holds(place, event.time - window - more, event.end + LATE + more)

        events = [event for event in case.events if is_whole(event)]
        case = case._replace(by=found.by, events=events)
        names_instances = bool(events) and bool(events[0].instance)
        beside = _Controls(self._groups, self._drawn, is_whole, names_instances=names_instances)
        found = replace(found, controls=len(beside))
        if len(events) < FEWEST or len(beside) < FEWEST_CONTROLS:
            return found
        distance = causes.distance(window)
        near = min(NEAR, window // 4)

        def clipped(event: Event) -> int:
            return min(max(distance(event), near), window)

        cases = [(event, clipped(event)) for event in evenly(events, CASES)]
        chance = against_requests(case, cases, clipped, beside, window)
        if chance is None:
            return found
        order = _order([event for event in events if is_whole(event, _MOVED)], causes, window)
        lift = _lift_near(cases, clipped, beside, window)
        if order is not None and order.holds:
            lift = _lift_in_band(evenly(events, ONSETS), causes, beside, order)
        found = replace(found, lift=_digits(lift), p_value=chance.p_value)
        # Whether both keep time could only be told from what stands between the windows.
        if order is None or order.by_clock is not None:
            return found
        return replace(found, order_p=_digits(order.p_value), in_step=_digits(order.share))

    def _by_trace(self, found: Link, case: TestedSymptom, causes: CauseTimes) -> Link:
        """Compare the traces of failures with those of the requests that were drawn."""
        traces = [trace for control in self._drawn if (trace := self._groups.trace_of_request(control.row))]
        found = replace(found, controls=len(traces))
        if len(traces) < FEWEST_CONTROLS:
            return found
        own = self._groups.traces_of_rows(case.rows)
        explained = len(own & causes.traces)
        with_cause = explained + sum(trace in causes.traces for trace in traces)
        chance = against_traces(explained, len(own), with_cause, len(own) + len(traces))
        return replace(found, lift=chance.lift, p_value=chance.p_value)


class _Controls:
    """The requests that were drawn and whose windows are whole; `chance` asks for them as for any other requests."""

    def __init__(
        self,
        groups: ControlGroups,
        drawn: Sequence[Control],
        is_whole: Callable[[Event], bool],
        *,
        names_instances: bool,
    ) -> None:
        self.instance = groups.instance
        self.end_of_request = groups.end_of_request
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._requests: dict[str, int] = defaultdict(int)
        self._names_instances = names_instances
        for control in drawn:
            self._requests[control.instance] += control.stands_for
            if is_whole(self.event(control.row)):
                self._rows[control.instance].append(control.row)

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def event(self, row: int) -> Event:
        """Return where a request ended, as an event without the symptom."""
        end = self.end_of_request(row)
        return Event(end, end, self.instance(row) if self._names_instances else "")

    def other_requests(self, case: TestedSymptom, instance: str, most: int) -> Sequence[int]:
        """List at most `most` of them, of one instance, or with "" of all."""
        del case
        rows = self._rows.get(instance, []) if instance else sorted(row for rows in self._rows.values() for row in rows)
        return evenly(rows, most)

    def base_rate(self, has_cause: Callable[[Event], bool]) -> float:
        """Return the share of requests with the cause: each instance counts by its share of the requests.

        The instances' shares of all requests that were drawn are used, also where few of their windows are whole.
        """
        all_requests = sum(self._requests[instance] for instance in self._rows)
        shares = (
            self._requests[instance] / all_requests * sum(has_cause(self.event(row)) for row in rows) / len(rows)
            for instance, rows in self._rows.items()
        )
        return sum(shares)


def _order(events: Iterable[Event], causes: CauseTimes, window: Nanoseconds) -> Order | None:
    times: dict[str, list[int]] = defaultdict(list)
    for event in events:
        times[event.instance].append(event.time)
    return order_of(list(times.values()), [causes.times_for(instance) for instance in times], window)


def _lift_near(
    cases: Sequence[tuple[Event, int]], clipped: Callable[[Event], int], beside: _Controls, window: int
) -> float:
    """Return how many times more often the cause is within the usual distance of failures."""
    usual = usual_distance([distance for _, distance in cases], window)
    here = sum(distance <= usual for _, distance in cases) / len(cases)
    return here / _smoothed(beside.base_rate(lambda event: clipped(event) <= usual), len(beside))


def _lift_in_band(events: Sequence[Event], causes: CauseTimes, beside: _Controls, order: Order) -> float:
    """Return how many times more often the cause stands in the band of lags that was found."""
    latest = int(order.lag * SECOND)
    earliest = latest + int(order.width * SECOND)

    def in_band(event: Event) -> bool:
        return causes.stands_between(event.instance, event.time - earliest, event.time - latest)

    here = sum(map(in_band, events)) / len(events)
    return here / _smoothed(beside.base_rate(in_band), len(beside))


def _smoothed(share: float, controls: int) -> float:
    """Count one more control with the cause, so that none is not never."""
    return (share * controls + 1) / (controls + 1)


def _digits(number: float) -> float:
    return float(f"{number:.3g}")
