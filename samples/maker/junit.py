"""Write test results as a JUnit file, as pytest writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from maker.cloud_run import iso

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Result:
    """One test's result; `error` is the last line of its traceback."""

    classname: str
    name: str
    seconds: float
    error: str = ""


def junit(results: Sequence[Result], started: int) -> str:
    """Return the file's content."""
    failures = sum(bool(r.error) for r in results)
    total = sum(r.seconds for r in results) + 0.8
    head = (
        f'<testsuite name="pytest" errors="0" failures="{failures}" skipped="0" tests="{len(results)}"'
        f' time="{total:.3f}" timestamp="{iso(started)[:-1]}+00:00" hostname="ci-runner">'
    )
    cases = "".join(_case(r) for r in results)
    suites = f'<testsuites name="pytest tests">{head}{cases}</testsuite></testsuites>'
    return f'<?xml version="1.0" encoding="utf-8"?>{suites}'


def _case(result: Result) -> str:
    head = f'<testcase classname="{result.classname}" name="{result.name}" time="{result.seconds:.3f}"'
    if not result.error:
        return f"{head} />"
    return f"{head}><failure message={quoteattr(result.error)}>{escape(_traceback(result))}</failure></testcase>"


def _traceback(result: Result) -> str:
    path = "/".join(result.classname.split(".")[:-1]) + ".py"
    return (
        f"{path}:88: in {result.name}\n"
        "    reply = await asyncio.wait_for(session.recv(), timeout=10)\n"
        "            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "/usr/local/lib/python3.12/asyncio/tasks.py:520: in wait_for\n"
        "    return await fut\n"
        "           ^^^^^^^^^\n"
        "/usr/local/lib/python3.12/site-packages/websockets/asyncio/connection.py:322: in recv\n"
        "    raise self.protocol.close_exc from self.recv_exc\n"
        f"E   {result.error}"
    )
