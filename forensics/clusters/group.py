"""Classified entries in, clusters and their members out."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.citations import cite
from forensics.clusters.mask import fingerprint, template
from forensics.clusters.occurrences import FailedRequests, LivesOf, find_occurrences, lives_by_instance
from forensics.exceptions import innermost_frame, root_exception
from forensics.fields import read_field
from forensics.model import (
    Cadence,
    Classified,
    Cluster,
    ClusterId,
    ExceptionRef,
    FailureClass,
    FrameRef,
    Level,
    Life,
    LogEntry,
    Members,
    Occurrence,
    OccurrenceUnit,
    Priority,
    Role,
    Rule,
)
from forensics.redact import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TREND_BINS = 8
EXEMPLARS = 5
CAPTURE_VALUES = 20
"""Different values of a capture that a report lists; the rest is counted under `…`."""
_SECOND = 1_000_000_000

_Key = tuple[str, str, tuple[str, ...]]
"""(revision, signature or fingerprint, group values)."""


class _Ground(Struct, frozen=True, kw_only=True):
    """What is the same for every cluster of a run."""

    lives: LivesOf
    requests: FailedRequests
    span: tuple[int, int]


def group(
    classified: Iterable[Classified], rules: Mapping[str, Rule], lives: Sequence[Life], level: Level
) -> tuple[tuple[Cluster, ...], tuple[Members, ...]]:
    """Gather analysed entries into clusters, in order of first entry; entries below `level` without a rule are left."""
    groups: dict[_Key, list[Classified]] = defaultdict(list)
    for item in classified:
        if item.primary is not None or item.entry.level.rank >= level.rank:
            groups[_key(item, rules)].append(item)
    span = _span(groups)
    ground = _Ground(
        lives=lives_by_instance(lives),
        requests=FailedRequests(item.entry for items in groups.values() for item in items),
        span=span,
    )
    built = [_build(key, items, rules, ground) for key, items in groups.items()]
    built.sort(key=lambda pair: (pair[1].classified[0].entry.sort_key, pair[0].id))
    return tuple(cluster for cluster, _ in built), tuple(members for _, members in built)


def _key(item: Classified, rules: Mapping[str, Rule]) -> _Key:
    revision = item.entry.revision
    if item.primary is None:
        return revision, "", (fingerprint(item.entry),)
    values = tuple(_group_value(item, name) for name in rules[item.primary.rule].group_by)
    return revision, item.primary.rule, values


def _group_value(item: Classified, name: str) -> str:
    """Return a capture or a field that clusters are split by; "" when the entry does not have it."""
    captures = item.primary.captures if item.primary else {}
    return captures[name] if name in captures else next(iter(read_field(item.entry, name)), "")


def _build(
    key: _Key,
    items: list[Classified],
    rules: Mapping[str, Rule],
    ground: _Ground,
) -> tuple[Cluster, Members]:
    revision, signature, values = key
    rule = rules.get(signature)
    items.sort(key=lambda item: item.entry.sort_key)
    entries = [item.entry for item in items]
    originals = [original for entry in entries for original in entry.originals]
    occurrences = find_occurrences(entries, ground.lives, rule.occurs_per if rule else None, ground.requests)
    print_ = values[0] if not rule else fingerprint(entries[0])
    speaker = _speaker(entries)
    root, frame = root_exception(speaker), innermost_frame(speaker)
    cluster_id = _cluster_id(signature or "unmatched", revision, values)
    role, failure_class, priority, reason = _standing(rule, speaker)
    cluster = Cluster(
        id=cluster_id,
        revision=revision,
        signature=signature or None,
        signature_version=rule.version if rule else None,
        group=tuple(quote(value, 120) for value in values) if rule else (),
        failure_class=failure_class,
        title=rule.title if rule else quote(template(speaker), 160),
        role=role,
        priority=priority,
        priority_reason=reason,
        level=max((e.level for e in entries), key=lambda level: level.rank),
        entries=len(originals),
        entries_by_severity=_by_severity(originals),
        occurrences=len(occurrences),
        unit=_unit(occurrences),
        instances=len({e.instance for e in originals if e.instance}),
        first_seen=originals[0].timestamp,
        last_seen=max(originals, key=lambda e: e.sort_key).timestamp,
        cadence=_cadence(occurrences),
        trend=_trend(occurrences, ground.span),
        template=quote(template(speaker), 300),
        fingerprint=print_,
        exception=ExceptionRef(type=quote(root.type, 120), value=quote(root.value, 300))
        if root and root.type
        else None,
        frame=FrameRef(file=quote(frame.file, 200), line=frame.line, function=quote(frame.function, 120))
        if frame
        else None,
        captures=_captures(occurrences, items),
        also_matched=tuple(sorted({match.rule for item in items for match in item.also})),
        exemplars=tuple(cite(entry) for entry in _spread(occurrences)),
    )
    return cluster, Members(cluster=cluster_id, speaker=speaker, classified=tuple(items), occurrences=occurrences)


def _speaker(entries: Sequence[LogEntry]) -> LogEntry:
    """Pick the entry that says most: the first with frames, else with an exception, else the first."""

    def says(entry: LogEntry) -> int:
        return 2 if any(x.frames for x in entry.exceptions) else 1 if entry.exceptions else 0

    return max(entries, key=says)


def _standing(rule: Rule | None, speaker: LogEntry) -> tuple[Role, FailureClass, Priority, str]:
    if rule is not None:
        return rule.role, rule.failure_class, rule.priority, f"set by rule {rule.id}"
    if speaker.exceptions:
        return Role.CAUSE, FailureClass.UNHANDLED_EXCEPTION, Priority.P2, "an exception that no rule knows"
    if not speaker.has_payload:
        return Role.SYMPTOM, FailureClass.OTHER, Priority.P2, "entries without a payload say nothing"
    if speaker.http is not None:
        return Role.SYMPTOM, FailureClass.HTTP_ERROR, Priority.P2, "a request that failed"
    if speaker.raw.get("protoPayload") is None and speaker.stream != "system":
        # The list of classes is closed; of an error that a program logs in its own words this is the nearest.
        return (
            Role.MECHANISM,
            FailureClass.UNHANDLED_EXCEPTION,
            Priority.P2,
            "an application's error that no rule knows",
        )
    return Role.MECHANISM, FailureClass.OTHER, Priority.P2, "an error that no rule knows"


def _cluster_id(name: str, revision: str, values: Sequence[str]) -> ClusterId:
    digest = hashlib.sha256("\0".join([revision, *values]).encode("utf-8", "replace")).hexdigest()
    return ClusterId(f"{name}-{digest[:6]}")


def _unit(occurrences: Sequence[Occurrence]) -> OccurrenceUnit:
    """Return what most of the occurrences are."""
    counts = Counter(o.unit for o in occurrences)
    return max(OccurrenceUnit, key=lambda unit: counts[unit])


def _by_severity(entries: Sequence[LogEntry]) -> dict[str, int]:
    return dict(sorted(Counter(quote(e.severity, 20) if e.severity else "(none)" for e in entries).items()))


def _cadence(occurrences: Sequence[Occurrence]) -> Cadence | None:
    """Tell how far the starts lie apart; a rhythm needs three occurrences."""
    gaps = [(b.start - a.start) / _SECOND for a, b in pairwise(occurrences)]
    if len(gaps) < 2:  # noqa: PLR2004 - two gaps, three occurrences
        return None
    return Cadence(median=round(median(gaps), 3), shortest=round(min(gaps), 3), longest=round(max(gaps), 3))


def _span(groups: Mapping[_Key, Sequence[Classified]]) -> tuple[int, int]:
    times = [item.entry.time for items in groups.values() for item in items]
    return (min(times), max(times)) if times else (0, 0)


def _trend(occurrences: Sequence[Occurrence], span: tuple[int, int]) -> tuple[int, ...]:
    first, last = span
    bins = [0] * TREND_BINS
    for occurrence in occurrences:
        place = (occurrence.start - first) * TREND_BINS // max(last - first, 1)
        bins[min(max(place, 0), TREND_BINS - 1)] += 1
    return tuple(bins)


def _captures(occurrences: Sequence[Occurrence], items: Sequence[Classified]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Count in how many occurrences each value of each capture stands."""
    of_entry = {id(item.entry): item.primary.captures for item in items if item.primary}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for occurrence in occurrences:
        seen = {(n, quote(v, 200)) for e in occurrence.entries for n, v in of_entry.get(id(e), {}).items()}
        for name, value in sorted(seen):
            counts[name][value] += 1
    return {name: _top(counter) for name, counter in sorted(counts.items())}


def _top(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(n for _, n in ordered[CAPTURE_VALUES:])
    return tuple(ordered[:CAPTURE_VALUES]) + ((("…", rest),) if rest else ())


def _spread(occurrences: Sequence[Occurrence]) -> list[LogEntry]:
    """Pick up to five entries: the first of the first, of the last and of occurrences evenly between."""
    count = len(occurrences)
    if count <= EXEMPLARS:
        picked = list(range(count))
    else:
        picked = sorted({round(i * (count - 1) / (EXEMPLARS - 1)) for i in range(EXEMPLARS)})
    return [_speaker(occurrences[i].entries) for i in picked]
