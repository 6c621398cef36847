"""Measure the coverage: what was read, what looks cut off, and which conclusions that rules out."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from itertools import compress, pairwise
from operator import sub
from statistics import median
from typing import TYPE_CHECKING

from forensics.context.coverage.pulls import (
    asked,
    at_edge,
    cut_pull,
    left_out,
    of_others,
    pulled_spans,
    sampled,
    suppressed,
)
from forensics.log.pulled_whole import PulledWhole
from forensics.model import Coverage, CutBy, Gap, Level, LogEntry, LogIndex, Pulled, Query, ReadOrder, Span
from forensics.text.plurals import counted
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND, format_seconds, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Unreadable

CLOUD_RUN_LOGS = ("requests", "stdout", "stderr", "system", "audit")
_AUDIT = {"activity", "system_event", "data_access", "policy"}
_MIN_LIMIT = 10
"""Smallest number of entries that is suspected to be a limit."""
_LEAST_ALONE = 100
"""Fewer entries are a small log, not a cut one, whatever their number."""
_NAMED = 3
"""Truncated inputs that are named in warnings."""
_STEP = 50
"""Suspected limits are multiples of this."""
_SHORT = 0.5
"""Covered share of the requested span below which the pull looks cut."""
_ROUND_PARTS = 25
"""A number is round if it is at most this without its trailing zeros: 20, 250, 1000, 1500."""


def measure(
    log_index: LogIndex,
    table: EntryTable,
    around: Sequence[LogEntry],
    query: Query,
    *,
    analysed: int,
    unclassified: int,
    lost: int = 0,
    pulled: Sequence[Pulled] = (),
    revision: str = "all",
) -> Coverage:
    """Count what was read and state what is missing.

    - `pulled`: the listings that filled a case. They record what was requested for `revision` and whether all of it
      came; without them, a limit can only be guessed from numbers.
    - `around`: audit entries of the revision's service that name no revision. They count for which logs were read, but
      not for when the revision ran or how it went.
    - `lost`: number of entries whose input changed while it was read.
    """
    untimed = bisect_right(table.times, 0)
    times = table.times[untimed:] if untimed else table.times
    counts = _Counts(table, around)
    about = [one for one in pulled if revision == "all" or one.revision in {"", "all", revision}]
    known = cut_pull(about, query) if about else of_others(pulled)
    cut, reason = known if pulled else _truncation(log_index, times, query)
    covered = Span(from_time=format_time(times[0]), to_time=format_time(times[-1])) if times else Span()
    return Coverage(
        entries_read=log_index.read + log_index.passed_over,
        passed_over=log_index.passed_over,
        entries_selected=counts.selected,
        duplicates=log_index.duplicates,
        errors=sum(n for level, n in counts.levels.items() if level.rank >= Level.ERROR.rank),
        analysed=analysed,
        unreadable=log_index.unreadable + lost,
        first_unreadable=_place(log_index, lost),
        no_severity=counts.no_severity,
        no_payload=counts.no_payload,
        unclassified=unclassified,
        asked=asked(query, about),
        covered=covered,
        covered_seconds=round((times[-1] - times[0]) / SECOND, 6) if times else None,
        order=log_index.order,
        truncated=(bool(pulled) or None) if reason else False,
        truncation=reason,
        cut=cut,
        sampled=sampled(about, query) if cut is CutBy.SAMPLE else (),
        whole_from=PulledWhole(pulled, revision).level,
        gaps=_gaps(times),
        logs=counts.logs,
        levels={level.value: n for level, n in sorted(counts.levels.items(), key=lambda x: x[0].rank)},
        warnings=(
            *_warnings(log_index, counts, reason, lost, is_known=bool(pulled_spans(about))),
            *left_out(about, PulledWhole(pulled, revision).level),
            *suppressed(about),
            *at_edge(table, about),
        ),
    )


class _Counts:
    """Numbers of the revision's entries by level, log and severity."""

    def __init__(self, table: EntryTable, around: Sequence[LogEntry]) -> None:
        facts_counts = [(table.distinct_facts[code], n) for code, n in table.counts.items()]
        self.selected = len(table)
        self.levels: Counter[Level] = Counter()
        self.no_severity = self.no_payload = 0
        self.severities = {facts.severity for facts, _ in facts_counts}
        for facts, n in facts_counts:
            self.levels[facts.level] += n
            self.no_severity += n * _is_without_severity(facts.severity)
            self.no_payload += n * (not facts.has_payload)
        self.without_time = bisect_right(table.times, 0)
        self.logs = _logs(table, around)


def _logs(table: EntryTable, around: Sequence[LogEntry]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    audits = [label_set.is_audit for label_set in table.label_sets]
    # Counting numbers is much faster than counting pairs, so audit entries, if there are any, are counted separately.
    of_audit = Counter(compress(table.fact_ids, map(audits.__getitem__, table.label_ids)) if any(audits) else ())
    of_others = Counter(table.fact_ids)
    of_others.subtract(of_audit)
    for is_audit, by_facts in ((False, of_others), (True, of_audit)):
        for code, n in (+by_facts).items():
            facts = table.distinct_facts[code]
            counts[_log(facts.stream, is_audit=is_audit, is_request=facts.is_request)] += n
    for entry in around:
        audit = bool(entry.raw.get("protoPayload"))
        counts[_log(entry.stream, is_audit=audit, is_request=entry.http is not None)] += 1
    others = sorted(counts.keys() - set(CLOUD_RUN_LOGS))
    return {name: counts[name] for name in (*CLOUD_RUN_LOGS, *others)}


def _log(stream: str, *, is_audit: bool, is_request: bool) -> str:
    """Return the name of an entry's log for a reader; some exports omit the log's name."""
    if stream in _AUDIT or (not stream and is_audit):
        return "audit"
    if stream:
        return quote(stream, 60)
    return "requests" if is_request else "(no log name)"


def _is_without_severity(severity: str | None) -> bool:
    return severity is None or severity.upper() == Level.DEFAULT


def _place(log_index: LogIndex, lost: int) -> str | None:
    first = log_index.first_unreadable
    if first:
        return f"{first.place}: {first.reason}"
    return "entries that were read could not be read again" if lost else None


def _truncation(log_index: LogIndex, times: Sequence[int], query: Query) -> tuple[CutBy | None, str | None]:
    """Return (kind, reason) of a suspected cut, (None, None) without one; kinds are severity, limit and time."""
    signs = (
        (CutBy.SEVERITY, _cut_by_severity(log_index)),
        (CutBy.LIMIT, _cut_by_limit(log_index, times, query)),
        (CutBy.TIME, _cut_in_time(times, query)),
    )
    return next(((cut, reason) for cut, reason in signs if reason), (None, None))


def _cut_by_severity(log_index: LogIndex) -> str | None:
    by_severity: Counter[str] = Counter()
    for code, n in Counter(log_index.label_ids).items():
        severity = log_index.label_sets[code].severity
        if severity is not None:
            by_severity[severity] += n
    count, equal = Counter(by_severity.values()).most_common(1)[0] if by_severity else (0, 0)
    if equal == 1 or count <= _MIN_LIMIT or not _is_round(count):
        return None
    names = ", ".join(sorted(quote(name, 20) for name, n in by_severity.items() if n == count))
    return (
        f"exactly {count} entries each of {names}: probably pulled with a limit per severity, "
        "so numbers cannot be added up or compared"
    )


def _cut_by_limit(log_index: LogIndex, times: Sequence[int], query: Query) -> str | None:
    """Suspect a limit behind a round number of entries.

    A usual limit (100, 200, 500 …) is enough; another round number needs a second sign, since one number in ten ends in
    a zero.
    """
    read = log_index.read + log_index.passed_over
    is_limit = read >= _LEAST_ALONE and (
        _is_usual(read)
        or (
            _is_round(read)
            and read % _STEP == 0
            and (log_index.order is ReadOrder.NEWEST_FIRST or _cut_in_time(times, query) is not None)
        )
    )
    if len(log_index.sources) > 1 or not is_limit:
        return None
    order = ", newest first" if log_index.order is ReadOrder.NEWEST_FIRST else ""
    return f"exactly {read:,} entries{order}: probably cut by a limit ({read}), so there may be more"


def _cut_in_time(times: Sequence[int], query: Query) -> str | None:
    if not (times and query.from_time and query.to_time):
        return None
    asked = parse_time(query.to_time) - parse_time(query.from_time)
    covered = times[-1] - times[0]
    if covered >= asked * _SHORT:
        return None
    return (
        f"the entries cover {format_seconds(covered)} of the {format_seconds(asked)} asked for: "
        "the revision was silent, or the pull was cut"
    )


def _is_usual(number: int) -> bool:
    """Tell whether a number is a usual limit: 100, 200, 500, 1,000 and so on."""
    return str(number).rstrip("0") in {"1", "2", "5"}


def _is_round(number: int) -> bool:
    return number >= _MIN_LIMIT and number % 10 == 0 and int(str(number).rstrip("0")) <= _ROUND_PARTS


def _gaps(times: Sequence[int]) -> tuple[Gap, ...]:
    """Find up to five gaps that stand out: a tenth of the span, and 60 times the median distance of entries."""
    if len(times) < 50:  # noqa: PLR2004 - with fewer entries every distance stands out
        return ()
    least = max((times[-1] - times[0]) // 10, 300 * SECOND)
    if max(map(sub, times[1:], times)) < least:
        return ()
    least = max(least, 60 * int(median(array("q", map(sub, times[1:], times)))))
    gaps = [(a, b) for a, b in pairwise(times) if b - a >= least]
    return tuple(
        Gap(from_time=format_time(a), to_time=format_time(b), seconds=round((b - a) / SECOND, 3)) for a, b in gaps[:5]
    )


def _warnings(log_index: LogIndex, counts: _Counts, reason: str | None, lost: int, *, is_known: bool) -> Iterator[str]:
    """Yield what a reader must know before trusting a number; `is_known`: a case records what was requested."""
    if reason:
        yield _capital(reason)
    yield from _payload_warnings(counts)
    logs = counts.logs
    if not logs["requests"]:
        none = "No request was logged in the time that was pulled" if is_known else "No request log in these entries"
        yield f"{none}: the effect on users cannot be told"
    if (
        not logs["stdout"]
        and not logs["stderr"]
        and not logs.get("(no log name)")
        and logs["requests"] + logs["system"]
    ):
        yield "No stdout and no stderr in these entries: what the application said is not here"
    if not is_known and _only_notable(counts):
        yield (
            "Only entries of severity WARNING or above were pulled: continuation lines of tracebacks and causes of "
            "lower or no severity are not here"
        )
    if counts.no_severity:
        yield f"{_counted(counts.no_severity)} no severity; a pull by severity would have missed them"
    if counts.without_time:
        yield f"{_counted(counts.without_time)} no readable timestamp: counted, but not in order"
    yield from _broken_off(log_index.broken_off)
    if log_index.unreadable:
        yield f"{counted(log_index.unreadable, 'record')} could not be read, the first at {_place(log_index, lost)}"
    if lost:
        lost_ones = counted(lost, "entry was", "entries were")
        yield f"{lost_ones} lost: an input changed while it was read, or holds what cannot be decoded; run again"


def _broken_off(inputs: Sequence[Unreadable]) -> Iterator[str]:
    """Name truncated inputs: what is missing from them is more than one bad record."""
    for one in inputs[:_NAMED]:
        yield f"{one.place.source} breaks off: {one.reason}, so what stood behind record {one.place.record} is not here"
    if len(inputs) > _NAMED:
        yield f"{len(inputs) - _NAMED:,} more inputs break off"


def _payload_warnings(counts: _Counts) -> Iterator[str]:
    empty = counts.no_payload
    if empty * 2 > counts.selected:
        yield (
            f"The payloads are missing in {empty} of {counts.selected} entries: when and how loud is known, what "
            "happened is not; pull again without a projection (gcloud logging read … --format=json)"
        )
    elif empty:
        yield f"{_counted(empty)} no payload"


def _counted(number: int) -> str:
    """Begin a sentence: `1 entry carries`, `180 entries carry`."""
    return counted(number, "entry carries", "entries carry")


def _only_notable(counts: _Counts) -> bool:
    """Tell whether every entry has a severity of WARNING or above, as in a pull by severity."""
    ranks = [Level[name].rank if name is not None and name in Level.__members__ else 0 for name in counts.severities]
    return counts.selected > 1 and min(ranks) >= Level.WARNING.rank


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
