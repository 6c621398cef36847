"""Decide from a comparison whether a deployment may go on: pass, fail, or not enough traffic.

The rules:

- A significant change beyond the thresholds fails, however little traffic there was: more would only show more.
- A P0 that the baseline does not have fails at first sight, even if chance could explain it.
- What cannot be compared (cut, without the log that counts, another version of a rule) never passes.
- Without a request log traffic is unknown, so silence does not pass; with `min_requests` 0 it does.
- A baseline with little traffic does not show what is new: a signature that it lacks leaves the outcome open.
- No failures and enough traffic pass, whatever the baseline was.
- Noise never decides. Neither does a signature that both sides have, if chance explains its change, be it P0 or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.states import SHOWS_FROM
from forensics.errors import BaselineError
from forensics.model import (
    Change,
    ChangeState,
    Comparison,
    Exposure,
    GateReason,
    GateResult,
    GateThresholds,
    Outcome,
    Priority,
    Report,
    Role,
)
from forensics.text.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = tuple(Outcome)
EVIDENCE = 5
"""insertIds that a reason cites."""


def judge(report: Report, thresholds: GateThresholds) -> GateResult:
    """Decide by a revision's comparison with its baseline, and give the reasons.

    Raises:
        BaselineError: the report holds no comparison.
    """
    comparison = report.comparison
    if comparison is None:
        raise BaselineError(f"the report of {report.revision.name} holds no comparison: name a --baseline")
    reasons = [*_of_changes(report, comparison, thresholds), *_of_sight(report, comparison, thresholds)]
    outcome = min((reason.outcome for reason in reasons), key=_ORDER.index, default=Outcome.PASS)
    if outcome is Outcome.PASS:
        reasons.insert(0, _nothing_against(report, comparison, thresholds))
    # The sort is stable: within an outcome the worst change stays first.
    reasons.sort(key=lambda reason: _ORDER.index(reason.outcome))
    return GateResult(
        tool_version=report.tool_version,
        outcome=outcome,
        revision=report.revision.name,
        baseline=comparison.baseline,
        thresholds=thresholds,
        exposure=comparison.exposure,
        covered_before=comparison.covered_before,
        covered_after=comparison.covered_after,
        counts=comparison.counts(),
        reasons=tuple(reasons),
        caveats=tuple(_caveats(report, comparison)),
    )


def _of_changes(report: Report, comparison: Comparison, thresholds: GateThresholds) -> Iterator[GateReason]:
    cited = {cluster.id: [ref.insert_id for ref in cluster.exemplars] for cluster in report.clusters}
    for change in comparison.changes:
        verdict = _judged(change, comparison, thresholds)
        if verdict is not None:
            outcome, why = verdict
            ids = [insert_id for cluster in change.clusters for insert_id in cited.get(cluster, ()) if insert_id]
            yield GateReason(
                outcome=outcome,
                signature=change.signature,
                fingerprint=change.fingerprint,
                title=change.title,
                state=change.state,
                priority=change.priority,
                statement=f"{change.statement}; {why}",
                evidence=tuple(ids[:EVIDENCE]),
            )


def _judged(change: Change, comparison: Comparison, thresholds: GateThresholds) -> tuple[Outcome, str] | None:
    """Return the outcome that a change asks for, and the rule behind it; None when it does not matter."""
    if change.role is Role.NOISE:
        return None
    if change.after and not change.before and (change.priority <= thresholds.max_new or _is_p0(change)):
        return _judged_new(change, comparison, thresholds)
    if change.state is ChangeState.WORSE:
        is_above = change.ratio is not None and change.ratio > thresholds.max_ratio
        limit = f"the limit of {thresholds.max_ratio:g} (--max-ratio)"
        return (Outcome.FAIL, f"above {limit}") if is_above else (Outcome.PASS, f"within {limit}")
    if change.state is ChangeState.NOT_COMPARABLE:
        # If nothing can be compared, one sentence says so for all signatures.
        return None if comparison.reason else (Outcome.NOT_ENOUGH, "so it cannot be told whether it is new or worse")
    if change.state is ChangeState.NEW:
        return Outcome.PASS, f"a new {change.priority} does not fail (--max-new {thresholds.max_new})"
    return None


def _judged_new(change: Change, comparison: Comparison, thresholds: GateThresholds) -> tuple[Outcome, str] | None:
    """Judge a signature that the baseline lacks, and that would matter if it were new."""
    if change.state is ChangeState.NEW:
        return Outcome.FAIL, f"a new {change.priority} fails (--max-new {thresholds.max_new})"
    if _is_p0(change):
        return Outcome.FAIL, "a P0 that the baseline does not show fails at first sight"
    if change.state is ChangeState.NOT_COMPARABLE:
        return None if comparison.reason else (Outcome.NOT_ENOUGH, "so it cannot be told whether it is new")
    before = comparison.exposure.before
    if (before.traffic or 0) - before.requests_margin < thresholds.min_requests:
        return Outcome.NOT_ENOUGH, f"{comparison.baseline} had too little traffic to tell whether it is new"
    if change.state is ChangeState.UNCLEAR and _is_burst(change):
        return Outcome.NOT_ENOUGH, "so it cannot be told whether it is new or an outage that any revision may have"
    return Outcome.PASS, "what is not shown to be new does not fail below P0"


def _is_burst(change: Change) -> bool:
    """Tell whether failures were many enough to show, and came together in too few episodes."""
    before, after, episodes = change.exposure_before or 0, change.exposure_after or 1, change.episodes_after or 0
    return change.after * before / after >= SHOWS_FROM and episodes < (change.episodes_needed or 0) <= change.after


def _is_p0(change: Change) -> bool:
    return change.priority is Priority.P0


def _of_sight(report: Report, comparison: Comparison, thresholds: GateThresholds) -> Iterator[GateReason]:
    """Yield the reasons why too little was seen to let a revision pass."""
    coverage, exposure = report.coverage, comparison.exposure.after
    seen = None if exposure.traffic is None else exposure.traffic - exposure.requests_margin
    if comparison.reason is not None:
        yield _open("comparison", f"nothing can be compared: {comparison.reason}")
    if coverage.no_payload * 2 > coverage.entries_selected:
        bare = f"{coverage.no_payload:,} of {coverage.entries_selected:,} entries lack their payload"
        yield _open("entries", f"{bare}, so failures cannot be recognised in them")
    if thresholds.min_requests and seen is None:
        yield _open("traffic", f"no request of {report.revision.name} is in these entries: nothing tells its traffic")
    elif seen is not None and seen < thresholds.min_requests:
        needed = f"{thresholds.min_requests:,} are needed (--min-requests)"
        yield _open("traffic", f"{_requests(report, exposure)} so far, {needed}")


def _open(title: str, statement: str) -> GateReason:
    return _of_all(Outcome.NOT_ENOUGH, title, statement)


def _requests(report: Report, exposure: Exposure) -> str:
    """Write the number of requests; for an estimate also its margin and the sample behind it."""
    number = exposure.traffic or 0
    requests = counted(number, "request")
    if not exposure.requests_margin:
        return requests
    sampled = report.coverage.sampled
    share = ", ".join(f"one in {one_in:,}" for one_in in sorted({sample.one_in for sample in sampled}))
    since = min(sample.from_time for sample in sampled) if sampled else "the limit"
    return (
        f"about {requests} (give or take {exposure.requests_margin:,}: from {since} on a sample of {share} was counted)"
    )


def _nothing_against(report: Report, comparison: Comparison, thresholds: GateThresholds) -> GateReason:
    exposure = comparison.exposure.after
    where = "" if exposure.traffic is None else f" in {_requests(report, exposure)}"
    ratio = f"none is worse by more than {thresholds.max_ratio:g}"
    statement = f"no signature of {thresholds.max_new} or above is new, and {ratio}{where}"
    return _of_all(Outcome.PASS, "all signatures", statement)


def _of_all(outcome: Outcome, title: str, statement: str) -> GateReason:
    return GateReason(
        outcome=outcome,
        signature=None,
        fingerprint=None,
        title=title,
        state=None,
        priority=None,
        statement=statement,
    )


def _caveats(report: Report, comparison: Comparison) -> Iterator[str]:
    yield from comparison.caveats
    if report.coverage.unreadable:
        yield f"{report.coverage.unreadable:,} records could not be read; what they say is not judged"
