from __future__ import annotations

from typing import Any

import pytest
from support.builders import query, raw, raws, request

from forensics.entries import MemoryRecordStore
from forensics.errors import BaselineError
from forensics.pipeline import previous


def served(number: int, at: float) -> list[dict[str, Any]]:
    revision = f"shop-api-{number:05}-abc"
    return [
        raw("listening", at=at, revision=revision, number=number),
        request(200, at=at + 1, latency=0.1, revision=revision, number=number),
    ]


def deployed(number: int, at: float) -> dict[str, Any]:
    said = f"Ready condition status changed to False for Revision shop-api-{number:05}-abc with message: no port"
    proto = {"methodName": "/InternalServices.ReplaceInternalService", "status": {"code": 9, "message": said}}
    stream = "cloudaudit.googleapis.com%2Fsystem_event"
    return raw(at=at, number=number, stream=stream, revision="", instance="") | {"protoPayload": proto}


def before(asked: str, *records: dict[str, Any]) -> str:
    (name,) = previous(raws(*records), query(asked), MemoryRecordStore())
    return name


def test_several_revisions_before_come_the_nearest_first() -> None:
    entries = raws(*served(41, 0), *served(42, 10), *served(43, 20), *served(44, 30))
    names = previous(entries, query("00044"), MemoryRecordStore(), 2)
    assert names == ("shop-api-00043-abc", "shop-api-00042-abc")
    assert len(previous(entries, query("00044"), MemoryRecordStore(), 9)) == 3


def test_the_revision_that_was_seen_last_before() -> None:
    assert before("00043", *served(41, 0), *served(42, 10), *served(43, 20), *served(44, 30)) == "shop-api-00042-abc"


def test_overlapping_revisions_go_by_their_first_entry() -> None:
    late = request(200, at=99, latency=0.1, revision="shop-api-00041-abc")
    assert before("00042", *served(41, 0), *served(42, 10), late) == "shop-api-00041-abc"


def test_the_audit_log_tells_that_a_revision_came_earlier_than_its_own_entries() -> None:
    assert before("00041", *served(41, 20), *served(42, 30), deployed(42, 1)) == "shop-api-00042-abc"


def test_a_revision_that_never_served_is_passed_over() -> None:
    crashed = raw("KeyError: 'x'", at=10, revision="shop-api-00042-abc")
    assert before("00043", *served(41, 0), crashed, *served(43, 20)) == "shop-api-00041-abc"
    assert before("00043", crashed, *served(43, 20)) == "shop-api-00042-abc"


def test_another_service_is_no_predecessor() -> None:
    other = raw("hello", at=0, revision="cart-00001-abc")
    other["resource"]["labels"]["service_name"] = "cart"
    with pytest.raises(BaselineError, match="no revision before 'shop-api-00043-abc'"):
        before("00043", other, *served(43, 20))
