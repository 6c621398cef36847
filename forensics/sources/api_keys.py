"""The keys of a log entry as the API spells them, and their spellings in BigQuery, Log Analytics and Python."""

from __future__ import annotations

PAYLOADS = frozenset({"textPayload", "jsonPayload", "protoPayload", "httpRequest"})
TIMES = frozenset({"timestamp", "receiveTimestamp"})
PLACES = frozenset({"insertId", "logName", "resource"})
ENTRY_KEYS = PAYLOADS | TIMES | PLACES
_LESS_TELLING = frozenset(
    {"severity", "labels", "operation", "trace", "spanId", "traceSampled", "sourceLocation", "errorGroups", "split"}
)

API_NAMES = {
    "text_payload": "textPayload",
    "json_payload": "jsonPayload",
    "proto_payload": "protoPayload",
    "http_request": "httpRequest",
    "receive_timestamp": "receiveTimestamp",
    "insert_id": "insertId",
    "log_name": "logName",
    "span_id": "spanId",
    "trace_sampled": "traceSampled",
    "source_location": "sourceLocation",
    "error_groups": "errorGroups",
    # A BigQuery sink names the column of a typed payload after its type.
    "protopayload_auditlog": "protoPayload",
    "protopayload_requestlog": "protoPayload",
    "jsonpayload_type_loadbalancerlogentry": "jsonPayload",
}
"""Other spellings of the API's names. A record with one of them is spelled that way throughout."""

OTHER_PAYLOADS = frozenset(name for name, api_name in API_NAMES.items() if api_name in PAYLOADS)
ANY_KEYS = ENTRY_KEYS | _LESS_TELLING | frozenset(API_NAMES)
"""Every key that an entry may have at its top, in any spelling."""
