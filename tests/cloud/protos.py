"""The real protos and gRPC, or a skip: who imports this module at the top of a test file skips it where they miss."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("google.cloud.logging")
grpc: Any = pytest.importorskip("grpc")
rpc_status: Any = pytest.importorskip("grpc_status.rpc_status")
types: Any = pytest.importorskip("google.cloud.logging_v2.types")
json_format: Any = pytest.importorskip("google.protobuf.json_format")
struct: Any = pytest.importorskip("google.protobuf.struct_pb2")
unknown_fields: Any = pytest.importorskip("google.protobuf.unknown_fields")
status: Any = pytest.importorskip("google.rpc.status_pb2")
code: Any = pytest.importorskip("google.rpc.code_pb2")
# Imported for their names alone: with them a payload's or a detail's "@type" is known.
pytest.importorskip("google.rpc.error_details_pb2")
pytest.importorskip("google.cloud.audit.audit_log_pb2")

ListRequest: Any = types.ListLogEntriesRequest.pb()
TailRequest: Any = types.TailLogEntriesRequest.pb()
TailResponse: Any = types.TailLogEntriesResponse.pb()
LogEntry: Any = types.LogEntry.pb()
