"""Convert records from the spelling of BigQuery, Log Analytics or a Python script to the API's spelling."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from forensics.sources.api_keys import API_NAMES, PAYLOADS, TIMES
from forensics.sources.json.json_values import NotJsonError, decode_json
from forensics.text.timestamps import SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: dict[str, Any] = {}
_FOREIGN = frozenset(API_NAMES) | {"payload"}
# `jsonpayload_type_loadbalancerlogentry`, `protopayload_requestlog`: columns of a BigQuery sink.
_TYPED_COLUMN = re.compile(r"(json|proto)payload_\w+")
# 2026-03-01 10:00:00.716289 UTC   2026-03-01T10:00:00+00:00   2026-03-01 10:00:00
_TIME = re.compile(
    r"""(?P<day>\d{4}-\d\d-\d\d) [Tt ] (?P<clock>\d\d:\d\d:\d\d) (?: (?P<fraction>\.\d{1,9}+) \d*+ )? \ ?
    (?: (?P<utc>Z|z|UTC|[+-]00(?::?00)?)? | (?P<hours>[+-]\d\d) :? (?P<minutes>\d\d)? )""",
    re.VERBOSE | re.ASCII,
)
# 1772359200   1772359200.716289   1.772359200716289E9   1772359200716
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE]\+?\d{1,2})?", re.ASCII)
# Seconds since 1970 lie below the first bound until the year 5138; then milliseconds, microseconds, nanoseconds.
_SCALES = ((10**11, SECOND), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
_LAST_TIME = 253_402_300_800 * SECOND
# Resource(type='cloud_run_revision', labels={'service_name': 'shop-api'}): what `str` makes of it.
_RESOURCE = re.compile(r"Resource\(type='(?P<type>[^']*)', labels=\{(?P<labels>.*)\}\)", re.DOTALL)
_QUOTED_PAIR = re.compile(r"'([^']*)': '([^']*)'")
_WORD_BREAK = re.compile(r"_([a-z0-9])")
# Columns of an audit entry that hold JSON of anybody's making: its keys stay as they are.
_AS_THEY_ARE = frozenset({"request", "response", "metadata", "serviceData"})


def in_api_spelling(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record in the API's spelling; a record that already has it is returned unchanged."""
    if _FOREIGN.isdisjoint(record):  # asked of every record, so in one piece
        time = record.get("timestamp", "Z")
        if (
            type(time) is str
            and time[-1:] == "Z"
            and time[10:11] in {"T", ""}
            and type(record.get("labels", _NOTHING)) is dict
            and type(record.get("resource", _NOTHING)) is dict
        ):
            return record
    named = _named(record)
    for name, spell in _SPELL.items():
        if name in named:
            named[name] = spell(named[name])
    return named


def _named(record: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the top-level fields to the API's names, and leave out columns without a value."""
    named: dict[str, Any] = {}
    for key, value in record.items():
        typed = _TYPED_COLUMN.fullmatch(key)
        name = f"{typed[1]}Payload" if typed else API_NAMES.get(key, key)
        if value is not None:
            named.setdefault(name, value)
    payload = named.get("payload")
    if payload is not None and PAYLOADS.isdisjoint(named.keys() - {"httpRequest"}):
        kind = _kind_of(named.pop("payload"))
        named[kind] = str(payload) if kind == "textPayload" else payload
    return named


def _kind_of(payload: Any) -> str:
    if isinstance(payload, dict):
        return "protoPayload" if "methodName" in payload or "serviceName" in payload else "jsonPayload"
    return "jsonPayload" if isinstance(payload, list) else "textPayload"


def _object(value: Any) -> Any:
    """Decode a JSON column that came as text; `[{"key": …, "value": …}]` also becomes an object."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            value = decode_json(value.encode())
        except NotJsonError:
            return value
    if isinstance(value, list) and value and all(isinstance(item, dict) and "key" in item for item in value):
        return {str(item["key"]): item.get("value") for item in value}
    return value


def _labels(value: Any) -> Any:
    labels = _object(value)
    if isinstance(labels, dict) and "instanceid" in labels:  # BigQuery's columns are in lower case
        labels = {"instanceId": labels["instanceid"], **labels}
    return labels


def _resource(value: Any) -> Any:
    printed = _RESOURCE.fullmatch(value) if isinstance(value, str) else None
    if printed:
        return {"type": printed["type"], "labels": dict(_QUOTED_PAIR.findall(printed["labels"]))}
    value = _object(value)
    if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004  (a named tuple of type and labels, as JSON)
        value = {"type": value[0], "labels": value[1]}
    if isinstance(value, dict) and "labels" in value:
        value = {**value, "labels": _object(value["labels"])}
    return value


def _in_camel_case(value: Any) -> Any:
    value = _object(value)
    if not isinstance(value, dict):
        return value
    return {_WORD_BREAK.sub(lambda c: c[1].upper(), key): item for key, item in value.items() if item is not None}


def _http_request(value: Any) -> Any:
    request = _in_camel_case(value)
    if isinstance(request, dict) and "latency" in request:
        request["latency"] = _duration(request["latency"])
    return request


def _duration(value: Any) -> Any:
    """Write seconds as the API does; BigQuery has them as a number."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        return value
    return f"{Decimal(text):f}s"


def _audit(value: Any) -> Any:
    value = _in_camel_case(value)
    if not isinstance(value, dict):
        return value
    inner = value.get("auditLog")  # Log Analytics: {"type": "type.googleapis.com/…", "audit_log": {…}}
    audit = _deep_camel_case(inner if isinstance(inner, dict) else value)
    for name in ("request", "response", "metadata"):
        content = audit.pop(f"{name}Json", audit.get(name))  # a BigQuery sink writes them as text
        if content is not None:
            audit[name] = _object(content)
    return audit


def _deep_camel_case(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _deep_camel_case(_in_camel_case(item)) if isinstance(item, dict) and key not in _AS_THEY_ARE else item
        for key, item in _in_camel_case(value).items()
    }


def _time(value: Any) -> Any:
    """Write a time as RFC 3339 with its own precision; any other value is returned unchanged."""
    if isinstance(value, dict):
        return _time_of_parts(value)
    text = value.strip() if isinstance(value, str) else repr(value)
    found = _TIME.fullmatch(text)
    if found:
        zone = f"{found['hours']}:{found['minutes'] or '00'}" if found["hours"] else "Z"
        return f"{found['day']}T{found['clock']}{found['fraction'] or ''}{zone}"
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        return value
    number = Decimal(text)
    scale = next((scale for bound, scale in _SCALES if number < bound), 0)
    return _written(int(number * scale), value)


def _time_of_parts(value: Mapping[str, Any]) -> Any:
    """Write `{"seconds": …, "nanos": …}`, as protobuf libraries do."""
    seconds, nanos = str(value.get("seconds", "")), value.get("nanos", 0)
    if not _NUMBER.fullmatch(seconds) or not isinstance(nanos, int):
        return value
    return _written(int(Decimal(seconds)) * SECOND + nanos, value)


def _written(time: int, otherwise: Any) -> Any:
    return format_time(time) if 0 < time < _LAST_TIME else otherwise


_SPELL = {
    **dict.fromkeys(sorted(TIMES), _time),
    "jsonPayload": _object,
    "protoPayload": _audit,
    "httpRequest": _http_request,
    "labels": _labels,
    "resource": _resource,
    "sourceLocation": _in_camel_case,
    "operation": _in_camel_case,
}
