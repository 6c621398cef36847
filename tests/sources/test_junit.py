"""JUnit files of many writers, and files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from forensics.errors import SourceError
from forensics.sources.junit import read_test_runs

if TYPE_CHECKING:
    from forensics.model import TestRun

SAMPLES = Path(__file__).parents[2] / "samples" / "netra-backend-staging" / "tests"
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><testsuites><testsuite name="&b;"/></testsuites>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><testsuite name="&a;"/>'


def read(folder: Path, *texts: str | bytes) -> TestRun:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"results-{number}.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return read_test_runs(paths)


def figures(run: TestRun) -> tuple[int, ...]:
    return run.total, run.passed, run.failed, run.errors, run.skipped, run.not_run


def names(run: TestRun) -> list[str]:
    return [suite.name for suite in run.suites]


@pytest.mark.parametrize(
    ("cycle", "expected"), [(1, (16, 3, 12, 0, 0, 1)), (2, (16, 5, 10, 0, 0, 1)), (3, (16, 9, 7, 0, 0, 0))]
)
def test_cycles_of_the_sample(cycle: int, expected: tuple[int, ...]) -> None:
    assert figures(read_test_runs([SAMPLES / f"cycle{cycle}.xml"])) == expected


def test_suites_are_modules_and_failures_name_close_codes() -> None:
    run = read_test_runs([SAMPLES / "cycle3.xml"])
    assert [(s.name.rsplit(".", 1)[-1], s.passed, s.total) for s in run.suites] == [
        ("test_websocket_session", 2, 5),
        ("test_agent_events", 3, 5),
        ("test_chat_flow", 4, 6),
    ]
    assert [f.close_code for f in run.failures] == [1011, 1008, 1011, 1011, 1008, 1011, 1011]
    assert run.failures[0].name == "tests.e2e.staging.test_websocket_session.TestWebsocketSession::test_connects"
    assert run.failures[0].message.startswith("websockets.exceptions.ConnectionClosedError: received 1011")
    assert all(failure.cluster is None for failure in run.failures)


def test_several_files_are_one_run() -> None:
    run = read_test_runs([SAMPLES / "cycle1.xml", SAMPLES / "cycle3.xml"])
    assert (run.total, run.failed) == (32, 19)
    assert [suite.total for suite in run.suites] == [10, 10, 12]


def test_no_file_is_an_empty_run() -> None:
    assert figures(read_test_runs([])) == (0, 0, 0, 0, 0, 0)


def test_nested_suites_and_a_single_suite_as_root(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '<testsuite name="outer"><testcase name="a" time="1"/><testsuite name="inner"><testcase name="b" time="1">'
        '<skipped/></testcase><testsuite><testcase name="c" time="1"/></testsuite></testsuite></testsuite>',
    )
    assert {suite.name: suite.total for suite in run.suites} == {"outer": 1, "inner": 2}
    assert figures(run) == (3, 2, 0, 0, 1, 0)


def test_cases_without_a_suite(tmp_path: Path) -> None:
    run = read(tmp_path, '<testsuites><testcase name="adds" time="0.01" classname="test"/></testsuites>')
    assert names(run) == ["results-0"]
    assert run.passed == 1


def test_only_a_pass_in_no_time_did_not_run(tmp_path: Path) -> None:
    cases = "".join(
        f'<testcase name="t{number}"{time}/>'
        for number, time in enumerate(
            (' time="0.000"', ' time="0"', ' time="0.001"', "", ' time="soon"', ' time="1,200.5"')
        )
    )
    run = read(
        tmp_path, f'<testsuite name="s">{cases}<testcase name="f" time="0.000"><failure/></testcase></testsuite>'
    )
    assert figures(run) == (7, 4, 1, 0, 0, 2)
    assert run.suites[0].seconds == pytest.approx(1200.501)


def test_attributes_may_be_missing(tmp_path: Path) -> None:
    run = read(tmp_path, "<testsuites><testsuite><testcase><error/></testcase></testsuite></testsuites>")
    assert figures(run) == (1, 0, 0, 1, 0, 0)
    assert (run.failures[0].name, run.failures[0].message, run.failures[0].close_code) == ("(no name)", "", None)


def test_a_failed_test_with_a_failed_teardown_is_one_test(tmp_path: Path) -> None:
    case = '<testcase classname="tests.test_a" name="t" time="1">'
    run = read(tmp_path, f"<testsuite>{case}<failure/></testcase>{case}<error/></testcase></testsuite>")
    assert figures(run) == (1, 0, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("suite", "classname", "name", "module"),
    [
        ("pytest", "tests.unit.test_a.TestB.TestC", "t", "tests.unit.test_a"),
        ("pytest", "checks.billing.Invoices", "t", "checks.billing"),
        ("pytest", "", "tests.unit.test_broken", "tests.unit.test_broken"),
        ("pytest", "Checks", "t", "pytest"),
        ("com.example.InvoiceTest", "com.example.InvoiceTest", "adds", "com.example.InvoiceTest"),
        ("example.com/shop/cart", "example.com/shop/cart", "TestAdd", "example.com/shop/cart"),
        ("cart.spec.ts", "cart › adds", "adds", "cart.spec.ts"),
    ],
)
def test_the_module(tmp_path: Path, suite: str, classname: str, name: str, module: str) -> None:
    text = f'<testsuite name="{suite}"><testcase classname="{classname}" name="{name}" time="1"/></testsuite>'
    assert names(read(tmp_path, text)) == [module]


def test_a_close_that_only_the_traceback_tells_of(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '<testsuite><testcase name="t"><failure message="AssertionError: no reply">x.py:1: in t\n'
        "E   websockets.ConnectionClosedError: received 1008 (policy violation) no</failure></testcase></testsuite>",
    )
    assert run.failures[0].close_code == 1008
    assert run.failures[0].message == (
        "AssertionError: no reply\nwebsockets.ConnectionClosedError: received 1008 (policy violation) no"
    )


def test_without_a_message_the_last_line_speaks_and_secrets_are_redacted(tmp_path: Path) -> None:
    text = "<testsuite><testcase name='t'><error>one\nE  refused: Bearer abcdefghijkl</error></testcase></testsuite>"
    assert read(tmp_path, text).failures[0].message == "E  refused: Bearer [redacted:token]"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    run = read(tmp_path, '<testsuite name="grün"><testcase name="t" time="1"/></testsuite>'.encode(encoding))
    assert names(run) == ["grün"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB.encode(), "it has a DOCTYPE"),
        (OUTSIDE.encode(), "it has a DOCTYPE"),
        (BOMB.encode("utf-16"), "it has a DOCTYPE"),
        (b"<testsuite>" * 200, "nested more than 100 deep"),
        (b"<html><body/></html>", "not JUnit"),
        (b"<testsuites><testsuite>", "not a complete XML file"),
        (b"", "not a complete XML file"),
        (b"\x89PNG\r\n\x1a\n", "not a complete XML file"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "not a complete XML file"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read(tmp_path, content)
    assert "results-0.xml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.xml"):
        with pytest.raises(SourceError, match="name a JUnit XML file"):
            read_test_runs([path])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.text(max_size=40))
def test_bytes_that_are_no_results_are_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, text: str
) -> None:
    for content in (
        data,
        f'<testsuite name="{text}"><testcase name="t">{text}</testcase></testsuite>'.encode("utf-8", "replace"),
    ):
        try:
            read(tmp_path_factory.getbasetemp(), content)
        except SourceError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - both ends are fine


def test_every_test_has_its_worst_outcome(tmp_path: Path) -> None:
    first = (
        '<testsuite><testcase classname="m" name="a" time="1"/><testcase classname="m" name="b" time="0"/></testsuite>'
    )
    again = '<testsuite><testcase classname="m" name="a" time="1"><failure/></testcase></testsuite>'
    assert read(tmp_path, first, again).outcomes == {"m::a": "failed", "m::b": "not_run"}
    assert read(tmp_path, again, first).outcomes == {"m::a": "failed", "m::b": "not_run"}


def test_tests_are_placed_in_time_one_behind_the_other(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '<testsuite timestamp="2026-03-01T10:00:00+02:00"><testcase name="a" time="1.5"/>'
        '<testcase name="b" time="0.25"><failure message="no"/></testcase></testsuite>',
    )
    assert (run.started, run.ended, run.zone_assumed) == ("2026-03-01T08:00:00Z", "2026-03-01T08:00:01.750Z", None)
    assert (run.failures[0].started, run.failures[0].seconds) == ("2026-03-01T08:00:01.500Z", 0.25)


def test_a_time_without_a_zone_is_taken_to_be_utc_and_said_so(tmp_path: Path) -> None:
    run = read(tmp_path, '<testsuite timestamp="2026-03-01T10:00:00"><testcase name="a" time="1"/></testsuite>')
    assert (run.started, run.zone_assumed) == ("2026-03-01T10:00:00Z", "UTC")


@pytest.mark.parametrize("when", ["yesterday", "", "2026-13-01T10:00:00", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_no_time(tmp_path: Path, when: str) -> None:
    run = read(tmp_path, f'<testsuite timestamp="{when}"><testcase name="a" time="1"/></testsuite>')
    assert (run.started, run.ended, run.zone_assumed) == (None, None, None)


def test_a_tests_own_time_beats_that_of_its_suite(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '<testsuites><testsuite name="shop::lib" timestamp="2026-03-01T10:00:00+00:00">'
        '<testcase name="a" classname="shop::lib" timestamp="2026-03-01T10:00:07+00:00" time="2"><failure/></testcase>'
        '<testcase name="b" classname="shop::lib" time="1"><failure/></testcase></testsuite></testsuites>',
    )
    assert [f.started for f in run.failures] == ["2026-03-01T10:00:07Z", "2026-03-01T10:00:09Z"]


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ("received 1011 (internal error) Factory failed; then sent 1011 (internal error)", 1011, "Factory failed"),
        ("received 1000 (OK); then sent 1000 (OK)", 1000, None),
        ("code = 1008 (policy violation), reason = SSOT Auth failed", 1008, "SSOT Auth failed"),
        ("code = 1006 (connection closed abnormally [internal]), no reason", 1006, None),
        ("no close frame received or sent", None, None),
    ],
)
def test_closes_of_both_ages_of_the_library(tmp_path: Path, said: str, code: int | None, reason: str | None) -> None:
    text = f'<testsuite><testcase name="t" time="1"><failure message="Closed: {said}"/></testcase></testsuite>'
    failure = read(tmp_path, text).failures[0]
    assert (failure.close_code, failure.close_reason) == (code, reason)


def test_every_test_is_named_with_its_outcome(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '<testsuite name="cart.spec.ts"><testcase name="adds" classname="cart" time="0.000"/>'
        '<testcase name="removes" classname="cart" time="1"><skipped/></testcase></testsuite>',
    )
    assert [(t.module, t.name, t.outcome) for t in run.names] == [
        ("cart.spec.ts", "cart::adds", "not_run"),
        ("cart.spec.ts", "cart::removes", "skipped"),
    ]


WRITERS = {
    "surefire": (
        (
            '<testsuite name="com.example.CartTest" time="0.1" tests="2" errors="0" skipped="0" failures="1">'
            '<properties/><testcase name="adds" classname="com.example.CartTest" time="0.05"/><testcase '
            'name="sums" classname="com.example.CartTest" time="0.05"><failure type="AssertionError">x</failure>'
            "<system-out>y</system-out></testcase></testsuite>"
        ),
        "com.example.CartTest",
    ),
    "jest-junit": (
        (
            '<testsuites name="jest tests" tests="2" failures="1"><testsuite name="cart" '
            'timestamp="2026-03-01T10:00:00"><testcase classname="cart adds" name="cart adds" time="0.002"/>'
            '<testcase classname="cart sums" name="cart sums" time="0.01"><failure>Error: no</failure></testcase>'
            "</testsuite></testsuites>"
        ),
        "cart",
    ),
    "go-junit-report": (
        (
            '<testsuites tests="2" failures="1"><testsuite name="example.com/shop/cart" tests="2" failures="1" '
            'time="0.1" timestamp="2026-03-01T10:00:00Z"><testcase name="TestAdd" '
            'classname="example.com/shop/cart" time="0.010"/><testcase name="TestSum" '
            'classname="example.com/shop/cart" time="0.020"><failure message="Failed">no</failure></testcase>'
            "</testsuite></testsuites>"
        ),
        "example.com/shop/cart",
    ),
    "nextest": (
        (
            '<testsuites name="nextest-run" tests="2" failures="1" uuid="1" '
            'timestamp="2026-03-01T10:00:00.000+00:00"><testsuite name="shop" tests="2" failures="1"><testcase '
            'name="cart::adds" classname="shop" timestamp="2026-03-01T10:00:00.000+00:00" time="0.010"/><testcase '
            'name="cart::sums" classname="shop" timestamp="2026-03-01T10:00:00.020+00:00" time="0.020"><failure '
            'type="test failure">no</failure></testcase></testsuite></testsuites>'
        ),
        "shop",
    ),
}


@pytest.mark.parametrize("writer", sorted(WRITERS))
def test_other_writers(tmp_path: Path, writer: str) -> None:
    text, module = WRITERS[writer]
    run = read(tmp_path, text)
    assert (figures(run), names(run)) == ((2, 1, 1, 0, 0, 0), [module])
    assert run.failures[0].module == module
