"""Make entries of a kind, a time and a number, ordinary or odd, and the JSON texts of several."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from support.builders import REVISION, raw, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OTHER = "shop-api-00041-zzz"

Record = dict[str, Any]

LINES = (
    "Traceback (most recent call last):",
    '  File "/app/shop.py", line 3, in pay',
    "    charge()",
    "KeyError: 'card'",
)


def split(at: float, number: int) -> list[str]:
    """A traceback that was written line by line."""
    pieces = enumerate(LINES)
    return [json.dumps(raw(line, at=at + i / 1000, number=number + i, severity="ERROR")) for i, line in pieces]


def audit(at: float, number: int) -> Record:
    """A failed deployment, with the revision only in its message and not in its resource."""
    said = f"Ready condition status changed to False for Revision {REVISION} with message: no port"
    proto = {"methodName": "/InternalServices.ReplaceInternalService", "status": {"code": 9, "message": said}}
    entry = raw(at=at, number=number, stream="cloudaudit.googleapis.com%2Fsystem_event", revision="", instance="")
    return entry | {"severity": "ERROR", "protoPayload": proto}


def bigquery(at: float, number: int) -> Record:
    """An entry as a sink to BigQuery spells it."""
    entry = raw("ValueError: bad", at=at, number=number, severity="ERROR")
    names = {"insertId": "insert_id", "logName": "log_name", "textPayload": "text_payload"}
    entry |= {"timestamp": entry["timestamp"].replace("T", " ").replace("Z", " UTC"), "labels": {"instanceid": "i1"}}
    return {names.get(key, key): value for key, value in entry.items()} | {"json_payload": None}


def abroad(at: float, number: int) -> Record:
    entry = raw("TypeError: bad", at=at, number=number, severity="ERROR")
    return entry | {"timestamp": entry["timestamp"].replace("T10", "T12").replace("Z", "+02:00")}


def without(key: str, at: float, number: int) -> Record:
    fields = raw("RuntimeError: lonely", at=at + number / 977, number=number, severity="ERROR")
    return {name: value for name, value in fields.items() if name != key}


def nested(at: float, number: int) -> Record:
    value: Any = "ERROR"
    for _ in range(95):
        value = {"a": value}
    return raw(at=at, number=number, severity="ERROR", jsonPayload={"message": "deep", "nested": value})


def rewritten(old: str, new: str, at: float, number: int) -> list[str]:
    """An error with a part in another spelling."""
    text = json.dumps(raw("ValueError: bad", at=at, number=number, severity="ERROR"))
    assert old in text
    return [text.replace(old, new)]


def answered(status: Any, path: str, at: float, number: int) -> Record:
    http = {"requestMethod": "GET", "requestUrl": f"https://x.example{path}", "status": status}
    return request(200, at=at, latency=0.1, number=number) | {"httpRequest": http}


MAKERS: dict[str, Callable[[float, int], Record | list[str]]] = {
    "a request that went well": lambda at, n: request(200, at=at, latency=0.1, number=n),
    "a request that a rule may know": lambda at, n: request(200, at=at, latency=0.1, number=n, path="/memory-limit"),
    "a request that was refused": lambda at, n: request(404, at=at, latency=0.1, number=n),
    "a request that failed": lambda at, n: request(500, at=at, latency=0.5, number=n),
    "a request that found no instance": lambda at, n: request(503, at=at, latency=3, number=n),
    "a request without an instance": lambda at, n: request(200, at=at, latency=0.1, number=n, instance=""),
    "a WebSocket": partial(answered, 101, "/rooms/17/ws"),
    "a handshake that was refused": partial(answered, 403, "/rooms/18/ws"),
    "a status of 0": partial(answered, 0, "/zero"),
    "a status as text": partial(answered, "200", "/text"),
    "a status as text, failed": partial(answered, "500", "/text"),
    "a status with a point": partial(answered, 200.0, "/point"),
    "a status below 0": partial(answered, -1, "/below"),
    "a large status": partial(answered, 10**30, "/large"),
    "no status": partial(answered, None, "/none"),
    "an empty request": lambda at, n: raw(at=at, number=n, stream="requests", httpRequest={}),
    "a request with words": lambda at, n: request(200, at=at, latency=1, number=n, textPayload="KeyError: 'x'"),
    "a request with an empty payload": lambda at, n: request(200, at=at, latency=1, number=n, jsonPayload={}),
    "a text": lambda at, n: raw("listening", at=at, number=n, severity="INFO"),
    "an error": lambda at, n: raw("ValueError: bad", at=at, number=n, severity="ERROR"),
    "an error of the database": lambda at, n: raw("connection refused: 10.0.0.3:5432", at=at, number=n),
    "a JSON line": lambda at, n: raw(at=at, number=n, jsonPayload={"message": "fine", "level": "info"}),
    "a JSON error": lambda at, n: raw(at=at, number=n, jsonPayload={"level": "error", "message": "no", "user": n}),
    "a traceback": lambda at, n: raw("\n".join(LINES), at=at, number=n, severity="ERROR"),
    "a traceback in lines": split,
    "a start": lambda at, n: raw(
        "Starting new instance. Reason: AUTOSCALING", at=at, number=n, stream="varlog%2Fsystem"
    ),
    "an exit": lambda at, n: raw("Container called exit(1).", at=at, number=n, stream="varlog%2Fsystem"),
    "an audit entry": audit,
    "an audit entry with words": lambda at, n: audit(at, n) | {"textPayload": "no port"},
    "of another revision": lambda at, n: raw("KeyError: 'x'", at=at, number=n, severity="ERROR", revision=OTHER),
    "a request of another": lambda at, n: request(200, at=at, latency=1, number=n, revision=OTHER),
    "of another, naming this": lambda at, n: raw(f"after {REVISION}", at=at, number=n, revision=OTHER),
    "of no revision": lambda at, n: raw("shop", at=at, number=n, revision=""),
    "no severity": lambda at, n: raw("plain", at=at, number=n),
    "no insertId": partial(without, "insertId"),
    "no timestamp": partial(without, "timestamp"),
    "no resource": partial(without, "resource"),
    "no logName": partial(without, "logName"),
    "no payload": lambda at, n: raw(at=at, number=n, severity="INFO"),
    "the first second": lambda at, n: raw("epoch", at=at, number=n, timestamp="1970-01-01T00:00:00Z"),
    "an impossible time": lambda at, n: raw("never", at=at, number=n, timestamp="2026-02-30T10:00:00Z"),
    "deep": nested,
    "abroad": abroad,
    "a small severity": lambda at, n: raw("no", at=at, number=n, severity="error"),
    "a number as severity": lambda at, n: raw("no", at=at, number=n, severity=500),
    "null as severity": lambda at, n: raw("no", at=at, number=n, severity=None),
    "null as labels": lambda at, n: raw("no", at=at, number=n, labels=None),
    "null as a payload": lambda at, n: raw("no", at=at, number=n, jsonPayload=None),
    "a payload of a list": lambda at, n: raw(at=at, number=n, jsonPayload=["KeyError: 'x'"]),
    "as in BigQuery": bigquery,
    "a key as in BigQuery": lambda at, n: raw("no", at=at, number=n, span_id="1", labels={"instanceid": "i1"}),
    "two spellings": lambda at, n: raw("mine", at=at, number=n, json_payload={"message": "theirs"}, severity="ERROR"),
    "a wrapper's key": lambda at, n: raw("mine", at=at, number=n, entries=[raw("theirs", at=at, number=n + 1)]),
    "escapes": partial(rewritten, "shop-api-00042", r"shop\u002dapi\u002D00042"),
    "an escaped key": partial(rewritten, '"resource"', r'"\u0072esource"'),
    "escapes that mean nothing": partial(rewritten, "ValueError", r"\u003cValueError\u003e"),
    "duplicate keys": partial(rewritten, '"severity"', '"severity": "INFO", "severity"'),
    "duplicate labels": partial(rewritten, '"labels"', '"labels": {"revision_name": "x"}, "labels"'),
    "NaN": partial(rewritten, '"severity"', '"jsonPayload": {"ratio": NaN, "message": "x"}, "severity"'),
    "half a surrogate pair": partial(rewritten, "ValueError", r"ValueError \ud83d"),
    "half a pair in an id": partial(rewritten, '"insertId": "', r'"insertId": "\ud83d'),
    "a raw control character": partial(rewritten, "ValueError", "Value\x01Error"),
    "bytes that are no UTF-8": partial(rewritten, "ValueError", "ValueError \udcff"),
    "bytes that are no UTF-8, unseen": partial(rewritten, '"severity"', '"operation": "\udcff", "severity"'),
    "spaces": partial(rewritten, '"severity"', ' \t"severity"'),
}


def texts_of(kinds: Sequence[tuple[str, int]]) -> list[str]:
    """Write entries as JSON, some of them in odd ways; equal seconds make ties."""
    texts = []
    for number, (kind, second) in enumerate(kinds):
        made = MAKERS[kind](float(second), number * 10)
        texts += made if isinstance(made, list) else [json.dumps(made)]
    return texts
