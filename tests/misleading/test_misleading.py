"""Logs that mislead: is every *supported* true, does nothing false lead, and is the true cause found?"""

from __future__ import annotations

import os

import pytest
from misleading.every_case import CASES
from misleading.scoring import made, score
from misleading.tally import Tally

SEEDS = int(os.environ.get("MISLEADING_SEEDS", "1"))
"""Draws of each case; `make misleading` takes three."""


@pytest.mark.slow
def test_words_stay_true_when_logs_mislead() -> None:
    tally = Tally([score(name, seed) for name in sorted(CASES) for seed in range(1, SEEDS + 1)])
    print(tally.figures(), tally.table(), sep="\n")  # noqa: T201
    assert tally.precision >= 0.97
    assert tally.false_headlines == []
    assert tally.first >= 0.9
    assert tally.recall >= 0.85
    assert tally.faults == 0


def test_there_are_enough_cases_and_a_third_of_them_has_a_cause_to_find() -> None:
    with_a_link = [name for name in CASES if made(CASES[name], 1)[2].found]
    assert len(CASES) >= 66
    assert len(with_a_link) >= len(CASES) / 3


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_draw_is_the_same_every_time_and_another_seed_is_another(name: str) -> None:
    assert made(CASES[name], 1) == made(CASES[name], 1)
    assert made(CASES[name], 1)[0] != made(CASES[name], 2)[0]
