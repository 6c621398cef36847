"""How much closer a cause is to its symptom than chance would put it: lift and p-value of a link.

The statistic is the mean distance, in seconds, from a symptom's occurrences to the nearest entry of the cause. A
distance below 250 ms counts as 250 ms, since applications log that late; no entry within the rule's window counts as
the window. Coverage of the window alone would prove nothing: in a crash loop, every moment has a cause within a minute.

- `p_value` is the share of permutations, the observed one included, whose mean distance is at most the observed one.
  The 199 permutations are a fixed set.
- `lift` compares the symptom with its controls: how many times more often does the cause stand within the usual
  distance (the ninth decile of the symptom's distances)?

The controls are, in general, the first of these that allows a test:

1. For symptoms joined by trace: all traces of the revision (or its requests, where there are more). A shared trace is
   no coincidence in time, but a cause may stand in the trace of every request, failed or not. Here p is exact
   (hypergeometric) and needs no permutations.
2. For exits of instances: lives of the revision's other instances, at the same age. A permutation chooses as many
   lives.
3. Other requests of the same instance (of the revision, if the link is by revision). A permutation rotates the failures
   within the order of the requests.
4. Other moments of the same life (or of the revision's span). A permutation rotates the occurrences of each life within
   the life. This test is made in addition to 3 when 3 is significant, and the weaker result counts: periodic requests,
   such as those of monitoring, keep step with everything else that is periodic.

Rotation keeps bursts together, but must break a rhythm: the occurrences are cut at up to four wide gaps, and the parts
are rotated independently (`apart`).

Controls that are too few for a test are skipped, unless the cause is about as common there.

No test is possible, and lift and p are None, if even a cause that was logged once, right beside the symptom, could not
reach 0.05: one crash in a life of four seconds, one failed request of two. At most 24 occurrences, evenly spread, and
200 controls are used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from math import comb, exp, lgamma
from typing import TYPE_CHECKING, NamedTuple, Protocol

from forensics.links.control_groups import ControlGroups, Event, Interval, TestedSymptom, evenly
from forensics.model import JoinKey, OccurrenceUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forensics.model import Nanoseconds

    Distance = Callable[[Event], int]
    """Nanoseconds from an event to the nearest entry of the cause."""

ROUNDS = 199
"""Permutations; the smallest p is 1/200."""
CASES = 24
"""Occurrences of the symptom that are used."""
CONTROLS = 200
"""Requests or lives without the symptom that are used."""
TRAINS = 5
"""Parts of one life's occurrences that are rotated independently."""
ATTAINABLE = 0.05
"""Significance level; a test whose smallest possible p is above it is not made."""
MORE = 2.0
"""From this lift on, controls that are too few for a test are skipped. Below it they count: a cause that is about as
common among controls is no cause."""
_FEWEST = 3
"""Controls that are needed to say that the cause is as common there."""
NEAR = 250_000_000
"""Nanoseconds; shorter distances count as this one."""
_CHOICES = 50
"""With fewer choices of lives, anything but the best one could be chance."""
_ENUMERATED = 2_000
"""Up to this number, all choices of lives are enumerated."""
_USUAL = 0.9
_WORD = 1 << 64


class Chance(NamedTuple):
    """The result of a test against chance; both None when no test is possible."""

    lift: float | None
    p_value: float | None


class OtherRequests(Protocol):
    """Requests without the symptom."""

    def other_requests(self, case: TestedSymptom, instance: str, most: int) -> Sequence[int]:
        """List at most `most` of them, of one instance, or with "" of all."""

    @property
    def end_of_request(self) -> Callable[[int], int]:
        """Returns when a request ended."""

    @property
    def instance(self) -> Callable[[int], str]:
        """Returns the instance of a request."""


_Cases = Sequence[tuple[Event, int]]
"""Events of the symptom with their distances to the cause."""

UNTESTABLE = Chance(None, None)


def against_traces(explained: int, symptoms: int, with_cause: int, traces: int) -> Chance:
    """Test whether the cause is more frequent in the symptom's traces than in all traces (hypergeometric)."""
    others = traces - symptoms
    if symptoms < 1 or others < 1:
        return UNTESTABLE
    elsewhere = min(max(with_cause - explained, 0), others)
    lift = explained / symptoms / ((elsewhere + 1) / (others + 1))
    if (lift >= MORE or others < _FEWEST) and comb(traces, min(symptoms, others, 3)) * ATTAINABLE < 1:
        return UNTESTABLE
    return _chance(lift, _upper_tail(explained, symptoms, explained + elsewhere, traces))


def weaker(one: Chance, other: Chance) -> Chance:
    """Return the result that says less; one that could not be tested says nothing of the other."""
    return max((x for x in (one, other) if x.p_value is not None), key=_weakness, default=one)


def against_moments(case: TestedSymptom, distance: Distance, groups: ControlGroups, window: Nanoseconds) -> Chance:
    """Test how near the cause is, against other lives, other requests or other moments."""
    near = min(NEAR, window // 4)

    def clipped(event: Event) -> int:
        return min(max(distance(event), near), window)

    events = evenly(case.events, CASES)
    cases = [(event, clipped(event)) for event in events]
    if case.unit is OccurrenceUnit.LIFE:
        by_lives = _against_lives(case, cases, clipped, groups, window)
        return by_lives or _against_times(case, cases, clipped, groups, window) or UNTESTABLE
    by_requests = against_requests(case, cases, clipped, groups, window)
    if by_requests is not None and _is_likely(by_requests):
        return by_requests
    by_time = _against_times(case, cases, clipped, groups, window)
    return max(filter(None, (by_requests, by_time)), key=_weakness, default=UNTESTABLE)


def _is_likely(chance: Chance) -> bool:
    return chance.p_value is not None and chance.p_value > ATTAINABLE


def _weakness(chance: Chance) -> tuple[float, float]:
    return (chance.p_value or 0.0, -(chance.lift or 0.0))


def _against_lives(
    case: TestedSymptom, cases: _Cases, clipped: Distance, groups: ControlGroups, window: int
) -> Chance | None:
    """Compare with unaffected lives of the revision, at the age of the affected ones."""
    known = [(groups.life(case.revision, event.instance, event.time), event) for event, _ in cases]
    ages = sorted(event.time - life.start for life, event in known if life is not None)
    if len(ages) < len(cases):
        return None
    # Without a recorded start, the age of a life at its end is unknown.
    started = sum(life is not None and life.started for life, _ in known) * 2 > len(known)
    controls = evenly([life for life in groups.unaffected(case) if life.started or not started], CONTROLS)
    if not controls:
        return None
    age = ages[len(ages) // 2]
    beside = [clipped(_at(min(life.start + age, life.end), life.instance)) for life in controls]
    distances = [distance for _, distance in cases]
    lift = _lift(distances, beside, window)
    is_common = lift < MORE and len(controls) >= _FEWEST
    if not is_common and comb(len(cases) + len(controls), min(len(cases), len(controls), 3)) < _CHOICES:
        return None
    return _chance(lift, _p_of_choices(distances, beside))


def _at(time: int, instance: str) -> Event:
    return Event(time, time, instance)


def _p_of_choices(affected: Sequence[int], unaffected: Sequence[int]) -> float:
    """Return the share of equally large choices of lives that are as near to the cause as the affected ones."""
    every, observed, size = [*affected, *unaffected], sum(affected), len(affected)
    choices = comb(len(every), size)
    if choices <= _ENUMERATED:
        return sum(sum(chosen) <= observed for chosen in combinations(every, size)) / choices
    as_near = sum(sum(_choose(every, size, number)) <= observed for number in range(ROUNDS))
    return (1 + as_near) / (ROUNDS + 1)


def _choose(items: Sequence[int], size: int, number: int) -> list[int]:
    """Choose `size` items pseudo-randomly; `number` is the seed."""
    pool = list(items)
    for at in range(size):
        other = at + int(_fraction(number * len(pool) + at) * (len(pool) - at))
        pool[at], pool[other] = pool[other], pool[at]
    return pool[:size]


def against_requests(
    case: TestedSymptom, cases: _Cases, clipped: Distance, groups: OtherRequests, window: int
) -> Chance | None:
    """Compare with other requests of the same instance, or of the revision."""
    by_instance = defaultdict(list)
    for event, distance in cases:
        by_instance["" if case.by is JoinKey.REVISION else event.instance].append((event, distance))
    most = max(CONTROLS // len(by_instance), 1)
    trains: list[tuple[list[int], list[int]]] = []
    beside: list[int] = []
    attainable = 1.0
    for instance, own_cases in by_instance.items():
        controls = []
        for row in groups.other_requests(case, instance, most):
            end = groups.end_of_request(row)
            event = _at(end, own_cases[0][0].instance and groups.instance(row))
            controls.append((end, 1, clipped(event)))
        beside += [distance for *_, distance in controls]
        sequence = sorted([*controls, *((event.time, 0, distance) for event, distance in own_cases)])
        distances = [distance for *_, distance in sequence]
        parts = apart([place for place, x in enumerate(sequence) if x[1] == 0], len(sequence))
        trains += [(distances, part) for part in parts]
        attainable /= comb(len(sequence), len(parts)) if controls else 1
    observed = [distance for _, distance in cases]
    lift = _lift(observed, beside, window)
    is_common = lift < MORE and len(beside) >= _FEWEST
    if not beside or (not is_common and attainable > ATTAINABLE):
        return None
    return _chance(lift, max(_p_of_turns(trains, sum(observed)), attainable))


def _p_of_turns(trains: Sequence[tuple[list[int], list[int]]], observed: int) -> float:
    """Return the share of rotations, within the order of requests, that are as near to the cause."""
    totals = [0] * ROUNDS
    for place, (distances, failed) in enumerate(trains):
        twice = distances * 2
        turns = [int(part * len(distances)) for part in _turns(place)]
        for at in failed:
            totals = [total + twice[at + turn] for total, turn in zip(totals, turns, strict=True)]
    return (1 + sum(total <= observed for total in totals)) / (ROUNDS + 1)


def _against_times(
    case: TestedSymptom, cases: _Cases, clipped: Distance, groups: ControlGroups, window: int
) -> Chance | None:
    """Compare with other moments of the same life, or of the revision's span."""
    by_interval: dict[Interval, list[tuple[Event, int]]] = defaultdict(list)
    for event, distance in cases:
        by_interval[groups.interval(case, event)].append((event, distance))
    trains: list[tuple[Interval, list[Event]]] = []
    attainable = 1.0
    for interval, own_cases in by_interval.items():
        size = interval.end - interval.start + 1
        usual = sum(distance for _, distance in own_cases) / len(own_cases)
        parts = apart([event.time - interval.start for event, _ in own_cases], size)
        at = iter(own_cases)
        trains += [(interval, [next(at)[0] for _ in part]) for part in parts]
        attainable *= min(1.0, (usual + NEAR) / size) ** len(parts)
    if attainable > ATTAINABLE:
        return None
    observed = [distance for _, distance in cases]
    limit, as_near, elsewhere = sum(observed), 0, []
    for number in range(ROUNDS):
        turned = [clipped(event) for event in _turned(trains, number)]
        as_near += sum(turned) <= limit
        elsewhere += turned
    return _chance(_lift(observed, elsewhere, window), (1 + as_near) / (ROUNDS + 1))


def _turned(trains: Sequence[tuple[Interval, list[Event]]], number: int) -> Iterator[Event]:
    """Rotate each train of occurrences within its interval."""
    for place, (interval, train) in enumerate(trains):
        size = interval.end - interval.start + 1
        turn = int(_turns(place)[number] * size)
        for event in train:
            time = interval.start + (event.time - interval.start + turn) % size
            yield Event(time, time + event.end - event.time, event.instance)


def apart(places: Sequence[int], size: int) -> list[list[int]]:
    """Split positions on a ring (sorted) at the widest gaps into at most five trains, which are rotated independently.

    After a rotation by one beat, a regular rhythm must not coincide with itself, and a burst must stay together. So
    gaps are cut only if they are at least half as wide as the widest; the gap across the ring's end counts too.
    """
    gaps = [b - a for a, b in pairwise(places)]
    widest = max([*gaps, places[0] + size - places[-1]])
    wide = sorted((at for at, gap in enumerate(gaps, 1) if 2 * gap >= widest), key=lambda at: (-gaps[at - 1], at))
    cuts = sorted(evenly(wide, TRAINS - 1) if len(set(gaps)) == 1 else wide[: TRAINS - 1])
    return [list(places[start:end]) for start, end in pairwise([0, *cuts, len(places)])]


@lru_cache(maxsize=256)
def _turns(place: int) -> tuple[float, ...]:
    """Return how far to rotate a train in each round, 0 to 1: the first train evenly, the others independently."""
    numbers = range(1, ROUNDS + 1)
    return tuple(number / (ROUNDS + 1) if place == 0 else _fraction(number + (place << 20)) for number in numbers)


def _fraction(number: int) -> float:
    """Return a pseudo-random number from 0 to 1, always the same for a seed (SplitMix64)."""
    word = (number * 0x9E3779B97F4A7C15) % _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) % _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) % _WORD
    return ((word ^ (word >> 31)) >> 11) / (1 << 53)


def _lift(distances: Sequence[int], elsewhere: Sequence[int], window: int) -> float:
    """Return how many times more often the cause is within the usual distance here than elsewhere."""
    usual = usual_distance(distances, window)
    here = sum(distance <= usual for distance in distances) / len(distances)
    base = (sum(distance <= usual for distance in elsewhere) + 1) / (len(elsewhere) + 1)
    return here / base


def usual_distance(distances: Sequence[int], window: int) -> int:
    """Return the ninth decile of the distances within a window; the window where there are none."""
    within = sorted(distance for distance in distances if distance < window) or [window]
    return within[int((len(within) - 1) * _USUAL)]


def _chance(lift: float, p_value: float) -> Chance:
    return Chance(float(f"{lift:.3g}"), float(f"{min(p_value, 1.0):.3g}"))


def _upper_tail(least: int, drawn: int, marked: int, population: int) -> float:
    """Return the probability to draw `least` or more marked items (hypergeometric)."""
    total, whole = 0.0, _log_comb(population, drawn)
    past_the_mode = drawn * marked // population
    for hits in range(least, min(drawn, marked) + 1):
        term = exp(_log_comb(marked, hits) + _log_comb(population - marked, drawn - hits) - whole)
        total += term
        if hits > past_the_mode and term < total * 1e-12:
            break
    return total


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) if 0 <= k <= n else float("-inf")
