"""gRPC transport that speaks REST's requests, pages and errors, so that one page reader serves both.

Requests go through google-cloud-logging's own transport, below its client's retries: `pages.PageReader` retries itself.
"""

from __future__ import annotations

import os
from queue import Empty, Full, Queue
from socket import create_connection
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import msgspec
from google.auth import exceptions
from google.auth.transport.requests import Request

from forensics.cloud.access_errors import BrokenOffError
from forensics.cloud.credentials import no_token
from forensics.cloud.network_errors import in_words
from forensics.cloud.refusals import OK, HttpAnswer, one_line

# Read when grpc is loaded: its own lines would stand between ours on the terminal, and say the same.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    TailLogEntriesRequest,
    TailLogEntriesResponse,
)
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2 as _error_details  # noqa: F401 - with it, the details of refusals are known
from google.rpc.status_pb2 import Status

from forensics.cloud.protojson import encode_message, plain_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.auth.credentials import Credentials

_GOOGLE = "logging.googleapis.com"
_GREETING = 4.0
"""Seconds for a first connection."""
_TIMEOUT = 120.0
"""Seconds for one try, from the request to the complete page."""
_OPTIONS = (
    # A page may have any length; with the usual limit of 4 MiB a large one looks like an exhausted quota.
    ("grpc.max_receive_message_length", -1),
    ("grpc.primary_user_agent", "forensics"),
    ("grpc.enable_retries", 0),
    # Not longer than the reader waits: else its next try would meet a channel that does not try.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
_MOST_WAITING = 256
"""Received messages of a tail that may wait to be taken."""
_HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
"""gRPC status → the HTTP status by which Google's REST APIs answer the same."""
_LOCAL_CODES = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Status codes that the grpc library itself reports when no response arrived."""
_DETAILS = "grpc-status-details-bin"


class GrpcConnection:
    """A gRPC connection; requests and answers have the form of REST."""

    transport = "grpc"

    def __init__(self, channel: grpc.Channel, address: str, project: str, credentials: Credentials | None) -> None:
        self._channel = channel
        # Calls of grpc, with more parameters than the transport's types tell.
        transport = LoggingServiceV2GrpcTransport(channel=channel)
        self._list: Any = transport.list_log_entries
        self._tail: Any = transport.tail_log_entries
        self.server = address
        self._credentials = credentials
        self.project = project

    def greet(self) -> None:
        """Wait for the channel to be open; a plain socket tells why it cannot be."""
        host, _, port = self.server.rpartition(":") if ":" in self.server else (self.server, ":", "443")
        try:
            if self._credentials is None:  # else a proxy may stand between
                create_connection((host.strip("[]"), int(port)), _GREETING).close()
            grpc.channel_ready_future(self._channel).result(timeout=2 * _GREETING)
        except (OSError, grpc.FutureTimeoutError) as error:
            reason = in_words(error) if isinstance(error, OSError) else "no connection in time"
            raise BrokenOffError(f"no answer from {self.server} ({reason}): check the network") from error
        self._token()

    def list_entries(self, body: bytes) -> HttpAnswer:
        """Request a page; body and answer are those of REST. Raise BrokenOffError, or AccessError without a token."""
        request = ListLogEntriesRequest.wrap(json_format.Parse(body, ListLogEntriesRequest.pb()()))
        answer = self._ask(request, self._token())
        if answer.status == _HTTP_STATUS["UNAUTHENTICATED"] and self._credentials is not None:
            # The token may have been withdrawn before its time; google-auth's session over REST asks once more, too.
            answer = self._ask(request, self._token(is_new=True))
        return answer

    def _ask(self, request: ListLogEntriesRequest, token: dict[str, str]) -> HttpAnswer:
        try:
            page = self._list(request, timeout=_TIMEOUT, metadata=tuple(token.items()))
        except grpc.RpcError as error:
            return self._refusal(error)
        return HttpAnswer(OK, {}, encode_message(ListLogEntriesResponse.pb(page)))

    def tail(self, text: str) -> GrpcStream:
        """Open a tail of the entries that match a filter; raise AccessError without a token."""
        request = TailLogEntriesRequest(resource_names=[f"projects/{self.project}"], filter=text)
        metadata = tuple(self._token().items())
        return GrpcStream(lambda requests: self._tail(requests, metadata=metadata), request, self._refusal)

    def _refusal(self, error: Any) -> HttpAnswer:
        """Convert a gRPC status to a REST error response; raise BrokenOffError when the server did not answer."""
        code, message = error.code().name, error.details() or ""
        metadata = {item.key: item.value for item in error.trailing_metadata() or ()}
        if code in _LOCAL_CODES and not metadata:
            raise BrokenOffError(
                f"no whole answer from {self.server} ({code}: {one_line(message)}): check the network"
            ) from error
        status = _HTTP_STATUS.get(code, 500)
        body = {"code": status, "status": code, "message": message, "details": _details(metadata.get(_DETAILS, b""))}
        return HttpAnswer(status, {}, msgspec.json.encode({"error": body}))

    def _token(self, *, is_new: bool = False) -> dict[str, str]:
        """Return the authorization headers; made here, since a channel hides why there is no token."""
        if self._credentials is None:
            return {}
        headers: dict[str, str] = {}
        request = Request()
        try:
            if is_new:
                self._credentials.refresh(request)  # type: ignore[no-untyped-call]  # no types there
            self._credentials.before_request(request, "POST", f"https://{_GOOGLE}/", headers)  # type: ignore[no-untyped-call]  # no types there
        except exceptions.GoogleAuthError as error:
            raise no_token(error) from error
        return {name.lower(): value for name, value in headers.items()}

    def close(self) -> None:
        """Close the socket."""
        self._channel.close()


class GrpcStream:
    """An open tail; a thread reads it, so that the caller can wait with a time limit."""

    def __init__(
        self, call: Callable[[Iterator[Any]], Any], request: TailLogEntriesRequest, refusal: Callable[[Any], HttpAnswer]
    ) -> None:
        self._refusal = refusal
        self._closed = Event()
        # When it is full the server notices, leaves entries out, and says how many.
        self._received: Queue[Any] = Queue(_MOST_WAITING)
        self._call = call(self._requests(request))
        Thread(target=self._read, daemon=True).start()

    def receive(self, seconds: float) -> HttpAnswer | None:
        """Return the next message, None when none came within `seconds`; raise BrokenOffError at the stream's end."""
        try:
            received = self._received.get(timeout=seconds)
        except Empty:
            return None
        if received is None:
            raise BrokenOffError("Cloud Logging ended the stream")
        if isinstance(received, grpc.RpcError):
            return self._refusal(received)
        return HttpAnswer(OK, {}, encode_message(TailLogEntriesResponse.pb(received)))

    def close(self) -> None:
        """Close the stream."""
        self._closed.set()
        self._call.cancel()

    def _requests(self, request: TailLogEntriesRequest) -> Iterator[Any]:
        """Send one request, and keep our side of the stream open until it is closed."""
        yield request
        self._closed.wait()

    def _read(self) -> None:
        try:
            for response in self._call:
                self._put(response)
        except grpc.RpcError as error:
            self._put(error)
        else:
            self._put(None)

    def _put(self, received: Any) -> None:
        while not self._closed.is_set():
            try:
                self._received.put(received, timeout=1)
            except Full:
                continue
            return


def connect_to_google(credentials: Credentials, project: str) -> GrpcConnection:
    """Connect to Cloud Logging itself."""
    channel = grpc.secure_channel(_GOOGLE, grpc.ssl_channel_credentials(), options=_OPTIONS)
    return GrpcConnection(channel, _GOOGLE, project, credentials)


def connect_without_credentials(address: str, project: str) -> GrpcConnection:
    """Connect to a test server or an emulator, `host:port`: no TLS, no credentials, no proxy."""
    channel = grpc.insecure_channel(address, options=(*_OPTIONS, ("grpc.enable_http_proxy", 0)))
    return GrpcConnection(channel, address, project, None)


def _details(packed: bytes) -> list[Any]:
    """Decode the details of a status: RetryInfo, ErrorInfo."""
    try:
        return [plain_message(detail) for detail in Status.FromString(packed).details]
    except DecodeError:
        return []
