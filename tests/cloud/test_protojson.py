from __future__ import annotations

import json
import math
from base64 import b64encode
from typing import Any

import pytest
from cloud.protos import LogEntry, json_format, struct
from hypothesis import given, strategies as st

protojson: Any = pytest.importorskip("forensics.cloud.protojson")
any_pb2: Any = pytest.importorskip("google.protobuf.any_pb2")
descriptor_pb2: Any = pytest.importorskip("google.protobuf.descriptor_pb2")
descriptor_pool: Any = pytest.importorskip("google.protobuf.descriptor_pool")
message_factory: Any = pytest.importorskip("google.protobuf.message_factory")
audit: Any = pytest.importorskip("google.cloud.audit.audit_log_pb2")
wrappers: Any = pytest.importorskip("google.protobuf.wrappers_pb2")

TYPES = "type.googleapis.com/"
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | st.just(1e300)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "insertId": TEXT,
        "timestamp": st.sampled_from(
            [
                "2026-05-01T00:00:01Z",
                "2026-05-01T00:00:01.100Z",
                "1969-12-31T23:59:59.000001Z",
                "2026-05-01T00:00:00.000000100Z",
                "0001-01-01T00:00:00Z",
            ]
        ),
        "severity": st.sampled_from(["DEFAULT", "INFO", "EMERGENCY"]),
        "labels": st.dictionaries(TEXT, TEXT, max_size=3),
        "jsonPayload": st.dictionaries(TEXT, JSON, max_size=4),
        "httpRequest": st.fixed_dictionaries(
            {},
            optional={
                "status": st.integers(0, 599),
                "requestSize": st.integers(0, 2**63 - 1).map(str),
                "latency": st.sampled_from(["0s", "0.500s", "0.000000100s", "-0.000000001s", "-3s", "315576000000s"]),
                "cacheHit": st.booleans(),
            },
        ),
        "operation": st.just({"id": "a", "first": True}),
        "sourceLocation": st.just({"file": "app.py", "line": "9007199254740993", "function": "f"}),
        "split": st.just({"uid": "u", "index": 1, "totalSplits": 3}),
        "traceSampled": st.booleans(),
    },
)


def converted(message: Any) -> Any:
    return json.loads(protojson.encode_message(message))


@given(ENTRY)
def test_it_is_the_json_of_the_protobuf_package(entry: dict[str, Any]) -> None:
    message = json_format.ParseDict(entry, LogEntry())
    assert converted(message) == json_format.MessageToDict(message)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_payloads_come_back_as_they_were(payload: dict[str, Any]) -> None:
    message = json_format.ParseDict({"jsonPayload": payload}, LogEntry())
    assert converted(message).get("jsonPayload", {}) == payload


def test_the_same_entry_is_the_same_bytes_in_whatever_order_its_keys_came() -> None:
    names = [f"key{number}" for number in range(50)]
    entries = [{"jsonPayload": dict.fromkeys(order, 1)} for order in (names, names[::-1])]
    first, second = (protojson.encode_message(json_format.ParseDict(entry, LogEntry())) for entry in entries)
    assert first == second


def test_nanoseconds_are_kept_and_times_of_no_calendar_do_no_harm() -> None:
    entry = LogEntry()
    entry.timestamp.FromJsonString("2026-05-01T00:00:01.123456789Z")
    entry.receive_timestamp.seconds, entry.receive_timestamp.nanos = 2**62, 5
    assert converted(entry) == {
        "timestamp": "2026-05-01T00:00:01.123456789Z",
        "receiveTimestamp": f"{2**62}.000000005",
    }


def test_numbers_are_whole_where_they_can_be_and_words_where_json_has_none() -> None:
    numbers = [3.0, -2.0, 2.0**53, 0.5, 2.0**63, 1e300, math.nan, math.inf, -math.inf]
    entry = LogEntry()
    for number in numbers:
        entry.json_payload.fields["n"].list_value.values.add().number_value = number
    entry.json_payload.fields["m"].SetInParent()
    assert protojson.encode_message(entry) == (
        b'{"jsonPayload":{"m":null,"n":[3,-2,9007199254740992,0.5,'
        b'9.223372036854776e18,1e300,"NaN","Infinity","-Infinity"]}}'
    )


def test_the_payload_of_an_audit_log_is_read() -> None:
    log = audit.AuditLog(service_name="run.googleapis.com", method_name="Replace", num_response_items=7)
    log.request["@type"] = "type.googleapis.com/google.cloud.run.v1.Service"
    log.service_data.type_url, log.service_data.value = f"{TYPES}un.Known", b"\x01"
    entry = LogEntry()
    entry.proto_payload.Pack(log)
    assert converted(entry)["protoPayload"] == {
        "@type": f"{TYPES}google.cloud.audit.AuditLog",
        "serviceName": "run.googleapis.com",
        "methodName": "Replace",
        "numResponseItems": "7",
        "request": {"@type": "type.googleapis.com/google.cloud.run.v1.Service"},
        "serviceData": {"@type": f"{TYPES}un.Known", "value": "AQ=="},
    }


@pytest.mark.parametrize("url", [f"{TYPES}google.cloud.audit.AuditLog", f"{TYPES}un.Known", "un.Known", "/", ""])
def test_a_payload_that_cannot_be_read_keeps_its_type_and_bytes(url: str) -> None:
    entry = LogEntry(insert_id="a")
    entry.proto_payload.type_url, entry.proto_payload.value = url, b"\xff\xff\xff"
    assert converted(entry) == {
        "insertId": "a",
        "protoPayload": {"@type": url, "value": b64encode(b"\xff\xff\xff").decode()},
    }


def test_payloads_in_payloads_without_end_do_no_harm() -> None:
    packed = any_pb2.Any(type_url="un.Known", value=b"inside")
    for _ in range(5000):
        packed = any_pb2.Any(type_url=f"{TYPES}google.protobuf.Any", value=packed.SerializeToString())
    entry = LogEntry(proto_payload=packed)
    plain, depth = protojson.plain_message(entry)["protoPayload"], 0
    while isinstance(plain["value"], dict):
        plain, depth = plain["value"], depth + 1
    assert 0 < depth < 5000
    assert len(plain["value"]) > 5000


def test_well_known_types_stand_beside_their_name() -> None:
    for message, value in ((struct.Struct(), {}), (wrappers.Int64Value(value=2**60), str(2**60))):
        entry = LogEntry()
        entry.proto_payload.Pack(message)
        assert converted(entry)["protoPayload"] == {"@type": entry.proto_payload.type_url, "value": value}


@pytest.fixture(scope="module")
def unusual() -> Any:
    """A type with what Cloud Logging's own have not."""
    file = descriptor_pb2.FileDescriptorProto(name="unusual.proto", package="tests", syntax="proto3")
    file.dependency.append("google/logging/type/log_severity.proto")
    kind = file.message_type.add(name="Unusual")
    field = descriptor_pb2.FieldDescriptorProto
    fields = [
        ("raw", field.TYPE_BYTES, field.LABEL_REPEATED, ""),
        ("big", field.TYPE_FIXED64, field.LABEL_REPEATED, ""),
        ("half", field.TYPE_DOUBLE, field.LABEL_OPTIONAL, ""),
        ("some_levels", field.TYPE_ENUM, field.LABEL_REPEATED, ".google.logging.type.LogSeverity"),
        ("itself", field.TYPE_MESSAGE, field.LABEL_REPEATED, ".tests.Unusual"),
    ]
    for name, key, value, other in (
        ("by_truth", field.TYPE_BOOL, field.TYPE_INT64, ""),
        ("by_number", field.TYPE_INT32, field.TYPE_STRING, ""),
        ("by_name", field.TYPE_STRING, field.TYPE_MESSAGE, ".tests.Unusual"),
    ):
        inner = "".join(part.title() for part in name.split("_")) + "Entry"
        nested = kind.nested_type.add(name=inner)
        nested.options.map_entry = True
        nested.field.add(name="key", number=1, type=key, label=field.LABEL_OPTIONAL)
        nested.field.add(name="value", number=2, type=value, label=field.LABEL_OPTIONAL, type_name=other or None)
        fields.append((name, field.TYPE_MESSAGE, field.LABEL_REPEATED, f".tests.Unusual.{inner}"))
    for number, (name, type_, label, other) in enumerate(fields, 1):
        kind.field.add(name=name, number=number, type=type_, label=label, type_name=other or None)
    descriptor_pool.Default().Add(file)
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("tests.Unusual"))


def test_types_that_are_known_are_read_whatever_is_in_them(unusual: Any) -> None:
    message = unusual(raw=[b"\x00\xff", b""], big=[2**64 - 1], half=0.25, some_levels=[500, 12345])
    message.by_truth[True], message.by_number[-7], message.by_name["a"].half = 2**60, "seven", -1.0
    message.itself.add().itself.add(big=[1])
    entry = LogEntry()
    entry.proto_payload.Pack(message)
    assert converted(entry) == json_format.MessageToDict(entry)
    assert converted(entry)["protoPayload"]["someLevels"] == ["ERROR", 12345]
