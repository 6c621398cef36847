from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cloud.comparisons import parse_nanoseconds
from cloud.contract import RefusedError
from cloud.filters import parse_filter
from cloud.samples import make_entry
from hypothesis import given, settings, strategies as st

Entry = dict[str, Any]
Case = tuple[str, Callable[[Entry], bool]]

RANKS = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]


def passes(text: str, entry: Entry) -> bool:
    return parse_filter(text).test(entry)


def full(**fields: Any) -> Entry:
    return make_entry(7, httpRequest={"status": 503}, jsonPayload={"n": 2**53 + 1, "tags": ["a", "B"]}, **fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- only a comment\n",
        'severity>=ERROR resource.type="cloud_run_revision"',
        'resource.labels.service_name="BACKEND"',
        'resource.labels.service_name:"ACK"',
        'textPayload=~"^message \\\\d$"',
        'NOT textPayload=~"^Message"',
        'NOT trace="x"',
        'NOT (trace!="x")',
        'labels."instanceId"="instance-3"',
        "labels.instanceId:*",
        "httpRequest.status>=500 AND httpRequest.status<504",
        "httpRequest.status=503",
        "jsonPayload.n=9007199254740993 AND NOT jsonPayload.n=9007199254740992",
        'jsonPayload.tags="b"',
        'logName="projects/p/logs/run.googleapis.com%2Fstderr"',
        'timestamp="2026-05-01T02:00:00.007000007+02:00"',
    ],
)
def test_the_filter_lets_the_entry_pass(text: str) -> None:
    assert passes(text, full())


@pytest.mark.parametrize(
    "text",
    [
        'trace!="x"',
        'trace!~"x"',
        "severity>ERROR",
        'textPayload=~"Message"',
        'timestamp>"2026-05-01T00:00:00.007000007Z"',
        'labels."instanceid"="instance-3"',
    ],
)
def test_the_filter_holds_the_entry_back(text: str) -> None:
    assert not passes(text, full())


def test_or_binds_tighter_than_and() -> None:
    # Read as in most languages, "a or (b and c)", the first of these would pass.
    assert not passes('insertId="id000007" OR insertId="x" AND insertId="y"', full())
    assert passes('insertId="id000007" OR (insertId="x" AND insertId="y")', full())


def test_a_missing_severity_is_default() -> None:
    entry = {name: value for name, value in full().items() if name != "severity"}
    assert passes("severity=DEFAULT AND severity<DEBUG AND severity!=ERROR", entry)


@pytest.mark.parametrize(
    "text",
    [
        "error",
        '"error"',
        "timeout AND severity=ERROR",
        "severity=",
        "severity==ERROR",
        "severity=BAD",
        "(severity=ERROR",
        "severity=ERROR)",
        "NOT",
        "severity=ERROR AND",
        "severity=ERROR and severity=INFO",
        "severity=(ERROR OR INFO)",
        'timestamp>="yesterday"',
        'timestamp>="2026-13-01T00:00:00Z"',
        'timestamp>="2026-02-30T00:00:00Z"',
        'timestamp>="0000-01-01T00:00:00Z"',
        'timestamp:"2026"',
        "httpRequest.status>=nan",
        'textPayload="\\ud800"',
        'severities="ERROR"',
        'resource.name="x"',
        'resource.labels="x"',
        'textPayload>"a"',
        "httpRequest.status=many",
        'textPayload=~"(?=x)"',
        'textPayload=~"\\d"',
        'log_id("run.googleapis.com/stderr")',
        'textPayload="unclosed',
        "labels.run.googleapis.com/x=y",
        'severity="ERROR" OR',
        "(" * 5000,
        "NOT " * 2000 + "severity=ERROR",
        "\0",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"^INVALID_ARGUMENT: filter: "):
        parse_filter(text)


@pytest.mark.parametrize(
    ("text", "is_bounded"),
    [
        ("severity=ERROR", False),
        ('timestamp>="2026-05-01T00:00:00Z"', False),
        ('timestamp>="2026-05-01T00:00:00Z" timestamp<"2026-05-02T00:00:00Z"', True),
        ('timestamp="2026-05-01T00:00:00Z"', True),
        ('timestamp>="2026-05-01T00:00:00Z" OR timestamp<"2026-05-02T00:00:00Z"', False),
        ('NOT (timestamp>="2026-05-01T00:00:00Z" AND timestamp<"2026-05-02T00:00:00Z")', False),
        ('textPayload="timestamp"', False),
        ('(timestamp="2026-05-01T00:00:00Z" OR timestamp="2026-05-02T00:00:00Z") AND severity=ERROR', True),
    ],
)
def test_bounds_of_time_are_seen(text: str, is_bounded: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    assert parse_filter(text).is_bounded == is_bounded


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(["text", "has", "label", "rank", "status", "time"]))
    if kind == "rank":
        name, sign = draw(st.sampled_from(RANKS)), draw(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
        return f"severity{sign}{name}", lambda e: hold(
            sign, RANKS.index(e.get("severity", "DEFAULT")), RANKS.index(name)
        )
    if kind == "status":
        code, sign = draw(st.integers(199, 202)), draw(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
        return (
            f"httpRequest.status {sign} {code}",
            lambda e: "httpRequest" in e and hold(sign, e["httpRequest"]["status"], code),
        )
    if kind == "time":
        second, sign = draw(st.integers(0, 3)), draw(st.sampled_from(["<", "<=", ">", ">=", "="]))
        text = f"2026-05-01T00:00:0{second}.000000001Z"
        return f"timestamp{sign}{quote(text)}", lambda e: hold(sign, e["timestamp"], text)
    word = draw(st.text('aB\\" é', max_size=2))
    if kind == "has":
        return (
            f"textPayload:{quote(word)}",
            lambda e: word.lower() in e.get("textPayload", "\0").lower() and ("textPayload" in e),
        )
    if kind == "label":
        return (
            f'labels."k-{word[:0]}x/y"={quote(word)}',
            lambda e: "labels" in e and e["labels"]["k-x/y"].lower() == word.lower(),
        )
    sign = draw(st.sampled_from(["=", "!="]))
    return (
        f"textPayload{sign}{quote(word)}",
        lambda e: "textPayload" in e and hold(sign, e["textPayload"].lower(), word.lower()),
    )


def hold(sign: str, left: Any, right: Any) -> bool:
    orders = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return bool({**orders, "=": left == right, "!=": left != right}[sign])


def combine(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda a: (f"NOT ({a[0]})", lambda e: not a[1](e))),
        pairs.map(lambda p: (f"({p[0][0]}) AND ({p[1][0]})", lambda e: p[0][1](e) and p[1][1](e))),
        pairs.map(lambda p: (f"({p[0][0]})\n  ({p[1][0]})", lambda e: p[0][1](e) and p[1][1](e))),
        pairs.map(lambda p: (f"({p[0][0]}) OR ({p[1][0]})", lambda e: p[0][1](e) or p[1][1](e))),
    )


words = st.text('aB\\" é', max_size=3)
entries = st.fixed_dictionaries(
    {"timestamp": st.builds("2026-05-01T00:00:0{}.00000000{}Z".format, st.integers(0, 3), st.integers(0, 2))},
    optional={
        "severity": st.sampled_from(RANKS),
        "textPayload": words,
        "labels": st.fixed_dictionaries({"k-x/y": words}),
        "httpRequest": st.fixed_dictionaries({"status": st.integers(199, 202)}),
    },
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.recursive(comparisons(), combine, max_leaves=6), st.lists(entries, min_size=1, max_size=6))
def test_filters_mean_what_plain_python_means(case: Case, some: list[Entry]) -> None:
    text, expected = case
    parsed = parse_filter(text)
    for entry in some:
        assert parsed.test(entry) == expected(entry)
        if expected(entry):
            assert parsed.earliest <= parse_nanoseconds(entry["timestamp"]) <= parsed.latest


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(RefusedError):
        assert parse_filter(text).earliest >= -math.inf
