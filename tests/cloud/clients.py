"""Plain clients of both faces of the server, which speak in REST form and add nothing of their own."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from cloud.protos import grpc, rpc_status, types
from cloud.samples import make_body

if TYPE_CHECKING:
    from cloud.server import CloudServer

transports: Any = pytest.importorskip("google.cloud.logging_v2.services.logging_service_v2.transports")

Json = dict[str, Any]
Fetch = Callable[..., Json]
"""A page of a server in REST form, asked by a body in REST form; Refused when it answers with a status."""


class Refused(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status: str, message: str, reasons: list[str]) -> None:
        super().__init__(status, message, reasons)
        self.status, self.message, self.reasons = status, message, reasons


def fetch_rest(server: CloudServer, body: Any, timeout: float = 10) -> Json:
    connection = http.client.HTTPConnection(server.rest_endpoint.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("POST", "/v2/entries:list?prettyPrint=false", json.dumps(body))
        answer: Json = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if "error" in answer:
        error = answer["error"]
        reasons = [detail["@type"].rpartition(".")[2] for detail in error.get("details", [])]
        raise Refused(error["status"], error["message"], reasons)
    return answer


def open_grpc(server: CloudServer) -> Any:
    channel = grpc.insecure_channel(server.grpc_endpoint, options=[("grpc.max_receive_message_length", -1)])
    return transports.LoggingServiceV2GrpcTransport(channel=channel)


def fetch_grpc(server: CloudServer, body: Json, timeout: float = 10) -> Json:
    names = {
        "resourceNames": "resource_names",
        "orderBy": "order_by",
        "pageSize": "page_size",
        "pageToken": "page_token",
    }
    request = types.ListLogEntriesRequest({names.get(name, name): value for name, value in body.items()})
    transport = open_grpc(server)
    try:
        answer = transport.list_log_entries(request, timeout=timeout)
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        reasons = [detail.type_url.rpartition(".")[2] for detail in status.details] if status else []
        raise Refused(error.code().name, error.details(), reasons) from None
    finally:
        transport.close()
    decoded: Json = type(answer).to_dict(answer, preserving_proto_field_name=False, use_integers_for_enums=False)
    return {name: value for name, value in decoded.items() if value}


over_both = pytest.mark.parametrize("fetch", [fetch_rest, fetch_grpc], ids=["rest", "grpc"])


def read_pages(fetch: Fetch, server: CloudServer, **fields: Any) -> Iterator[list[str]]:
    """The insertIds of each page."""
    token = ""
    while True:
        page = fetch(server, make_body(**fields, pageToken=token))
        yield [entry["insertId"] for entry in page.get("entries", [])]
        token = page.get("nextPageToken", "")
        if not token:
            return


def join(pages: Iterable[list[str]]) -> list[str]:
    return [name for page in pages for name in page]


def ids(*numbers: int) -> list[str]:
    return [f"id{number:06d}" for number in numbers]
