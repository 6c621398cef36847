"""Several measured values in one phrase."""

from __future__ import annotations

import pytest

from forensics.text.spans import span_of


@pytest.mark.parametrize(
    ("values", "span"),
    [
        (["300 MB", "270 MB", "420 MB"], "270–420 MB"),
        (["258 MiB", "1024 MiB"], "258–1024 MiB"),
        (["953M", "966M"], "953–966M"),
        (["0.5s", "12s"], "0.5–12s"),
        (["270 MB"], None),
        (["512 MiB", "2 GiB"], None),
        (["8080", "8081"], None),
        (["270 MB", "no figure"], None),
        ([], None),
    ],
)
def test_values_of_one_unit_are_a_range(values: list[str], span: str | None) -> None:
    assert span_of(values) == span


def test_a_range_tells_that_there_are_others() -> None:
    assert span_of(["1 MB", "2 MB"], others=True) == "1–2 MB (or other values)"
