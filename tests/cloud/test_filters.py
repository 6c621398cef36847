"""The filters that are sent (`forensics/cloud/filters.py`)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from forensics.cloud.filters import (
    LONGEST,
    Target,
    TimeSpan,
    TimeWindow,
    errors,
    everything,
    find_revision,
    merge,
    neighbourhood,
    quote,
    requests,
    service_logs,
)
from forensics.errors import UsageError
from forensics.model import Level, Nanoseconds
from forensics.text.timestamps import SECOND, format_time

SPAN = TimeSpan(Nanoseconds(1_757_980_800 * SECOND), Nanoseconds(1_757_984_400 * SECOND + 123_456_789))
SHOP = Target(revision="shop-00003-abc", service="shop", location="europe-west1", project="my-project")
MAKERS = (find_revision, errors, requests, service_logs, everything)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')

hostile = st.text(max_size=200) | st.sampled_from(
    ['"', "\\", '\\"', '") OR (severity>=DEFAULT', "x\n-- y", "\u2028", "\ud800", "🚨", "(", 'a" OR "', "a\\"]
)
instants = st.integers(0, 4_000_000_000).map(Nanoseconds)
spans = st.tuples(instants, st.integers(0, 10**6)).map(lambda pair: TimeSpan(pair[0], Nanoseconds(pair[0] + pair[1])))
windows = st.lists(st.builds(TimeWindow, spans, st.sampled_from(["a", "b", "c" * 200, 'd"\\'])), max_size=300)
targets = st.builds(Target, revision=hostile, service=hostile, location=hostile, project=hostile)


def skeleton(text: str) -> str:
    """The filter without what its strings hold."""
    bare = STRING.sub('""', text)
    assert '"' not in bare.replace('""', "")
    return bare


def strings(text: str) -> list[str]:
    found = STRING.findall(text)
    return [re.sub(r"\\(u[0-9a-f]{4}|U[0-9a-f]{8}|.)", unescape, string) for string in found]


def unescape(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else code


def is_balanced(text: str) -> bool:
    depth = 0
    for character in skeleton(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def is_bounded(text: str, span: TimeSpan) -> bool:
    bounds = f'(timestamp>="{format_time(span.start)}") AND (timestamp<"{format_time(span.end)}")'
    return text.endswith(bounds) and text.startswith('(resource.type="cloud_run_revision") AND ')


@given(targets, spans)
def test_filters_are_balanced_bounded_and_short(target: Target, span: TimeSpan) -> None:
    for make in MAKERS:
        text = make(target, span)
        assert is_balanced(text)
        assert is_bounded(text, span)
        assert len(text) <= LONGEST
        assert text.isascii()
        assert text.isprintable()


@given(hostile.filter(lambda text: text.strip("-") and not re.fullmatch(r"[0-9]{1,5}(-[a-z0-9]+)?|all|latest", text)))
def test_a_value_never_leaves_its_quotes(value: str) -> None:
    evil = Target(revision=value, service=value, location=value, project=value)
    for make in MAKERS:
        assert skeleton(make(evil, SPAN)) == skeleton(make(SHOP, SPAN))
    assert value.replace("\ud800", "\ufffd") in strings(errors(evil, SPAN))


@given(st.text())
def test_a_quoted_value_reads_back(value: str) -> None:
    assert strings(quote(value)) == [value]


@given(windows)
def test_neighbourhoods_are_balanced_bounded_and_short(around: list[TimeWindow]) -> None:
    for text in neighbourhood(SHOP, around):
        assert is_balanced(text)
        assert len(text) <= LONGEST - 200
        assert text.count("timestamp>=") == text.count("timestamp<") >= 2


def windows_of(text: str) -> list[tuple[str, str, str]]:
    """Every (instance, start, end) that one filter of a neighbourhood holds."""
    found = []
    for clause in re.finditer(r'\((labels[^()]*)\) AND \(timestamp>="([^"]*)"\) AND \(timestamp<"([^"]*)"\)', text):
        found += [(instance, clause[2], clause[3]) for instance in strings(clause[1])]
    return found


@given(windows)
def test_neighbourhoods_hold_every_merged_window_once(around: list[TimeWindow]) -> None:
    found = [window for text in neighbourhood(SHOP, around) for window in windows_of(text)]
    wanted = [(w.instance, format_time(w.span.start), format_time(w.span.end)) for w in merge(around)]
    assert sorted(found) == sorted(wanted)


@given(windows, instants)
def test_merging_covers_the_same_moments(around: list[TimeWindow], now: Nanoseconds) -> None:
    def at(some: list[TimeWindow]) -> set[str]:
        return {w.instance for w in some if w.span.start <= now < w.span.end}

    merged = merge(around)
    assert at(list(merged)) == at(around)
    assert list(merge(merged)) == list(merged)


@given(windows)
def test_the_outer_bounds_of_a_neighbourhood_are_those_of_its_windows(around: list[TimeWindow]) -> None:
    for text in neighbourhood(SHOP, around):
        held = windows_of(text)
        assert re.findall(r'timestamp>="([^"]*)"', text)[-1] in {start for _, start, _ in held}
        assert re.findall(r'timestamp<"([^"]*)"', text)[-1] in {end for _, _, end in held}


def test_many_windows_are_split_over_filters_in_order_of_time() -> None:
    around = [
        TimeWindow(TimeSpan(Nanoseconds(i * 100 * SECOND), Nanoseconds(i * 100 * SECOND + SECOND)), f"{i:0200x}")
        for i in range(1000)
    ]
    filters = neighbourhood(SHOP, reversed(around))
    assert 15 < len(filters) < 25
    assert all(len(text) <= LONGEST for text in filters)
    assert [w[0] for text in filters for w in windows_of(text)] == [w.instance for w in around]


def test_windows_of_one_moment_share_a_clause() -> None:
    (text,) = neighbourhood(SHOP, [TimeWindow(SPAN, "a"), TimeWindow(SPAN, "b"), TimeWindow(SPAN, "a")])
    assert '(labels.instanceId="a" OR labels.instanceId="b") AND (timestamp' in text
    (text,) = neighbourhood(SHOP, [TimeWindow(SPAN, "a"), TimeWindow(SPAN)])
    assert "instanceId" not in text


def test_no_windows_ask_for_nothing() -> None:
    assert neighbourhood(SHOP, []) == ()


def test_what_cannot_be_asked_for_is_said() -> None:
    with pytest.raises(UsageError, match="shorten the names"):
        errors(Target(revision="x" * 30_000), SPAN)


@pytest.mark.parametrize(
    ("asked", "name", "fits"),
    [
        ("shop-00003", "shop-00003-abc", True),
        ("shop-00003-", "shop-00003-abc", True),
        ("shop-00003-abc", "shop-00003-abc", True),
        ("shop-0000", "shop-00003-abc", False),
        ("3", "shop-00003-abc", True),
        ("00003-abc", "shop-00003-abc", True),
        ("00003", "shop-00030-abc", False),
        ("s.op-00003", "shop-00003-abc", False),
    ],
)
def test_a_revision_is_found_by_name_prefix_and_number(asked: str, name: str, fits: bool) -> None:  # noqa: FBT001 - a table
    text = find_revision(Target(revision=asked), SPAN)
    label = re.search(r'revision_name=~("[^ ]*")', text)
    path = re.search(r'resourceName=~("[^ ]*")', text)
    assert label
    assert path
    assert bool(re.search(strings(label[1])[0], name)) is fits
    assert bool(re.search(strings(path[1])[0], f"namespaces/p/revisions/{name}")) is fits


@pytest.mark.parametrize("asked", ["", "all", "latest"])
def test_any_revision_restricts_nothing(asked: str) -> None:
    target = Target(revision=asked, service="shop")
    assert "revision_name" not in "".join(make(target, SPAN) for make in MAKERS)


def test_errors_are_asked_for_by_more_than_severity() -> None:
    text = errors(SHOP, SPAN)
    assert "(severity>=ERROR OR httpRequest.status>=500 OR jsonPayload.level=~" in text
    assert "jsonPayload.level=50 OR jsonPayload.level=60 OR ((NOT severity>=DEBUG) AND (textPayload=~" in text
    said = re.search(r'textPayload=~("[^"]*")', text)
    assert said
    pattern = re.compile(strings(said[1])[0])
    for line in ("ModuleNotFoundError: No module", "Worker (pid:14) exited with code 3", "x | ERROR | y", "[ERROR] z"):
        assert pattern.search(line), line
    assert not pattern.search("mirror terrors of INFO")


def test_each_level_asks_for_what_belongs_to_it() -> None:
    by_level = {level: errors(SHOP, SPAN, level) for level in Level}
    assert "httpRequest.status>=400" in by_level[Level.WARNING]
    assert "jsonPayload.level=40" in by_level[Level.WARNING]
    assert "(severity>=INFO OR (NOT severity>=DEBUG))" in by_level[Level.INFO]
    assert "httpRequest" not in by_level[Level.CRITICAL]
    assert "jsonPayload.level=50" not in by_level[Level.CRITICAL]


def test_service_logs_do_not_name_the_revision() -> None:
    assert "revision_name" not in service_logs(SHOP, SPAN)
    assert "revision_name" in service_logs(Target(revision="shop-00003-abc"), SPAN)
    assert "varlog%2Fsystem" in service_logs(SHOP, SPAN)
    assert "varlog%2Fsystem" in everything(SHOP, SPAN)
    assert "%2Frequests" in requests(SHOP, SPAN)
