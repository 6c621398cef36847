"""Counts of the requests, sessions and users that a cluster affected; None where no entry names one."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import raw, request, table

from forensics.clusters import find_lives, group
from forensics.model import Affected


def struck(*records: dict[str, Any]) -> Affected:
    entries = table(*records)
    (cluster,) = group(entries, {}, find_lives(entries))[0]
    return cluster.affected


def line(number: int, **payload: Any) -> dict[str, Any]:
    return raw(at=number * 5.0, severity="ERROR", number=number, jsonPayload={"message": "order failed", **payload})


def test_nothing_is_told_where_nothing_is_named() -> None:
    assert struck(line(1), line(2)) == Affected(requests=None, sessions=None, users=None)


def test_requests_are_counted_by_trace() -> None:
    traced = [raw("order failed", at=n / 10, severity="ERROR", number=n, trace=f"t{n // 2}") for n in range(6)]
    assert struck(*traced).requests == 3


def test_requests_of_the_request_log_count_themselves() -> None:
    assert struck(*[request(500, at=n, latency=0.1, number=n) for n in range(4)]).requests == 4


@pytest.mark.parametrize("name", ["user_id", "userId"])
def test_users_are_a_number_of_different_ones(name: str) -> None:
    assert struck(*[line(n, **{name: f"u{n % 3}"}) for n in range(9)]).users == 3


def test_sessions_are_read_from_labels_and_context_too() -> None:
    labelled = raw("order failed", at=0, severity="ERROR", labels={"instanceId": "i1", "session_id": "s1"})
    inner = line(1, context={"session_id": "s2"})
    assert struck(labelled, inner, line(2, session_id="s2")).sessions == 2


@pytest.mark.parametrize("name", ["", "None", "anonymous", "[REDACTED]", "***", True, None, ["u1"], {"id": 1}])
def test_a_mask_or_a_blank_is_nobody(name: Any) -> None:
    assert struck(line(1, user_id=name), line(2, user_id=name)).users is None


@pytest.mark.parametrize(
    "said",
    [
        "Cart of user {} is locked",
        "refused: user={}",
        "refused user_id: {}, retry",
        'FULL CONTEXT: {{"code": 7, "user_id": "{}"}}',
        'FULL CONTEXT: {{\\"user\\": \\"{}\\"}}',
    ],
)
def test_users_are_named_in_texts(said: str) -> None:
    names = ["shop-e2e-user-001", "shop-e2e-user-002", "u-17"]
    found = struck(*[raw(said.format(names[n % 3]), at=n * 5.0, severity="ERROR", number=n) for n in range(6)])
    assert (found.users, found.test_users, found.naming) == (3, 2, 6)


@pytest.mark.parametrize(
    "said", ["user isolation failed", "user: disabled", "superuser 17 came", "users 17", "user ***"]
)
def test_other_words_behind_user_are_nobody(said: str) -> None:
    assert struck(raw(said, at=0, severity="ERROR"), raw(said, at=5, severity="ERROR", number=1)).users is None
