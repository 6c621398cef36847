"""Lines of one time stand in the order of their ids where these tell it, else in the order of the file."""

from __future__ import annotations

import pytest
from support.builders import START, raw, table

from forensics.entries.raw_fields import order_of_id

SECOND = START // 1_000_000_000
OWN = f"{SECOND:08x}000899f500000001"
FOREIGN = "f1" + OWN[2:]
STACK = ["goroutine 1 [running]:", "main.pay(0x1)", "\t/app/pay.go:40 +0x1", "main.main()", "\t/app/main.go:9 +0x2"]


@pytest.mark.parametrize(
    ("insert_id", "order"),
    [
        (OWN, OWN),
        (f"{SECOND + 86_400:08x}000899f500000001", f"{SECOND + 86_400:08x}000899f500000001"),
        (f"{SECOND + 86_401:08x}000899f500000001", ""),
        (FOREIGN, ""),
        ("1abc2def3a", "1abc2def3a"),
        ("z" * 24, "z" * 24),
    ],
)
def test_an_id_of_cloud_run_begins_with_its_second(insert_id: str, order: str) -> None:
    assert order_of_id(insert_id, START) == order


def test_ids_that_tell_no_order_leave_that_of_the_file() -> None:
    names = ["c0", "0f", "b7", "11", "9a"]
    lines = [
        raw(text, at=1.0, insert_id=name + FOREIGN[2:], instance="i1") for name, text in zip(names, STACK, strict=True)
    ]
    entries = table(raw("panic: no such table", at=0.999, insert_id=FOREIGN[:-1] + "0"), *lines)
    (whole,) = [entries.entry(row) for row in entries.rows()]
    assert whole.message.split("\n") == ["panic: no such table", *STACK]
