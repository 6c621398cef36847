"""Times and durations, as text and as nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from forensics.text import timestamps
from forensics.text.timestamps import SECOND, format_lag, format_seconds, format_time, parse_duration, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:01Z", SECOND),
        ("1970-01-01t00:00:00.5z", SECOND // 2),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T22:30:00-01:30", 0),
        ("1970-01-01T00:00:00.250-00:00", SECOND // 4),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("2024-02-29T00:00:00Z", 19_782 * DAY),
        ("1970-01-01T23:59:60Z", DAY),
    ],
)
def test_times_are_read_exactly(text: str, ns: int) -> None:
    assert parse_time(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T10:00:00",  # no zone
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00.1234567890Z",
        "2026-02-30T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:61:00Z",
        "2026-W09-7T10:00:00Z",
        "2026-03-01T10:00:00+0200",
        "2026-03-01T10:00:00+25:00",
        "2026-03-01T10:00:00ZZ",
        "2026-03-01T+1:00:00Z",
        "２026-03-01T10:00:00Z",
        "0001-01-01T00:00:00+01:00",  # before the first year
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (SECOND // 2, "1970-01-01T00:00:00.500Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (-62_135_596_800 * SECOND, "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_with_the_fewest_digits_that_keep_them(ns: int, text: str) -> None:
    assert format_time(ns) == text


@given(st.integers(min_value=-62_135_596_800 * SECOND, max_value=253_402_300_800 * SECOND - 1))
def test_writing_and_reading_keep_every_nanosecond(ns: int) -> None:
    assert parse_time(format_time(ns)) == ns


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_it_agrees_with_the_standard_library(moment: datetime) -> None:
    whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY
    rest = moment - datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    assert parse_time(moment.isoformat()) == whole + rest.seconds * SECOND + rest.microseconds * 1000


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    for parse in (parse_time, parse_duration):
        try:
            assert isinstance(parse(text), int)
        except ValueError as error:
            assert str(error)  # noqa: PT017  (both outcomes are right)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0.783137066s", 783_137_066),
        ("0s", 0),
        ("250ms", 250_000_000),
        ("2s", 2 * SECOND),
        ("3m", 180 * SECOND),
        ("1h", 3600 * SECOND),
        ("7d", 7 * DAY),
        ("1h30m", 5400 * SECOND),
        ("1.5h", 5400 * SECOND),
        ("17µs", 17_000),
        ("540.000804701s", 540_000_804_701),
    ],
)
def test_durations_are_read_exactly(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "-2s", "2s ", "1e3s", "soon", ".5s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00015, "0.15 ms"),
        (0.003, "3 ms"),
        (0.06, "0.06 s"),
        (0.9996, "1 s"),
        (7.1, "7.1 s"),
        (9.97, "10 s"),
        (47.3, "47 s"),
        (59.96, "1 min"),
        (107, "1 min 47 s"),
        (7500, "2 h 5 min"),
        (93_600, "1 d 2 h"),
        (-0.02, "-0.02 s"),
    ],
)
def test_spans_are_written_for_people(seconds: float, text: str) -> None:
    assert format_seconds(round(seconds * SECOND)) == text


@pytest.mark.parametrize(
    ("lags", "words"),
    [
        ((0.06, 0.12), "0.06–0.12 s"),
        ((2.41, 2.68), "2.4–2.7 s"),
        ((-0.02, -0.005), "5–20 ms later"),
        ((-0.006, 0.5), "up to 0.50 s"),
        ((0.59, 0.59), "0.59 s"),
        ((0.000169, 0.000394), "169–394 µs"),
        ((0.5, 70.0), "0.5 s–1 min 10 s"),
        (None, "an unknown time"),
    ],
)
def test_a_lag_is_written_for_people(lags: tuple[float, float] | None, words: str) -> None:
    assert format_lag(lags) == words


LIKE_TIMES = st.tuples(
    st.sampled_from(
        ["2025-09-16T00:41:", "2025-02-30T10:00:", "9999-12-31T23:59:", "0001-01-01t00:00:", "2025-09-16 7:41:1"]
    ),
    st.sampled_from(["13", "60", "61", "59", "1", "²3", "-1"]),
    st.sampled_from([".", ",", ""]),
    st.text("0123456789٣", max_size=11),
    st.sampled_from(["Z", "z", "+02:00", "ZZ", ""]),
).map("".join)
LIKE_DURATIONS = st.text("0123456789.smh²", max_size=8)


def told(read: Callable[[str], int], text: str) -> int | str:
    try:
        return read(text)
    except ValueError as error:
        return str(error)


@given(LIKE_TIMES)
def test_the_usual_form_of_times_is_read_as_any_other(text: str) -> None:
    assert told(parse_time, text) == told(timestamps._parse_any_time, text)


@given(LIKE_DURATIONS)
def test_the_usual_form_of_durations_is_read_as_any_other(text: str) -> None:
    assert told(parse_duration, text) == told(timestamps._parse_any_duration, text)
