"""What was read in, what can and cannot be told from it out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from forensics.model import Coverage, Gap, Intake, Level, LogEntry, Query, ReadOrder, Span
from forensics.redact import quote
from forensics.timestamps import format_seconds, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLOUD_RUN_LOGS = ("requests", "stdout", "stderr", "system", "audit")
_AUDIT = {"activity", "system_event", "data_access", "policy"}
_SECOND = 1_000_000_000
_MIN_LIMIT = 10
"""Nobody pulls with a smaller limit and then wonders."""
_SHORT = 0.5
"""Less than this share of the span asked for is worth a word."""
_ROUND_PARTS = 25
"""A number is round when, without its trailing zeros, it is at most this: 20, 250, 1000, 1500."""


def measure(
    intake: Intake,
    selected: Sequence[LogEntry],
    around: Sequence[LogEntry],
    query: Query,
    *,
    analysed: int,
    unclassified: int,
) -> Coverage:
    """Count what was read and state what is missing.

    `selected` are the revision's entries before stitching; `around` are audit entries of its service that name no
    revision: they say which logs there are, and neither when the revision ran nor how it did.
    """
    times = sorted(entry.time for entry in selected if entry.time)
    logs = _logs([*selected, *around])
    reason = _truncation(intake, times, query)
    covered = Span(from_time=format_time(times[0]), to_time=format_time(times[-1])) if times else Span()
    return Coverage(
        entries_read=intake.read + intake.passed_over,
        passed_over=intake.passed_over,
        entries_selected=len(selected),
        duplicates=intake.duplicates,
        errors=sum(e.level.rank >= Level.ERROR.rank for e in selected),
        analysed=analysed,
        unreadable=intake.unreadable,
        first_unreadable=_place(intake),
        no_severity=sum(_is_without_severity(e) for e in selected),
        no_payload=sum(not e.has_payload for e in selected),
        unclassified=unclassified,
        asked=Span(from_time=query.from_time, to_time=query.to_time),
        covered=covered,
        covered_seconds=round((times[-1] - times[0]) / _SECOND, 6) if times else None,
        order=intake.order,
        truncated=None if reason else False,
        truncation=reason,
        gaps=_gaps(times),
        logs=logs,
        levels={
            level.value: n for level, n in sorted(Counter(e.level for e in selected).items(), key=lambda x: x[0].rank)
        },
        warnings=tuple(_warnings(intake, selected, logs, reason)),
    )


def log_of(entry: LogEntry) -> str:
    """Name the log of an entry as a reader knows it; some exports leave the log's name out."""
    if entry.stream in _AUDIT or (not entry.stream and entry.raw.get("protoPayload")):
        return "audit"
    if entry.stream:
        return quote(entry.stream, 60)
    return "requests" if entry.http is not None else "(no log name)"


def _logs(selected: Sequence[LogEntry]) -> dict[str, int]:
    counts = Counter(log_of(entry) for entry in selected)
    others = sorted(counts.keys() - set(CLOUD_RUN_LOGS))
    return {name: counts[name] for name in (*CLOUD_RUN_LOGS, *others)}


def _is_without_severity(entry: LogEntry) -> bool:
    return entry.severity is None or entry.severity.upper() == Level.DEFAULT


def _place(intake: Intake) -> str | None:
    first = intake.first_unreadable
    return f"{first.place}: {first.reason}" if first else None


def _truncation(intake: Intake, times: Sequence[int], query: Query) -> str | None:
    """Say why the pull looks cut, None when it does not."""
    return _cut_by_severity(intake) or _cut_by_limit(intake) or _cut_in_time(times, query)


def _cut_by_severity(intake: Intake) -> str | None:
    severities = (raw.record.get("severity") for raw in intake.entries)
    by_severity = Counter(name for name in severities if isinstance(name, str))
    count, equal = Counter(by_severity.values()).most_common(1)[0] if by_severity else (0, 0)
    if equal == 1 or count <= _MIN_LIMIT or not _is_round(count):
        return None
    names = ", ".join(sorted(quote(name, 20) for name, n in by_severity.items() if n == count))
    return (
        f"exactly {count} entries each of {names}: probably pulled with a limit per severity, "
        "so numbers cannot be added up or compared"
    )


def _cut_by_limit(intake: Intake) -> str | None:
    read = intake.read + intake.passed_over
    if len(intake.sources) > 1 or not _is_round(read):
        return None
    order = ", newest first" if intake.order is ReadOrder.NEWEST_FIRST else ""
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


def _is_round(number: int) -> bool:
    return number >= _MIN_LIMIT and number % 10 == 0 and int(str(number).rstrip("0")) <= _ROUND_PARTS


def _gaps(times: Sequence[int]) -> tuple[Gap, ...]:
    """Find the few silences that stand out: a tenth of the span, and far beyond the usual distance."""
    if len(times) < 50:  # noqa: PLR2004 - with fewer entries every distance stands out
        return ()
    distances = [b - a for a, b in pairwise(times)]
    least = max((times[-1] - times[0]) // 10, 60 * int(median(distances)), 300 * _SECOND)
    found = [(a, b) for a, b in pairwise(times) if b - a >= least]
    return tuple(
        Gap(from_time=format_time(a), to_time=format_time(b), seconds=round((b - a) / _SECOND, 3)) for a, b in found[:5]
    )


def _warnings(intake: Intake, selected: Sequence[LogEntry], logs: dict[str, int], reason: str | None) -> Iterator[str]:
    """Say what a reader must know before trusting a number."""
    if reason:
        yield _capital(reason)
    yield from _payload_warnings(selected)
    if not logs["requests"]:
        yield "No request log in these entries: the effect on users cannot be told"
    if (
        not logs["stdout"]
        and not logs["stderr"]
        and not logs.get("(no log name)")
        and logs["requests"] + logs["system"]
    ):
        yield "No stdout and no stderr in these entries: what the application said is not here"
    if _only_loud(selected):
        yield (
            "Only entries of severity WARNING or above were pulled: continuation lines of tracebacks and causes of "
            "lower or no severity are not here"
        )
    bare = sum(_is_without_severity(e) for e in selected)
    if bare:
        yield f"{_counted(bare)} no severity; a pull by severity would have missed them"
    lost = sum(not e.time for e in selected)
    if lost:
        yield f"{_counted(lost)} no readable timestamp: counted, but not in order"
    if intake.unreadable:
        yield f"{intake.unreadable} records could not be read, the first at {_place(intake)}"


def _payload_warnings(selected: Sequence[LogEntry]) -> Iterator[str]:
    empty = sum(not e.has_payload for e in selected)
    if empty * 2 > len(selected):
        yield (
            f"The payloads are missing in {empty} of {len(selected)} entries: when and how loud is known, what "
            "happened is not; pull again without a projection (gcloud logging read … --format=json)"
        )
    elif empty:
        yield f"{_counted(empty)} no payload"


def _counted(number: int) -> str:
    """Begin a sentence: `1 entry carries`, `180 entries carry`."""
    return "1 entry carries" if number == 1 else f"{number:,} entries carry"


def _only_loud(selected: Sequence[LogEntry]) -> bool:
    ranks = [Level(e.severity or "DEFAULT").rank if e.severity in Level.__members__ else 0 for e in selected]
    return len(ranks) > 1 and min(ranks) >= Level.WARNING.rank


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
