"""Contents of invented entries: requests, lines of an application and errors, with their frequencies.

`@number@` stands for a number that differs from entry to entry, `@asked@` for the name of the revision in question.
Texts without severity state no level either, so that every reader counts the same errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = "acme-shop"
SERVICE = "orders-api"
ASKED = "orders-api-00042-kud"
OTHERS = {
    "orders-api-00041-zex": 35,
    "orders-api-00043-bam": 25,
    "orders-worker-00042-kud": 15,
    "orders-api-00042-kud-canary": 5,
}
"""The other revisions and how many entries of a hundred are theirs; one merely begins like the asked one."""

_SYSTEM = "varlog%2Fsystem"
_MEMORY_HELP = "Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits"
_MALFORMED = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an error."
    " Additional troubleshooting documentation can be found at:"
    " https://cloud.google.com/run/docs/troubleshooting#malformed-response-or-connection-error"
)
_AUTOSCALING = (
    "Starting new instance. Reason: AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU"
    " utilization, request throughput, etc.) or no existing capacity for current traffic."
)


@dataclass(frozen=True, slots=True)
class Template:
    """The contents of one kind of entry."""

    name: str
    weight: int
    """How often, within its list."""
    stream: str
    severity: str | None
    payload: Mapping[str, Any]
    latency: int = 0
    """Nanoseconds. A request's timestamp is its start, and it is logged when it ends."""
    signature: str | None = None
    """The shipped rule that names it, where there is one."""


def _text(name: str, weight: int, severity: str | None, text: str, **more: Any) -> Template:
    return Template(name, weight, more.pop("stream", "stderr"), severity, {"textPayload": text}, **more)


def _record(name: str, weight: int, severity: str, message: str, **more: Any) -> Template:
    signature = more.pop("signature", None)
    payload = {"jsonPayload": {"message": message, "logger": "orders." + name.replace("-", "_"), **more}}
    return Template(name, weight, "stdout", severity, payload, signature=signature)


def _request(name: str, weight: int, line: str, status: int, milliseconds: int, **more: Any) -> Template:
    method, path = line.split(" ")
    severity = {1: None, 2: "INFO", 3: "INFO", 4: "WARNING", 5: "ERROR"}[status // 100]
    http = {
        "requestMethod": method,
        "requestUrl": f"https://orders.example.com{path}",
        "requestSize": "@number@",
        "status": status,
        "responseSize": "@number@",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0",
        "remoteIp": "203.0.113.24",
        "serverIp": "198.51.100.7",
        "latency": f"{milliseconds / 1000:.9f}s",
        "protocol": "HTTP/1.1",
    }
    text = more.pop("text", None)
    payload = {"httpRequest": http} | ({"textPayload": text} if text else {})
    return Template(name, weight, "requests", severity, payload, latency=milliseconds * 1_000_000, **more)


def _traceback(frames: str, last: str) -> str:
    lines = ["Traceback (most recent call last):"]
    for frame in frames.split(";"):
        place, code = frame.split("|")
        file, line, function = place.split(":")
        lines += [f'  File "{file}", line {line}, in {function}', f"    {code}"]
    return "\n".join([*lines, last])


REQUESTS = (
    _request("get-order", 38, "GET /orders/@number@", 200, 48),
    _request("list-orders", 20, "GET /orders?page=@number@", 200, 131),
    _request("post-order", 14, "POST /orders", 201, 212),
    _request("health", 12, "GET /health", 200, 3),
    _request("unchanged", 8, "GET /catalog/@number@", 304, 9),
    _request("not-found", 4, "GET /orders/@number@/label", 404, 17),
    _request("websocket", 3, "GET /ws", 101, 41_000),
    _request("removed", 1, "DELETE /carts/@number@", 204, 33),
)

APPLICATION = (
    _record("order-accepted", 24, "INFO", "order @number@ accepted", warehouse="north", items=3, order="@number@"),
    _text("access-line", 24, None, '169.254.169.126:40112 - "GET /orders/@number@ HTTP/1.1" 200 OK', stream="stdout"),
    _text("cache-miss", 14, "DEBUG", "cache miss for catalog page @number@, read from the database", stream="stdout"),
    _record("slow-query", 8, "WARNING", "query took @number@ ms", statement="select id from orders where open"),
    _text("markup", 6, "INFO", "rendered <b>receipt</b> @number@ & sent it", stream="stdout"),
    # `"severity":"ERROR"` stands in it and is not its severity.
    _record("reply", 6, "INFO", "reply @number@ sent", error={"message": "field missing", "severity": "ERROR"}),
    _text("printed", 6, None, "    warmed @number@ routes"),
    _text("traffic-shift", 4, "INFO", "traffic of @asked@ moves on, @number@ sessions left", stream="stdout"),
    _record("peer", 4, "INFO", "peer @number@ seen", revision_name="@asked@", resource='{"revision_name":"@asked@"}'),
    _text("reloaded", 2, "NOTICE", "settings reloaded, generation @number@", stream="stdout"),
    _text("instance-start", 1, "INFO", _AUTOSCALING, stream=_SYSTEM),
    _text("instance-exit", 1, "WARNING", "Container called exit(3).", stream=_SYSTEM, signature="container-exit"),
)

ERRORS = (
    _request("http-500", 400, "POST /orders/@number@/pay", 500, 840, signature="http-5xx"),
    _text(
        "missing-discount",
        260,
        "ERROR",
        _traceback(
            "/usr/local/lib/python3.12/site-packages/starlette/routing.py:74:app|response = await f(request)"
            ";/app/orders/pricing.py:118:price|rate = rates[code]",
            "KeyError: 'discount-@number@'",
        ),
    ),
    _record("card-declined", 180, "ERROR", "payment provider answered 422 for order @number@: card declined", code=422),
    _request(
        "malformed-503", 120, "GET /orders/@number@", 503, 1_912, text=_MALFORMED, signature="malformed-response-503"
    ),
    _text(
        "database-refused",
        90,
        "ERROR",
        'sqlalchemy.exc.OperationalError: connection to server at "10.24.0.3", port 5432 failed: Connection refused',
        signature="database-refused",
    ),
    _record("stock-differs", 70, "ERROR", "cart @number@ holds more than the stock service reports", level="error"),
    _text(
        "module-missing",
        60,
        "ERROR",
        _traceback(
            "/app/orders/main.py:9:<module>|from orders.exports import sheets"
            ";/app/orders/exports.py:4:<module>|import xlsx",
            "ModuleNotFoundError: No module named 'xlsx'",
        ),
        signature="python-module-missing",
    ),
    _record(
        "websocket-enum",
        50,
        "ERROR",
        "WebSocket error: Object of type OrderState is not JSON serializable",
        signature="websocket-1011-serialization",
    ),
    _text(
        "pool-exhausted",
        45,
        "ERROR",
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30",
        signature="database-pool-exhausted",
    ),
    _text(
        "memory-limit",
        40,
        "ERROR",
        f"Memory limit of 512 MiB exceeded with 531 MiB used. {_MEMORY_HELP}",
        stream=_SYSTEM,
        signature="container-oom",
    ),
    _request("timeout-504", 30, "GET /reports/@number@", 504, 300_000, signature="http-504-timeout"),
    _text("webhook-unsigned", 28, "ERROR", "webhook @number@ of a partner carries no seal; dropped"),
    _text(
        "decimal",
        24,
        "ERROR",
        _traceback(
            "/app/orders/tax.py:31:round_tax|return amount.quantize(CENT);/app/orders/tax.py:12:quantize|raise",
            "decimal.InvalidOperation: [<class 'decimal.InvalidOperation'>]",
        ),
    ),
    _text(
        "worker-timeout",
        20,
        "CRITICAL",
        "[2026-03-02 10:00:31 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
        signature="worker-timeout",
    ),
    _record("given-up", 16, "ERROR", "message @number@ given up after 5 attempts", queue="invoices", attempt=5),
    _text("lease-lost", 12, "ERROR", "thumbnail worker @number@ lost its lease"),
    _record("ledger", 8, "CRITICAL", "ledger out of balance by @number@ cents after settlement"),
    _text("region-lost", 4, "ALERT", "no replica answers in europe-west1, @number@ writes are waiting"),
    _text("peer-lost", 3, "ERROR", "lost @asked@ while @number@ orders were handed over"),
    _text("store-lost", 1, "EMERGENCY", "the order store @number@ is gone"),
)

LONG = _text("document-dump", 0, "ERROR", "document @number@ could not be stored: " + 'lorem \\ "ipsum"\t ' * 15_800)
"""An ERROR whose line is about 300 kB long; it stands at set places."""
