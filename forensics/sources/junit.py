"""Read JUnit files into one `TestRun`.

pytest, Surefire, Gradle, jest, Playwright, gotestsum, node:test and others write this format, each in a different way:
suites nested or absent, attributes missing, errors without a test. Only the test cases are counted; the totals in a
writer's attributes are not read.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from junitparser import Error, Failure, JUnitXml, JUnitXmlError, TestCase, TestSuite as JUnitSuite

from forensics.errors import SourceError
from forensics.model import RunOutcome, TestFailure, TestName, TestRun, TestSuite
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BYTES_LIMIT = 64 * 1024 * 1024
_DEPTH_LIMIT = 100
_MESSAGE_LIMIT = 1000
_NOT_RUN_BELOW = 0.0005
"""Seconds. Writers print three digits, so less than this is printed as 0.000: nothing was run in that time."""
_LONGEST = 7 * 86_400.0
"""Seconds, an upper bound on one test's duration where it moves the start of the next test."""

_WORST_FIRST = tuple(RunOutcome)

_CLOSE = re.compile(
    r"""
    received\ (?P<code>[1-4]\d{3})\ \([^)]{0,100}\)(?:\ (?P<reason>[^;]*))?     # `websockets` since version 10
  | code\ =\ (?P<old_code>[1-4]\d{3})\ \([^)]{0,100}\),\ (?:reason\ =\ (?P<old_reason>.*)|no\ reason)   # and before
    """,
    re.VERBOSE,
)
"""received 1011 (internal error) Internal error; then sent 1011 (internal error) Internal error"""


@dataclass(frozen=True)
class _Placed:
    """A test case with its suite and start time."""

    suite: str
    case: TestCase
    started: int | None
    """Nanoseconds since 1970."""
    zoned: bool
    """False when the writer's time names no zone."""


def read_test_runs(paths: Sequence[Path]) -> TestRun:
    """Read JUnit files as one run; a test that passed in 0.000 s counts as not run.

    Times without a zone are taken to be UTC, and the run says that this was assumed.
    """
    counts: dict[str, Counter[RunOutcome]] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    durations: dict[str, float] = {}
    failures: list[TestFailure] = []
    outcomes: dict[str, RunOutcome] = {}
    names: list[TestName] = []
    spans: list[tuple[int, int, bool]] = []
    for path in paths:
        for placed in _once(_cases(_parse(path), path.stem, None)):
            module, outcome, lasted = _module(placed.suite, placed.case), _outcome(placed.case), _seconds(placed.case)
            name = _name(placed.case)
            counts.setdefault(module, Counter())[outcome] += 1
            seconds[module] += lasted or 0.0
            outcomes[name] = min(outcomes.get(name, outcome), outcome, key=_WORST_FIRST.index)
            if lasted is not None:
                durations[name] = round(durations.get(name, 0.0) + lasted, 3)
            names.append(TestName(name=name, module=quote(module), outcome=outcome))
            failures += _failures(placed, quote(module))
            if placed.started is not None:
                spans.append((placed.started, placed.started + _nanoseconds(lasted), placed.zoned))
    suites = tuple(
        TestSuite(name=name, seconds=round(seconds[name], 3), **_figures(count)) for name, count in counts.items()
    )
    total = sum(counts.values(), Counter())
    return TestRun(
        suites=suites,
        failures=tuple(failures),
        names=tuple(names),
        outcomes=outcomes,
        durations=durations,
        **_span(spans),
        **_figures(total),
    )


def _figures(count: Counter[RunOutcome]) -> dict[str, Any]:
    return {"total": count.total()} | {outcome.value: count[outcome] for outcome in RunOutcome}


def _span(spans: Sequence[tuple[int, int, bool]]) -> dict[str, Any]:
    if not spans:
        return {}
    assumed = None if all(zoned for _, _, zoned in spans) else "UTC"
    started, ended = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
    return {"started": format_time(started), "ended": format_time(ended), "zone_assumed": assumed}


def _parse(path: Path) -> JUnitXml:
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_LIMIT + 1)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error}); name a JUnit XML file") from error
    if len(data) > _BYTES_LIMIT:
        raise SourceError(f"{path}: larger than {_BYTES_LIMIT >> 20} MiB; name a JUnit XML file")
    try:
        _check(data)
        return JUnitXml.fromstring(data)
    except (expat.ExpatError, SyntaxError, ValueError, LookupError) as error:
        raise SourceError(f"{path}: not a complete XML file ({error}); run the tests again") from error
    except JUnitXmlError as error:
        raise SourceError(f"{path}: XML, but not JUnit (no <testsuites> or <testsuite> at its root)") from error
    except _RefusedError as refused:
        raise SourceError(f"{path}: {refused}, which no test runner writes; not read") from refused


class _RefusedError(Exception):
    """The file has a construct that serves only to harm its reader."""


def _check(data: bytes) -> None:
    """Refuse a DOCTYPE, where entity bombs and external entities live, and nesting that would exhaust the stack.

    The parser behind junitparser is lxml where that is installed, which resolves entities; and whether an encoding
    hides a DOCTYPE only a parser can tell. So one that stops at it goes first.
    """
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> None:
        raise _RefusedError("it has a DOCTYPE")

    def enter(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH_LIMIT:
            raise _RefusedError(f"it is nested more than {_DEPTH_LIMIT} deep")

    def leave(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = enter
    parser.EndElementHandler = leave
    parser.Parse(data, True)


def _cases(element: Any, suite: str, around: tuple[int, bool] | None) -> Iterator[_Placed]:
    """Yield every test case in the order of the file, with the name of its suite and its start.

    When a writer gives only the start of a suite, its tests are assumed to have run one after the other.
    """
    clock = _moment(_attribute(element)) or around
    for case in element.iterchildren(TestCase):
        own = _moment(_attribute(case)) or clock
        yield _Placed(suite, case, own[0] if own else None, own[1] if own else True)
        if own is not None:
            clock = own[0] + _nanoseconds(_seconds(case)), own[1]
    for inner in element.iterchildren(JUnitSuite):
        yield from _cases(inner, inner.name or suite, None)


def _attribute(element: Any) -> str | None:
    """Return the attribute `timestamp`: junitparser reads it from suites only, nextest writes it on tests."""
    found = element._elem.get("timestamp")  # noqa: SLF001 - the library offers no other way to an attribute it does not know
    return found if isinstance(found, str) else None


def _moment(text: str | None) -> tuple[int, bool] | None:
    """Return a writer's time in nanoseconds and whether it names its zone; None when it is no time."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        zoned = moment.tzinfo is not None
        at = moment if zoned else moment.replace(tzinfo=UTC)
        return parse_time(at.astimezone(UTC).isoformat()), zoned
    except (ValueError, OverflowError):
        return None


def _nanoseconds(seconds: float | None) -> int:
    return round(min(seconds or 0.0, _LONGEST) * SECOND)


def _once(cases: Iterator[_Placed]) -> Iterator[_Placed]:
    """Leave out the second half of a double failure: pytest writes a test twice when its teardown fails as well."""
    failed: set[tuple[str, str]] = set()
    for placed in cases:
        case = placed.case
        key = (case.classname or "", case.name or "")
        if key in failed and _outcome(case) is RunOutcome.ERRORS:
            continue
        if _outcome(case) is RunOutcome.FAILED:
            failed.add(key)
        yield placed


def _outcome(case: TestCase) -> RunOutcome:
    if case.is_failure:
        return RunOutcome.FAILED
    if case.is_error:
        return RunOutcome.ERRORS
    if case.is_skipped:
        return RunOutcome.SKIPPED
    seconds = _seconds(case)
    return RunOutcome.PASSED if seconds is None or seconds >= _NOT_RUN_BELOW else RunOutcome.NOT_RUN


def _seconds(case: TestCase) -> float | None:
    """Return the duration, None where it is absent or no number."""
    try:
        seconds = case.time
    except ValueError:
        return None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


def _module(suite: str, case: TestCase) -> str:
    """Return the test module: the dotted path up to `test_…` in pytest's class names, else the suite's name.

    pytest names a module that it cannot import in `name`, without a class name.
    """
    parts = (case.classname or case.name or "").split(".")
    modules = [i for i, part in enumerate(parts) if part.startswith("test_") or part.endswith("_test")]
    if modules and (case.classname or len(parts) > 1):
        return ".".join(parts[: modules[-1] + 1])
    if suite == "pytest" and case.classname:
        return ".".join(part for part in parts if not part[:1].isupper()) or suite
    return suite


def _name(case: TestCase) -> str:
    return quote("::".join(part for part in (case.classname, case.name) if part) or "(no name)")


def _failures(placed: _Placed, module: str) -> list[TestFailure]:
    results = [result for result in placed.case.result if isinstance(result, Failure | Error)]
    if not results:
        return []
    message, code, reason = _message(results[0])
    return [
        TestFailure(
            name=_name(placed.case),
            message=message,
            close_code=code,
            cluster=None,
            close_reason=reason,
            module=module,
            started=None if placed.started is None else format_time(placed.started),
            seconds=_seconds(placed.case),
        )
    ]


def _message(result: Failure | Error) -> tuple[str, int | None, str | None]:
    """Return a test's message with the close code and reason; a close that is only in the traceback is added."""
    text = (result.text or "").strip()
    message = (result.message or "").strip() or text.rsplit("\n", 1)[-1]
    line = next((line for line in (*message.split("\n"), *text.split("\n")) if _CLOSE.search(line)), "")
    if line and line not in message:
        message = f"{message}\n{line.removeprefix('E').strip()}"
    found = _CLOSE.search(line)
    if found is None:
        return quote(message, _MESSAGE_LIMIT), None, None
    reason = (found["reason"] or found["old_reason"] or "").strip()
    return quote(message, _MESSAGE_LIMIT), int(found["code"] or found["old_code"]), quote(reason, 120) or None
