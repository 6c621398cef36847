"""The filters and variables of a cycle's document."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from forensics.model import (
    CapabilityState,
    Change,
    ChangeState,
    Claim,
    ClaimKind,
    ClaimState,
    Cluster,
    Cycle,
    CycleRoot,
    EntryRef,
    Exposure,
    ExposureKind,
    Needed,
    Priority,
    Role,
    RunOutcome,
)
from forensics.rendering import labels as words

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTCOMES = tuple(RunOutcome)
_OPEN = frozenset({ClaimState.ASSERTED, ClaimState.SHOWN, ClaimState.NOT_ENOUGH_TRAFFIC, ClaimState.NOT_COMPARABLE})
_BARS = "▁▂▃▄▅▆▇█"


def lookups(cycle: Cycle) -> dict[str, Any]:
    """Return the variables of templates of a cycle, each a mapping by cluster id."""
    return {
        "clusters": {cluster.id: cluster for cluster in cycle.clusters},
        "roots": {root.cluster: root for root in cycle.roots},
    }


def claim_text(claim: Claim) -> str:
    """Write a claim; one about what no rule knows is named by its title."""
    if claim.query.signature is not None:
        return claim.statement
    return f"{claim.title} (fingerprint {claim.statement})"


def claim_origin(claim: Claim) -> str:
    """Say who made a claim, and whether the numbers of its cycle bore it out."""
    if not claim.by_hand:
        return "by its numbers"
    return "by hand, and by its numbers" if claim.made_shown else "by hand: asserted, not shown"


def claim_reason(claim: Claim) -> str:
    """Say what was counted last: in the revision that checked it, else in its own cycle."""
    if claim.check is None:
        return claim.made_reason
    return f"{claim.check.revision}: {claim.check.statement}"


def claim_evidence(claim: Claim) -> tuple[EntryRef, ...]:
    """Return the entries that refute a claim."""
    return claim.check.evidence if claim.check else ()


def refuted_here(cycle: Cycle) -> list[Claim]:
    """Return the claims that this cycle refutes."""
    return [c for c in cycle.claims if c.state is ClaimState.REFUTED and c.check and c.check.cycle == cycle.number]


def open_claims(cycle: Cycle) -> list[Claim]:
    """Return the claims that no revision has borne out or refuted yet."""
    return [claim for claim in cycle.claims if claim.state in _OPEN]


def tests_by_outcome(cycle: Cycle) -> list[tuple[str, str]]:
    """Return (test, outcome), the worst first."""
    outcomes = cycle.tests.outcomes if cycle.tests else {}
    return sorted(outcomes.items(), key=lambda pair: (_OUTCOMES.index(pair[1]), pair[0]))


def works_now(cycle: Cycle) -> list[str]:
    """Say what is shown to work, or to fail less, that failed in the cycle before."""
    told = [f"{_subject(change)} {change.statement}" for change in _changes(cycle, ChangeState.GONE)]
    told += [
        f"fewer, not gone: {_subject(change)} {change.statement}" for change in _changes(cycle, ChangeState.BETTER)
    ]
    capabilities = cycle.impact.capabilities if cycle.impact else ()
    told += [f"{one.name}: {one.state}" for one in capabilities if one.state is CapabilityState.NO_LONGER_SEEN]
    return [*told, *(f"test `{name}` passed" for name in cycle.newly_passed)]


def new_patterns(cycle: Cycle) -> list[str]:
    """Say what the cycle before did not have, and what of it is too rare to be called new."""
    clusters = {cluster.id: cluster for cluster in cycle.clusters}
    lines = []
    for change in _changes(cycle, *ChangeState):
        if change.after and not change.before:
            first = min((clusters[i].first_seen for i in change.clusters if i in clusters), default="")
            lines.append(f"{change.priority} {_of(change)}; first {first}")
    return [*lines, *(f"test `{name}` failed" for name in cycle.newly_failed)]


def remaining(cycle: Cycle) -> list[str]:
    """Say what is seen, and was seen before or cannot be compared with anything."""
    if cycle.comparison is None:
        return [f"{cluster.priority} {_named(cluster, cycle)}" for cluster in _loud(cycle)]
    both = [change for change in _changes(cycle, *ChangeState) if change.after and change.before]
    return [f"{change.priority} {_of(change)}" for change in both]


def by_priority(cycle: Cycle) -> list[tuple[Priority, list[str]]]:
    """Return the clusters of each priority, without noise."""
    states = {change.signature or change.fingerprint: change.state for change in _changes(cycle, *ChangeState)}
    return [
        (
            priority,
            [
                _named(cluster, cycle) + _state(states.get(cluster.signature or cluster.fingerprint))
                for cluster in _loud(cycle)
                if cluster.priority is priority
            ],
        )
        for priority in Priority
    ]


def _state(state: ChangeState | None) -> str:
    return f" — {state}" if state else ""


def _named(cluster: Cluster, cycle: Cycle) -> str:
    name = words.name(cluster, cycle)
    shown = f"`{name}`" if cluster.signature else name
    return f"{shown}: {words.occurrences(cluster)} ({cluster.role}; {cluster.priority_reason})"


def _subject(change: Change) -> str:
    return f"`{change.signature}`" if change.signature else change.title


def _of(change: Change) -> str:
    return f"{_subject(change)} ({change.role}) {change.statement}"


def _loud(cycle: Cycle) -> list[Cluster]:
    return [cluster for cluster in cycle.clusters if cluster.role is not Role.NOISE]


def _changes(cycle: Cycle, *states: ChangeState) -> list[Change]:
    changes = cycle.comparison.changes if cycle.comparison else ()
    return [change for change in changes if change.state in states and change.role is not Role.NOISE]


def needed(claim: Claim) -> str:
    """Say what would decide a claim."""
    query = claim.query
    if claim.kind is ClaimKind.BETTER:
        held = f" in {query.exposure:,} {query.measure}" if query.exposure else ""
        return f"its rate stays below {query.occurrences:,}{held}"
    return Needed(measure=query.measure, exposure=query.needed).sentence()


def none_in(root: CycleRoot) -> str:
    """Say how little traffic without it would mean that it is gone."""
    return Needed(measure=root.measure, exposure=root.needed).sentence()


def exposure_words(exposure: Exposure) -> str:
    """Write how often a revision could have failed: `165 requests, 73 WebSocket sessions, 3 instance starts`."""
    counted = [(measure, exposure.of(measure)) for measure in ExposureKind]
    told = ", ".join(f"{measure} not counted" if n is None else f"{n:,} {measure}" for measure, n in counted)
    return told + (f" (requests ± {exposure.requests_margin:,})" if exposure.requests_margin else "")


def rate_bars(counts: Sequence[tuple[int, int | None]]) -> str:
    """Draw occurrences per exposure, a bar for each cycle: nothing seen is a dot, an unknown rate a question mark."""
    rates = [n / held if held else None for n, held in counts]
    top = max((rate for rate in rates if rate), default=0.0)
    return "".join(_bar(rate, top) for rate in rates)


def _bar(rate: float | None, top: float) -> str:
    if rate is None:
        return "?"
    return _BARS[max(0, min(7, int(rate / top * 8) - 1))] if rate else "·"


FILTERS = {
    "claim_text": claim_text,
    "claim_origin": claim_origin,
    "claim_reason": claim_reason,
    "claim_evidence": claim_evidence,
    "refuted_here": refuted_here,
    "open_claims": open_claims,
    "tests_by_outcome": tests_by_outcome,
    "works_now": works_now,
    "new_patterns": new_patterns,
    "remaining": remaining,
    "by_priority": by_priority,
    "needed": needed,
    "none_in": none_in,
    "exposure_words": exposure_words,
    "shell": shlex.quote,
}
