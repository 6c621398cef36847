"""Write the result of a gate as JUnit XML: a test case for each signature, and one for whether anything was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import ChangeState, Outcome
from forensics.rendering.labels import change_name
from forensics.text.redact import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from junitparser import TestCase

    from forensics.model import GateReason, GateResult, Report

_NOT_XML = dict.fromkeys((0xFFFE, 0xFFFF))
"""What XML 1.0 forbids besides what `visible` drops; None drops it."""


def encode_junit(report: Report, result: GateResult) -> bytes:
    """Write the file; not enough traffic is a skipped test, JUnit's word for what did not come to an end."""
    from junitparser import JUnitXml, TestSuite  # noqa: PLC0415 - for those who ask for the file

    suite = TestSuite(_clean(f"forensics gate {result.baseline} → {result.revision}"))
    suite.add_testcases(list(_cases(report, result)))
    xml = JUnitXml()
    xml.add_testsuite(suite)
    encoded = xml.tostring()  # type: ignore[no-untyped-call]  # junitparser has types for some of its functions
    return bytes(encoded).rstrip() + b"\n"


def _cases(report: Report, result: GateResult) -> Iterator[TestCase]:
    of_all = [r for r in result.reasons if not (r.signature or r.fingerprint)]
    yield _case("gate", "enough was seen", [r for r in of_all if r.outcome is not Outcome.PASS])
    decided = {(r.signature, r.fingerprint): r for r in result.reasons}
    for change in report.comparison.changes if report.comparison else ():
        reason = decided.get((change.signature, change.fingerprint))
        name = change_name(change)
        if change.signature is None:
            name = f"{name} ({change.fingerprint})"
        yield _case(f"gate.{change.role}", name, [reason] if reason else [], change.state)


def _case(group: str, name: str, reasons: list[GateReason], state: ChangeState | None = None) -> TestCase:
    from junitparser import Failure, Skipped, TestCase  # noqa: PLC0415 - as above

    case = TestCase(_clean(name), classname=f"forensics.{group}")
    for reason in reasons:
        if reason.outcome is Outcome.FAIL:
            failure = Failure(_clean(reason.statement), type_=str(state))
            failure.text = _clean("\n".join([reason.title, *(f"insertId {one}" for one in reason.evidence)]))
            case.result = [failure]
        elif reason.outcome is Outcome.NOT_ENOUGH:
            case.result = [*case.result, Skipped(_clean(reason.statement))]
    return case


def _clean(text: str) -> str:
    return visible(text).translate(_NOT_XML)
