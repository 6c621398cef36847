"""Check the claims of earlier cycles against a later report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.comparison import compare, side_of
from forensics.comparison.exact import ALPHA
from forensics.comparison.states import SHOWS_FROM
from forensics.cycles.series import as_report, standing
from forensics.model import ChangeState, ClaimCheck, ClaimKind, ClaimState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.model import Change, Claim, Cluster, Comparison, Cycle, Report

_CITED = 3
_PRINTED_FROM = 0.001


class _Judged(NamedTuple):
    """The state of a claim after a check, and the sentence for it."""

    state: ClaimState
    statement: str


def check_claims(cycles: Sequence[Cycle], report: Report, number: int | None) -> list[Claim]:
    """Check every claim of earlier cycles against a later report; `number` is the cycle of that report, if it has one.

    Each claim is a single question that was asked in advance, so its p-value is not corrected over all signatures.
    """
    sides = {cycle.number: cycle for cycle in cycles}
    compared: dict[int, Comparison] = {}
    checked = []
    for claim in standing(cycles):
        if claim.state is ClaimState.REFUTED:
            checked.append(claim)
            continue
        for cycle in {claim.query.cycle, claim.made_in} & sides.keys() - compared.keys():
            compared[cycle] = compare(side_of(as_report(sides[cycle])), side_of(report))
        changes = tuple(_of(compared.get(cycle), claim) for cycle in (claim.query.cycle, claim.made_in))
        checked.append(_checked(claim, changes, report, number))
    return checked


def in_order(claims: Iterable[Claim], number: int | None) -> tuple[Claim, ...]:
    """Order claims: the worst state first, then those that this cycle checked, then the latest."""

    def key(claim: Claim) -> tuple[int, bool, int, str]:
        is_here = claim.check is not None and claim.check.cycle == number
        return claim.state.rank, not is_here, -claim.made_in, claim.statement

    return tuple(sorted(claims, key=key))


def _of(comparison: Comparison | None, claim: Claim) -> Change | None:
    return comparison.of(claim.query.signature, claim.query.fingerprint or "") if comparison else None


def _checked(claim: Claim, changes: tuple[Change | None, ...], report: Report, number: int | None) -> Claim:
    seen = [cluster for cluster in report.clusters if _is_of(claim, cluster)]
    old, then = changes
    judged = _judge(claim, old, then, seen)
    refs = [ref for cluster in seen for ref in cluster.exemplars]
    check = ClaimCheck(
        cycle=number,
        revision=report.revision.name,
        occurrences=sum(cluster.occurrences for cluster in seen),
        exposure=report.exposure.of(claim.query.measure) if report.exposure else None,
        statement=judged.statement,
        evidence=tuple(refs[:_CITED]) if judged.state is ClaimState.REFUTED else (),
    )
    return replace(claim, state=judged.state, check=check)


def _is_of(claim: Claim, cluster: Cluster) -> bool:
    query = claim.query
    if query.signature is None:
        return cluster.signature is None and cluster.fingerprint == query.fingerprint
    return cluster.signature == query.signature


def _judge(claim: Claim, old: Change | None, then: Change | None, seen: Sequence[Cluster]) -> _Judged:
    if old is None:
        return _Judged(ClaimState.NOT_COMPARABLE, f"cycle {claim.query.cycle}, which gives the old rate, is not there")
    if claim.kind is ClaimKind.BETTER:
        return _judge_better(old, then)
    version = claim.query.rule_version
    if seen and all(cluster.signature_version == version for cluster in seen):
        # A log that was cut gives no rate, but an occurrence in it is a fact.
        return _Judged(ClaimState.REFUTED, f"{_numbers(old)}: it is not gone")
    if old.state is ChangeState.NOT_COMPARABLE:
        return _Judged(ClaimState.NOT_COMPARABLE, old.statement)
    # Episodes alone tell: the claim names the side on which none is to be, and asks for nothing else.
    if _expected(old) < SHOWS_FROM or not _are_enough(old):
        needed = f"{claim.query.needed:,} {claim.query.measure}" if claim.query.needed else "more"
        return _Judged(ClaimState.NOT_ENOUGH_TRAFFIC, f"{_numbers(old)}: none now, which takes {needed} to mean much")
    return _Judged(ClaimState.HOLDS, f"{_numbers(old)}: none now, where the old rate would have shown it{_p(old)}")


def _judge_better(old: Change, then: Change | None) -> _Judged:
    """Compare the present rate with the old one, and with the one that was called better."""
    if old.state is ChangeState.NOT_COMPARABLE:
        return _Judged(ClaimState.NOT_COMPARABLE, old.statement)
    if _is_clear(old) and old.ci_high is not None and old.ci_high < 1:
        return _Judged(ClaimState.HOLDS, f"{_numbers(old)}: still below the old rate{_p(old)}")
    if _is_worse(old):
        return _Judged(ClaimState.REFUTED, f"{_numbers(old)}: above the old rate{_p(old)}")
    if then is not None and then.state is not ChangeState.NOT_COMPARABLE and then is not old and _is_worse(then):
        return _Judged(
            ClaimState.REFUTED,
            f"{_numbers(old)}: not below the old rate any more, and above the rate that was called better"
            f" ({_numbers(then)}){_p(then)}",
        )
    return _Judged(ClaimState.NOT_ENOUGH_TRAFFIC, f"{_numbers(old)}: neither below the old rate nor above it{_p(old)}")


def _is_clear(change: Change) -> bool:
    return change.p_value is not None and change.p_value <= ALPHA


def _are_enough(change: Change) -> bool:
    """Tell whether the old failures came in enough episodes, so that none now says something."""
    return change.episodes_needed is not None and (change.episodes_before or 0) >= change.episodes_needed


def _is_worse(change: Change) -> bool:
    return _is_clear(change) and change.ci_low is not None and change.ci_low > 1


def _expected(change: Change) -> float:
    """Return the occurrences now, if the rate had stayed as before."""
    if not (change.exposure_before and change.exposure_after):
        return 0.0
    return change.before * change.exposure_after / change.exposure_before


def _numbers(change: Change) -> str:
    before, after = change.exposure_before, change.exposure_after
    exposures = f" in {before:,} → {after:,} {change.measure}" if before is not None and after is not None else ""
    return f"{change.before:,} → {change.after:,}{exposures}"


def _p(change: Change) -> str:
    if change.p_value is None:
        return ""
    return " (p < 0.001)" if change.p_value < _PRINTED_FROM else f" (p = {change.p_value:.3f})"
