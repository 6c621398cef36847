"""Convert between text and nanoseconds: RFC 3339 times, durations as Cloud Logging and people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from forensics.model import Nanoseconds

SECOND = 1_000_000_000
"""Nanoseconds."""
_DAY = 86_400 * SECOND
_SCALES = {len("2025-09-16T00:41:13Z"): SECOND} | {
    len("2025-09-16T00:41:13.Z") + digits: 10 ** (9 - digits) for digits in range(1, 10)
}
"""Nanoseconds of the last digit of a time in Cloud Logging's own form, by its length."""
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (1 - _EPOCH_DAY) * _DAY
_END = (date.max.toordinal() + 1 - _EPOCH_DAY) * _DAY

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3_600 * SECOND,
    "d": _DAY,
}

# 0.783137066s   250ms   1h30m
_DURATION_PART = re.compile(r"([0-9]+)(?:\.([0-9]+))?(ns|us|µs|μs|ms|s|m|h|d)")


def moment(text: str) -> Nanoseconds:
    """Parse a time for sorting, 0 for none: as text, 12.1Z would come after 12.12Z."""
    try:
        return parse_time(text)
    except ValueError:
        return Nanoseconds(0)


def parse_time(text: str) -> Nanoseconds:
    """Parse an RFC 3339 time (0–9 fractional digits, `Z` or offset) to nanoseconds since 1970; raise ValueError."""
    # Cloud Logging's own form first; its minutes repeat. Any other form is parsed below.
    scale = _SCALES.get(len(text))
    if scale is not None and text[-1] == "Z" and (text[19] == "." or scale == SECOND):
        digits = text[17:19] + text[20:-1]
        if digits.isdigit() and digits.isascii() and digits[0] < "6":
            minute = _minute(text[:17])
            if minute is not None:
                return Nanoseconds(minute + int(digits) * scale)
    return _parse_any_time(text)


@lru_cache(maxsize=4096)
def _minute(text: str) -> int | None:
    """Return the nanoseconds at the start of a minute, `2025-09-16T00:41:`; None when the text is no minute."""
    try:
        return _parse_any_time(f"{text}00Z")
    except ValueError:
        return None


def _parse_any_time(text: str) -> Nanoseconds:
    # By slices: `fromisoformat` cuts to microseconds, and accepts week dates and times without a zone.
    if len(text) < len("2025-09-16T00:41:13Z") or text[10] not in "Tt " or text[13] != ":" or text[16] != ":":
        raise ValueError(f"{text!r} is no RFC 3339 time")
    clock = text[11:13] + text[14:16] + text[17:19]
    if not (clock.isascii() and clock.isdigit()):
        raise ValueError(f"{text!r} is no RFC 3339 time")
    hours, minutes, seconds = int(clock[:2]), int(clock[2:4]), int(clock[4:])
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004  (60: a leap second)
        raise ValueError(f"{text!r} is no RFC 3339 time")
    fraction, offset = _fraction_and_offset(text)
    time = _midnight(text[:10]) + ((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction - offset
    if not _FIRST <= time < _END:
        raise ValueError(f"{text!r} lies outside of the years 1 to 9999 in UTC")
    return Nanoseconds(time)


@lru_cache(maxsize=1024)
def _midnight(text: str) -> int:
    """Return the nanoseconds at the start of a day; logs span few days, so this is nearly always a cache hit."""
    digits = text[:4] + text[5:7] + text[8:]
    if text[4] != "-" or text[7] != "-" or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is no date")
    return (date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal() - _EPOCH_DAY) * _DAY


def _fraction_and_offset(text: str) -> tuple[int, int]:
    if text[19] != ".":
        return 0, _offset(text[19:])
    end = len(text) - (1 if text[-1] in "Zz" else len("+00:00"))
    digits = text[20:end]
    # More digits than a nanosecond has would be lost.
    if not (1 <= len(digits) <= 9 and digits.isascii() and digits.isdigit()):  # noqa: PLR2004
        raise ValueError(f"{text!r} has no fraction of 1 to 9 digits")
    return int(digits.ljust(9, "0")), _offset(text[end:])


@lru_cache(maxsize=64)
def _offset(zone: str) -> int:
    if zone in {"Z", "z"}:
        return 0
    digits = zone[1:3] + zone[4:]
    if (
        len(zone) != len("+00:00")
        or zone[0] not in "+-"
        or zone[3] != ":"
        or not (digits.isascii() and digits.isdigit())
    ):
        raise ValueError(f"{zone!r} is no zone: `Z` or an offset such as `+02:00` is wanted")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004
        raise ValueError(f"{zone!r} is no offset")
    size = (hours * 60 + minutes) * 60 * SECOND
    return -size if zone[0] == "-" else size


def format_time(ns: int) -> str:
    """Write nanoseconds since 1970 as RFC 3339 in UTC, with the fewest of 0, 3, 6 or 9 digits that keep the value."""
    seconds, fraction = divmod(ns, SECOND)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%m-%dT%H:%M:%S")
    year = (_EPOCH + timedelta(seconds=seconds)).year  # strftime does not pad years on every platform
    digits = f"{fraction:09d}"
    for size in (9, 6, 3):
        if digits[size - 3 : size] != "000":
            return f"{year:04d}-{whole}.{digits[:size]}Z"
    return f"{year:04d}-{whole}Z"


def parse_duration(text: str) -> Nanoseconds:
    """Parse `0.783137066s`, `250ms`, `3m`, `7d` or `1h30m` into exact nanoseconds; raise ValueError."""
    # Cloud Logging's own form first: seconds with a fraction.
    whole, _, fraction = text[:-1].partition(".")
    digits = whole + fraction.ljust(9, "0")
    is_exact = 0 < len(fraction) <= 9  # noqa: PLR2004 - a nanosecond has no more digits
    if is_exact and whole and text[-1] == "s" and digits.isdigit() and digits.isascii():
        return Nanoseconds(int(digits))
    return _parse_any_duration(text)


def _parse_any_duration(text: str) -> Nanoseconds:
    total = position = 0
    while part := _DURATION_PART.match(text, position):
        whole, fraction, unit = part[1], part[2] or "", part[3]
        total += int(whole + fraction) * _UNITS[unit] // 10 ** len(fraction)
        position = part.end()
    if not text or position != len(text):
        raise ValueError(f"{text!r} is no duration such as `2s`, `250ms` or `1h30m`")
    return Nanoseconds(total)


def format_seconds(ns: int) -> str:
    """Write a duration for people: `0.06 s`, `7.1 s`, `1 min 47 s`, `2 h 5 min`."""
    if ns < 0:
        return "-" + format_seconds(-ns)
    if 0 < ns < SECOND // 100:
        return f"{float(f'{ns / 1_000_000:.2g}'):.6f}".rstrip("0").rstrip(".") + " ms"
    seconds = ns / SECOND
    for limit, places in ((1, 2), (10, 1), (60, 0)):
        rounded = round(seconds, places)
        if rounded < limit:
            return f"{rounded:g} s"
    return _long_span(round(seconds))


def _long_span(seconds: int) -> str:
    # Two units are enough for a reader; the smaller one is cut, as on a clock.
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    names = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    first = next((i for i, (number, _) in enumerate(names) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in names[first : first + 2] if number)


def format_lag(lags: tuple[float, float] | None) -> str:
    """Write the time from a cause to its symptom: `0.06–0.12 s`, `5–20 ms later`, on both sides of it `up to 0.5 s`."""
    if lags is None:
        return "an unknown time"
    low, high = sorted(abs(lag) for lag in lags)
    if min(lags) < 0 < max(lags):
        return f"up to {_duration(high, high)}"
    late = " later" if max(lags) < 0 else ""
    words = [_duration(low, high), _duration(high, high)]
    unit = words[1].rpartition(" ")[2]
    if words[0] == words[1]:
        return words[1] + late
    if words[1].count(" ") == 1 and words[0].endswith(f" {unit}"):
        words[0] = words[0].removesuffix(f" {unit}")
    return "–".join(words) + late


def _duration(seconds: float, longest: float) -> str:
    """Write one end of a range in a unit that suits the longer end: ms below 0.1 s, µs below 1 ms."""
    if longest < 0.001:  # noqa: PLR2004 - a millisecond
        return f"{seconds * 1_000_000:.0f} µs"
    if longest < 0.1:  # noqa: PLR2004 - a tenth of a second
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if longest < 1 else format_seconds(round(seconds * SECOND))


def read_moment(text: str) -> datetime:
    """Read a time as people write it, in any zone; ValueError when it is none. Without a zone it stays without."""
    from dateutil import parser  # noqa: PLC0415 - most runs name no time

    try:
        return parser.parse(text)
    except OverflowError as error:
        raise ValueError(text) from error


def to_utc(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC; one without a zone is taken as UTC."""
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).isoformat().replace("+00:00", "Z")
