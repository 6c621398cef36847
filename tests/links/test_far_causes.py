"""Causes further back than any rule's window: taken only where nearly all failures follow at one lag."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest
from links.test_join import RULES, rule, says
from support.builders import raw, request, table

from forensics.clusters import find_lives, group
from forensics.links import link
from forensics.model import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.model import Link, Rule

HOUR = 3600.0
FAILURES = 16


def drawn(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - seeded on purpose


def joined(*records: dict[str, object], rules: tuple[Rule, ...] = RULES) -> list[Link]:
    by_id = {one.id: one for one in rules}
    entries = table(*sorted(records, key=lambda record: str(record["timestamp"])), rules=rules)
    lives = find_lives(entries)
    clusters, members = group(entries, by_id, lives)
    return list(link(clusters, members, by_id, entries, lives))


def links_of(draw: Random, lag: Callable[[], float], *, unrelated: int = 0, near: int = 0) -> list[Link]:
    """Failures with a cause some time before their end, lines that have nothing to do with them, and a nearer cause."""
    records = []
    for at in (draw.uniform(60, HOUR) for _ in range(FAILURES)):
        records += [
            request(500, at=at - 31, latency=31.0),
            raw("cannot read the ledger", at=at - lag(), severity="ERROR"),
        ]
        if near:
            records.append(raw("database gone", at=at - 0.4, severity="ERROR"))
    records += [
        raw("feed skipped", at=draw.uniform(0, HOUR), severity="ERROR", labels={"instanceId": "i1"})
        for _ in range(unrelated)
    ]
    return joined(*records)


@pytest.mark.parametrize("lag", [8.0, 10.0, 25.0])
def test_a_cause_at_one_lag_is_found_beyond_the_window(lag: float) -> None:
    draw = drawn(int(lag))
    (found,) = links_of(draw, lambda: lag + draw.gauss(0, 0.05), unrelated=20)
    assert (found.explained, found.of, found.within, found.keeps_order) == (FAILURES, FAILURES, 30.0, True)
    assert found.lag[0] == pytest.approx(lag, abs=0.5) if found.lag else False


def test_beyond_half_a_minute_nothing_is_looked_for() -> None:
    draw = drawn(1)
    assert links_of(draw, lambda: 30.9 + draw.gauss(0, 0.02)) == []


def test_a_cause_that_keeps_no_lag_is_not_taken() -> None:
    for seed in range(20):
        draw = drawn(seed)
        lags = iter([draw.uniform(6, 29) for _ in range(FAILURES)])
        assert links_of(draw, partial(next, lags)) == []


def test_half_of_them_at_one_lag_is_too_few() -> None:
    draw = drawn(3)
    assert links_of(draw, lambda: 10.0 if draw.random() < 0.6 else draw.uniform(100, 1000)) == []


def test_what_is_logged_as_often_and_has_nothing_to_do_with_it_is_never_taken() -> None:
    found = [links_of(drawn(seed), lambda: 500.0, unrelated=FAILURES) for seed in range(100)]
    assert found == [[]] * 100


def followed(*lags: float, failures: int = 0) -> list[Link]:
    """Failures five minutes apart, each after its cause at the lag in its place, then those with no cause."""
    records = []
    for number in range(len(lags) + failures):
        end = 300.0 * (number + 1) + number % 7 * 11.3
        records.append(request(500, at=end - 31, latency=31.0))
        records += [raw("cannot read the ledger", at=end - lag, severity="ERROR") for lag in lags[number : number + 1]]
    return joined(*records)


def test_three_of_four_at_one_lag_are_enough_and_two_of_three_are_not() -> None:
    assert [(found.explained, found.of) for found in followed(*[10.0] * 16, failures=4)] == [(16, 20)]
    assert followed(*[10.0] * 14, failures=6) == []
    (found,) = followed(*[10.0] * 18, 21.0, 27.0)
    assert found.coverage == 1.0
    assert found.in_step == pytest.approx(0.9, abs=0.05)
    assert followed(*[10.0] * 12, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0) == []


def test_three_failures_are_enough_to_look_and_too_few_to_tell_from_chance() -> None:
    assert followed(10.0, 10.0) == []
    assert all(found.keeps_order for found in followed(10.0, 10.0, 10.0))


def test_of_many_causes_those_seen_as_often_are_looked_at() -> None:
    """Thirty kinds of lines are logged a thousand times as often or a tenth: the true one is still found."""
    records = []
    draw = drawn(8)
    for number in range(12):
        end = 300.0 * (number + 1) + draw.uniform(0, 60)
        records.append(request(500, at=end - 31, latency=31.0))
        records.append(raw("cannot read the ledger", at=end - 10, severity="ERROR"))
    words = [
        "tea",
        "salt",
        "rice",
        "oil",
        "flour",
        "milk",
        "corn",
        "beans",
        "soap",
        "wax",
        "wool",
        "silk",
        "tin",
        "zinc",
    ]
    for word in words:
        records += [raw(f"no {word} left", at=draw.uniform(0, HOUR), severity="ERROR") for _ in range(25)]
        records += [raw(f"{word} is late", at=draw.uniform(0, HOUR), severity="ERROR") for _ in range(7)]
    assert [found.explained for found in joined(*records) if found.within == 30.0] == [12]


def test_ends_of_lives_have_long_windows_of_their_own_and_are_left_out() -> None:
    ended = rule("ended", Role.SYMPTOM, says("exit(1)"))
    records = []
    for number in range(12):
        at = 300.0 * (number + 1)
        records.append(raw("cannot read the ledger", at=at, severity="ERROR", instance=f"i{number}"))
        records.append(
            raw(
                "Container called exit(1).",
                at=at + 10,
                log="varlog%2Fsystem",
                severity="WARNING",
                instance=f"i{number}",
            )
        )
    assert [found.within for found in joined(*records, rules=(*RULES, ended)) if found.within == 30.0] == []


def test_no_one_looks_far_where_a_nearer_cause_explains_all() -> None:
    draw = drawn(5)
    found = links_of(draw, lambda: 12.0, near=1)
    assert [(link.declared, link.within) for link in found] == [(True, 2.0)]
