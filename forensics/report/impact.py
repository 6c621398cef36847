"""Impact on the capabilities that the settings describe. Their values are quoted, never computed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from forensics.model import CapabilityImpact, CapabilityState, ChangeState, Impact, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forensics.model import Capability, Change, Cluster, Report, TestSuite

SERVICE, TESTS = "service:", "tests:"
_UNSEEN = {ChangeState.GONE: CapabilityState.NO_LONGER_SEEN}
"""State of an absent signature → state of the capability; every other state means too little traffic."""
_ORDER = tuple(CapabilityState)


class _Reason(NamedTuple):
    """One signature or test module as a reason for a capability's state."""

    state: CapabilityState
    text: str


def impact(report: Report, capabilities: Mapping[str, Capability]) -> Impact | None:
    """Return the state of each capability, decided by the worst of its reasons; None if the settings name none."""
    if not capabilities:
        return None
    return Impact(capabilities=tuple(_judged(report, name, one) for name, one in capabilities.items()))


def unknown_patterns(capabilities: Mapping[str, Capability], signatures: Iterable[str]) -> list[tuple[str, str]]:
    """List (capability, pattern) that fits no rule: a typing error there would look like health."""
    known = list(signatures)
    return [
        (name, pattern)
        for name, capability in capabilities.items()
        for pattern in capability.when
        if not pattern.startswith((SERVICE, TESTS)) and not any(fnmatchcase(rule, pattern) for rule in known)
    ]


def _judged(report: Report, name: str, capability: Capability) -> CapabilityImpact:
    reasons = sorted(
        dict.fromkeys(reason for pattern in capability.when for reason in _reasons(report, pattern)),
        key=lambda reason: (_ORDER.index(reason.state), reason.text),
    )
    return CapabilityImpact(
        name=name,
        value=capability.value,
        assumption=capability.assumption,
        state=reasons[0].state if reasons else CapabilityState.NOT_SEEN,
        reasons=tuple(reason.text for reason in reasons),
    )


def _reasons(report: Report, pattern: str) -> Iterator[_Reason]:
    if pattern.startswith(TESTS):
        yield from _of_tests(report, pattern.removeprefix(TESTS))
    elif pattern.startswith(SERVICE):
        if fnmatchcase(report.revision.service or "", pattern.removeprefix(SERVICE)):
            yield from _of_signatures(report, "*")
    else:
        yield from _of_signatures(report, pattern)


def _of_signatures(report: Report, pattern: str) -> Iterator[_Reason]:
    """Yield a reason for each signature that fits the pattern; `*` includes unknown errors. Noise is left out."""
    counts: dict[str, tuple[int, str]] = {}
    for cluster in report.clusters:
        if cluster.role is not Role.NOISE and _fits(cluster, pattern):
            name = cluster.signature or cluster.title
            counts[name] = (counts.get(name, (0, ""))[0] + cluster.occurrences, cluster.unit.value)
    for name, (occurrences, unit) in counts.items():
        yield _Reason(CapabilityState.AT_RISK, f"{name}: seen {occurrences:,} times (unit: {unit})")
    for change in report.comparison.changes if report.comparison else ():
        if change.role is not Role.NOISE and not change.after and _fits(change, pattern):
            state = _UNSEEN.get(change.state, CapabilityState.NOT_ENOUGH_TRAFFIC)
            yield _Reason(state, f"{change.signature or change.title}: {change.statement}")


def _fits(of: Cluster | Change, pattern: str) -> bool:
    return pattern == "*" if of.signature is None else fnmatchcase(of.signature, pattern)


def _of_tests(report: Report, pattern: str) -> Iterator[_Reason]:
    compared = report.comparison.tests if report.comparison else None
    changes = {row.name: row for row in compared.modules} if compared else {}
    for suite in report.tests.suites if report.tests else ():
        if not fnmatchcase(suite.name, pattern):
            continue
        broken = suite.failed + suite.errors
        if broken:
            yield _Reason(CapabilityState.AT_RISK, f"{suite.name}: {broken} of {_ran(suite)} tests that ran fail")
        elif not suite.passed:
            yield _Reason(CapabilityState.NOT_ENOUGH_TRAFFIC, f"{suite.name}: no test ran")
        elif suite.name in changes and changes[suite.name].passed_before < changes[suite.name].ran_before:
            change = changes[suite.name]
            is_shown = change.state is ChangeState.BETTER
            state = CapabilityState.NO_LONGER_SEEN if is_shown else CapabilityState.NOT_ENOUGH_TRAFFIC
            yield _Reason(state, f"{suite.name}: {change.statement}")


def _ran(suite: TestSuite) -> int:
    return suite.passed + suite.failed + suite.errors
