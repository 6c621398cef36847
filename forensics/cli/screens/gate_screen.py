"""Show a gate's result on one screen: outcome, deciding reasons, thresholds, numbers, worst changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import ChangeState, Outcome, Role
from forensics.rendering import labels as words
from forensics.rendering.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import Change, Comparison, Exposure, GateReason, GateResult, Report

_SIGNS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.NOT_ENOUGH: "?"}
REASONS = 6
"""Reasons on the screen; the rest is counted here and listed by --json."""
WORST = 3
"""Changes on the screen, those of reasons included."""


def lines(report: Report, result: GateResult) -> Iterator[str]:
    """Yield the lines of the screen; log text is escaped for the terminal."""
    yield f"{_SIGNS[result.outcome]} {result.outcome}: {terminal(result.revision)} against {terminal(result.baseline)}"
    yield ""
    deciding = result.deciding()
    for reason in deciding[:REASONS]:
        yield f"  {_reason(reason)}"
    if len(deciding) > REASONS:
        yield f"  and {len(deciding) - REASONS} more (--json has them all)"
    yield ""
    limits = result.thresholds
    new, ratio, needed = limits.max_new, limits.max_ratio, limits.min_requests
    yield f"  limits    new {new} or above, worse by more than {ratio:g}, under {needed:,} requests"
    yield f"  requests  {_requests(result.exposure.before)} → {_requests(result.exposure.after)}"
    states = ", ".join(f"{n} {state}" for state, n in result.counts.items())
    yield f"  changes   {states or 'no failure in either'}"
    for change in _worst(report.comparison, deciding):
        yield f"            {terminal(words.change_name(change))}: {terminal(change.statement)}"
    for caveat in result.caveats:
        yield f"  ! {terminal(caveat)}"


def _reason(reason: GateReason) -> str:
    name = terminal(reason.signature or reason.title)
    priority = f"{reason.priority} " if reason.priority else ""
    cited = f" [{terminal(reason.evidence[0])}{', …' if len(reason.evidence) > 1 else ''}]" if reason.evidence else ""
    return f"{priority}{name}: {terminal(reason.statement)}{cited}"


def _requests(exposure: Exposure) -> str:
    if exposure.requests is None:
        return "not counted"
    margin = exposure.requests_margin
    return f"about {exposure.requests:,} ± {margin:,}" if margin else f"{exposure.requests:,}"


def _worst(comparison: Comparison | None, reasons: tuple[GateReason, ...]) -> list[Change]:
    """Return the worst changes that no reason above names, up to `WORST` together with those."""
    names = {(reason.signature, reason.fingerprint) for reason in reasons}
    changes = comparison.changes if comparison else ()
    bad = set(ChangeState) - {ChangeState.BETTER, ChangeState.GONE}
    notable = [change for change in changes if change.role is not Role.NOISE and change.state in bad]
    others = [change for change in notable if (change.signature, change.fingerprint) not in names]
    return others[: max(WORST - (len(notable) - len(others)), 0)]
