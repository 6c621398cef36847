"""Who sent a request, what it delivers, and what the platform probes."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.entries import decode_entry
from forensics.entries.raw_fields import route_of
from forensics.extract.senders import client_of, delivery_of, probed_route
from forensics.model import LogEntry, Place, RawEntry

SYSTEM = "projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem"


def decoded(**fields: Any) -> LogEntry:
    record = {"insertId": "a", "timestamp": "2026-05-01T00:00:00Z", "logName": "projects/p/logs/stdout", **fields}
    return decode_entry(RawEntry(record=record, place=Place(source="test", record=1)))


def requested(**http: Any) -> LogEntry:
    asked = {"requestMethod": "GET", "requestUrl": "https://shop.example/orders?try=1", "remoteIp": "203.0.113.1"}
    return decoded(trace="projects/p/traces/1", httpRequest=asked | http)


ID = "2070443601311540"


@pytest.mark.parametrize(
    "fields",
    [
        {"textPayload": f"message {ID}: message_id={ID}, attempt 2"},
        {"textPayload": f'{{messageId: "{ID}"}}'},
        {"textPayload": f"the message id is {ID}"},
        {"textPayload": f"X-CloudTasks-TaskName: {ID}"},
        {"textPayload": f"task_name={ID} failed"},
        {"jsonPayload": {"message": "failed", "message_id": ID}},
        {"jsonPayload": {"message": {"messageId": ID, "data": "…"}}},
        {"jsonPayload": {"message": "failed", "request": {"headers": {"x-cloudtasks-taskname": ID}}}},
        {"jsonPayload": {"message": "failed"}, "labels": {"pubsub_message_id": ID}},
    ],
)
def test_one_message_is_one_delivery_however_it_is_named(fields: dict[str, Any]) -> None:
    number = delivery_of(decoded(**fields))
    assert number == delivery_of(decoded(jsonPayload={"messageId": ID})) != 0
    other = delivery_of(decoded(jsonPayload={"messageId": ID.replace("4", "5")}))
    assert number != other


@pytest.mark.parametrize(
    "fields",
    [
        {"textPayload": "a message id is required"},
        {"textPayload": f"order {ID} failed"},
        {"jsonPayload": {"message": "failed", "messageId": "ERR_1001"}},
        {"jsonPayload": {"message": "failed", "order_id": ID}},
        {"jsonPayload": {"message": "failed", "messageId": None, "taskName": ["2070443601311540"]}},
    ],
)
def test_what_names_no_message_delivers_none(fields: dict[str, Any]) -> None:
    assert delivery_of(decoded(**fields)) == 0


def test_a_client_is_an_address_that_asks_for_a_path() -> None:
    same = client_of(requested())
    assert client_of(requested(requestUrl="https://shop.example/orders?try=2")) == same
    assert client_of(requested(remoteIp="203.0.113.2")) != same
    assert client_of(requested(requestMethod="POST")) != same
    assert client_of(requested(requestUrl="https://shop.example/carts")) != same
    assert client_of(requested(userAgent="curl/8")) != same


def test_without_an_address_a_request_is_its_own_client() -> None:
    nameless = [decoded(insertId=name, httpRequest={"requestMethod": "GET", "status": 500}) for name in "ab"]
    assert client_of(nameless[0]) != client_of(nameless[1])


@pytest.mark.parametrize("told", ["STARTUP HTTP probe failed 1 time consecutively", "LIVENESS HTTP probe succeeded"])
def test_the_platform_names_the_route_that_it_probes(told: str) -> None:
    line = f'{told} for container "app-1" on port 8080 path "/readyz". The instance was not started.'
    assert probed_route(decoded(logName=SYSTEM, textPayload=line)) == route_of("/readyz")
    assert probed_route(decoded(textPayload=line)) == 0
    assert probed_route(decoded(logName=SYSTEM, textPayload=line.replace("/readyz", "/"))) == 0
    assert probed_route(decoded(logName=SYSTEM, textPayload=line.replace("HTTP", "TCP"))) == 0
