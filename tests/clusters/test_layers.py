"""What several layers log of one failure is one cluster, with the layers listed; and where a logger says it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import raw, table

from forensics.clusters import find_lives, group

if TYPE_CHECKING:
    from forensics.model import Cluster

HEADER = "Traceback (most recent call last):"
TRACE = f'{HEADER}\n  File "/app/card.py", line 7, in charge\n    x()\nPayError: card 5 declined'
WRAPPER = "ERROR in app: request failed, see card 5 declined above"


def clusters(*records: dict[str, Any]) -> tuple[Cluster, ...]:
    entries = table(*records)
    return group(entries, {}, find_lives(entries))[0]


def failed(at: float, number: int, *texts: str, **fields: Any) -> list[dict[str, Any]]:
    """One failure, which each layer logs a tenth of a second after the one below."""
    return [raw(text, at=at + n / 10, number=number + n, severity="ERROR", **fields) for n, text in enumerate(texts)]


def test_three_layers_are_one_cluster() -> None:
    found = clusters(*(one for n in range(3) for one in failed(n * 10, n * 3, "card 5 declined", TRACE, WRAPPER)))
    (only,) = found
    assert (only.entries, only.occurrences) == (9, 3)
    assert only.title == "PayError: card <*> declined"
    assert only.layers == ("card <*> declined", "ERROR in app: request failed, see card <*> declined above")
    assert only.stack.endswith("PayError: card 5 declined")


def test_each_time_the_layer_must_stand_beside_the_failure() -> None:
    own = raw(WRAPPER, at=30, number=90, severity="ERROR")
    assert len(clusters(*failed(0, 0, TRACE, WRAPPER), own)) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"instance": "i1"}, {"instance": "i2"}),
        ({"trace": "t1"}, {"trace": "t2"}),
        ({"instance": ""}, {"instance": ""}),
    ],
)
def test_another_place_is_another_failure(first: dict[str, Any], second: dict[str, Any]) -> None:
    below = raw(TRACE, at=0, number=0, severity="ERROR", **first)
    above = raw(WRAPPER, at=0.1, number=1, severity="ERROR", **second)
    assert len(clusters(below, above)) == 2


def test_the_value_must_be_whole_and_near() -> None:
    assert len(clusters(*failed(0, 0, TRACE, "request failed: card 6 declined"))) == 2
    late = raw(WRAPPER, at=1.5, number=1, severity="ERROR")
    assert len(clusters(*failed(0, 0, TRACE), late)) == 2


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"sourceLocation": {"file": "cart.py", "line": "40", "function": "total"}}, ("cart.py", 40, "total")),
        ({"labels": {"instanceId": "i1", "python_logger": "shop.cart"}}, ("shop.cart", None, "")),
        (
            {"jsonPayload": {"message": "cart 1 is torn", "labels": {"module": "shop.cart", "function": "total"}}},
            ("shop.cart", None, "total"),
        ),
        ({"jsonPayload": {"message": "cart 1 is torn", "caller": "shop/cart.go:40"}}, ("shop/cart.go", 40, "")),
    ],
)
def test_a_logger_says_where_it_stands(fields: dict[str, Any], place: tuple[str, int | None, str]) -> None:
    text = None if "jsonPayload" in fields else "cart 1 is torn"
    (only,) = clusters(raw(text, severity="ERROR", **fields))
    assert only.frame is None
    assert only.logged_at is not None
    assert (only.logged_at.file, only.logged_at.line, only.logged_at.function) == place


def test_a_stack_tells_better_where_it_stands() -> None:
    (only,) = clusters(raw(TRACE, severity="ERROR", sourceLocation={"file": "log.py", "line": "1"}))
    assert only.logged_at is None
    assert clusters(raw("cart 1 is torn", severity="ERROR"))[0].logged_at is None
