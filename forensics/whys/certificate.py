"""Certify an absence: whether the log would have shown a thing that it does not show.

"Looked for and not found" proves something only where it would have been found: the logs that it stands in are here,
the times looked at were recorded, nothing of them was cut, lost or unreadable, and they are enough.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from forensics.model import Certificate, Level, Occurrence
from forensics.text.plurals import counted
from forensics.text.timestamps import format_seconds, parse_time
from forensics.whys.contexts import is_recorded
from forensics.whys.recording import APPLICATION, each_once, entries_in, is_loud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forensics.model import Cluster, Coverage, Nanoseconds, Rule, Thresholds
    from forensics.whys.contexts import RunContext

FEWEST = 3
"""Occurrences from which on a claim can be refuted."""
_UNLIKELY = 0.05
_LOOKED_AT = 1_000
"""Windows that are looked at; more would not say more."""
_AROUND = 3
"""Times the window: a cause that keeps standing this far away is no chance, and no proof that it is not the cause."""
_QUIET_WITHIN = 60_000_000_000
"""Nanoseconds around an occurrence in which a log that was not filtered holds a quiet entry."""
_LOUD = 0.2
"""Share of occurrences without one from which on nothing is certified."""
_KEEPS = 0.5
"""Share of the occurrences from which on it keeps standing there."""


def certify_absence(
    cause: Rule, symptom: Cluster, within: Nanoseconds, thresholds: Thresholds, run: RunContext
) -> Certificate:
    """Say whether entries that `cause` claims would have shown in the time before each occurrence of `symptom`.

    The claim that is refuted is that the cause stands before the share of occurrences that supports a why.
    """
    occurrences = run.members[symptom.id].occurrences
    looked_at = _sample_evenly(occurrences)
    recorded = [
        base
        for at, base in zip(looked_at, occurrences.bases(looked_at), strict=True)
        if base - within >= run.covered_from or is_recorded(base - within, occurrences[at], run)
    ]
    if run.whole.is_partial:
        pulled = _pulled_whole(symptom, within, run)
        recorded = [base for base in recorded if base in pulled]
    gaps = _gaps(run.coverage)
    whole = [base for base in recorded if not _is_cut(base, within, gaps)] if gaps else recorded
    checks = [
        *_logs(cause, run.coverage),
        *_windows(len(whole), len(looked_at), within),
        *_pulled(run.coverage),
        *_wholeness(run.coverage, is_cut=len(whole) < len(recorded)),
        *_levels(cause, run),
        *_loud_times(recorded, within, run),
        *_outside(cause, symptom, within, run),
        _enough(len(whole), thresholds),
    ]
    return Certificate(
        windows=len(whole),
        facts=tuple(said for is_met, said in checks if is_met),
        lacks=tuple(said for is_met, said in checks if not is_met),
    )


def _pulled_whole(symptom: Cluster, within: Nanoseconds, run: RunContext) -> set[int]:
    """Return the times before which everything was pulled of the symptom's instance."""
    occurrences = run.members[symptom.id].occurrences
    positions = _sample_evenly(occurrences)
    pairs = zip(positions, occurrences.bases(positions), strict=True)
    return {base for at, base in pairs if run.whole.holds(occurrences[at].instance, base - within, base)}


def _sample_evenly(occurrences: Sequence[Occurrence]) -> range:
    step = -(-len(occurrences) // _LOOKED_AT)
    return range(0, len(occurrences), max(step, 1))


def _gaps(coverage: Coverage) -> list[tuple[int, int]]:
    return [(parse_time(gap.from_time), parse_time(gap.to_time)) for gap in coverage.gaps]


def _is_cut(base: int, within: Nanoseconds, gaps: Sequence[tuple[int, int]]) -> bool:
    """Tell whether an unusual silence overlaps the time before an occurrence."""
    return any(start < base and end > base - within for start, end in gaps)


def streams_of(rule: Rule) -> tuple[str, ...]:
    """Name the logs in which a rule's own examples stand: requests, system, audit; `application` for all others."""
    return each_once(_stream(example) for example in rule.tests.match) or (APPLICATION,)


def _stream(example: Mapping[str, Any]) -> str:
    name = str(example.get("logName", ""))
    if "cloudaudit" in name or "protoPayload" in example:
        return "audit"
    if "requests" in name or ("httpRequest" in example and not name):
        return "requests"
    return "system" if "varlog%2Fsystem" in name else APPLICATION


def _logs(cause: Rule, coverage: Coverage) -> Iterator[tuple[bool, str]]:
    """Check that the logs that may hold the cause are here."""
    for stream in streams_of(cause):
        entries = entries_in(stream, coverage)
        what = "the application's log" if stream == APPLICATION else f"the {stream} log"
        if entries:
            yield True, f"{what} is here ({counted(entries, 'entry')})"
        else:
            yield False, f"{what} is absent"


def _windows(whole: int, of: int, within: Nanoseconds) -> Iterator[tuple[bool, str]]:
    span = format_seconds(within)
    said = f"the {span} before {whole} of {counted(of, 'occurrence')} were recorded"
    yield bool(whole), said


def _pulled(coverage: Coverage) -> Iterator[tuple[bool, str]]:
    """Say that a case holds windows only; the occurrences outside of them are not counted as recorded."""
    if coverage.whole_from is not None:
        yield True, f"of what was logged below {coverage.whole_from} only windows were pulled, each of them whole"


def _wholeness(coverage: Coverage, *, is_cut: bool) -> Iterator[tuple[bool, str]]:
    """Check that nothing was cut, lost or left without words."""
    amiss = []
    if coverage.truncated is not False:
        amiss.append(f"the entries look cut ({coverage.truncation})")
    if is_cut:
        amiss.append("a gap in the entries falls into the time looked at")
    if coverage.unreadable:
        amiss.append(f"{counted(coverage.unreadable, 'record')} could not be read")
    if coverage.no_payload:
        amiss.append(f"{counted(coverage.no_payload, 'entry has', 'entries have')} no payload")
    yield from ((False, said) for said in amiss)
    if not amiss and coverage.passed_over:
        # Whether they could be read was not looked at: `--strict` does.
        passed = counted(coverage.passed_over, "line")
        yield True, f"nothing looks cut, and nothing that names the revision was unreadable ({passed} do not name it)"
    elif not amiss:
        yield True, "nothing looks cut, and nothing was unreadable"


def _levels(cause: Rule, run: RunContext) -> Iterator[tuple[bool, str]]:
    """Check that the logs were not filtered by a severity above the cause's.

    What an application writes need not carry the severity that its text states, so no filter may have passed over it.
    """
    streams = streams_of(cause)
    lowest = min(run.neighbours.quietest.values(), default=0)
    severities = [example.get("severity") for example in cause.tests.match]
    quietest = min((Level[str(s)].rank if s in Level.__members__ else 0 for s in severities), default=0)
    is_quieter = lowest >= Level.WARNING.rank and quietest < lowest
    is_lost = APPLICATION in streams and is_loud(APPLICATION, run)
    if is_quieter or is_lost:
        yield False, "only entries of severity WARNING or above are here, and it may be logged with less"


def _loud_times(bases: Sequence[int], within: Nanoseconds, run: RunContext) -> Iterator[tuple[bool, str]]:
    """Check that quiet entries stand around the occurrences: part of the time may come from a filtered export."""
    times = run.neighbours.quiet_times
    if not times:  # the levels say so already
        return
    reach = max(within, _QUIET_WITHIN)
    alone = sum(bisect_left(times, base - reach) == bisect_right(times, base + reach) for base in bases)
    if alone >= _LOUD * len(bases) > 0:
        yield False, f"around {alone} of {counted(len(bases), 'occurrence')} only entries of WARNING and above are here"


def _outside(cause: Rule, symptom: Cluster, within: Nanoseconds, run: RunContext) -> Iterator[tuple[bool, str]]:
    """Check that the cause does not keep standing just outside of the time looked at: a constant lag may be longer."""
    own = sorted(
        row
        for cluster in run.clusters.values()
        if cluster.signature == cause.id and cluster.revision == symptom.revision and cluster.id in run.members
        for row in run.members[cluster.id].rows
    )
    occurrences = run.members[symptom.id].occurrences
    looked_at = _sample_evenly(occurrences) if own else range(0)
    near = sum(_stands_around(own, occurrences[at], within, run) for at in looked_at)
    if near >= _KEEPS * len(looked_at) > 0:
        yield (
            False,
            f"it stands just outside of the time looked at in {near} of {counted(len(looked_at), 'occurrence')}",
        )


def _stands_around(own: Sequence[int], occurrence: Occurrence, within: Nanoseconds, run: RunContext) -> bool:
    """Tell whether a row stands within three windows of an occurrence, where it may have happened."""
    table, reach = run.table, _AROUND * within
    first = bisect_left(own, occurrence.start - reach, key=table.times.__getitem__)
    behind = bisect_right(own, occurrence.end + reach, key=table.times.__getitem__)
    return any(
        not occurrence.instance
        or table.instance(row) in {"", occurrence.instance}
        or (occurrence.trace and table.traces[row] == occurrence.trace)
        for row in own[first:behind]
    )


def _enough(windows: int, thresholds: Thresholds) -> tuple[bool, str]:
    """Check how likely a cause would be missed that stands before the least share of occurrences."""
    missed = (1 - thresholds.coverage) ** windows
    if windows < FEWEST or missed > _UNLIKELY:
        return False, f"{counted(windows, 'occurrence')} could have shown it, too few to tell"
    return True, (
        f"a cause that stands before {thresholds.coverage:.0%} of them would be missed in all {windows} with a chance "
        f"of {missed:.1g}"
    )
