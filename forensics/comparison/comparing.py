"""Compare a revision with its baselines: how each signature changed, and whether chance explains the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.assessment import Assessment, assess, assess_within
from forensics.comparison.comparables import (
    Side,
    caveats,
    obstacle,
    rule_obstacle,
    sample_obstacle,
    spread_obstacle,
    window_obstacle,
)
from forensics.comparison.denominators import Denominator, choose, preferred
from forensics.comparison.failures import count_failures, failures_of
from forensics.comparison.incident_families import correct
from forensics.comparison.required_exposure import FAIL_ONCE
from forensics.comparison.several_baselines import FEWEST, pooled, spread_p
from forensics.comparison.states import Counted, judge, sentence
from forensics.comparison.test_changes import compare_tests
from forensics.model import Change, ChangeState, Comparison, Exposure, ExposureKind, Exposures, Role, Span

if TYPE_CHECKING:
    from forensics.comparison.incident_families import Key
    from forensics.model import Cluster

_STATES = tuple(ChangeState)


class _Pair(NamedTuple):
    """The clusters of one signature on all sides."""

    key: Key
    befores: tuple[list[Cluster], ...]
    after: list[Cluster]
    denominators: tuple[Denominator, ...]
    """One for each baseline."""
    obstacle: str | None
    """Why the counts cannot be compared; None when they can."""

    @property
    def before(self) -> list[Cluster]:
        return [cluster for clusters in self.befores for cluster in clusters]

    @property
    def both(self) -> list[Cluster]:
        return [*self.after, *self.before]

    @property
    def measure(self) -> ExposureKind:
        return self.denominators[0].measure

    @property
    def exposure_before(self) -> int | None:
        known = [denominator.before for denominator in self.denominators]
        return None if None in known else sum(n or 0 for n in known)

    @property
    def counted(self) -> Counted:
        before, after = count_failures(self.before), count_failures(self.after)
        sizes = self.exposure_before or 0, self.denominators[0].after or 0
        once = self.measure in FAIL_ONCE and before <= sizes[0] and after <= sizes[1]
        return Counted(before, sizes[0], after, sizes[1], self.measure, once)


def compare(before: Side | Sequence[Side], after: Side) -> Comparison:
    """Compare a revision with its baselines, signature by signature, and its tests with the first one's.

    Entries belong to the revision that wrote them: two revisions that served at the same time do not mix. Of several
    baselines those that cannot be compared are left out.
    """
    given = list(before) if isinstance(before, Sequence) else [before]
    usable = [side for side in given if len(given) == 1 or obstacle(side, after) is None]
    befores = usable or given[:1]
    reason = obstacle(befores[0], after)
    pairs = [_pair(key, befores, after, reason) for key in _keys(befores, after)]
    found = {pair.key: _assess(pair, befores, after) for pair in pairs if pair.obstacle is None}
    corrected = correct({key: one.rates.p_value for key, one in found.items()}, befores, after)
    names = [side.revision for side in befores]
    changes = [
        _change(pair, found[pair.key], corrected[pair.key], names) if pair.obstacle is None else _not_comparable(pair)
        for pair in pairs
    ]
    first = befores[0]
    return Comparison(
        baseline=first.revision,
        revision=after.revision,
        covered_before=_span(befores),
        covered_after=after.coverage.covered,
        exposure=Exposures(before=_added(befores), after=after.exposure or Exposure()),
        reason=reason,
        caveats=tuple(_caveats(given, befores, after)),
        changes=tuple(sorted(changes, key=_order)),
        tests=compare_tests(first.tests, after.tests) if first.tests and after.tests else None,
        baselines=tuple(names) if len(given) > 1 else (),
    )


def _caveats(given: Sequence[Side], used: Sequence[Side], after: Side) -> list[str]:
    left_out = [
        f"{side.revision} is left out of the baselines: {obstacle(side, after)}" for side in given if side not in used
    ]
    said = (caveat for side in used for caveat in caveats(side, after))
    return list(dict.fromkeys((*left_out, *said)))


def _span(sides: Sequence[Side]) -> Span:
    """Return the time from the first entry of several sides to the last."""
    starts = [side.coverage.covered.from_time for side in sides]
    ends = [side.coverage.covered.to_time for side in sides]
    return Span(from_time=min(filter(None, starts), default=None), to_time=max(filter(None, ends), default=None))


def _added(sides: Sequence[Side]) -> Exposure:
    if len(sides) == 1:
        return sides[0].exposure or Exposure()
    exposures = [side.exposure or Exposure() for side in sides]

    def total(name: str) -> int | None:
        known = [getattr(exposure, name) for exposure in exposures]
        return None if None in known else sum(known)

    return Exposure(
        requests=total("requests"),
        requests_margin=total("requests_margin") or 0,
        sessions=total("sessions"),
        starts=total("starts"),
        lives=total("lives"),
        probes=total("probes") or 0,
        refused=total("refused") or 0,
        retries=total("retries") or 0,
    )


def _assess(pair: _Pair, befores: Sequence[Side], after: Side) -> Assessment:
    olds = [
        failures_of(clusters, denominator.before or 0, side.exposure)
        for clusters, denominator, side in zip(pair.befores, pair.denominators, befores, strict=True)
    ]
    new = failures_of(pair.after, pair.denominators[0].after or 0, after.exposure)
    margins = (
        sum(side.exposure.requests_margin if side.exposure else 0 for side in befores),
        after.exposure.requests_margin if after.exposure else 0,
    )
    if pair.measure is ExposureKind.REQUESTS and any(margins):
        found = assess_within(pooled(olds), new, margins)
    else:
        found = assess(pooled(olds), new)
    if len(olds) < FEWEST:
        return found
    p_value = max(found.rates.p_value, spread_p(olds, new, found.dispersion))
    return found._replace(rates=found.rates._replace(p_value=p_value))


def _keys(befores: Sequence[Side], after: Side) -> list[Key]:
    return list(dict.fromkeys(_key(cluster) for side in (after, *befores) for cluster in side.clusters))


def _key(cluster: Cluster) -> Key:
    return cluster.signature, None if cluster.signature else cluster.fingerprint


def _pair(key: Key, befores: Sequence[Side], after: Side, reason: str | None) -> _Pair:
    new = [cluster for cluster in after.clusters if _key(cluster) == key]
    olds = tuple([cluster for cluster in side.clusters if _key(cluster) == key] for side in befores)
    both = [*new, *(cluster for old in olds for cluster in old)]
    denominators = tuple(
        choose(both, (count_failures(old), count_failures(new)), side.exposure, after.exposure)
        for old, side in zip(olds, befores, strict=True)
    )
    own = next(
        (
            said
            for old, side, one in zip(olds, befores, denominators, strict=True)
            if (said := _pair_obstacle(key, old, new, side, after) or one.obstacle)
        ),
        None,
    )
    if own is None and len({one.measure for one in denominators}) > 1:
        own = "the baselines count it by different measures"
    return _Pair(key, olds, new, denominators, reason or own)


def _pair_obstacle(key: Key, old: list[Cluster], new: list[Cluster], before: Side, after: Side) -> str | None:
    return (
        (_level_obstacle(before, after) if key[0] is None else rule_obstacle(key[0], before, after))
        or window_obstacle([*old, *new], before, after)
        or sample_obstacle([*old, *new], before, after)
        or _measure_obstacle(old, new)
        or spread_obstacle(old, before)
        or spread_obstacle(new, after)
    )


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


def _change(pair: _Pair, found: Assessment, corrected: float, baselines: Sequence[str]) -> Change:
    state = judge(pair.counted, found, corrected)
    statement = sentence(pair.counted, found, state, corrected, baselines)
    return _record(pair, state, statement, found=found, corrected=corrected)


def _not_comparable(pair: _Pair) -> Change:
    before, after = count_failures(pair.before), count_failures(pair.after)
    statement = f"{before:,} → {after:,}: {ChangeState.NOT_COMPARABLE}, {pair.obstacle}"
    return _record(pair, ChangeState.NOT_COMPARABLE, statement)


def _record(
    pair: _Pair,
    state: ChangeState,
    statement: str,
    *,
    found: Assessment | None = None,
    corrected: float | None = None,
) -> Change:
    representative = pair.both[0]
    rates = found.rates if found else None
    has_interval = found is not None and not found.uneven
    return Change(
        signature=pair.key[0],
        fingerprint=pair.key[1],
        title=representative.title,
        role=representative.role,
        priority=min(cluster.priority for cluster in pair.after or pair.before),
        state=state,
        before=count_failures(pair.before),
        after=count_failures(pair.after),
        entries_before=sum(cluster.entries for cluster in pair.before),
        entries_after=sum(cluster.entries for cluster in pair.after),
        unit=max(pair.both, key=lambda cluster: (cluster.occurrences, cluster.id)).unit,
        measure=pair.measure,
        measure_reason=pair.denominators[0].reason,
        exposure_before=pair.exposure_before,
        exposure_after=pair.denominators[0].after,
        ratio=rates.ratio if rates else None,
        ci_low=rates.low if rates and has_interval else None,
        ci_high=rates.high if rates and has_interval else None,
        p_value=rates.p_value if rates else None,
        p_corrected=corrected,
        episodes_before=found.episodes[0] if found else None,
        episodes_after=found.episodes[1] if found else None,
        episodes_needed=pair.counted.needed() if found else None,
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
