"""The REST face: `POST /v2/entries:list` on HTTP/1.1 with connections that stay open."""

from __future__ import annotations

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from cloud.contract import HTTP_CODES, Question, RefusedError, invalid

if TYPE_CHECKING:
    from cloud.service import Page, Service

_FIELDS = {"resourceNames", "filter", "orderBy", "pageSize", "pageToken"}
_SYSTEM_PARAMETERS = {"prettyPrint", "alt", "$alt"}


class RestServer(ThreadingHTTPServer):
    """Listens on loopback; `close` also ends the connections that clients keep open."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def note_open(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def note_closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        """Stop listening and hang up on every client."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._open:
                hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error of the server; all else must be seen."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def hang_up(connection: socket.socket) -> None:
    """Close both directions, so that the client reads an end at once."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The client was faster.


class _Handler(BaseHTTPRequestHandler):
    server: RestServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.note_open(self.connection)

    def finish(self) -> None:
        self.server.note_closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gave it
        """Nothing: the service keeps its own log."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            page = self._find_page(body)
        except RefusedError as error:
            self._send(HTTP_CODES[error.status], encode_error(error))
            return
        self._send(200, encode_page(page), is_cut=page.is_cut)

    def do_GET(self) -> None:
        self._send(404, encode_error(RefusedError("NOT_FOUND", f"Method not found: GET {self.path}")))

    def _find_page(self, body: bytes) -> Page:
        address = urlsplit(self.path)
        if address.path != "/v2/entries:list":
            raise RefusedError("NOT_FOUND", f"Method not found: POST {address.path}")
        service = self.server.service
        try:
            question = read_question(body, dict(parse_qsl(address.query)))
        except RefusedError as error:
            raise service.refuse(error, "rest") from None
        return service.list_entries(question, "rest")

    def _send(self, code: int, body: bytes, *, is_cut: bool = False) -> None:
        """The answer in one write; a cut one promises all of its length and sends half."""
        self.send_response(code)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self._headers_buffer: list[bytes]
        head = b"".join(self._headers_buffer) + b"\r\n"
        self._headers_buffer = []
        self.wfile.write(head + body[: len(body) // 2] if is_cut else head + body)
        if is_cut:
            self.close_connection = True
            hang_up(self.connection)


def read_question(body: bytes, parameters: dict[str, str]) -> Question:
    """The question in the body of a request; RefusedError when the body is not of the API's shape."""
    for name in parameters.keys() - _SYSTEM_PARAMETERS:
        raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')
    try:
        fields = json.loads(body)
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
    if not isinstance(fields, dict):
        raise invalid("Invalid JSON payload received. The root must be an object.")
    for name in fields.keys() - _FIELDS:
        raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    names = fields.get("resourceNames", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid("Invalid value at 'resource_names' (a list of strings is expected)")
    return Question(
        resource_names=tuple(names),
        filter=_text(fields, "filter"),
        order_by=_text(fields, "orderBy"),
        page_size=_whole(fields, "pageSize"),
        page_token=_text(fields, "pageToken"),
    )


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str) or any("\ud800" <= character < "\ue000" for character in value):
        raise invalid(f"Invalid value at '{name}' (TYPE_STRING), {value!r}")
    return value


def _whole(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name) or 0
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)  # JSON of protocol buffers allows numbers as strings.
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"Invalid value at '{name}' (TYPE_INT32), {value}")
    return value


def encode_page(page: Page) -> bytes:
    """A page as JSON, made of the entries' kept encodings; as in the API, what is empty is left out."""
    parts = []
    if page.entries:
        parts.append(b'"entries":[' + b",".join([kept.encoded for kept in page.entries]) + b"]")
    if page.token:
        parts.append(b'"nextPageToken":' + json.dumps(page.token).encode())
    return b"{" + b",".join(parts) + b"}"


def encode_error(error: RefusedError) -> bytes:
    """An error as Google's APIs write it."""
    body: dict[str, Any] = {"code": HTTP_CODES[error.status], "message": error.message, "status": error.status}
    if error.details:
        body["details"] = error.details
    return json.dumps({"error": body}).encode()
