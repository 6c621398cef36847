"""BigQuery, Log Analytics and Python scripts spell entries otherwise; they come out as the API spells them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forensics.entries import decode_entry
from forensics.model import RawEntry
from forensics.sources import read_records
from forensics.sources.values.api_spelling import in_api_spelling

if TYPE_CHECKING:
    from pathlib import Path

RESOURCE = {"type": "cloud_run_revision", "labels": {"service_name": "shop-api", "revision_name": "shop-api-00042-abc"}}


def read(path: Path, *records: dict[str, Any]) -> list[RawEntry]:
    path.write_text("\n".join(map(json.dumps, records)))
    found = list(read_records([str(path)]))
    assert all(isinstance(x, RawEntry) for x in found), found
    return [x for x in found if isinstance(x, RawEntry)]


def test_log_analytics(tmp_path: Path) -> None:
    request = {
        "insert_id": "a",
        "log_name": "projects/shop/logs/run.googleapis.com%2Frequests",
        "text_payload": None,
        "json_payload": None,
        "http_request": {
            "request_method": "GET",
            "request_url": "https://shop.example/orders",
            "status": 503,
            "latency": {"seconds": 1, "nanos": 500_000_000},
            "user_agent": None,
        },
        "resource": {"type": "cloud_run_revision", "labels": json.dumps(RESOURCE["labels"])},
        "labels": [{"key": "instanceId", "value": "00da"}],
        "timestamp": "2025-09-08 15:41:15.716289 UTC",
        "receive_timestamp": "1757346075.9",
        "severity": "ERROR",
        "trace": "projects/shop/traces/1",
        "span_id": "2",
        "trace_sampled": True,
    }
    (raw,) = read(tmp_path / "bq.json", request)
    assert raw.record == {
        "insertId": "a",
        "logName": "projects/shop/logs/run.googleapis.com%2Frequests",
        "httpRequest": {
            "requestMethod": "GET",
            "requestUrl": "https://shop.example/orders",
            "status": 503,
            "latency": {"seconds": 1, "nanos": 500_000_000},
        },
        "resource": RESOURCE,
        "labels": {"instanceId": "00da"},
        "timestamp": "2025-09-08T15:41:15.716289Z",
        "receiveTimestamp": "2025-09-08T15:41:15.900Z",
        "severity": "ERROR",
        "trace": "projects/shop/traces/1",
        "spanId": "2",
        "traceSampled": True,
    }
    entry = decode_entry(raw)
    assert entry.http is not None
    assert (entry.http.status, entry.http.latency, entry.revision) == (503, 1_500_000_000, "shop-api-00042-abc")


def test_audit_entries(tmp_path: Path) -> None:
    audit = {
        "service_name": "run.googleapis.com",
        "method_name": "/Services.ReplaceService",
        "resource_name": "namespaces/shop/services/shop-api",
        "status": {"code": 9, "message": "it did not start"},
        "authentication_info": {"principal_email": "x@shop.example"},
        "request": json.dumps({"snake_key": {"a_b": 1}}),
    }
    analytics = {
        "log_name": "projects/shop/logs/cloudaudit.googleapis.com%2Fsystem_event",
        "proto_payload": {"type": "type.googleapis.com/google.cloud.audit.AuditLog", "audit_log": audit},
    }
    said = {
        "serviceName": "run.googleapis.com",
        "methodName": "/Services.ReplaceService",
        "resourceName": "namespaces/shop/services/shop-api",
        "status": {"code": 9, "message": "it did not start"},
        "authenticationInfo": {"principalEmail": "x@shop.example"},
    }
    sink = {
        "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Fsystem_event",
        "protopayload_auditlog": said | {"requestJson": json.dumps({"snake_key": {"a_b": 1}})},
    }
    first, second = (raw.record["protoPayload"] for raw in read(tmp_path / "bq.json", analytics, sink))
    assert first == second == said | {"request": {"snake_key": {"a_b": 1}}}


def test_a_sink_to_bigquery_keeps_the_names_but_not_the_times(tmp_path: Path) -> None:
    row = {
        "logName": "projects/shop/logs/run.googleapis.com%2Frequests",
        "resource": RESOURCE,
        "textPayload": None,
        "httpRequest": {"status": 500, "latency": 0.783137066, "requestSize": "12"},
        "jsonPayload": {"message": "m"},
        "insertId": "a",
        "labels": {"instanceid": "00da"},
        "timestamp": "2025-09-08 15:41:15.716289 UTC",
        "receiveTimestamp": "2025-09-08 15:41:16 UTC",
    }
    (raw,) = read(tmp_path / "bq.json", row)
    assert raw.record["httpRequest"] == {"status": 500, "latency": "0.783137066s", "requestSize": "12"}
    assert (raw.record["timestamp"], raw.record["receiveTimestamp"]) == (
        "2025-09-08T15:41:15.716289Z",
        "2025-09-08T15:41:16Z",
    )
    assert ("textPayload" in raw.record, decode_entry(raw).instance) == (False, "00da")
    balancer = {"logName": "x", "jsonpayload_type_loadbalancerlogentry": {"statusdetails": "y"}}
    assert in_api_spelling(balancer) == {"logName": "x", "jsonPayload": {"statusdetails": "y"}}


def test_audit_records_of_a_sink_are_not_passed_over(tmp_path: Path) -> None:
    audit = {"logName": "x", "insertId": "a", "protopayload_auditlog": {"status": {"message": "shop-api-00042-abc"}}}
    path = tmp_path / "bq.json"
    path.write_text("\n".join(json.dumps(audit | {"insertId": str(n)}) for n in range(5)))
    assert len([x for x in read_records([str(path)], only="shop-api-00043") if isinstance(x, RawEntry)]) == 5


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2025-09-08 15:41:15.716289+00:00", "2025-09-08T15:41:15.716289Z"),
        ("2025-09-08 15:41:15", "2025-09-08T15:41:15Z"),
        ("2025-09-08T15:41:15.716289", "2025-09-08T15:41:15.716289Z"),
        ("2025-09-08T15:41:15.716289123456Z", "2025-09-08T15:41:15.716289123Z"),
        ("2025-09-08 17:41:15.5+02:00", "2025-09-08T17:41:15.5+02:00"),
        ("2025-09-08 17:41:15+02", "2025-09-08T17:41:15+02:00"),
        ("2025-09-08 17:41:15+0230", "2025-09-08T17:41:15+02:30"),
        ("1757346075", "2025-09-08T15:41:15Z"),
        ("1.757346075716289E9", "2025-09-08T15:41:15.716289Z"),
        (1757346075.716289, "2025-09-08T15:41:15.716289Z"),
        (1757346075716, "2025-09-08T15:41:15.716Z"),
        (1757346075716289, "2025-09-08T15:41:15.716289Z"),
        (1757346075716289123, "2025-09-08T15:41:15.716289123Z"),
        ({"seconds": "1757346075", "nanos": 5}, "2025-09-08T15:41:15.000000005Z"),
        *(
            (slow_path, slow_path)
            for slow_path in ("yesterday", "", True, 10**30, -1, {"seconds": "x"}, {}, [1], "9" * 30, 0)
        ),
    ],
)
def test_times(given: object, written: object) -> None:
    assert in_api_spelling({"text_payload": "x", "timestamp": given})["timestamp"] == written


def test_what_python_scripts_write(tmp_path: Path) -> None:
    printed = f"Resource(type='cloud_run_revision', labels={RESOURCE['labels']!r})"
    dumps: list[dict[str, Any]] = [
        {
            "timestamp": "2025-09-08 15:41:15.716289+00:00",
            "severity": "ERROR",
            "payload": "broken",
            "resource": printed,
        },
        {"timestamp": "2025-09-08T15:41:15Z", "severity": "ERROR", "payload": {"message": "m"}, "log_name": "x"},
        {"timestamp": "2025-09-08T15:41:15Z", "payload": {"methodName": "m"}, "insert_id": "a", "http_request": None},
        {"timestamp": "2025-09-08T15:41:15Z", "json_payload": {"a": 1}, "resource": list(RESOURCE.values())},
        {"timestamp": "2025-09-08T15:41:15Z", "payload": None, "http_request": {"status": 500.0}, "severity": "ERROR"},
    ]
    records = [raw.record for raw in read(tmp_path / "dump.json", *dumps)]
    assert (records[0]["textPayload"], records[0]["resource"]) == ("broken", RESOURCE)
    assert records[0]["timestamp"] == "2025-09-08T15:41:15.716289Z"
    assert records[1]["jsonPayload"] == {"message": "m"}
    assert (records[2]["protoPayload"], "httpRequest" in records[2]) == ({"methodName": "m"}, False)
    assert (records[3]["jsonPayload"], records[3]["resource"]) == ({"a": 1}, RESOURCE)
    assert records[4]["httpRequest"] == {"status": 500.0}


def test_the_api_s_own_spelling_comes_back_untouched() -> None:
    for record in (
        {"insertId": "a", "timestamp": "2025-09-08T15:41:15Z", "textPayload": None, "labels": {"a": "b"}},
        {"jsonPayload": {"insert_id": 1}, "resource": RESOURCE},
        {},
    ):
        assert in_api_spelling(record) is record


def test_a_report_of_this_tool_is_no_log(tmp_path: Path) -> None:
    cited = {
        "insert_id": "a",
        "timestamp": "2025-09-08T15:41:15Z",
        "log_name": "x",
        "severity": "ERROR",
        "message": "m",
    }
    (tmp_path / "report.json").write_text(json.dumps({"clusters": [{"exemplars": [cited]}]}))
    (tmp_path / "log.json").write_text(json.dumps({"textPayload": "x"}))
    assert len(list(read_records([str(tmp_path)]))) == 1
