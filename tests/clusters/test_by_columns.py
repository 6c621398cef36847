"""Counts made by columns equal the counts made entry by entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from hypothesis import given, strategies as st
from support.strategies import tables

from forensics.clusters import find_lives
from forensics.clusters.group import TREND_BINS, _cadence, _trend
from forensics.clusters.lives import LATE
from forensics.clusters.occurrences import (
    AROUND_END,
    BURST_GAP,
    FATAL,
    FailedRequests,
    find_occurrences,
    life_of,
    lives_by_instance,
)
from forensics.clusters.profile import _entries_each
from forensics.model import Level, OccurrenceUnit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.clusters.occurrences import LivesOf
    from forensics.log.entry_table import EntryTable, Occurrences
    from forensics.model import EntryFacts, Life


def plain_lives(found: EntryTable) -> Iterator[tuple[str, int, int, int, bool, int | None]]:
    for instance in {label_set.instance for label_set in found.label_sets} - {""}:
        lives: list[list[int]] = [[]]
        ended: int | None = None
        for row in [row for row in found.rows() if found.instance(row) == instance]:
            facts, time = found.facts(row), found.times[row]
            if ended is not None and (facts.exits or facts.starts or time > ended + LATE):
                lives.append([])
                ended = None
            ended = time if facts.exits else ended
            lives[-1].append(row)
        for number, rows in enumerate(filter(None, lives), 1):
            exit_ = next((row for row in rows if found.facts(row).exits), None)
            end = found.times[rows[-1] if exit_ is None else exit_]
            started = any(found.facts(row).starts for row in rows)
            yield instance, number, found.times[rows[0]], end, started, exit_


@given(found=tables())
def test_lives_are_those_of_the_plain_way(found: EntryTable) -> None:
    lives = [(x.instance, x.number, x.start, x.end, x.started, x.exit) for x in find_lives(found)]
    assert sorted(lives, key=str) == sorted(plain_lives(found), key=str)
    assert all(life.ended == (life.exit is not None) for life in find_lives(found))
    assert lives == sorted(lives, key=lambda life: (life[2], life[0], life[1]))


def plain_life(row: int, found: EntryTable, lives: LivesOf) -> Life | None:
    label_set, time = found.label_set(row), found.times[row]
    own = lives.get((label_set.revision, label_set.instance), ())
    return next((life for life in own if time <= life.end + BURST_GAP), own[-1] if own else None)


def is_failed_request(facts: EntryFacts) -> bool:
    return facts.is_request and facts.level.rank >= Level.ERROR.rank


def plain_request(row: int, rows: Sequence[int], found: EntryTable) -> int:
    if found.traces[row] or found.facts(row).is_request:
        return found.traces[row] or -1 - row
    (before, after), time = AROUND_END, found.times[row]
    near = [
        (abs(found.ends[at] - time), at)
        for at in rows
        if is_failed_request(found.facts(at)) and found.instance(at) == found.instance(row) != ""
        if time - after <= found.ends[at] <= time + before and found.times[at] <= time
    ]
    return (found.traces[min(near)[1]] or -1 - min(near)[1]) if near else 0


def plain_occurrences(
    rows: Sequence[int], found: EntryTable, lives: LivesOf, unit: OccurrenceUnit | None
) -> Iterator[tuple[OccurrenceUnit, list[int]]]:
    keyed = defaultdict(list)
    loose = defaultdict(list)
    for row in rows:
        life, asks, request_ = (
            plain_life(row, found, lives),
            found.facts(row).is_request,
            plain_request(row, rows, found),
        )
        is_fatal = life is not None and not asks and found.times[row] >= life.end - FATAL
        if unit in {None, OccurrenceUnit.LIFE} and life is not None and life.ended and (unit is not None or is_fatal):
            keyed[OccurrenceUnit.LIFE, (life.instance, life.number)].append(row)
        elif unit in {None, OccurrenceUnit.REQUEST} and request_:
            keyed[OccurrenceUnit.REQUEST, (str(request_), 0)].append(row)
        else:
            loose[found.instance(row)].append(row)
    yield from ((label_set, group) for (label_set, _), group in keyed.items())
    for stream in loose.values():
        burst = [stream[0]]
        for before, row in pairwise(stream):
            if found.times[row] - found.times[before] > BURST_GAP:
                yield OccurrenceUnit.BURST if unit is not OccurrenceUnit.SESSION else unit, burst
                burst = []
            burst.append(row)
        yield OccurrenceUnit.BURST if unit is not OccurrenceUnit.SESSION else unit, burst


def plain_entries_each(occurrences: Occurrences, found: EntryTable) -> dict[str, int]:
    counts = [
        Counter(found.facts(piece).severity or "(none)" for row in rows for piece in found.originals(row))
        for rows in occurrences.groups()
    ]
    return dict(sorted(counts[0].items())) if len(counts) > 1 and all(one == counts[0] for one in counts) else {}


@given(found=tables(), unit=st.sampled_from((None, *OccurrenceUnit)))
def test_occurrences_are_those_of_the_plain_way(found: EntryTable, unit: OccurrenceUnit | None) -> None:
    lives = lives_by_instance(find_lives(found))
    rows = [row for row in found.rows() if found.facts(row).analysed]
    requests = FailedRequests(rows, found).keys(rows)
    assert list(requests) == [plain_request(row, rows, found) for row in rows]
    assert [life_of(row, found, lives) for row in rows] == [plain_life(row, found, lives) for row in rows]
    occurrences = find_occurrences(rows, found, lives, unit, requests)
    expected = sorted(plain_occurrences(rows, found, lives, unit), key=lambda pair: pair[1][0])
    assert [(one.unit, list(one.rows)) for one in occurrences] == expected
    codes = Counter(tuple(found.fact_ids[row] for row in group) for group in occurrences.groups())
    assert occurrences.by_facts() == codes
    if rows:
        entries = sum(len(found.originals(row)) for row in rows)
        assert _entries_each(occurrences, entries, found) == plain_entries_each(occurrences, found)


@given(starts=st.lists(st.integers(0, 10**12) | st.integers(0, 40)).map(sorted), first=st.integers(0, 10**12))
def test_trends_and_cadences_are_those_of_the_plain_way(starts: list[int], first: int) -> None:
    span = (first, max([first, *starts]))
    bins = [0] * TREND_BINS
    for start in starts:
        place = (start - first) * TREND_BINS // max(span[1] - first, 1)
        bins[min(max(place, 0), TREND_BINS - 1)] += 1
    assert _trend(starts, span) == tuple(bins)
    gaps = [(b - a) / 1_000_000_000 for a, b in pairwise(starts)]
    found = _cadence(starts, is_loop=False)
    assert (found is None) == (len(gaps) < 2)
    if found is not None:
        measured = (found.median, found.shortest, found.longest)
        assert measured == (round(median(gaps), 3), round(min(gaps), 3), round(max(gaps), 3))
