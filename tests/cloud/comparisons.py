"""One comparison of the query language: a field's path, an operator and a value -> a test of entries."""

from __future__ import annotations

import calendar
import operator as operators
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import re2
from cloud.contract import invalid

Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]
Path = tuple[str, ...]

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
COMPARISONS = {*ORDERS, "=", "!=", ":", "=~", "!~"}
SEVERITIES = {
    name: rank
    for rank, name in enumerate(
        ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]
    )
}
_DEPTHS = {
    **dict.fromkeys(["timestamp", "receiveTimestamp", "severity", "logName", "insertId", "textPayload"], (1, 1)),
    **dict.fromkeys(["trace", "spanId", "traceSampled"], (1, 1)),
    **dict.fromkeys(["httpRequest", "labels", "operation", "sourceLocation"], (2, 2)),
    "resource": (2, 3),
    "jsonPayload": (2, 20),
    "protoPayload": (2, 20),
}
"""How many names the path of a field may have, by its first."""
_NUMBERS = {("httpRequest", "status"), ("httpRequest", "requestSize"), ("httpRequest", "responseSize")}
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


@lru_cache(maxsize=1 << 18)
def parse_nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 timestamp."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise invalid(f"filter: {text!r} is no timestamp")
    fraction, sign, hours, minutes = found.groups()[6:]
    offset = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1) if sign else 0
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise invalid(f"filter: {text!r} is no timestamp") from None
    seconds = calendar.timegm(moment.utctimetuple()) - offset
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def compare(path: Path, operator: str, value: str) -> Test:
    """The test that the field at this path passes the comparison; `:*` asks only that it is there."""
    _check_path(path, operator)
    if operator == ":*":
        return lambda entry: any(True for _ in _read(entry, path))
    if path in {("timestamp",), ("receiveTimestamp",)}:
        return _compare_known(path, operator, parse_nanoseconds(value), parse_nanoseconds)
    if path == ("severity",):
        return _compare_known(path, operator, _rank(value), _rank)
    if operator in ORDERS:
        return _compare_numbers(path, operator, value)
    if operator in {"=~", "!~"}:
        return _compare_pattern(path, operator, value)
    return _compare_words(path, operator, value)


def _check_path(path: Path, operator: str) -> None:
    shallowest, deepest = _DEPTHS.get(path[0], (0, 0))
    if operator == ":*":
        shallowest = min(shallowest, 1)
    is_resource = path[0] != "resource" or path[1:] == ("type",) or (path[1:2] == ("labels",) and len(path) > 2)
    if not shallowest <= len(path) <= deepest or not is_resource:
        raise invalid(f"filter: the field {'.'.join(path)!r} is not known")


def _rank(name: str) -> int:
    rank = SEVERITIES.get(name.upper())
    if rank is None:
        raise invalid(f"filter: {name!r} is no severity")
    return rank


def _read(value: Any, path: Path) -> Iterator[Any]:
    """What stands at this path; each element of a list counts."""
    if isinstance(value, list):
        for element in value:
            yield from _read(element, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _read(value[path[0]], path[1:])


def _compare_known(path: Path, operator: str, wanted: int, measure: Callable[[str], int]) -> Test:
    """Timestamps and severities: a missing severity is DEFAULT, a missing timestamp passes nothing."""
    holds = {**ORDERS, "=": operators.eq, "!=": operators.ne}.get(operator)
    if holds is None:
        raise invalid(f"filter: {path[0]} cannot be compared with {operator!r}")
    name, default = path[0], "DEFAULT" if path[0] == "severity" else None

    def test(entry: Entry) -> bool:
        found = entry.get(name, default)
        return found is not None and bool(holds(measure(found), wanted))

    return test


def _number(value: Any) -> int | float | None:
    """A number of JSON or of a text; integers stay whole, so that 2^53 + 1 is not 2^53."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    return int(value) if value.lstrip("-").isdecimal() else float(value)


def _compare_numbers(path: Path, operator: str, value: str) -> Test:
    wanted = _number(value)
    if wanted is None or (path not in _NUMBERS and path[0] not in {"jsonPayload", "protoPayload"}):
        raise invalid(f"filter: {'.'.join(path)} cannot be ordered against {value!r}")
    holds = ORDERS[operator]

    def test(entry: Entry) -> bool:
        numbers = (_number(found) for found in _read(entry, path))
        return any(number is not None and holds(number, wanted) for number in numbers)

    return test


def _compare_pattern(path: Path, operator: str, value: str) -> Test:
    routine = re2.Options()
    routine.log_errors = False
    try:
        pattern = re2.compile(value, routine)
    except re2.error as error:
        raise invalid(f"filter: {value!r} is no regular expression: {error}") from None
    return _any_found(path, lambda found: isinstance(found, str) and pattern.search(found) is not None, operator)


def _compare_words(path: Path, operator: str, value: str) -> Test:
    if path in _NUMBERS and _number(value) is None:
        raise invalid(f"filter: {'.'.join(path)} is a number, {value!r} is none")
    wanted, number = value.lower(), _number(value)

    def matches(found: Any) -> bool:
        if isinstance(found, bool):
            return str(found).lower() == wanted
        if isinstance(found, int | float):
            return found == number
        if not isinstance(found, str):
            return False
        return wanted in found.lower() if operator == ":" else found.lower() == wanted

    return _any_found(path, matches, operator)


def _any_found(path: Path, matches: Callable[[Any], bool], operator: str) -> Test:
    """`!=` and `!~` are false where the field is missing; only NOT turns that around."""
    if operator in {"!=", "!~"}:

        def differs(entry: Entry) -> bool:
            found = list(_read(entry, path))
            return bool(found) and not any(matches(value) for value in found)

        return differs
    return lambda entry: any(matches(value) for value in _read(entry, path))
