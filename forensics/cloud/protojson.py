"""Encode protocol buffer messages as the JSON that REST sends for them, fast and without loss.

`json_format` of the protobuf package does the same at a fraction of the pace, and fails at the first payload of an
unknown type. Here such a payload keeps its type and its bytes.
"""

from __future__ import annotations

import math
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

# Imported to register their types: with them the payloads of audit logs can be decoded.
from google.cloud.appengine_logging_v1.types import request_log as _request_log  # noqa: F401
from google.cloud.audit import audit_log_pb2 as _audit_log  # noqa: F401
from google.iam.v1.logging import audit_data_pb2 as _audit_data  # noqa: F401
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from forensics.text.timestamps import SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.message import Message

    Convert = Callable[[Any], Any]

_LARGEST_WHOLE = 2.0**63
"""Limit from which whole numbers are written as floats; from 2^53 on they are not exact anyway."""
# Sorted: the order in which a message gives the fields of a payload is another one in every process.
_ENCODER = msgspec.json.Encoder(order="sorted")


def encode_message(message: Message) -> bytes:
    """Encode a message as JSON with names in camelCase and sorted keys."""
    return _ENCODER.encode(plain_message(message))


def plain_message(message: Any) -> Any:
    """Convert a message to dictionaries, lists, strings and numbers."""
    return _converter(message.DESCRIPTOR)(message)


@lru_cache(maxsize=1024)
def _converter(descriptor: Descriptor) -> Convert:
    """Return the function that converts messages of one type to plain values."""
    special = _SPECIAL.get(descriptor.full_name)
    if special is not None:
        return special
    if descriptor.full_name.startswith("google.protobuf."):
        to_plain: Convert = json_format.MessageToDict  # wrappers and masks: they come once in a while
        return to_plain
    converters: dict[int, tuple[str, Convert | None]] = {}

    def convert(message: Any) -> dict[str, Any]:
        plain = {}
        for field, value in message.ListFields():
            try:
                name, inner = converters[field.number]
            except KeyError:  # made when first met, since types may hold each other
                name, inner = converters[field.number] = (field.json_name, _of_field(field))
            plain[name] = value if inner is None else inner(value)
        return plain

    return convert


def _of_field(field: FieldDescriptor) -> Convert | None:
    """Return the function that converts a field's value, None when the value is plain already."""
    if not field.is_repeated:
        return _of_value(field)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _of_map(field.message_type.fields_by_name)
    inner = _of_value(field)
    return list if inner is None else lambda value: [inner(part) for part in value]


def _of_map(fields: Mapping[str, FieldDescriptor]) -> Convert:
    inner, is_text = _of_value(fields["value"]), fields["key"].type == FieldDescriptor.TYPE_STRING
    if inner is None:
        return dict if is_text else lambda value: {_key(key): value[key] for key in value}
    return lambda value: {_key(key): inner(value[key]) for key in value}


def _of_value(field: FieldDescriptor) -> Convert | None:
    if field.message_type is not None:
        return _converter(field.message_type)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.cpp_type in {field.CPPTYPE_INT64, field.CPPTYPE_UINT64}:
        return str
    if field.type == field.TYPE_BYTES:
        return _base64
    return _number if field.cpp_type in {field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT} else None


def _enum(enum: EnumDescriptor) -> Convert:
    names = {number: value.name for number, value in enum.values_by_number.items()}
    return lambda number: names.get(number, number)


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _number(value: float) -> float | str:
    """Write whole numbers as integers, as REST does, and NaN and infinities as strings."""
    if value.is_integer() and abs(value) < _LARGEST_WHOLE:
        return int(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _struct(struct: Any) -> dict[str, Any]:
    fields = struct.fields
    return {key: _value(fields[key]) for key in fields}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "bool_value":
        return value.bool_value
    return _list(value.list_value) if kind == "list_value" else None


def _list(values: Any) -> list[Any]:
    return [_value(value) for value in values.values]


def _timestamp(time: Any) -> str:
    ns = time.nanos
    try:
        second = _second(time.seconds)
    except OverflowError:  # no time of this calendar; who reads the entry says so
        return f"{time.seconds}.{ns:09d}"
    return f"{second}{_fraction(ns)}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """Write a time to the second; cached, since entries come in order of time."""
    return format_time(seconds * SECOND).removesuffix("Z")


def _duration(span: Any) -> str:
    sign = "-" if span.seconds < 0 or span.nanos < 0 else ""
    return f"{sign}{abs(span.seconds)}{_fraction(abs(span.nanos))}s"


def _fraction(ns: int) -> str:
    """Write nanoseconds in 0, 3, 6 or 9 digits, the fewest that keep the value."""
    if ns == 0:
        return ""
    if ns % 1000:
        return f".{ns:09d}"
    return f".{ns // 1000:06d}" if ns % 1_000_000 else f".{ns // 1_000_000:03d}"


def _any(packed: Any) -> dict[str, Any]:
    """Unpack a payload of a known type; keep the name and bytes of any other."""
    url = packed.type_url
    try:
        kind = _message_class(url.rpartition("/")[2])
        plain = plain_message(kind.FromString(packed.value))
    except (KeyError, DecodeError, json_format.Error, RecursionError):
        return {"@type": url, "value": _base64(packed.value)}
    if kind.DESCRIPTOR.full_name.startswith("google.protobuf."):
        return {"@type": url, "value": plain}
    return {"@type": url, **plain}


@lru_cache(maxsize=256)
def _message_class(name: str) -> type[Message]:
    """Find a message class by its full name; KeyError when this process has none."""
    kind: type[Message] = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    return kind


_SPECIAL: dict[str, Convert] = {
    "google.protobuf.Any": _any,
    "google.protobuf.Duration": _duration,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Value": _value,
}
