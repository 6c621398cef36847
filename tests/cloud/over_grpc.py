"""The gRPC face: ListLogEntries and TailLogEntries, on the protos of google-cloud-logging."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cloud.contract import Question, RefusedError, invalid
from cloud.protos import (
    ListRequest,
    LogEntry,
    TailRequest,
    TailResponse,
    code,
    grpc,
    json_format,
    rpc_status,
    status,
    struct,
    unknown_fields,
)
from cloud.tailing import Delivery, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud.service import Page, Service
    from cloud.store import Kept

_THREADS = 16
_LONGEST_WINDOW = 60


class GrpcServer:
    """Listens on loopback until `close`; `wire` keeps the entries' encodings, by the order of their arrival."""

    def __init__(self, service: Service, port: int, wire: dict[int, bytes]) -> None:
        self._service = service
        self._wire = wire
        # Without sharing the port, a second server on it fails instead of stealing half of the calls.
        options = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)]
        self._threads = ThreadPoolExecutor(_THREADS)
        self._server = grpc.server(self._threads, options=options)
        handlers = {
            "ListLogEntries": grpc.unary_unary_rpc_method_handler(
                _answering(self._list), request_deserializer=ListRequest.FromString
            ),
            "TailLogEntries": grpc.stream_stream_rpc_method_handler(
                self._tail, request_deserializer=TailRequest.FromString, response_serializer=_serialize
            ),
        }
        generic = grpc.method_handlers_generic_handler("google.logging.v2.LoggingServiceV2", handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.port = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))
        self._server.start()

    def close(self) -> None:
        """Break every call and stop listening."""
        self._server.stop(None).wait()
        self._threads.shutdown()

    def _list(self, request: Any, context: Any) -> bytes:
        page = self._service.list_entries(self._read(request), "grpc")
        if page.is_cut:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        return self._encode_page(page)

    def _read(self, request: Any) -> Question:
        try:
            _check_known(request)
        except RefusedError as error:
            raise self._service.refuse(error, "grpc") from None
        return Question(
            resource_names=tuple(request.resource_names),
            filter=request.filter,
            order_by=request.order_by,
            page_size=request.page_size,
            page_token=request.page_token,
        )

    def _encode_page(self, page: Page) -> bytes:
        """A ListLogEntriesResponse, put together from the entries' kept encodings: `entries` is 1, the token is 2."""
        parts = [_field(1, self._encode(kept)) for kept in page.entries]
        return b"".join(parts) + (_field(2, page.token.encode()) if page.token else b"")

    def _encode(self, kept: Kept) -> bytes:
        return encode_kept(kept, self._wire)

    def _tail(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        try:
            first = next(requests, None)
            if first is None:
                raise invalid("a tail needs a request")
            _check_known(first)
            if not 0 <= first.buffer_window.ToNanoseconds() <= _LONGEST_WINDOW * 10**9:
                raise invalid(f"buffer_window: must be between 0 and {_LONGEST_WINDOW} seconds")
            deliveries = follow(self._service, tuple(first.resource_names), first.filter, context.is_active)
            for delivery in deliveries:
                yield self._tail_response(delivery)
        except RefusedError as error:
            _abort(context, error)

    def _tail_response(self, delivery: Delivery) -> Any:
        response = TailResponse(entries=[LogEntry.FromString(self._encode(kept)) for kept in delivery.entries])
        if delivery.suppressed:
            info = TailResponse.SuppressionInfo(suppressed_count=delivery.suppressed)
            info.reason = TailResponse.SuppressionInfo.Reason.Value(delivery.reason)
            response.suppression_info.append(info)
        return response


def encode_kept(kept: Kept, wire: dict[int, bytes]) -> bytes:
    """The entry's encoding, made when it is first asked for."""
    number = kept.place[2]
    encoded = wire.get(number)
    if encoded is None:
        encoded = wire[number] = encode_entry(kept.entry)
    return encoded


def encode_entry(entry: dict[str, Any]) -> bytes:
    """An entry in REST form as a LogEntry message; a payload of an unknown type keeps its name and a body of bytes."""
    plain = {name: value for name, value in entry.items() if name != "protoPayload"}
    message = json_format.ParseDict(plain, LogEntry(), ignore_unknown_fields=True)
    payload = entry.get("protoPayload")
    if payload is not None:
        try:
            json_format.ParseDict(payload, message.proto_payload, ignore_unknown_fields=True)
        except (TypeError, json_format.ParseError):
            body = {name: value for name, value in payload.items() if name != "@type"}
            message.proto_payload.Clear()
            message.proto_payload.type_url = payload.get("@type", "")
            message.proto_payload.value = json_format.ParseDict(body, struct.Struct()).SerializeToString()
    encoded: bytes = message.SerializeToString()
    return encoded


def _answering(answer: Callable[[Any, Any], bytes]) -> Callable[[Any, Any], bytes]:
    """The same method, with its refusals sent as statuses."""

    def method(request: Any, context: Any) -> bytes:
        try:
            return answer(request, context)
        except RefusedError as error:
            _abort(context, error)
            raise

    return method


def _abort(context: Any, error: RefusedError) -> None:
    answer = status.Status(code=code.Code.Value(error.status), message=error.message)
    for detail in error.details:
        json_format.ParseDict(detail, answer.details.add())
    context.abort_with_status(rpc_status.to_status(answer))


def _check_known(request: Any) -> None:
    if len(unknown_fields.UnknownFieldSet(request)):
        raise invalid("the request holds fields that the API does not know")


def _serialize(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    head, length = [number << 3 | 2], len(value)
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*head, length]) + value
