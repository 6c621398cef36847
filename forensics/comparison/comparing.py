"""Compare two sides: how each signature changed, and whether chance explains the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.comparables import Side, caveats, obstacle, rule_obstacle, sample_obstacle, window_obstacle
from forensics.comparison.denominators import Denominator, choose, preferred
from forensics.comparison.exact import Rates, holm
from forensics.comparison.states import Counted, judge, sentence
from forensics.comparison.test_changes import compare_tests
from forensics.model import Change, ChangeState, Comparison, Exposure, ExposureKind, Exposures, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Cluster

_Key = tuple[str | None, str | None]
"""(signature, None) or (None, fingerprint)."""
_FAIL_ONCE = frozenset({ExposureKind.STARTS, ExposureKind.LIVES})
_STATES = tuple(ChangeState)


class _Pair(NamedTuple):
    """The clusters of one signature on both sides."""

    key: _Key
    before: list[Cluster]
    after: list[Cluster]
    denominator: Denominator
    obstacle: str | None
    """Why the counts cannot be compared; None when they can."""

    @property
    def both(self) -> list[Cluster]:
        return [*self.after, *self.before]

    @property
    def counts(self) -> tuple[int, int]:
        return _occurrences(self.before), _occurrences(self.after)


def compare(before: Side, after: Side) -> Comparison:
    """Compare a revision with its baseline, signature by signature, and their tests module by module.

    Entries belong to the revision that wrote them: two revisions that served at the same time do not mix.
    """
    reason = obstacle(before, after)
    pairs = [_pair(key, before, after, reason) for key in _keys(before, after)]
    counted = {pair.key: Counted(*_interleaved(pair)) for pair in pairs if pair.obstacle is None}
    margins = tuple(side.exposure.requests_margin if side.exposure else 0 for side in (before, after))
    rates = {pair.key: _rates(pair, counted[pair.key], margins) for pair in pairs if pair.obstacle is None}
    corrected = dict(zip(rates, holm([pair_rates.p_value for pair_rates in rates.values()]), strict=True))
    changes = [
        _change(pair, counted[pair.key], rates[pair.key], corrected[pair.key])
        if pair.obstacle is None
        else _not_comparable(pair)
        for pair in pairs
    ]
    return Comparison(
        baseline=before.revision,
        revision=after.revision,
        covered_before=before.coverage.covered,
        covered_after=after.coverage.covered,
        exposure=Exposures(before=before.exposure or Exposure(), after=after.exposure or Exposure()),
        reason=reason,
        caveats=tuple(caveats(before, after)),
        changes=tuple(sorted(changes, key=_order)),
        tests=compare_tests(before.tests, after.tests) if before.tests and after.tests else None,
    )


def _rates(pair: _Pair, counted: Counted, margins: tuple[int, ...]) -> Rates:
    if pair.denominator.measure is ExposureKind.REQUESTS and any(margins):
        return counted.rates_within(*margins)
    return counted.rates(once_each=pair.denominator.measure in _FAIL_ONCE)


def _keys(before: Side, after: Side) -> list[_Key]:
    return list(dict.fromkeys(_key(cluster) for side in (after, before) for cluster in side.clusters))


def _key(cluster: Cluster) -> _Key:
    return cluster.signature, None if cluster.signature else cluster.fingerprint


def _pair(key: _Key, before: Side, after: Side, reason: str | None) -> _Pair:
    old, new = ([c for c in side.clusters if _key(c) == key] for side in (before, after))
    denominator = choose([*new, *old], (_occurrences(old), _occurrences(new)), before.exposure, after.exposure)
    own_obstacle = _level_obstacle(before, after) if key[0] is None else rule_obstacle(key[0], before, after)
    own_obstacle = own_obstacle or window_obstacle([*old, *new], before, after)
    own_obstacle = own_obstacle or sample_obstacle([*old, *new], before, after) or _measure_obstacle(old, new)
    return _Pair(key, old, new, denominator, reason or own_obstacle or denominator.obstacle)


def _level_obstacle(before: Side, after: Side) -> str | None:
    if before.level is after.level:
        return None
    return f"entries that no rule knows were analysed from {before.level} on in one, from {after.level} in the other"


def _measure_obstacle(before: list[Cluster], after: list[Cluster]) -> str | None:
    """Say that occurrences have different units on the two sides, so that no exposure fits both."""
    if not (before and after):
        return None
    measures = preferred(before)[0], preferred(after)[0]
    if measures[0] is measures[1]:
        return None
    return f"counted by {measures[0]} before and by {measures[1]} now"


def _occurrences(clusters: Sequence[Cluster]) -> int:
    return sum(cluster.occurrences for cluster in clusters)


def _interleaved(pair: _Pair) -> tuple[int, int, int, int]:
    before, after = pair.counts
    return before, pair.denominator.before or 0, after, pair.denominator.after or 0


def _change(pair: _Pair, counted: Counted, rates: Rates, corrected: float) -> Change:
    state = judge(counted, rates, corrected)
    return _record(
        pair,
        state,
        sentence(counted, rates, state, pair.denominator.measure, corrected),
        rates=rates,
        corrected=corrected,
    )


def _not_comparable(pair: _Pair) -> Change:
    before, after = pair.counts
    statement = f"{before:,} → {after:,}: {ChangeState.NOT_COMPARABLE}, {pair.obstacle}"
    return _record(pair, ChangeState.NOT_COMPARABLE, statement)


def _record(
    pair: _Pair, state: ChangeState, statement: str, *, rates: Rates | None = None, corrected: float | None = None
) -> Change:
    representative = pair.both[0]
    before, after = pair.counts
    return Change(
        signature=pair.key[0],
        fingerprint=pair.key[1],
        title=representative.title,
        role=representative.role,
        priority=min(cluster.priority for cluster in pair.after or pair.before),
        state=state,
        before=before,
        after=after,
        entries_before=sum(cluster.entries for cluster in pair.before),
        entries_after=sum(cluster.entries for cluster in pair.after),
        unit=max(pair.both, key=lambda cluster: (cluster.occurrences, cluster.id)).unit,
        measure=pair.denominator.measure,
        measure_reason=pair.denominator.reason,
        exposure_before=pair.denominator.before,
        exposure_after=pair.denominator.after,
        ratio=rates.ratio if rates else None,
        ci_low=rates.low if rates else None,
        ci_high=rates.high if rates else None,
        p_value=rates.p_value if rates else None,
        p_corrected=corrected,
        statement=statement,
        clusters=tuple(cluster.id for cluster in pair.after),
    )


def _order(change: Change) -> tuple[bool, int, str, int, str, str]:
    """Sort key of changes: noise last; then the worst state, the highest priority, the role nearest to the cause."""
    return (
        change.role is Role.NOISE,
        _STATES.index(change.state),
        change.priority.value,
        change.role.rank,
        change.signature or "",
        change.fingerprint or "",
    )
