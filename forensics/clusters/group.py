"""Group the entries of a revision into clusters, by signature or fingerprint.

`group` is `(EntryTable, rules, lives) -> (clusters, their entries)`: a `Cluster` goes into the report, `ClusterEntries`
keeps the rows behind it.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from forensics.clusters.affected import affected
from forensics.clusters.clients import RouteCounts
from forensics.clusters.layers import join_layers
from forensics.clusters.logged_at import logged_at
from forensics.clusters.mask import fingerprint, template
from forensics.clusters.occurrences import (
    FailedRequests,
    LivesOf,
    find_occurrences,
    lives_by_instance,
)
from forensics.clusters.profile import profile_of
from forensics.log.citations import cite
from forensics.log.entry_table import ClusterEntries, EntryTable
from forensics.log.pulled_whole import EVERYTHING, PulledWhole
from forensics.log.root_exception import innermost_frame, root_exception
from forensics.model import (
    Cadence,
    Cluster,
    ClusterId,
    ExceptionRef,
    FailureClass,
    FrameRef,
    Level,
    Life,
    LogEntry,
    Priority,
    Role,
    Rule,
)
from forensics.text.redact import quote, redact, visible
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.log.entry_table import Occurrences

TREND_BINS = 8
EXEMPLARS = 5
MOST_LAYERS = 5
"""Layers that a report lists."""
LONGEST_STACK = 20_000
"""Characters of a stack that a report keeps."""
MOST_WARNINGS = 100
"""Kinds of unknown warnings that are looked at, the most frequent ones."""
CAPTURE_VALUES = 20
"""Values of a capture that a report lists; the rest is counted under `…`."""

_STATUS = re.compile(r"(?<![\d.:])5\d\d(?![\d.:]\d)\b")

_Key = tuple[str, str, tuple[str, ...]]
"""(revision, signature or fingerprint, group values)."""


class _Grouping(Struct, frozen=True, kw_only=True):
    """Inputs that all clusters of a run share."""

    table: EntryTable
    rules: Mapping[str, Rule]
    lives: LivesOf
    whole: PulledWhole
    requests: FailedRequests
    routes: RouteCounts
    span: tuple[int, int]
    """Times of the first and the last analysed entry, nanoseconds."""


def group(
    table: EntryTable, rules: Mapping[str, Rule], lives: Sequence[Life], whole: PulledWhole = EVERYTHING
) -> tuple[tuple[Cluster, ...], tuple[ClusterEntries, ...]]:
    """Group the analysed entries into clusters, in order of first entry."""
    rows = array("I", table.rows_with([facts.analysed for facts in table.distinct_facts]))
    groups, repeated = join_layers(_groups(rows, table), table)
    return _cluster(groups, _grouping(table, rules, lives, rows, whole), repeated)


def group_warnings(
    table: EntryTable, rules: Mapping[str, Rule], lives: Sequence[Life], whole: PulledWhole, fewest: int
) -> tuple[tuple[Cluster, ...], tuple[ClusterEntries, ...]]:
    """Group the warnings that no rule knows and that are not analysed by themselves; only groups of some size.

    They become clusters of the report only if they turn out to stand before failures as a cause does.
    """
    is_warning = [not facts.analysed and bool(facts.group) for facts in table.distinct_facts]
    groups = _groups(array("I", table.rows_with(is_warning)), table)
    frequent = sorted((key for key in groups if len(groups[key]) >= fewest), key=lambda key: (-len(groups[key]), key))
    analysed = array("I", table.rows_with([facts.analysed for facts in table.distinct_facts]))
    most = {key: groups[key] for key in frequent[:MOST_WARNINGS]}
    return _cluster(most, _grouping(table, rules, lives, analysed, whole))


def _grouping(
    table: EntryTable, rules: Mapping[str, Rule], lives: Sequence[Life], analysed: Sequence[int], whole: PulledWhole
) -> _Grouping:
    return _Grouping(
        table=table,
        rules=rules,
        lives=lives_by_instance(lives),
        whole=whole,
        requests=FailedRequests(analysed, table),
        routes=RouteCounts(table),
        span=(table.times[analysed[0]], table.times[analysed[-1]]) if analysed else (0, 0),
    )


def _groups(all_rows: Iterable[int], table: EntryTable) -> dict[_Key, array[int]]:
    """Collect rows by revision, signature or fingerprint, and group values."""
    groups: dict[_Key, array[int]] = {}
    by_codes: dict[tuple[int, int], array[int]] = {}
    for row in all_rows:
        codes = table.fact_ids[row], table.label_ids[row]
        rows = by_codes.get(codes)
        if rows is None:
            rows = by_codes[codes] = groups.setdefault(_key(row, table), array("I"))
        rows.append(row)
    return groups


def _cluster(
    groups: Mapping[_Key, array[int]], grouping: _Grouping, repeated: Mapping[_Key, Sequence[_Key]] | None = None
) -> tuple[tuple[Cluster, ...], tuple[ClusterEntries, ...]]:
    """Build the clusters of groups, in order of first entry."""
    layers = repeated or {}
    built = [_build(key, rows, grouping, layers.get(key, ())) for key, rows in groups.items()]
    built.sort(key=lambda pair: (pair[1].rows[0], pair[0].id))
    return tuple(cluster for cluster, _ in built), tuple(members for _, members in built)


def _key(row: int, table: EntryTable) -> _Key:
    facts = table.facts(row)
    return table.label_set(row).revision, facts.signature, facts.group


def _build(key: _Key, rows: array[int], grouping: _Grouping, layers: Sequence[_Key]) -> tuple[Cluster, ClusterEntries]:
    revision, signature, values = key
    table, rule = grouping.table, grouping.rules.get(signature)
    originals = _originals(rows, table)
    requests = grouping.requests.keys(rows)
    occurrences = find_occurrences(rows, table, grouping.lives, rule.occurs_per if rule else None, requests)
    representative_row = _representative(rows, table)
    representative = table.entry(representative_row)
    has_frames = any(exception.frames for exception in representative.exceptions)
    cluster_id = _cluster_id(signature or "unmatched", revision, values)
    is_restated = rule is None and _restates_failure(representative_row, representative.message, grouping)
    judgement = _judgement(rule, representative, is_restated=is_restated)
    distinct_facts = [table.distinct_facts[code] for code in set(map(table.fact_ids.__getitem__, rows))]
    profile = profile_of(occurrences, len(originals), table, grouping.lives, representative)
    examples = _sample_evenly(occurrences, table)
    cluster = Cluster(
        id=cluster_id,
        revision=revision,
        signature=signature or None,
        signature_version=rule.version if rule else None,
        group=tuple(quote(value, 120) for value in values) if rule else (),
        failure_class=judgement.failure_class,
        title=rule.title if rule else quote(template(representative), 160),
        role=judgement.role,
        priority=judgement.priority,
        priority_reason=judgement.reason,
        level=max((facts.level for facts in distinct_facts), key=lambda level: level.rank),
        entries=len(originals),
        entries_by_severity=_by_severity(originals, table),
        occurrences=len(occurrences),
        unit=occurrences.unit,
        instances=_count_instances(originals, table),
        first_seen=table.original(originals[0]).timestamp,
        last_seen=table.original(originals[-1]).timestamp,
        # Between the windows of a pull there may be more of them.
        cadence=_cadence(occurrences.starts, is_loop=profile.is_loop) if grouping.whole.has_all(table, rows) else None,
        trend=_trend(occurrences.starts, grouping.span),
        template=quote(template(representative), 300),
        fingerprint=fingerprint(table.entry(rows[0])) if rule else values[0],
        exception=_exception_ref(representative),
        frame=_frame_ref(representative),
        logged_at=None if has_frames or representative.http is not None else logged_at(representative),
        layers=_told(layers, rows, table),
        stack=visible(redact(representative.message[:LONGEST_STACK])) if has_frames else "",
        captures=_captures(occurrences, table),
        also_matched=tuple(sorted({rule for facts in distinct_facts for rule in facts.also})),
        exemplars=tuple(cite(table.entry(row)) for row in examples),
        entries_each=profile.entries_each,
        life=profile.life,
        raised=profile.raised,
        raised_in=profile.raised_in,
        out_of_order=profile.out_of_order,
        affected=affected(occurrences, examples, table, grouping.requests, counts=grouping.routes),
    )
    return cluster, ClusterEntries(
        cluster=cluster_id, representative=representative_row, rows=rows, occurrences=occurrences
    )


def _count_instances(rows: Sequence[int], table: EntryTable) -> int:
    """Count the instances that some entries name."""
    names = {table.label_sets[code].instance for code in set(map(table.label_ids.__getitem__, rows))}
    return len(names - {""})


def _exception_ref(representative: LogEntry) -> ExceptionRef | None:
    root = root_exception(representative)
    if root is None or not root.type:
        return None
    return ExceptionRef(type=quote(root.type, 120), value=quote(root.value, 300))


def _frame_ref(representative: LogEntry) -> FrameRef | None:
    frame = innermost_frame(representative)
    if frame is None:
        return None
    return FrameRef(
        file=quote(frame.file, 200), line=frame.line, function=quote(frame.function, 120), in_app=frame.in_app
    )


def _told(layers: Sequence[_Key], rows: Sequence[int], table: EntryTable) -> tuple[str, ...]:
    """Return what each of the joined groups says, by its first entry."""
    first = {key: next((row for row in rows if _key(row, table) == key), None) for key in layers[:MOST_LAYERS]}
    return tuple(quote(template(table.entry(row)), 160) for row in first.values() if row is not None)


def _originals(rows: array[int], table: EntryTable) -> Sequence[int]:
    """Return the rows of all original entries of a cluster, in order: a stitched entry has several."""
    later = [piece for row in rows if row in table.pieces for piece in table.pieces[row] if piece != row]
    return sorted([*rows, *later]) if later else rows


def _representative(rows: Sequence[int], table: EntryTable) -> int:
    """Pick the most informative entry: the first with frames, else with an exception, else the first."""
    weights = {code: table.distinct_facts[code].weight for code in set(map(table.fact_ids.__getitem__, rows))}
    most = max(weights.values())
    return next(row for row in rows if weights[table.fact_ids[row]] == most)


class _Judgement(NamedTuple):
    """What kind of failure a cluster is, and why it has its priority."""

    role: Role
    failure_class: FailureClass
    priority: Priority
    reason: str


def _judgement(rule: Rule | None, representative: LogEntry, *, is_restated: bool) -> _Judgement:
    """Take role, class and priority from the rule; without one, derive them from what the entry is."""
    if rule is not None:
        return _Judgement(rule.role, rule.failure_class, rule.priority, f"set by rule {rule.id}")
    if representative.exceptions:
        role, failure_class, reason = Role.CAUSE, FailureClass.UNHANDLED_EXCEPTION, "an exception that no rule knows"
    elif not representative.has_payload:
        role, failure_class, reason = Role.SYMPTOM, FailureClass.OTHER, "entries without a payload say nothing"
    elif representative.http is not None:
        role, failure_class, reason = Role.SYMPTOM, FailureClass.HTTP_ERROR, "a request that failed"
    elif is_restated:
        role, failure_class, reason = Role.SYMPTOM, FailureClass.HTTP_ERROR, "an application's line on a failed request"
    elif representative.raw.get("protoPayload") is None and representative.stream != "system":
        # The list of classes is closed; for an error that a program logs in its own words this is the nearest.
        role, failure_class = Role.MECHANISM, FailureClass.UNHANDLED_EXCEPTION
        reason = "an application's error that no rule knows"
        if representative.level.rank < Level.ERROR.rank:
            failure_class, reason = FailureClass.OTHER, "an application's warning that no rule knows"
    else:
        role, failure_class, reason = Role.MECHANISM, FailureClass.OTHER, "an error that no rule knows"
    return _Judgement(role, failure_class, Priority.P2, reason)


def _restates_failure(row: int, message: str, grouping: _Grouping) -> bool:
    """Tell whether a line merely names its own request and the status of 500 or above, as an access log does."""
    first = message[:500]
    own = grouping.requests.of_entry(row) if _STATUS.search(first) else None
    http = grouping.table.entry(own).http if own is not None else None
    return http is not None and len(http.path) > 1 and http.method in first and http.path in first


def _cluster_id(name: str, revision: str, values: Sequence[str]) -> ClusterId:
    digest = hashlib.sha256("\0".join([revision, *values]).encode("utf-8", "replace")).hexdigest()
    return ClusterId(f"{name}-{digest[:6]}")


def _by_severity(rows: Sequence[int], table: EntryTable) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for code, count in Counter(map(table.fact_ids.__getitem__, rows)).items():
        severity = table.distinct_facts[code].severity
        counts[quote(severity, 20) if severity else "(none)"] += count
    return dict(sorted(counts.items()))


def _cadence(starts: Sequence[int], *, is_loop: bool) -> Cadence | None:
    """Measure the time between the starts of occurrences; None for fewer than three occurrences."""
    gaps = sorted(map(sub, starts[1:], starts))
    if len(gaps) < 2:  # noqa: PLR2004 - two gaps, three occurrences
        return None
    shortest, *middle, longest = (
        gap / SECOND for gap in (gaps[0], gaps[(len(gaps) - 1) // 2], gaps[len(gaps) // 2], gaps[-1])
    )
    return Cadence(
        median=round(sum(middle) / 2, 3), shortest=round(shortest, 3), longest=round(longest, 3), is_loop=is_loop
    )


def _trend(starts: Sequence[int], span: tuple[int, int]) -> tuple[int, ...]:
    """Histogram of the starts (sorted) over equal parts of a span; what lies outside counts in the first or last."""
    first, length = span[0], max(span[1] - span[0], 1)
    bounds = [first - (-part * length // TREND_BINS) for part in range(1, TREND_BINS)]
    places = [0, *(bisect_left(starts, bound) for bound in bounds), len(starts)]
    return tuple(end - start for start, end in pairwise(places))


def _captures(occurrences: Occurrences, table: EntryTable) -> dict[str, tuple[tuple[str, int], ...]]:
    """Count, for each value of each capture, the occurrences that contain it."""
    captured = [facts.captures for facts in table.distinct_facts]
    quoted = lru_cache(1024)(lambda value: quote(value, 200))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for codes, count in occurrences.by_facts().items():
        for name, value in {(name, quoted(value)) for code in codes for name, value in captured[code]}:
            counts[name][value] += count
    return {name: _top(counter) for name, counter in sorted(counts.items())}


def _top(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(n for _, n in ordered[CAPTURE_VALUES:])
    return tuple(ordered[:CAPTURE_VALUES]) + ((("…", rest),) if rest else ())


def _sample_evenly(occurrences: Occurrences, table: EntryTable) -> list[int]:
    """Pick the representatives of up to five occurrences: the first, the last, and some evenly between."""
    count = len(occurrences)
    if count <= EXEMPLARS:
        picked = list(range(count))
    else:
        picked = sorted({round(i * (count - 1) / (EXEMPLARS - 1)) for i in range(EXEMPLARS)})
    return [_representative(occurrences[i].rows, table) for i in picked]
